// SPDX-License-Identifier: GPL-2.0
/* The guest's parser of a NIC's records, once more; see guest_caps.c. */
#include "../../guest-mod/net_caps.c"
