/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_CONTROL_H
#define LPAR_HOST_CONTROL_H

#include <linux/types.h>

/*
 * A call is known by all of its number but the structure's size, which is that of the
 * caller's version; the structure says it, too, and there it is checked.
 */
#define LPAR_CALL(cmd) ((cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))

int lpar_control_get(void *to, size_t size, const void __user *from);
int lpar_control_put(void __user *to, const void *from, size_t size);
int lpar_control_init(void);
void lpar_control_exit(void);

#endif
