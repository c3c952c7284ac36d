/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_CHANNEL_H
#define LPAR_HOST_CHANNEL_H

#include "client.h"

bool lpar_channel_serve(struct lpar_client *c);
int lpar_channel_enable(struct lpar_client *c, u64 gpa);
int lpar_channel_reset(struct lpar_client *c, bool killable);

#endif
