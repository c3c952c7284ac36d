// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_hostile: a guest that attacks its host. Takes the partition's PCI function
 * in lpar_guest's place, runs all attacks while it is being loaded, and reports
 * KTAP in the kernel log; /sys/module/lpar_hostile/parameters/result has the sum.
 *
 * It destroys the disk's first 1,024 sectors and its last one, and must touch no
 * others.
 */
#define pr_fmt(fmt) fmt

#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "attack.h"

#define ARENA_ORDER	get_order(ATTACK_ARENA_BYTES)

static unsigned int flips = 20000;
module_param(flips, uint, 0444);
MODULE_PARM_DESC(flips, "G2: requests submitted while they change");

static unsigned int storms = 2000;
module_param(storms, uint, 0444);
MODULE_PARM_DESC(storms, "G5: doorbells from each vCPU");

static unsigned int function;
module_param(function, uint, 0444);
MODULE_PARM_DESC(function, "Disk to attack; 0: the first");

static bool expect_quota;
module_param(expect_quota, bool, 0444);
MODULE_PARM_DESC(expect_quota, "G4: the partition's limit is below the memory");

static unsigned long long rom = 0xfffff000;
module_param(rom, ullong, 0444);
MODULE_PARM_DESC(rom, "An address of ROM; 0: there is none");

static unsigned long long ram_end;
module_param(ram_end, ullong, 0444);
MODULE_PARM_DESC(ram_end, "End of memory; 0: the kernel's, to the next 128 MiB");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "Of what the second vCPU changes");

static char result[64] = "not run";
module_param_string(result, result, sizeof(result), 0444);
MODULE_PARM_DESC(result, "What came of it");

struct hostile {
	struct attack attack;
	struct pci_dev *pdev;
	void __iomem *regs;
	unsigned long doorbell;
	u32 doorbells;
	struct lpar_call *block;
	struct page *arena;
	u32 seq;
	/* the attack's own threads */
	struct attack_queue *queue;
	u32 random;
};

static struct hostile *of(struct attack *a)
{
	return container_of(a, struct hostile, attack);
}

/* ---------------------------------------------------------------- environment */

static u64 now(struct attack *a)
{
	return ktime_to_ms(ktime_get());
}

static void pause_a_moment(struct attack *a)
{
	usleep_range(20, 100);
}

static void ring(struct attack *a, u32 index)
{
	struct hostile *h = of(a);

	outw(index, h->doorbell + index % h->doorbells * LPAR_DOORBELL_STRIDE);
}

static bool answered(struct hostile *h, u32 seq, unsigned int ms)
{
	u64 end = now(&h->attack) + ms;

	while (attack_load(&h->block->done) != seq) {
		if (now(&h->attack) > end)
			return false;
		usleep_range(20, 100);
	}
	return true;
}

static bool raw(struct attack *a, u32 op, u32 seq, unsigned int ms)
{
	struct hostile *h = of(a);

	memset(h->block->arg, 0, sizeof(h->block->arg));
	h->block->op = cpu_to_le32(op);
	h->block->done = cpu_to_le32(~seq);
	attack_store(&h->block->seq, seq);
	ring(a, LPAR_DOORBELL_CALL);
	return answered(h, seq, ms);
}

static u32 call(struct attack *a, u32 op, const u64 arg[5],
		struct attack_answer *answer)
{
	struct hostile *h = of(a);
	struct lpar_call *block = h->block;
	int i;

	if (!++h->seq)
		h->seq = 1;
	block->op = cpu_to_le32(op);
	for (i = 0; i < 5; i++)
		block->arg[i] = cpu_to_le64(arg[i]);
	attack_store(&block->seq, h->seq);
	ring(a, LPAR_DOORBELL_CALL);
	memset(answer, 0, offsetof(struct attack_answer, data));
	answer->status = ATTACK_SILENT;
	if (!answered(h, h->seq, ATTACK_TIMEOUT_MS))
		return ATTACK_SILENT;
	answer->status = le32_to_cpu(READ_ONCE(block->status));
	for (i = 0; i < 3; i++)
		answer->ret[i] = le64_to_cpu(READ_ONCE(block->ret[i]));
	answer->len = min_t(u32, le32_to_cpu(READ_ONCE(block->out_len)),
			    sizeof(answer->data));
	memcpy(answer->data, block->data, answer->len);
	return answer->status;
}

