/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as the programs see it: just the members that they read. Where these
 * are is found when the programs are loaded (CO-RE), so nothing here depends on
 * the kernel that the programs are compiled on.
 */
#ifndef LPAR_BPF_KERNEL_H
#define LPAR_BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

typedef __u64 u64;
typedef __u32 u32;
typedef __s32 s32;

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

#endif
