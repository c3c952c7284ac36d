// SPDX-License-Identifier: GPL-2.0
/*
 * Functions: which ones the partition has, and keeping its disks and NICs in line.
 */
#include <linux/slab.h>

#include "channel.h"
#include "disk.h"
#include "net.h"

/**
 * lpar_function_records - ask for a function's records (seed 001, fig. 6, step 630)
 * @dev:        the device
 * @function:   its number
 * @len:        result: their bytes
 * @generation: result: of the function, with these
 *
 * Sleeps.
 *
 * Return: a copy, to be kfree()d, or an ERR_PTR.
 */
void *lpar_function_records(struct lpar_device *dev, u32 function, u32 *len,
			    u32 *generation)
{
	u64 arg[5] = { function };
	struct lpar_result result;
	void *data;
	int err;

	data = kmalloc(LPAR_CHANNEL_DATA, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	err = lpar_channel_call(dev, LPAR_OP_CAPS, arg, &result, data);
	if (!err)
		err = lpar_channel_errno(result.status);
	if (err) {
		kfree(data);
		return ERR_PTR(err);
	}
	*len = result.out_len;
	*generation = result.ret[0];
	return data;
}

/* Its records make no sense: say @why, not too often. */
void lpar_function_refuse(struct lpar_device *dev, u32 function, const char *why)
{
	dev_err_ratelimited(&dev->pdev->dev, "function %u: its capabilities are refused: %s\n",
			    function, why);
}

/* Is there a disk or a NIC for it? */
static bool function_known(struct lpar_device *dev, u32 function)
{
	struct lpar_disk *disk;
	struct lpar_net *net;

	list_for_each_entry(disk, &dev->disks, node) {
		if (disk->function == function)
			return true;
	}
	list_for_each_entry(net, &dev->nets, node) {
		if (net->function == function)
			return true;
	}
	return false;
}

static bool function_served(const struct lpar_function *function)
{
	u16 type = le16_to_cpu(function->type);

	return type == LPAR_FUNCTION_DISK || type == LPAR_FUNCTION_NIC;
}

static const struct lpar_function *
function_find(const struct lpar_function *functions, u32 count, u32 id,
	      enum lpar_function_type type)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (le32_to_cpu(functions[i].id) == id &&
		    le16_to_cpu(functions[i].type) == type)
			return &functions[i];
	}
	return NULL;
}

/* The partition's functions; room for LPAR_CHANNEL_DATA bytes. Sleeps; a list that makes
 * no sense breaks the device. Return: how many, or a negative errno. */
int lpar_function_list(struct lpar_device *dev, struct lpar_function *functions)
{
	struct lpar_result result;
	u32 count, id, i;
	int err;

	err = lpar_channel_call(dev, LPAR_OP_FUNCTIONS, NULL, &result, functions);
	if (err)
		return err;
	err = lpar_channel_errno(result.status);
	if (err)
		return err;

	count = result.out_len / sizeof(*functions);
	if (result.ret[0] != count || result.out_len % sizeof(*functions))
		goto err_break;
	for (i = 0; i < count; i++) {
		id = le32_to_cpu(functions[i].id);
		if (!id || functions[i].reserved || functions[i].reserved2 ||
		    function_find(functions, i, id, LPAR_FUNCTION_DISK) ||
		    function_find(functions, i, id, LPAR_FUNCTION_NIC))
			goto err_break;
	}
	return count;

err_break:
	lpar_main_break(dev, "the list of functions makes no sense");
	return -EIO;
}

/**
 * lpar_function_again - the number of a function that had one before the device was reset
 * @functions: those there are now
 * @count:     of @functions; 0: none, or they cannot be had
 * @type:      of it
 * @number:    the one that it had; result: the one that it has. Unchanged on failure
 * @is_it:     asks the host whether it is this one: 0, or a negative errno
 * @arg:       for @is_it
 *
 * A host that has started again, or made the functions anew, may number them otherwise.
 *
 * Context: that of @is_it.
 *
 * Return: 0; why it is not the one that has its number; -ENODEV when none has.
 */
