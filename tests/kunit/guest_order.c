// SPDX-License-Identifier: GPL-2.0
/* The guest's classes, once more: its objects belong to lpar_guest.ko. */
#include "../../guest-mod/order.c"
