// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_leak: memory that nobody has a pointer to. kmemleak has to find it.
 */
#include <linux/module.h>
#include <linux/slab.h>

/* of some of them a stack may remember where they are */
#define LEAKS	16

static int __init leak_init(void)
{
	int i;

	for (i = 0; i < LEAKS; i++) {
		void *lost = kmalloc(100, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(lost);
	}
	return 0;
}
module_init(leak_init);

static void __exit leak_exit(void)
{
}
module_exit(leak_exit);

MODULE_DESCRIPTION("Tests: leak memory");
MODULE_LICENSE("GPL");