static bool wait_enabled(struct hostile *h, bool on)
{
	u64 end = now(&h->attack) + ATTACK_TIMEOUT_MS;
	u32 status;

	do {
		status = ioread32(h->regs + LPAR_REG_STATUS);
		if (status == ~0u || status & LPAR_STATUS_FAILED)
			return false;
		if (!!(status & LPAR_STATUS_ENABLED) == on)
			return true;
		usleep_range(100, 1000);
	} while (now(&h->attack) < end);
	return false;
}

static bool reset(struct hostile *h)
{
	iowrite32(LPAR_CONTROL_RESET, h->regs + LPAR_REG_CONTROL);
	return wait_enabled(h, false);
}

static bool enable(struct hostile *h, u64 gpa)
{
	iowrite32(lower_32_bits(gpa), h->regs + LPAR_REG_CALL_LO);
	iowrite32(upper_32_bits(gpa), h->regs + LPAR_REG_CALL_HI);
	iowrite32(LPAR_CONTROL_ENABLE, h->regs + LPAR_REG_CONTROL);
	return wait_enabled(h, true);
}

static bool open(struct attack *a)
{
	struct hostile *h = of(a);

	if (!reset(h))
		return false;
	memset(h->block, 0, sizeof(*h->block));
	h->seq = 0;
	return enable(h, virt_to_phys(h->block));
}

static void verdict(struct attack *a, bool ok, const char *name)
{
	pr_info("%s %u %s\n", ok ? "ok" : "not ok", a->ok + a->bad + 1, name);
}

/* -------------------------------------------------------- several vCPUs at once */

static int flip_thread(void *data)
{
	struct hostile *h = data;
	u32 i;

	while (!kthread_should_stop()) {
		for (i = 0; i < 64; i++)
			attack_flip(&h->attack, h->queue, &h->random);
		cond_resched();
	}
	return 0;
}

static void race(struct hostile *h)
{
	struct attack *a = &h->attack;
	struct task_struct *thread;
	struct attack_queue q;
	unsigned int cpu;

	attack_begin(a, "G2 a second vCPU changes descriptors");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 32, 4), ST(OK));
	h->queue = &q;
	h->random = seed ?: 1;
	thread = kthread_create(flip_thread, h, "lpar-flip");
	attack_expect(a, !IS_ERR(thread), "no thread");
	if (!a->failed) {
		cpu = cpumask_next(raw_smp_processor_id(), cpu_online_mask);
		kthread_bind(thread, cpu < nr_cpu_ids ? cpu :
						       cpumask_first(cpu_online_mask));
		wake_up_process(thread);
		attack_race(a, &q, flips);
		kthread_stop(thread);
		attack_canaries(a, &q);
	} else if (!IS_ERR(thread)) {
		kthread_stop(thread);
	}
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

static int storm_thread(void *data)
{
	struct hostile *h = data;

	attack_storm(&h->attack, storms, h->doorbells);
	/* until kthread_stop() */
	while (!kthread_should_stop())
		usleep_range(100, 1000);
	return 0;
}

