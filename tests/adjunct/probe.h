/* SPDX-License-Identifier: GPL-2.0 */
/* What the probing image can be asked for. */
#ifndef PROBE_H
#define PROBE_H

enum probe_op {
	PROBE_ECHO = 1,		/* input, each byte and one, is the output */
	PROBE_SPIN,		/* count in the output for ever */
	PROBE_FILL,		/* fill all memory of its own with PROBE_SECRET */
	PROBE_READ,		/* the input is an address: read it */
	PROBE_WRITE,		/* write there */
	PROBE_JUMP,		/* go on there */
	PROBE_EXIT,		/* end; the input is the code */
	PROBE_YIELD,		/* yield; the input is the reason */
	/* what is not for an adjunct */
	PROBE_X87,
	PROBE_MMX,
	PROBE_SSE,
	PROBE_AVX,
	PROBE_FXSAVE,
	PROBE_CR3,
	PROBE_HLT,
	PROBE_PORT,
	PROBE_CLI,
	PROBE_RDMSR,
	PROBE_SYSCALL,
	PROBE_INT,
	PROBE_STACK,		/* push until it ends */
	PROBE_TRAP,		/* single step */
};

#define PROBE_SECRET	0x5ec2e7c0ffee1234ull
#define PROBE_MARK	0xfeedfacecafebeefull	/* in r12 when it ends */
#define PROBE_REFUSE	0x0badbadu		/* first word of the data: no start */
#define PROBE_DATA	0x600dda7au		/* in its data, from the file */

#endif
