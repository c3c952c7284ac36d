/* SPDX-License-Identifier: GPL-2.0 */
/* LPAR_KEY is the file with the key, all of it. Data, not text: the text may become shared. */
	.section .data.key, "aw"
	.globl lpar_key, lpar_key_bytes
	.balign 8
lpar_key_bytes:
	.quad lpar_key_end - lpar_key
lpar_key:
	.incbin LPAR_KEY
lpar_key_end:
	.section .note.GNU-stack, "", @progbits