/* Live, dead and non-existent queues, and the call block, while I/O goes on. */
static void storm(struct hostile *h)
{
	struct task_struct **threads = kcalloc(nr_cpu_ids, sizeof(*threads),
					       GFP_KERNEL);
	struct attack *a = &h->attack;
	struct attack_queue live, dead;
	u32 cpu, i;

	attack_begin(a, "G5 doorbell storms from all vCPUs");
	attack_expect(a, threads, "no memory");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &live, 1, 16, 8), ST(OK));
	attack_status(a, "QUEUE_CREATE", attack_create(a, &dead, 2, 16, 8), ST(OK));
	attack_store(&dead.ctrl->sq_tail, 100);
	for_each_online_cpu(cpu) {
		if (!threads)
			break;
		threads[cpu] = kthread_create(storm_thread, h, "lpar-storm");
		if (IS_ERR(threads[cpu])) {
			threads[cpu] = NULL;
			continue;
		}
		kthread_bind(threads[cpu], cpu);
		wake_up_process(threads[cpu]);
	}
	for (i = 0; i < 50; i++) {
		attack_good(a, &live);
		attack_status(a, "a call in the storm",
			      attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0), ST(OK));
	}
	for (cpu = 0; threads && cpu < nr_cpu_ids; cpu++)
		if (threads[cpu])
			kthread_stop(threads[cpu]);
	kfree(threads);
	attack_expect(a, attack_load(&dead.ctrl->state) & LPAR_QUEUE_BROKEN,
		      "the dead queue lives");
	attack_good(a, &live);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &dead), ST(OK));
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &live), ST(OK));
	attack_end(a);
}

/* --------------------------------------------------------- what only a guest has */

/* The registers: enabling what is no memory, enabling twice, a storm of resets. */
static void registers(struct hostile *h)
{
	struct attack *a = &h->attack;
	u64 gpa = virt_to_phys(h->block);
	u32 i;

	attack_begin(a, "G1 a call block that is no memory");
	attack_expect(a, reset(h), "no reset");
	attack_expect(a, !enable(h, a->unbacked), "unbacked memory is taken");
	attack_expect(a, reset(h), "no reset");
	attack_expect(a, !enable(h, gpa + 8), "an odd address is taken");
	attack_expect(a, reset(h), "no reset");
	attack_expect(a, !enable(h, ~0xfffull), "2^64 - 4096 is taken");
	if (a->rom) {
		attack_expect(a, reset(h), "no reset");
		attack_expect(a, !enable(h, a->rom), "ROM is taken");
	}
	for (i = 0; i < 20; i++)
		attack_expect(a, open(a), "it is not taken any more");
	/* writes to everything that may not be written */
	for (i = 0; i < LPAR_REGS_SIZE; i += 4)
		if (i != LPAR_REG_CONTROL && i != LPAR_REG_CALL_LO &&
		    i != LPAR_REG_CALL_HI)
			iowrite32(0xdeadbeef, h->regs + i);
	iowrite32(0xdeadbeef, h->regs + LPAR_REG_CONTROL);
	attack_expect(a, ioread32(h->regs + LPAR_REG_MAGIC) == LPAR_MAGIC,
		      "the magic number can be written");
	attack_expect(a, open(a), "it is not taken any more");
	attack_end(a);
}

/* G8's little sister: reset with I/O in flight, then start again. */
static void reset_in_flight(struct hostile *h)
{
	struct attack *a = &h->attack;
	struct attack_queue q;
	struct lpar_blk_sqe sqe;
	u32 round, i;

	for (round = 0; round < 4; round++) {
		attack_start(a);
		attack_begin(a, "G8 reset with requests in flight");
		attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 64, 4),
			      ST(OK));
		for (i = 0; i < 64; i++) {
			sqe = attack_sqe(a, LPAR_BLK_READ, 8 * i, i * 4096,
					 4096);
			attack_submit(a, &q, &sqe);
		}
		ring(a, q.index);
		attack_expect(a, reset(h), "no reset");
		/* whatever was in flight is over: nothing is written any more */
		memset(a->mem, ATTACK_CANARY, ATTACK_ARENA_BYTES);
		msleep(50);
		for (i = 0; i < ATTACK_ARENA_BYTES; i++)
			if (a->mem[i] != ATTACK_CANARY)
				break;
		attack_expect(a, i == ATTACK_ARENA_BYTES,
			      "byte %#x was written after the reset", i);
		attack_end(a);
	}
}

