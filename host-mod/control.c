// SPDX-License-Identifier: GPL-2.0
/* /dev/lpar: the virtual machine monitor's side; see include/lpar/control.h. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <lpar/control.h>
#include "adjunct.h"
#include "channel.h"
#include "control.h"
#include "dispatch.h"
#include "disk.h"
#include "memory.h"
#include "nic.h"
#include "partition.h"
#include "queue.h"
#include "window.h"

/* An open file before and after it has attached. */
struct lpar_file {
	struct mutex lock;		/* one attach */
	struct lpar_client *client;	/* set once, with release semantics */
};

/* A caller's structure, which starts with its size; see include/lpar/control.h. May
 * sleep. Return: 0, -EFAULT, -EINVAL, -E2BIG. */
int lpar_control_get(void *to, size_t size, const void __user *from)
{
	u32 user_size;

	if (get_user(user_size, (const u32 __user *)from))
		return -EFAULT;
	if (user_size < sizeof(u32) * 2 || user_size > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_from_user(to, size, from, user_size);
}

/* Write back as much as the caller has room for. May sleep. Return: 0, -EFAULT. */
int lpar_control_put(void __user *to, const void *from, size_t size)
{
	u32 user_size;

	if (get_user(user_size, (const u32 __user *)to))
		return -EFAULT;
	return copy_to_user(to, from, min_t(size_t, size, user_size)) ? -EFAULT :
									 0;
}

static void client_free(struct lpar_client *c)
{
	lpar_dispatch_free(c);
	mmdrop(c->mm);
	kvfree(c);
}

static struct lpar_client *client_create(struct file *file,
					 struct lpar_partition *p)
{
	struct lpar_client *c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->partition = p;
	c->file = file;
	c->mm = current->mm;
	mmgrab(c->mm);
	c->pid = current->tgid;
	mutex_init(&c->lock);
	xa_init(&c->chunks);
	xa_init_flags(&c->windows, XA_FLAGS_ALLOC);
	ret = lpar_dispatch_setup(c);
	if (ret) {
		client_free(c);
		return ERR_PTR(ret);
	}
	return c;
}

/* A client's threads go into its control group, for which the kernel holds up all forks and
 * exits: that is paid for before the next one attaches. */
#define ATTACH_SHARE	8
#define ATTACH_MOST_NS	(NSEC_PER_SEC / 10)

static int attach_locked(struct file *file, struct lpar_file *f,
			 struct lpar_partition *p, struct lpar_attach *a)
{
	u64 began = ktime_get_ns(), now;
	struct lpar_client *c;

	lockdep_assert_held(&f->lock);
	lockdep_assert_held(&p->config);
	if (f->client)
		return -EISCONN;
	if (!uid_eq(current_euid(), p->owner) && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	if (p->client) {
		a->pid = p->client->pid;
		return -EBUSY;
	}
	lpar_disks_settle(p);
	c = client_create(file, p);
	now = ktime_get_ns();
	p->attached_until = max(p->attached_until, now) +
			    min_t(u64, (now - began) * ATTACH_SHARE, ATTACH_MOST_NS);
	if (IS_ERR(c))
		return PTR_ERR(c);
	a->features = lpar_dispatch_task_work ? LPAR_FEATURE_TASK_WORK : 0;
	a->doorbells = LPAR_DOORBELLS_MAX;
	mutex_lock(&p->lock);
	p->client = c;
	mutex_unlock(&p->lock);
	smp_store_release(&f->client, c);
	return 0;
}

static int attach(struct file *file, struct lpar_file *f, void __user *arg)
{
	struct lpar_partition *p;
	struct lpar_attach a;
	u64 wait;
	int ret;

	ret = lpar_control_get(&a, sizeof(a), arg);
	if (ret)
		return ret;
	if (a.flags || a.features || a.doorbells || a.pid ||
	    strnlen(a.partition, sizeof(a.partition)) == sizeof(a.partition))
		return -EINVAL;
	if (a.version != LPAR_CONTROL_VERSION)
		return -EPROTO;
	p = lpar_config_get(a.partition);
	if (IS_ERR(p))
		return PTR_ERR(p);

	do {
		mutex_lock(&f->lock);
		mutex_lock(&p->config);
		wait = lpar_core_rate_wait(p->attached_until, ktime_get_ns());
		ret = wait ? -EINTR : attach_locked(file, f, p, &a);
		mutex_unlock(&p->config);
		mutex_unlock(&f->lock);
		if (wait)
			schedule_timeout_killable(nsecs_to_jiffies(wait) + 1);
	} while (wait && !fatal_signal_pending(current));
	/* Without locks: the caller's memory may be such that this takes for ever
	 * (FUSE, userfaultfd), and the host's configuration must not wait. */
	if (ret) {
		lpar_config_put(p);
		if (ret == -EBUSY)
			lpar_control_put(arg, &a, sizeof(a));
		return ret;
	}
	return lpar_control_put(arg, &a, sizeof(a));
}

static int memory(struct lpar_client *c, bool add, void __user *arg)
{
	struct lpar_memory m;
	struct lpar_range r;
	int ret = lpar_control_get(&m, sizeof(m), arg);

	if (ret)
		return ret;
	if (m.flags)
		return -EINVAL;
	r = (struct lpar_range){ .gpa = m.gpa, .hva = m.hva, .bytes = m.bytes };
	if (mutex_lock_killable(&c->lock))
		return -EINTR;
	ret = add ? lpar_memory_add(c, &r) : lpar_memory_remove(c, &r);
	/* a window that saw other memory in its chunk is stale in both cases */
	if (!ret)
		lpar_window_revoke(c, r.gpa, r.bytes);
	mutex_unlock(&c->lock);
	return ret;
}

static int connect(struct lpar_client *c, void __user *arg,
		   int (*to)(struct lpar_client *c, unsigned int index, int fd))
{
	struct lpar_eventfd e;
	int ret = lpar_control_get(&e, sizeof(e), arg);

	if (ret)
		return ret;
	if (e.flags)
		return -EINVAL;
	if (mutex_lock_killable(&c->lock))
		return -EINTR;
	ret = to(c, e.index, e.fd);
	mutex_unlock(&c->lock);
	return ret;
}

static int enable(struct lpar_client *c, void __user *arg)
{
	struct lpar_enable e;
	int ret = lpar_control_get(&e, sizeof(e), arg);

	if (ret)
		return ret;
	if (e.flags)
		return -EINVAL;
	if (mutex_lock_killable(&c->lock))
		return -EINTR;
	ret = lpar_channel_enable(c, e.call);
	mutex_unlock(&c->lock);
	return ret;
}

static int reset(struct lpar_client *c)
{
	int ret;

	if (mutex_lock_killable(&c->lock))
		return -EINTR;
	ret = lpar_channel_reset(c, true);
	mutex_unlock(&c->lock);
	return ret;
}

static int vcpu(struct lpar_client *c)
{
	int ret;

	if (mutex_lock_killable(&c->lock))
		return -EINTR;
	ret = lpar_dispatch_vcpu(c);
	mutex_unlock(&c->lock);
	return ret;
}

static int ring(struct lpar_client *c, void __user *arg)
{
	struct lpar_ring r;
	int ret = lpar_control_get(&r, sizeof(r), arg);

	return ret ?: lpar_dispatch_ring(c, r.index);
}

static int state(struct lpar_client *c, void __user *arg)
{
	struct lpar_partition *p = c->partition;
	struct lpar_stats sum = {};
	struct lpar_state s;
	struct lpar_fn *fn;
	int ret = lpar_control_get(&s, sizeof(s), arg);

	if (ret)
		return ret;
	if (s.flags)
		return -EINVAL;
	s = (struct lpar_state){
		.size = s.size,
		.enabled = READ_ONCE(c->enabled),
		.queues = atomic_read(&c->queues_live),
		.vcpus = READ_ONCE(c->n_vcpus),
		.windows = atomic64_read(&c->windows_live),
		.pinned_bytes = atomic64_read(&p->pinned),
		.memory_limit = READ_ONCE(p->memory_limit),
		.doorbells = lpar_client_doorbells(c),
		.adjuncts = p->adjuncts,
	};
	mutex_lock(&p->lock);
	list_for_each_entry(fn, &p->functions, link) {
		s.functions++;
		lpar_fn_stats(fn, &sum);
	}
	mutex_unlock(&p->lock);
	lpar_adjunct_stats(p, &sum);
	s.donated_ns = sum.donated_ns;
	return lpar_control_put(arg, &s, sizeof(s));
}

static int image(struct lpar_client *c, void __user *arg)
{
	struct lpar_image_get g;
	struct file *text = NULL;
	int ret = lpar_control_get(&g, sizeof(g), arg);

	if (ret)
		return ret;
	if (g.flags & ~LPAR_IMAGE_TEXT || g.text || g.reserved ||
	    memchr_inv(g.sha256, 0, sizeof(g.sha256)))
		return -EINVAL;
	ret = lpar_adjunct_image(c, &g, &text);
	g.text = -1;
	if (text) {
		g.text = get_unused_fd_flags(O_CLOEXEC);
		if (g.text < 0)
			ret = g.text;
	}
	if (!ret || ret == -ENOSPC)
		ret = lpar_control_put(arg, &g, sizeof(g)) ?: ret;
	if (text && !ret) {
		fd_install(g.text, text);
	} else if (text) {
		if (g.text >= 0)
			put_unused_fd(g.text);
		fput(text);
	}
	return ret;
}

static int run(struct lpar_client *c, void __user *arg)
{
	struct lpar_adjunct_run r;
	int ret = lpar_control_get(&r, sizeof(r), arg);

	if (ret)
		return ret;
	if (r.flags || r.reason || r.ran_ns)
		return -EINVAL;
	ret = lpar_adjunct_run(c, &r);
	return ret ?: lpar_control_put(arg, &r, sizeof(r));
}

static int tell(struct lpar_client *c, void __user *arg)
{
	struct lpar_adjunct_tell t;
	int ret = lpar_control_get(&t, sizeof(t), arg);

	if (ret)
		return ret;
	return t.flags ? -EINVAL : lpar_adjunct_tell(c, &t);
}

static int post(struct lpar_client *c, void __user *arg)
{
	struct lpar_adjunct_post p;
	int ret = lpar_control_get(&p, sizeof(p), arg);

	if (ret)
		return ret;
	return p.flags || p.reserved ? -EINVAL : lpar_adjunct_post(c, p.slot);
}

static int probe(void __user *arg)
{
	struct lpar_probe *p;
	int ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	ret = lpar_control_get(p, sizeof(*p), arg);
	if (!ret && (p->flags & ~LPAR_PROBE_NIC ||
		     strnlen(p->path, sizeof(p->path)) == sizeof(p->path)))
		ret = -EINVAL;
	if (!ret)
		ret = p->flags & LPAR_PROBE_NIC ? lpar_nic_probe(p) :
						  lpar_disk_probe(p);
	if (!ret)
		ret = lpar_control_put(arg, p, sizeof(*p));
	kfree(p);
	return ret;
}

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lpar_file *f = file->private_data;
	struct lpar_client *c = smp_load_acquire(&f->client);
	void __user *p = (void __user *)arg;
	unsigned int call = LPAR_CALL(cmd);

	if (call == LPAR_CALL(LPAR_ATTACH))
		return attach(file, f, p);
	if (call == LPAR_CALL(LPAR_PROBE))
		return probe(p);
	if (!c)
		return -ENOTCONN;
	/* the memory that we pin is the attaching process's */
	if (current->mm != c->mm)
		return -EPERM;
	switch (call) {
	case LPAR_CALL(LPAR_MEMORY_ADD):
	case LPAR_CALL(LPAR_MEMORY_REMOVE):
		return memory(c, call == LPAR_CALL(LPAR_MEMORY_ADD), p);
	case LPAR_CALL(LPAR_SET_DOORBELL):
		return connect(c, p, lpar_dispatch_bell);
	case LPAR_CALL(LPAR_SET_VECTOR):
		return connect(c, p, lpar_dispatch_vector);
	case LPAR_CALL(LPAR_SET_VCPU):
		return vcpu(c);
	case LPAR_CALL(LPAR_ENABLE):
		return enable(c, p);
	case LPAR_CALL(LPAR_RESET):
		return reset(c);
	case LPAR_CALL(LPAR_RING):
		return ring(c, p);
	case LPAR_CALL(LPAR_GET_STATE):
		return state(c, p);
	case LPAR_CALL(LPAR_IMAGE_GET):
		return image(c, p);
	case LPAR_CALL(LPAR_ADJUNCT_DISPATCH):
		return run(c, p);
	case LPAR_CALL(LPAR_ADJUNCT_TELL):
		return tell(c, p);
	case LPAR_CALL(LPAR_ADJUNCT_POST):
		return post(c, p);
	default:
		return -ENOTTY;
	}
}

static int control_open(struct inode *inode, struct file *file)
{
	struct lpar_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	file->private_data = f;
	return 0;
}

/*
 * The last reference is gone, however that came: no ioctl and no task work runs.
 * The order is docs/teardown.md's: who could start something, what has been
 * started, what it used.
 */
static int control_release(struct inode *inode, struct file *file)
{
	struct lpar_file *f = file->private_data;
	struct lpar_client *c = f->client;
	struct lpar_partition *p;

	kfree(f);
	if (!c)
		return 0;
	p = c->partition;
	mutex_lock(&p->config);
	lpar_dispatch_teardown(c);
	mutex_lock(&c->lock);
	lpar_channel_reset(c, false);
	mutex_unlock(&c->lock);
	mutex_lock(&p->lock);
	p->client = NULL;
	lpar_adjunct_forget(p);
	atomic64_add(lpar_client_doorbells(c), &p->doorbells);
	mutex_unlock(&p->lock);
	lpar_disks_settle(p);
	mutex_unlock(&p->config);
	client_free(c);
	lpar_config_put(p);
	return 0;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* root and, by our udev rule, group kvm, as /dev/kvm; partitions name owners. */
static struct miscdevice control_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lpar",
	.fops = &control_fops,
	.mode = 0660,
};

int lpar_control_init(void)
{
	return misc_register(&control_device);
}

void lpar_control_exit(void)
{
	misc_deregister(&control_device);
}
