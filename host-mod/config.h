/* SPDX-License-Identifier: GPL-2.0 */
/* What the files behind configfs share. */
#ifndef LPAR_HOST_CONFIG_H
#define LPAR_HOST_CONFIG_H

#include "disk.h"

extern const struct config_item_type lpar_config_nics;
extern const struct config_item_type lpar_config_vfs;
extern const struct config_item_type lpar_config_policy;

bool lpar_config_pci_address(const char *text);
struct lpar_partition *lpar_config_partition(struct config_item *item);
ssize_t lpar_config_line(char *to, size_t size, const char *page, size_t count);
const char *lpar_config_wish(enum lpar_wish wish);
int lpar_config_store_wish(enum lpar_wish *wish, const char *page);

#endif
