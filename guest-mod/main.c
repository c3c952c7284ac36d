// SPDX-License-Identifier: GPL-2.0
/*
 * The guest driver of a partition's PCI function: life, death and interrupts of
 * the device. docs/teardown tells who may still run at each step of the end.
 */
#include <linux/cc_platform.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "adjunct.h"
#include "blk.h"
#include "channel.h"
#include "disk.h"
#include "mailbox.h"
#include "window.h"

#define MAIN_EVENT_MS	10	/* a storm of events makes for so many looks */
#define MAIN_VECTORS	8	/* for queues, for each CPU: more are shared */

/* The NICs look: at first they lose their carrier, however long the host takes for the
 * reset, and behind that their frames. */
static void main_tell_nics(struct lpar_device *dev)
{
	struct lpar_queue *q;
	u32 i;

	local_bh_disable();
	spin_lock_irq(&dev->queues_lock);
	for (i = 1; i < ARRAY_SIZE(dev->queues); i++) {
		q = dev->queues[i];
		if (q && q->napi)
			napi_schedule(q->napi);
	}
	spin_unlock_irq(&dev->queues_lock);
	/* here they run: 6.1 has nobody else for it before the next interrupt */
	local_bh_enable();
}

/* End what the host has had and what waited; it writes no memory any more. */
static void main_sweep(struct lpar_device *dev)
{
	struct lpar_request *req, *next;
	struct lpar_queue *q;
	LIST_HEAD(done);
	u32 i;

	/* The lock keeps a queue from being freed. */
	spin_lock_irq(&dev->queues_lock);
	for (i = 1; i < ARRAY_SIZE(dev->queues); i++) {
		q = dev->queues[i];
		if (q)
			lpar_ring_sweep(q, &done);
	}
	spin_unlock_irq(&dev->queues_lock);
	main_tell_nics(dev);
	lpar_window_sweep(dev, &done);

	list_for_each_entry_safe(req, next, &done, node) {
		list_del(&req->node);
		lpar_blk_end(dev, req, BLK_STS_IOERR);
	}
}

/*
 * broken => quiet. Requests end only when the host has acknowledged the reset:
 * before, the adapter may still write to their pages, and whoever gets those
 * pages next would find them changed.
 */
static void main_reset_work(struct work_struct *work)
{
	struct lpar_device *dev = container_of(to_delayed_work(work),
					       struct lpar_device, reset_work);

	/* who broke it was late: main_start() asks */
	if (READ_ONCE(dev->resting))
		return;
	main_tell_nics(dev);
	if (lpar_channel_reset(dev, lpar_channel_patience())) {
		queue_delayed_work(dev->wq, &dev->reset_work, HZ);
		return;
	}
	main_sweep(dev);
	lpar_adjunct_broken(dev);
}

static bool main_break_silently(struct lpar_device *dev)
{
	/*
	 * Order the flag before the sweep: whoever hands a request over looks at
	 * it under a lock that the sweep takes afterwards.
	 */
	if (test_and_set_bit(0, &dev->broken))
		return false;
	mod_delayed_work(dev->wq, &dev->reset_work, 0);
	return true;
}

/**
 * lpar_main_break - the host broke the rules or does not answer
 * @dev: the device
 * @fmt: what was wrong; logged the first time
 *
 * working => broken. Any context. Nothing is sent from here on; the host is reset
 * and every request ends with an error, once.
 */
void lpar_main_break(struct lpar_device *dev, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	if (!main_break_silently(dev))
		return;
	va_start(args, fmt);
	vaf.fmt = fmt;
	vaf.va = &args;
	dev_err(&dev->pdev->dev, "broken: %pV\n", &vaf);
	va_end(args);
}

static void main_event_work(struct work_struct *work)
{
	struct lpar_device *dev = container_of(to_delayed_work(work),
					       struct lpar_device, event_work);

	lpar_function_rescan(dev);
}

static irqreturn_t main_event_irq(int irq, void *data)
{
	struct lpar_device *dev = data;

	/*
	 * It waits for disk I/O, so it is not for dev->wq, which serves that; and
	 * functions do not come and go while the system is asleep.
	 */
	if (!lpar_device_broken(dev))
		queue_delayed_work(system_freezable_wq, &dev->event_work,
				   msecs_to_jiffies(MAIN_EVENT_MS));
	lpar_mailbox_event(dev);
	return IRQ_HANDLED;
}

