// SPDX-License-Identifier: GPL-2.0
/* The guest's side of adjuncts, once more: its objects belong to lpar_guest.ko. */
#include "../../guest-mod/adjunct_ring.c"
