// SPDX-License-Identifier: GPL-2.0
/* /dev/lpar-manage: the management side of mailboxes; see include/lpar/manage.h. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "control.h"
#include "mailbox.h"
#include "manage.h"

/* An open file. @seen: what its last look from the start has shown. */
struct manager {
	u32 seen;
};

static int next(struct manager *m, void __user *arg)
{
	struct lpar_manage_request r;
	u32 seen = READ_ONCE(m->seen);
	int ret = lpar_control_get(&r, sizeof(r), arg);

	if (ret)
		return ret;
	if (r.flags || r.reserved)
		return -EINVAL;
	ret = lpar_mailbox_next(r.id, &r, &seen);
	WRITE_ONCE(m->seen, seen);
	return ret ?: lpar_control_put(arg, &r, sizeof(r));
}

static int take(struct manager *m, void __user *arg)
{
	struct lpar_manage_take t;
	int ret = lpar_control_get(&t, sizeof(t), arg);

	if (ret)
		return ret;
	if (t.flags || t.reserved)
		return -EINVAL;
	return lpar_mailbox_take(m, t.id, u64_to_user_ptr(t.text),
				 t.text ? t.room : 0);
}

static int end(struct manager *m, void __user *arg)
{
	struct lpar_manage_end e;
	char *text = NULL;
	int ret = lpar_control_get(&e, sizeof(e), arg);

	if (ret)
		return ret;
	if (e.flags || e.status > LPAR_PROTECTION)
		return -EINVAL;
	if (e.bytes > LPAR_MANAGE_TEXT)
		return -EMSGSIZE;
	if (e.bytes) {
		text = vmemdup_user(u64_to_user_ptr(e.text), e.bytes);
		if (IS_ERR(text))
			return PTR_ERR(text);
	}
	ret = lpar_mailbox_end(m, e.id, e.status, text, e.bytes);
	if (ret)
		kvfree(text);
	return ret;
}

static long manage_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct manager *m = file->private_data;
	void __user *p = (void __user *)arg;

	switch (LPAR_CALL(cmd)) {
	case LPAR_CALL(LPAR_MANAGE_NEXT):
		return next(m, p);
	case LPAR_CALL(LPAR_MANAGE_TAKE):
		return take(m, p);
	case LPAR_CALL(LPAR_MANAGE_END):
		return end(m, p);
	default:
		return -ENOTTY;
	}
}

static __poll_t manage_poll(struct file *file, poll_table *wait)
{
	struct manager *m = file->private_data;

	return lpar_mailbox_changed(file, wait, READ_ONCE(m->seen)) ?
		       EPOLLIN | EPOLLRDNORM : 0;
}

static int manage_open(struct inode *inode, struct file *file)
{
	struct manager *m;

	/* whatever the node's mode was made */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	file->private_data = m;
	return 0;
}

static int manage_release(struct inode *inode, struct file *file)
{
	struct manager *m = file->private_data;

	lpar_mailbox_leave(m);
	kfree(m);
	return 0;
}

static const struct file_operations manage_fops = {
	.owner = THIS_MODULE,
	.open = manage_open,
	.release = manage_release,
	.unlocked_ioctl = manage_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = manage_poll,
	.llseek = noop_llseek,
};

static struct miscdevice manage_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lpar-manage",
	.fops = &manage_fops,
	.mode = 0600,
};

int lpar_manage_init(void)
{
	return misc_register(&manage_device);
}

void lpar_manage_exit(void)
{
	misc_deregister(&manage_device);
}
