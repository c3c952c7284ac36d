/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_GUEST_MAILBOX_H
#define LPAR_GUEST_MAILBOX_H

#include "device.h"

int lpar_mailbox_register(struct lpar_device *dev);
void lpar_mailbox_unregister(struct lpar_device *dev);
void lpar_mailbox_event(struct lpar_device *dev);

#endif
