// SPDX-License-Identifier: GPL-2.0
/* The host module's core, once more: its objects belong to lpar_host.ko. */
#include <linux/module.h>

#include "../../host-mod/core.c"
#include "../../host-mod/core_nic.c"
#include "../../host-mod/core_mailbox.c"

MODULE_DESCRIPTION("KUnit suites of the logical partition modules' core");
MODULE_LICENSE("GPL");