static void attack_all(struct hostile *h)
{
	struct attack *a = &h->attack;
	u64 end = ALIGN((u64)get_num_physpages() << PAGE_SHIFT, 128 << 20);

	a->unbacked = 1ull << 40;
	a->rom = rom;
	a->end = ram_end ?: end;
	a->wish = function;
	a->expect_quota = expect_quota;
	a->parallel = num_online_cpus() > 1;

	pr_info("KTAP version 1\n");
	registers(h);
	if (attack_start(a)) {
		attack_calls(a);
		attack_start(a);
		attack_shapes(a);
		attack_windows(a);
		attack_requests(a);
		attack_partial(a);
		attack_indices(a);
		attack_full(a);
		race(h);
		attack_start(a);
		storm(h);
		reset_in_flight(h);
		attack_start(a);
		attack_quota(a, 0, a->end);
		/* and with the windows gone it can all be done again */
		attack_start(a);
	}
	attack_begin(a, "reset at the end");
	attack_expect(a, reset(h), "no reset");
	attack_end(a);
	pr_info("1..%u\n", a->ok + a->bad);
	snprintf(result, sizeof(result), "%u ok, %u not ok", a->ok, a->bad);
	pr_info("lpar_hostile: %s\n", result);
}

/* ------------------------------------------------------------------- PCI device */

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct hostile *h = kzalloc(sizeof(*h), GFP_KERNEL);
	int err;

	if (!h)
		return -ENOMEM;
	h->pdev = pdev;
	h->attack.call = call;
	h->attack.raw = raw;
	h->attack.open = open;
	h->attack.ring = ring;
	h->attack.pause = pause_a_moment;
	h->attack.now = now;
	h->attack.verdict = verdict;
	pci_set_drvdata(pdev, h);

	err = -ENOMEM;
	h->block = (void *)get_zeroed_page(GFP_KERNEL);
	h->arena = alloc_pages(GFP_KERNEL | __GFP_ZERO, ARENA_ORDER);
	if (!h->block || !h->arena)
		goto err_free;
	h->attack.mem = page_address(h->arena);
	h->attack.gpa = page_to_phys(h->arena);

	err = pci_enable_device(pdev);
	if (err)
		goto err_free;
	err = pci_request_regions(pdev, KBUILD_MODNAME);
	if (err)
		goto err_disable;
	err = -ENODEV;
	h->doorbell = pci_resource_start(pdev, LPAR_BAR_DOORBELL);
	h->regs = pci_iomap(pdev, LPAR_BAR_REGS, LPAR_REGS_SIZE);
	if (!h->regs)
		goto err_release;
	h->doorbells = ioread32(h->regs + LPAR_REG_DOORBELLS);
	if (ioread32(h->regs + LPAR_REG_MAGIC) != LPAR_MAGIC || !h->doorbells ||
	    pci_resource_len(pdev, LPAR_BAR_DOORBELL) <
		    h->doorbells * LPAR_DOORBELL_STRIDE)
		goto err_unmap;
	pci_set_master(pdev);
	attack_all(h);
	return 0;

err_unmap:
	pci_iounmap(pdev, h->regs);
err_release:
	pci_release_regions(pdev);
err_disable:
	pci_disable_device(pdev);
err_free:
	if (h->arena)
		__free_pages(h->arena, ARENA_ORDER);
	free_page((unsigned long)h->block);
	kfree(h);
	return err;
}

static void remove(struct pci_dev *pdev)
{
	struct hostile *h = pci_get_drvdata(pdev);
	bool quiet = reset(h);

	pci_iounmap(pdev, h->regs);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
	/* what the host may still write to is nobody else's */
	if (quiet) {
		__free_pages(h->arena, ARENA_ORDER);
		free_page((unsigned long)h->block);
	}
	kfree(h);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(LPAR_PCI_VENDOR, LPAR_PCI_DEVICE) },
	{ }
};

static struct pci_driver hostile_driver = {
	.name		= KBUILD_MODNAME,
	.id_table	= ids,
	.probe		= probe,
	.remove		= remove,
};
module_pci_driver(hostile_driver);

MODULE_DESCRIPTION("Attacks on the host of a logical partition, from inside");
MODULE_LICENSE("GPL");
