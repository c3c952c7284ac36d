// SPDX-License-Identifier: GPL-2.0
/*
 * Images of adjuncts that the administrator approved, under
 * /sys/kernel/config/lpar/adjuncts:
 *
 *	NAME/{image,sha256,global,enable,users}
 *
 * image takes the bytes of the file, in place of those before; they count when it is
 * closed, unless the image is enabled. sha256 says what is there now. Writing 1 to
 * enable checks the head (-EINVAL); from then on clients find it by its name. With 1 in
 * global, which cannot be changed then (-EBUSY), the text is not copied for each adjunct:
 * all map the pages that are here, and cannot write to them. users is how many do.
 */
#include <linux/anon_inodes.h>
#include <linux/configfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <lpar/control.h>
#include "core.h"
#include "image.h"

/* An image's item in configfs; all but @item is protected by images_lock. */
struct image {
	struct config_item item;
	struct list_head link;		/* in images, while enabled */
	struct lpar_blob *blob;		/* or NULL: empty */
	bool global;			/* its text is shared; as long as enabled */
	bool enabled;
};

static LIST_HEAD(images);
static DEFINE_MUTEX(images_lock);

static struct image *to_image(struct config_item *item)
{
	return container_of(item, struct image, item);
}

static void blob_free(struct kref *ref)
{
	struct lpar_blob *blob = container_of(ref, struct lpar_blob, ref);

	vfree(blob->data);
	kfree(blob);
}

/* Any context that may sleep; NULL is ignored. */
void lpar_image_put(struct lpar_blob *blob)
{
	if (blob)
		kref_put(&blob->ref, blob_free);
}

/**
 * lpar_image_find - an enabled image by its name
 * @name: as its folder in configfs is called
 * @global: whether its text is to be shared
 *
 * Seed 003, fig. 6: what is loaded into an adjunct's memory.
 *
 * Context: may sleep; no lock of ours is held when it returns.
 * Return: its bytes, until lpar_image_put(), or NULL.
 */
struct lpar_blob *lpar_image_find(const char *name, bool *global)
{
	struct lpar_blob *blob = NULL;
	struct image *i;

	mutex_lock(&images_lock);
	list_for_each_entry(i, &images, link)
		if (!strcmp(config_item_name(&i->item), name)) {
			blob = i->blob;
			kref_get(&blob->ref);
			*global = i->global;
			break;
		}
	mutex_unlock(&images_lock);
	return blob;
}

/* ----------------------------------------------------------- the shared text */

static int text_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct lpar_blob *blob = file->private_data;
	const struct lpar_image *head = blob->data;

	/* the file is open for reading, so a shared mapping can never be written to */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	/* what follows are each adjunct's own data */
	if (vma->vm_pgoff || vma_pages(vma) > le32_to_cpu(head->text_pages))
		return -EINVAL;
	return remap_vmalloc_range(vma, blob->data, 0);
}

static int text_release(struct inode *inode, struct file *file)
{
	struct lpar_blob *blob = file->private_data;

	atomic_dec(&blob->users);
	lpar_image_put(blob);
	return 0;
}

static const struct file_operations text_fops = {
	.owner = THIS_MODULE,
	.mmap = text_mmap,
	.release = text_release,
	.llseek = noop_llseek,
};

/**
 * lpar_image_text - a file of an image's text, which all who map it share
 * @blob: an enabled image's
 *
 * Seed 003, figs. 5 and 8: the code of a global adjunct is there once.
 *
 * Context: may sleep.
 * Return: the file, which holds @blob, or an ERR_PTR().
 */
struct file *lpar_image_text(struct lpar_blob *blob)
{
	struct file *file = anon_inode_getfile("lpar-image", &text_fops, blob, O_RDONLY);

	if (IS_ERR(file))
		return file;
	kref_get(&blob->ref);
	atomic_inc(&blob->users);
	return file;
}

/* --------------------------------------------------------------- attributes */

/* configfs asks for the size first, without a buffer. */
static ssize_t image_image_read(struct config_item *item, void *to, size_t size)
{
	struct image *i = to_image(item);
	ssize_t bytes = 0;

	mutex_lock(&images_lock);
	if (i->blob)
		bytes = i->blob->bytes;
	if (to && bytes > size)
		bytes = size;
	if (to && bytes)
		memcpy(to, i->blob->data, bytes);
	mutex_unlock(&images_lock);
	/* it may have become smaller since the question, and all of it is shown */
	if (to)
		memset(to + bytes, 0, size - bytes);
	return bytes;
}

/* When the file is closed; nobody gets to see what this returns. */
static ssize_t image_image_write(struct config_item *item, const void *from,
				 size_t size)
{
	struct lpar_blob *blob, *old;
	struct image *i = to_image(item);

	blob = kzalloc(sizeof(*blob), GFP_KERNEL);
	if (!blob)
		return -ENOMEM;
	kref_init(&blob->ref);
	blob->bytes = size;
	/* nothing is an image as well, which cannot be enabled */
	blob->data = vmalloc_user(max_t(size_t, size, PAGE_SIZE));
	if (!blob->data) {
		lpar_image_put(blob);
		return -ENOMEM;
	}
	memcpy(blob->data, from, size);
	sha256(blob->data, size, blob->sha256);

	mutex_lock(&images_lock);
	old = blob;
	if (!i->enabled)
		swap(i->blob, old);
	mutex_unlock(&images_lock);
	lpar_image_put(old);
	return size;
}
/* Its owner's alone: there may be a secret in it. */
static struct configfs_bin_attribute image_attr_image = {
	.cb_attr = {
		.ca_name = "image",
		.ca_mode = 0600,
		.ca_owner = THIS_MODULE,
	},
	.cb_max_size = LPAR_IMAGE_BYTES_MAX,
	.read = image_image_read,
	.write = image_image_write,
};

