/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Security associations that clients give to a port's adapter. Each is a state of the
 * kernel's that the adapter's driver knows, and the host's own IPsec does not.
 */
#ifndef LPAR_HOST_IPSEC_H
#define LPAR_HOST_IPSEC_H

#include "nic.h"

bool lpar_ipsec_offered(const struct net_device *dev);
void lpar_ipsec_begin(struct lpar_nic *nic, struct net_device *dev);
void lpar_ipsec_end(struct lpar_nic *nic);
void lpar_ipsec_forget(struct lpar_nic *nic);
enum lpar_status lpar_ipsec_add(struct lpar_nic *nic, const struct lpar_sa *sa,
				u64 *number);
enum lpar_status lpar_ipsec_delete(struct lpar_nic *nic, u64 number);
enum lpar_status lpar_ipsec_protect(struct lpar_nic *nic, struct sk_buff *skb, u16 number);
int lpar_ipsec_received(const struct lpar_nic *nic, const struct sk_buff *skb);

#endif
