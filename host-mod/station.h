/* SPDX-License-Identifier: GPL-2.0 */
/* Whose frames are, and what a port's device is told for a NIC. */
#ifndef LPAR_HOST_STATION_H
#define LPAR_HOST_STATION_H

#include "nic.h"

/* Where a client's frame goes; see lpar_station_route(). */
struct lpar_route {
	struct lpar_nic *station;	/* to this one alone */
	bool wire;
	bool host;
	bool all;			/* and to all other stations */
};

bool lpar_station_sees(const struct lpar_nic *nic, u16 vlan);
struct lpar_nic *lpar_station_find(struct lpar_port *port, u16 vlan, u64 mac, bool sends);
void lpar_station_route(struct lpar_port *port, struct lpar_nic *from, const u8 *dest,
			u16 vlan, struct lpar_route *r);
bool lpar_station_reserved(const struct lpar_port *port, u16 vlan, u64 mac);
bool lpar_station_taken(struct lpar_port *port, const struct lpar_nic *nic, u64 mac,
			struct net_device *dev);
int lpar_station_admit(struct lpar_port *port, struct lpar_nic *nic,
		       struct net_device *dev);
void lpar_station_forget(struct lpar_port *port, struct lpar_nic *nic,
			 struct net_device *dev);
void lpar_station_drop_addresses(struct lpar_nic *nic);
int lpar_station_address(struct lpar_nic *nic, u64 mac);
int lpar_station_mac(struct lpar_nic *nic, u64 mac, bool in);
bool lpar_station_has_mac(struct lpar_nic *nic, u64 mac);
void lpar_station_forget_macs(struct lpar_nic *nic);
int lpar_station_aside(struct lpar_nic *nic, bool aside);
int lpar_station_promisc(struct lpar_nic *nic, bool on);
int lpar_station_filter_vlans(struct lpar_nic *nic, bool on);
bool lpar_station_forget_vlans(struct lpar_nic *nic);
int lpar_station_vlan(struct lpar_nic *nic, u16 vlan, bool in);

#endif
