// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_touch: what lpar_host never lets happen, a CPU reads a tag. The emulator
 * has to notice.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>

static ulong at;
module_param(at, ulong, 0444);
MODULE_PARM_DESC(at, "physical address to read");

static int __init touch_init(void)
{
	void *page = memremap(at & PAGE_MASK, PAGE_SIZE, MEMREMAP_WB);

	if (!page)
		return -ENOMEM;
	pr_info("%#lx holds %#lx\n", at, READ_ONCE(*(ulong *)(page + offset_in_page(at))));
	memunmap(page);
	return 0;
}
module_init(touch_init);

static void __exit touch_exit(void)
{
}
module_exit(touch_exit);

MODULE_DESCRIPTION("Tests: read memory at a physical address");
MODULE_LICENSE("GPL");