static ssize_t image_sha256_show(struct config_item *item, char *page)
{
	struct image *i = to_image(item);
	ssize_t ret;

	mutex_lock(&images_lock);
	ret = i->blob ? sysfs_emit(page, "%*phN\n", SHA256_DIGEST_SIZE, i->blob->sha256) :
			sysfs_emit(page, "\n");
	mutex_unlock(&images_lock);
	return ret;
}
CONFIGFS_ATTR_RO(image_, sha256);

static ssize_t image_global_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(to_image(item)->global));
}

static ssize_t image_global_store(struct config_item *item, const char *page,
				  size_t count)
{
	struct image *i = to_image(item);
	bool on;
	int ret = kstrtobool(page, &on);

	if (ret)
		return ret;
	mutex_lock(&images_lock);
	if (i->enabled)
		ret = -EBUSY;
	else
		i->global = on;
	mutex_unlock(&images_lock);
	return ret ?: count;
}
CONFIGFS_ATTR(image_, global);

static ssize_t image_users_show(struct config_item *item, char *page)
{
	struct image *i = to_image(item);
	int users = 0;

	mutex_lock(&images_lock);
	if (i->blob)
		users = atomic_read(&i->blob->users);
	mutex_unlock(&images_lock);
	return sysfs_emit(page, "%d\n", users);
}
CONFIGFS_ATTR_RO(image_, users);

static ssize_t image_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(to_image(item)->enabled));
}

/* images_lock is held. Return: 0, -EINVAL: no image, or none of ours. */
static int enable_locked(struct image *i)
{
	struct lpar_image head;

	lockdep_assert_held(&images_lock);
	if (!i->blob || i->blob->bytes < sizeof(head))
		return -EINVAL;
	memcpy(&head, i->blob->data, sizeof(head));
	if (lpar_core_image(&head, i->blob->bytes) < 0)
		return -EINVAL;
	list_add_tail(&i->link, &images);
	i->enabled = true;
	return 0;
}

static void disable_locked(struct image *i)
{
	lockdep_assert_held(&images_lock);
	list_del(&i->link);
	i->enabled = false;
}

/* Adjuncts that run have copies, or hold the text: disabling does not touch them. */
static ssize_t image_enable_store(struct config_item *item, const char *page,
				  size_t count)
{
	struct image *i = to_image(item);
	bool on;
	int ret = kstrtobool(page, &on);

	if (ret)
		return ret;
	mutex_lock(&images_lock);
	if (on && !i->enabled)
		ret = enable_locked(i);
	else if (!on && i->enabled)
		disable_locked(i);
	mutex_unlock(&images_lock);
	return ret ?: count;
}
CONFIGFS_ATTR(image_, enable);

static struct configfs_attribute *image_attrs[] = {
	&image_attr_sha256,
	&image_attr_global,
	&image_attr_enable,
	&image_attr_users,
	NULL,
};

static struct configfs_bin_attribute *image_bin_attrs[] = {
	&image_attr_image,
	NULL,
};

static void image_release(struct config_item *item)
{
	struct image *i = to_image(item);

	lpar_image_put(i->blob);
	kfree(i);
}

static struct configfs_item_operations image_ops = { .release = image_release };

static const struct config_item_type image_type = {
	.ct_item_ops = &image_ops,
	.ct_attrs = image_attrs,
	.ct_bin_attrs = image_bin_attrs,
	.ct_owner = THIS_MODULE,
};

/* -------------------------------------------------------------- the folder */

static struct config_item *images_make(struct config_group *group,
				       const char *name)
{
	struct image *i;
	const char *p;

	if (strlen(name) >= LPAR_TEXT_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	/* or a VMM could not tell that it runs, see lpar_core_told() */
	for (p = name; *p; p++)
		if (*p < ' ' || *p > '~')
			return ERR_PTR(-EINVAL);
	i = kzalloc(sizeof(*i), GFP_KERNEL);
	if (!i)
		return ERR_PTR(-ENOMEM);
	config_item_init_type_name(&i->item, name, &image_type);
	return &i->item;
}

static void images_drop(struct config_group *group, struct config_item *item)
{
	struct image *i = to_image(item);

	mutex_lock(&images_lock);
	if (i->enabled)
		disable_locked(i);
	mutex_unlock(&images_lock);
	config_item_put(item);
}

static struct configfs_group_operations images_ops = {
	.make_item = images_make,
	.drop_item = images_drop,
};

/* Of the folder "adjuncts". */
const struct config_item_type lpar_image_type = {
	.ct_group_ops = &images_ops,
	.ct_owner = THIS_MODULE,
};