int lpar_function_again(const struct lpar_function *functions, u32 count,
			enum lpar_function_type type, u32 *number,
			int (*is_it)(void *arg, u32 number), void *arg)
{
	int err = -ENODEV;
	u32 id, i;

	/* Where there is no list the host knows nevertheless what has that number. */
	if (!count || function_find(functions, count, *number, type))
		err = is_it(arg, *number);
	for (i = 0; i < count && err; i++) {
		id = le32_to_cpu(functions[i].id);
		if (id == *number || le16_to_cpu(functions[i].type) != type || is_it(arg, id))
			continue;
		*number = id;
		return 0;
	}
	return err;
}

static void function_update_disks(struct lpar_device *dev,
				  const struct lpar_function *functions, u32 count)
{
	const struct lpar_function *function;
	struct lpar_disk *disk, *next;
	int err;

	list_for_each_entry_safe(disk, next, &dev->disks, node) {
		function = function_find(functions, count, disk->function,
					 LPAR_FUNCTION_DISK);
		if (!function || disk->dead) {
			lpar_disk_remove(disk, true);
			continue;
		}
		if (le32_to_cpu(function->generation) == disk->generation)
			continue;
		err = lpar_disk_refresh(disk);
		if (err == -ENODEV || err == -ESTALE)
			lpar_disk_remove(disk, true);
		else if (err)
			dev_err_ratelimited(&dev->pdev->dev, "%s: its new capabilities are not taken over: %d\n",
					    disk->gendisk->disk_name, err);
	}
}

static void function_update_nets(struct lpar_device *dev,
				 const struct lpar_function *functions, u32 count)
{
	const struct lpar_function *function;
	struct lpar_net *net, *next;
	int err;

	list_for_each_entry_safe(net, next, &dev->nets, node) {
		function = function_find(functions, count, net->function,
					 LPAR_FUNCTION_NIC);
		if (!function || net->dead) {
			lpar_net_remove(net);
			continue;
		}
		if (le32_to_cpu(function->generation) == net->generation)
			continue;
		err = lpar_net_refresh(net);
		if (err == -ENODEV)
			lpar_net_remove(net);
		else if (err)
			dev_err_ratelimited(&dev->pdev->dev, "%s: its new capabilities are not taken over: %d\n",
					    net->netdev->name, err);
	}
}

static u32 function_queues_free(struct lpar_device *dev)
{
	u32 used = bitmap_weight(dev->numbers, LPAR_DOORBELLS_MAX);

	return dev->channel.queues - min(used, dev->channel.queues);
}

static void function_add(struct lpar_device *dev,
			 const struct lpar_function *functions, u32 count)
{
	u32 new = 0, left, share, id, i;
	bool disk;
	int err;

	for (i = 0; i < count; i++) {
		id = le32_to_cpu(functions[i].id);
		new += function_served(&functions[i]) && !function_known(dev, id);
	}

	for (i = 0; i < count; i++) {
		id = le32_to_cpu(functions[i].id);
		if (!function_served(&functions[i]) || function_known(dev, id))
			continue;
		disk = le16_to_cpu(functions[i].type) == LPAR_FUNCTION_DISK;
		/* Equal shares, one at least; a quarter stays for those that come later. */
		left = function_queues_free(dev);
		share = max((left - left / 4) / new, 1u);
		if (!left)
			err = -ENOSPC;
		else if (disk)
			err = lpar_disk_add(dev, id, share);
		else
			err = lpar_net_add(dev, id, share);
		if (err)
			dev_err_ratelimited(&dev->pdev->dev, "function %u: no %s: error %d%s\n",
					    id, disk ? "disk" : "NIC", err, left ? "" :
					    " (the partition's queues are all in use)");
		new--;
	}
}

/**
 * lpar_function_rescan - bring the disks and NICs in line with the partition's functions
 * @dev: the device
 *
 * Sleeps, takes disks_lock. What goes wrong with one is logged and does not
 * keep the others.
 *
 * Return: 0, or a negative errno when the functions could not be listed.
 */
int lpar_function_rescan(struct lpar_device *dev)
{
	struct lpar_function *functions;
	int count = 0;

	functions = kmalloc(LPAR_CHANNEL_DATA, GFP_KERNEL);
	if (!functions)
		return -ENOMEM;

	mutex_lock(&dev->disks_lock);
	if (!dev->stopped) {
		count = lpar_function_list(dev, functions);
		if (count >= 0) {
			function_update_disks(dev, functions, count);
			function_update_nets(dev, functions, count);
			function_add(dev, functions, count);
		}
	}
	mutex_unlock(&dev->disks_lock);
	kfree(functions);
	return min(count, 0);
}