static int main_map(struct lpar_device *dev)
{
	struct pci_dev *pdev = dev->pdev;
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	err = pci_request_regions(pdev, KBUILD_MODNAME);
	if (err)
		goto err_disable;

	err = -ENODEV;
	if (!(pci_resource_flags(pdev, LPAR_BAR_DOORBELL) & IORESOURCE_IO) ||
	    !(pci_resource_flags(pdev, LPAR_BAR_REGS) & IORESOURCE_MEM) ||
	    pci_resource_len(pdev, LPAR_BAR_REGS) < LPAR_REGS_SIZE)
		goto err_release;
	dev->doorbell = pci_resource_start(pdev, LPAR_BAR_DOORBELL);
	dev->regs = pci_iomap(pdev, LPAR_BAR_REGS, LPAR_REGS_SIZE);
	if (!dev->regs) {
		err = -ENOMEM;
		goto err_release;
	}
	pci_set_master(pdev);
	return 0;

err_release:
	pci_release_regions(pdev);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void main_unmap(struct lpar_device *dev)
{
	pci_iounmap(dev->pdev, dev->regs);
	pci_release_regions(dev->pdev);
	pci_disable_device(dev->pdev);
}

/*
 * A vector for events and one for each queue, or fewer and shared; those that are left
 * are for adjuncts. @adjuncts: result: how many those are.
 */
static int main_get_vectors(struct lpar_device *dev, u32 *adjuncts)
{
	struct pci_dev *pdev = dev->pdev;
	int nr, queues, err;

	queues = min3(dev->vectors, dev->channel.queues + 1,
		      MAIN_VECTORS * num_possible_cpus() + 1);
	nr = min(dev->vectors, queues + lpar_adjunct_slots(dev));
	nr = pci_alloc_irq_vectors(pdev, 2, nr, PCI_IRQ_MSIX);
	if (nr < 0)
		return nr;
	dev->vectors = min(nr, queues);
	*adjuncts = nr - dev->vectors;
	err = pci_request_irq(pdev, LPAR_VECTOR_EVENT, main_event_irq, NULL, dev,
			      "lpar-event@%s", pci_name(pdev));
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

/* The end of all that the host does with our memory. */
static void main_quiesce(struct lpar_device *dev)
{
	main_break_silently(dev);
	/* whoever broke it may be about to; once more does no harm */
	mod_delayed_work(dev->wq, &dev->reset_work, 0);
	flush_delayed_work(&dev->reset_work);
}

static int main_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct lpar_device *dev;
	u32 vectors;
	int err;

	/* The host reads and writes the memory itself. */
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT)) {
		dev_err(&pdev->dev, "not for guests with encrypted memory\n");
		return -EOPNOTSUPP;
	}

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	dev->pdev = pdev;
	dev->quiet = true;
	spin_lock_init(&dev->queues_lock);
	mutex_init(&dev->disks_lock);
	INIT_LIST_HEAD(&dev->disks);
	INIT_LIST_HEAD(&dev->nets);
	INIT_DELAYED_WORK(&dev->event_work, main_event_work);
	INIT_DELAYED_WORK(&dev->reset_work, main_reset_work);
	lpar_window_init(dev);
	pci_set_drvdata(pdev, dev);

	dev->wq = alloc_workqueue("lpar-%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				  pci_name(pdev));
	dev->repost_wq = alloc_workqueue("lpar-net-%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
					 pci_name(pdev));
	if (!dev->wq || !dev->repost_wq) {
		err = -ENOMEM;
		goto err_destroy_wq;
	}
	err = main_map(dev);
	if (err)
		goto err_destroy_wq;
	err = lpar_channel_init(dev);
	if (err)
		goto err_unmap;
	err = lpar_channel_open(dev);
	if (err)
		goto err_quiesce;
	err = main_get_vectors(dev, &vectors);
	if (err)
		goto err_quiesce;
	dev_info(&pdev->dev, "wire version %u, %u queues, %u vectors, quantum %u us\n",
		 dev->channel.version, dev->channel.queues, dev->vectors,
		 dev->channel.quantum_us);
	err = lpar_adjunct_add(dev, dev->vectors, vectors);
	if (err)
		goto err_put_vectors;

	/* In line, so that a root disk is there when this returns. */
	err = lpar_function_rescan(dev);
	if (err)
		goto err_put_vectors;
	err = lpar_mailbox_register(dev);
	if (err)
		goto err_put_vectors;
	return 0;

err_put_vectors:
	pci_free_irq(pdev, LPAR_VECTOR_EVENT, dev);
	WRITE_ONCE(dev->leaving, true);
	cancel_delayed_work_sync(&dev->event_work);
	/* an event may have added some, and their queues have vectors */
	lpar_disk_remove_all(dev);
	lpar_adjunct_remove(dev);
	pci_free_irq_vectors(pdev);
err_quiesce:
	main_quiesce(dev);
	lpar_window_free(dev);
	cancel_delayed_work_sync(&dev->reset_work);
	lpar_adjunct_free(dev);
	lpar_channel_free(dev);
err_unmap:
	main_unmap(dev);
err_destroy_wq:
	if (dev->repost_wq)
		destroy_workqueue(dev->repost_wq);
	if (dev->wq)
		destroy_workqueue(dev->wq);
	kfree(dev);
	return err;
}

/*
 * Order: no more events, so that functions stay as they are; disks and NICs, and with
 * them all requests, frames and queue interrupts; adjuncts, which have interrupts, too; the
 * host; then what it could have written to.
 */
