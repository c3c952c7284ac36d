// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_awake: what suspending a guest of the test machine takes. Its root and its
 * log come over virtio 9p, which does not survive a suspend: all virtio devices
 * stay awake. And the suspend fails where it is told to.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

static char fail[8] = "never";
module_param_string(fail, fail, sizeof(fail), 0644);
MODULE_PARM_DESC(fail, "never, first (before other devices are suspended), late or noirq (after that)");

static struct platform_device *device;

static int fails(const char *phase)
{
	return sysfs_streq(fail, phase) ? -EBUSY : 0;
}

static int awake_suspend(struct device *dev)
{
	return fails("first");
}

static int awake_late(struct device *dev)
{
	return fails("late");
}

static int awake_noirq(struct device *dev)
{
	return fails("noirq");
}

static const struct dev_pm_ops awake_pm = {
	.suspend	= awake_suspend,
	.suspend_late	= awake_late,
	.suspend_noirq	= awake_noirq,
};

static struct platform_driver awake_driver = {
	.driver = {
		.name	= KBUILD_MODNAME,
		.pm	= &awake_pm,
	},
};

static void keep_awake(bool awake)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, PCI_ANY_ID, pdev)))
		dev_pm_syscore_device(&pdev->dev, awake);
}

static int __init awake_init(void)
{
	int ret;

	ret = platform_driver_register(&awake_driver);
	if (ret)
		return ret;
	/* the last device is the first to be suspended */
	device = platform_device_register_simple(KBUILD_MODNAME, PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(device)) {
		platform_driver_unregister(&awake_driver);
		return PTR_ERR(device);
	}
	keep_awake(true);
	return 0;
}
module_init(awake_init);

static void __exit awake_exit(void)
{
	keep_awake(false);
	platform_device_unregister(device);
	platform_driver_unregister(&awake_driver);
}
module_exit(awake_exit);

MODULE_DESCRIPTION("Test: a guest that can be suspended, or fails to be");
MODULE_LICENSE("GPL");
