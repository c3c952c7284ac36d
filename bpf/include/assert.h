/* SPDX-License-Identifier: GPL-2.0 */
/* What wire.h checks itself with; the C library's is not for this machine. */
#define static_assert _Static_assert
