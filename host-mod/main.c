// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_host: the partition manager. KVM guests share the host's disks and NICs through the
 * host's own, unmodified drivers; see docs/
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "adapter.h"
#include "control.h"
#include "dispatch.h"
#include "errand.h"
#include "manage.h"
#include "partition.h"
#include "port.h"
#include "tag.h"
#include "window.h"

#define LPAR_VERSION "0.1.0"

static unsigned int tag_mib;
module_param(tag_mib, uint, 0444);
MODULE_PARM_DESC(tag_mib, "address space for memory tags, MiB (default: twice the memory, at least 65536); struct pages cost 16 MiB per GiB in use");

static char *transport = "auto";
module_param(transport, charp, 0444);
MODULE_PARM_DESC(transport, "how doorbells reach us: auto, task_work or ioctl");

static struct kobject *root;

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", LPAR_VERSION);
}
static struct kobj_attribute attr_version = __ATTR_RO(version);

static ssize_t tag_range_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	return lpar_tag_show(buf);
}
static struct kobj_attribute attr_tag_range = __ATTR_RO(tag_range);

static ssize_t transport_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  lpar_dispatch_task_work ? "task_work" : "ioctl");
}
static struct kobj_attribute attr_transport = __ATTR_RO(transport);

static const struct attribute *const root_attrs[] = {
	&attr_version.attr,
	&attr_tag_range.attr,
	&attr_transport.attr,
	NULL,
};

static int __init lpar_host_init(void)
{
	int ret;

	/* Drivers' DMA and the interrupts of clients are served under spinlocks that sleep there,
	 * which what takes adapters out of their hands does not wait for. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		pr_err("PREEMPT_RT kernels are not supported: boot one without it\n");
		return -EOPNOTSUPP;
	}
	if ((tag_mib && tag_mib < 128) || tag_mib > LPAR_TAG_MIB_MAX) {
		pr_err("tag_mib=%u: 128 to %u, or 0\n", tag_mib, LPAR_TAG_MIB_MAX);
		return -EINVAL;
	}
	root = kobject_create_and_add("lpar", kernel_kobj);
	if (!root)
		return -ENOMEM;
	ret = lpar_dispatch_init(transport);
	if (ret)
		goto err_root;
	ret = lpar_errand_init();
	if (ret)
		goto err_dispatch;
	ret = lpar_tag_init(tag_mib);
	if (ret)
		goto err_errand;
	ret = lpar_window_init();
	if (ret)
		goto err_tag;
	ret = lpar_adapter_init(root);
	if (ret)
		goto err_window;
	ret = lpar_partition_init(root);
	if (ret)
		goto err_adapter;
	ret = sysfs_create_files(root, root_attrs);
	if (ret)
		goto err_partition;
	ret = lpar_port_init();
	if (ret)
		goto err_files;
	ret = lpar_config_init();
	if (ret)
		goto err_port;
	ret = lpar_control_init();
	if (ret)
		goto err_config;
	ret = lpar_manage_init();
	if (ret)
		goto err_control;
	return 0;

err_control:
	lpar_control_exit();
err_config:
	lpar_config_exit();
err_port:
	lpar_port_exit();
err_files:
	sysfs_remove_files(root, root_attrs);
err_partition:
	lpar_partition_exit();
err_adapter:
	lpar_adapter_exit();
err_window:
	lpar_window_exit();
err_tag:
	lpar_tag_exit();
err_errand:
	lpar_errand_exit();
err_dispatch:
	lpar_dispatch_exit();
err_root:
	kobject_put(root);
	return ret;
}

/* Open files and configfs items hold the module: nothing is configured. */
static void __exit lpar_host_exit(void)
{
	lpar_manage_exit();
	lpar_control_exit();
	lpar_config_exit();
	lpar_port_exit();
	/* files in sysfs do not hold the module: their readers are through then */
	sysfs_remove_files(root, root_attrs);
	lpar_partition_exit();
	lpar_adapter_exit();
	lpar_window_exit();
	/* a task that was preempted when it had ended a client's last request */
	synchronize_rcu_tasks();
	/* callbacks that free what RCU readers may still look at */
	rcu_barrier();
	lpar_tag_exit();
	lpar_errand_exit();
	lpar_dispatch_exit();
	kobject_put(root);
}

module_init(lpar_host_init);
module_exit(lpar_host_exit);
MODULE_LICENSE("GPL");
MODULE_VERSION(LPAR_VERSION);
MODULE_DESCRIPTION("Partition manager: KVM guests share host adapters by memory tags");