static void main_remove(struct pci_dev *pdev)
{
	struct lpar_device *dev = pci_get_drvdata(pdev);

	WRITE_ONCE(dev->leaving, true);
	if (!pci_device_is_present(pdev))
		lpar_main_break(dev, "it was pulled out");
	pci_free_irq(pdev, LPAR_VECTOR_EVENT, dev);
	cancel_delayed_work_sync(&dev->event_work);
	lpar_mailbox_unregister(dev);
	lpar_disk_remove_all(dev);
	lpar_adjunct_remove(dev);
	pci_free_irq_vectors(pdev);
	main_quiesce(dev);
	lpar_window_free(dev);
	cancel_delayed_work_sync(&dev->reset_work);
	lpar_adjunct_free(dev);
	destroy_workqueue(dev->repost_wq);
	destroy_workqueue(dev->wq);
	lpar_channel_free(dev);
	main_unmap(dev);
	kfree(dev);
}

/* Before a reboot or kexec: the next kernel's memory is not to be written to. */
static void main_shutdown(struct pci_dev *pdev)
{
	struct lpar_device *dev = pci_get_drvdata(pdev);

	/* nothing can be left to a host that is late: wait for it again */
	WRITE_ONCE(dev->deaf, false);
	main_quiesce(dev);
}

/* running => stopped: no request anywhere, and the host has nothing of ours. */
static int main_stop(struct lpar_device *dev)
{
	lpar_adjunct_stop(dev);
	if (lpar_device_broken(dev)) {
		flush_delayed_work(&dev->reset_work);
		return dev->quiet ? 0 : -ETIMEDOUT;
	}
	WRITE_ONCE(dev->leaving, true);
	if (lpar_disk_stop_all(dev) || lpar_channel_reset(dev, lpar_channel_patience())) {
		lpar_main_break(dev, "the host does not answer the reset");
		/* nobody resumes what failed to suspend: what waited fails */
		lpar_disk_start_all(dev);
		return -ETIMEDOUT;
	}
	lpar_window_free(dev);
	return 0;
}

/* stopped => running, with whatever functions there are now. */
static int main_start(struct lpar_device *dev)
{
	int err = 0;

	pci_set_master(dev->pdev);
	/* before the disks, which may wait for the reset */
	WRITE_ONCE(dev->resting, false);
	if (lpar_device_broken(dev)) {
		mod_delayed_work(dev->wq, &dev->reset_work, 0);
	} else {
		err = lpar_channel_open(dev);
		if (err)
			lpar_main_break(dev, "it does not start again: %d", err);
	}
	lpar_disk_start_all(dev);
	WRITE_ONCE(dev->leaving, false);
	lpar_adjunct_start(dev);
	if (!lpar_device_broken(dev))
		queue_delayed_work(system_freezable_wq, &dev->event_work, 0);
	return err;
}

/* Until main_start() the registers may not be there, and what they read as then is not the
 * host's answer: a broken device's reset is not asked for meanwhile. */
static void main_rest(struct lpar_device *dev)
{
	WRITE_ONCE(dev->resting, true);
	cancel_delayed_work_sync(&dev->reset_work);
}

static int main_suspend(struct device *device)
{
	struct lpar_device *dev = dev_get_drvdata(device);
	int err = main_stop(dev);

	if (!err)
		main_rest(dev);
	return err;
}

static int main_resume(struct device *device)
{
	return main_start(dev_get_drvdata(device));
}

static DEFINE_SIMPLE_DEV_PM_OPS(main_pm_ops, main_suspend, main_resume);

static void main_reset_prepare(struct pci_dev *pdev)
{
	struct lpar_device *dev = pci_get_drvdata(pdev);

	main_stop(dev);
	main_rest(dev);
}

static void main_reset_done(struct pci_dev *pdev)
{
	main_start(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers main_err_handler = {
	.reset_prepare	= main_reset_prepare,
	.reset_done	= main_reset_done,
};

static const struct pci_device_id main_ids[] = {
	{ PCI_DEVICE(LPAR_PCI_VENDOR, LPAR_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, main_ids);

static struct pci_driver main_driver = {
	.name		= KBUILD_MODNAME,
	.id_table	= main_ids,
	.probe		= main_probe,
	.remove		= main_remove,
	.shutdown	= main_shutdown,
	.err_handler	= &main_err_handler,
	.driver.pm	= pm_sleep_ptr(&main_pm_ops),
};

static int __init main_init(void)
{
	int err;

	err = lpar_disk_register();
	if (err)
		return err;
	err = pci_register_driver(&main_driver);
	if (err)
		lpar_disk_unregister();
	return err;
}
module_init(main_init);

static void __exit main_exit(void)
{
	pci_unregister_driver(&main_driver);
	lpar_disk_unregister();
}
module_exit(main_exit);

MODULE_DESCRIPTION("Disks and network cards of a logical partition, shared by its host");
MODULE_LICENSE("GPL");
