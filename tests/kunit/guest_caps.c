// SPDX-License-Identifier: GPL-2.0
/* The guest's record parser, once more: its objects belong to lpar_guest.ko. */
#include "../../guest-mod/caps.c"
