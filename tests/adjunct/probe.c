// SPDX-License-Identifier: GPL-2.0
/* An image that does what it is asked for, and mostly should not: see probe.h. */
#include <lpar/adjunct.h>
#include "probe.h"

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

/* struct lpar_image; the numbers come from the linker */
asm(".pushsection .head, \"a\"\n"
    ".long " NUMBER(LPAR_IMAGE_MAGIC) ", " NUMBER(LPAR_IMAGE_ABI) "\n"
    ".long text_pages, data_pages, bss_pages, 2, entry\n"
    ".zero 36\n"
    ".popsection");

static volatile u32 data = PROBE_DATA;
static volatile u64 bss[1024];

static u64 yield(u64 why, u64 value)
{
	asm volatile("int $0x80" : "+a"(why) : "D"(value) : "memory");
	return why;
}

/* With a mark in a register that the report of a fault must show, and no other may. */
#define DO(insn, ...)							\
	asm volatile("mov %0, %%r12\n" insn				\
		     : : "r"(PROBE_MARK), ##__VA_ARGS__ : "r12", "rax", "rcx", "memory")

static u32 serve(u8 *shared, const struct lpar_adjunct_request *r, u32 *bytes)
{
	u64 *in = (u64 *)(shared + r->in), arg;
	u8 *out = shared + r->out;
	u32 i;

	/* the client is not trusted either */
	if (r->in > LPAR_ADJUNCT_SHARED - 4096 || r->in_len > 4096 ||
	    r->out > LPAR_ADJUNCT_SHARED - 4096 || r->out_len > 4096)
		return LPAR_INVAL;
	arg = *(volatile u64 *)in;
	switch (r->op) {
	case PROBE_ECHO:
		for (i = 0; i < r->in_len && i < r->out_len; i++)
			((volatile u8 *)out)[i] = ((volatile u8 *)in)[i] + 1;
		*bytes = i;
		return data == PROBE_DATA ? LPAR_OK : LPAR_MEDIUM;
	case PROBE_SPIN:
		for (;;)
			++*(volatile u64 *)out;
	case PROBE_FILL:
		for (i = 0; i < 1024; i++)
			bss[i] = PROBE_SECRET;
		return LPAR_OK;
	case PROBE_READ:
		DO("mov (%1), %%rax", "r"(arg));
		return LPAR_OK;
	case PROBE_WRITE:
		DO("mov %%rax, (%1)", "r"(arg));
		return LPAR_OK;
	case PROBE_JUMP:
		DO("jmp *%1", "r"(arg));
		return LPAR_OK;
	case PROBE_EXIT:
		DO("");
		yield(LPAR_YIELD_EXIT, arg);
		return LPAR_OK;
	case PROBE_YIELD:
		return yield(arg, 0) ? LPAR_MEDIUM : LPAR_OK;
	case PROBE_X87:
		DO("fld1");
		return LPAR_OK;
	case PROBE_MMX:
		DO("pxor %%mm0, %%mm0");
		return LPAR_OK;
	case PROBE_SSE:
		DO("xorps %%xmm0, %%xmm0");
		return LPAR_OK;
	case PROBE_AVX:
		DO("vxorps %%ymm0, %%ymm0, %%ymm0");
		return LPAR_OK;
	case PROBE_FXSAVE:
		DO("fxsave (%1)", "r"(bss));
		return LPAR_OK;
	case PROBE_CR3:
		DO("mov %%cr3, %%rax\n mov %%rax, %%cr3");
		return LPAR_OK;
	case PROBE_HLT:
		DO("hlt");
		return LPAR_OK;
	case PROBE_PORT:
		DO("in $0x60, %%al");
		return LPAR_OK;
	case PROBE_CLI:
		DO("cli");
		return LPAR_OK;
	case PROBE_RDMSR:
		DO("mov $0xc0000080, %%ecx\n push %%rdx\n rdmsr\n pop %%rdx");
		return LPAR_OK;
	case PROBE_SYSCALL:
		DO("syscall");
		return LPAR_OK;
	case PROBE_INT:
		DO("int $0x7f");
		return LPAR_OK;
	case PROBE_STACK:
		DO("1: push %%rax\n jmp 1b");
		return LPAR_OK;
	case PROBE_TRAP:
		DO("pushf\n orl $0x100, (%%rsp)\n popf\n nop");
		return LPAR_OK;
	default:
		return LPAR_NOSYS;
	}
}

void start(u8 *shared, u64 bytes);
void start(u8 *shared, u64 bytes)
{
	struct lpar_adjunct_control *control = (void *)shared;
	u32 head = 0, i, refuse = bytes != LPAR_ADJUNCT_SHARED;

	for (i = 0; i < 1024; i++)
		if (bss[i])
			refuse = 2;
	if (*(volatile u32 *)(shared + LPAR_ADJUNCT_DATA) == PROBE_REFUSE)
		refuse = 3;
	yield(LPAR_YIELD_READY, refuse);
	for (;;) {
		while (head != __atomic_load_n(&control->tail, __ATOMIC_ACQUIRE)) {
			struct lpar_adjunct_request *at =
				&control->request[head % LPAR_ADJUNCT_DEPTH];
			volatile struct lpar_adjunct_request *from = at;
			struct lpar_adjunct_request copy = {
				.op = from->op, .in = from->in,
				.in_len = from->in_len, .out = from->out,
				.out_len = from->out_len,
			};
			u32 done = 0;

			at->status = serve(shared, &copy, &done);
			at->bytes = done;
			head++;
			__atomic_store_n(&control->head, head, __ATOMIC_RELEASE);
		}
		yield(LPAR_YIELD_EMPTY, 0);
	}
}
