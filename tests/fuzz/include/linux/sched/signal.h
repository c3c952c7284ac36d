/* SPDX-License-Identifier: GPL-2.0 */
/* host-mod/users.h includes it; nothing of it is needed in user space. */
