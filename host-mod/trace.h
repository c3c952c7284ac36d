/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoints; what they mean stands in include/lpar/events.h, and stays. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lpar

/*
 * An event. A program that is attached to it runs to its end before another of the same
 * processor begins, or one of both would be lost: newer kernels do not see to that. Any
 * context.
 */
#ifndef lpar_trace
#define lpar_trace(event, ...)					\
do {								\
	if (trace_lpar_##event##_enabled()) {			\
		preempt_disable_notrace();			\
		trace_lpar_##event(__VA_ARGS__);		\
		preempt_enable_notrace();			\
	}							\
} while (0)
#endif

#if !defined(LPAR_HOST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LPAR_HOST_TRACE_H

#include <linux/tracepoint.h>
#include <lpar/events.h>

TRACE_EVENT(lpar_dispatch_begin,
	TP_PROTO(u32 partition, u32 adjunct, u32 queue, s32 vcpu, u32 requests,
		 u64 quantum_ns),
	TP_ARGS(partition, adjunct, queue, vcpu, requests, quantum_ns),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, adjunct)
		__field(u32, queue)
		__field(s32, vcpu)
		__field(u32, requests)
		__field(u64, quantum_ns)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->adjunct = adjunct;
		__entry->queue = queue;
		__entry->vcpu = vcpu;
		__entry->requests = requests;
		__entry->quantum_ns = quantum_ns;
	),
	TP_printk("partition=%u adjunct=%u queue=%u vcpu=%d requests=%u quantum_ns=%llu",
		  __entry->partition, __entry->adjunct, __entry->queue, __entry->vcpu,
		  __entry->requests, __entry->quantum_ns)
);

TRACE_EVENT(lpar_dispatch_end,
	TP_PROTO(u32 partition, u32 adjunct, u32 queue, s32 vcpu, u32 requests,
		 u64 quantum_ns, u64 donated_ns, u64 switch_in_ns,
		 u64 switch_out_ns, u32 reason),
	TP_ARGS(partition, adjunct, queue, vcpu, requests, quantum_ns, donated_ns,
		switch_in_ns, switch_out_ns, reason),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, adjunct)
		__field(u32, queue)
		__field(s32, vcpu)
		__field(u32, requests)
		__field(u32, reason)
		__field(u64, quantum_ns)
		__field(u64, donated_ns)
		__field(u64, switch_in_ns)
		__field(u64, switch_out_ns)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->adjunct = adjunct;
		__entry->queue = queue;
		__entry->vcpu = vcpu;
		__entry->requests = requests;
		__entry->reason = reason;
		__entry->quantum_ns = quantum_ns;
		__entry->donated_ns = donated_ns;
		__entry->switch_in_ns = switch_in_ns;
		__entry->switch_out_ns = switch_out_ns;
	),
	TP_printk("partition=%u adjunct=%u queue=%u vcpu=%d requests=%u quantum_ns=%llu donated_ns=%llu switch_in_ns=%llu switch_out_ns=%llu reason=%s",
		  __entry->partition, __entry->adjunct, __entry->queue, __entry->vcpu,
		  __entry->requests, __entry->quantum_ns, __entry->donated_ns,
		  __entry->switch_in_ns, __entry->switch_out_ns,
		  __print_symbolic(__entry->reason,
				   { LPAR_REASON_EMPTY, "empty" },
				   { LPAR_REASON_EXPIRED, "expired" },
				   { LPAR_REASON_FULL, "full" },
				   { LPAR_REASON_YIELD, "yield" },
				   { LPAR_REASON_FAULT, "fault" }))
);

TRACE_EVENT(lpar_hypercall,
	TP_PROTO(u32 partition, u32 op, u32 seq, u32 status, u64 ns),
	TP_ARGS(partition, op, seq, status, ns),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, op)
		__field(u32, seq)
		__field(u32, status)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->op = op;
		__entry->seq = seq;
		__entry->status = status;
		__entry->ns = ns;
	),
	TP_printk("partition=%u op=%u seq=%u status=%u ns=%llu", __entry->partition,
		  __entry->op, __entry->seq, __entry->status, __entry->ns)
);

TRACE_EVENT(lpar_window,
	TP_PROTO(u32 partition, u32 event, u64 gpa, u64 address, u32 pages,
		 s32 error),
	TP_ARGS(partition, event, gpa, address, pages, error),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, event)
		__field(u64, gpa)
		__field(u64, address)
		__field(u32, pages)
		__field(s32, error)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->event = event;
		__entry->gpa = gpa;
		__entry->address = address;
		__entry->pages = pages;
		__entry->error = error;
	),
	TP_printk("partition=%u %s gpa=%#llx address=%#llx pages=%u error=%d",
		  __entry->partition,
		  __print_symbolic(__entry->event,
				   { LPAR_WINDOW_MAP, "map" },
				   { LPAR_WINDOW_UNMAP, "unmap" },
				   { LPAR_WINDOW_REVOKE, "revoke" }),
		  __entry->gpa, __entry->address, __entry->pages, __entry->error)
);

TRACE_EVENT(lpar_completion,
	TP_PROTO(u32 partition, u32 adjunct, u32 queue, u32 id, u32 op, u32 status,
		 u32 bytes, u64 latency_ns, u64 undonated_ns),
	TP_ARGS(partition, adjunct, queue, id, op, status, bytes, latency_ns,
		undonated_ns),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, adjunct)
		__field(u32, queue)
		__field(u32, id)
		__field(u32, op)
		__field(u32, status)
		__field(u32, bytes)
		__field(u64, latency_ns)
		__field(u64, undonated_ns)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->adjunct = adjunct;
		__entry->queue = queue;
		__entry->id = id;
		__entry->op = op;
		__entry->status = status;
		__entry->bytes = bytes;
		__entry->latency_ns = latency_ns;
		__entry->undonated_ns = undonated_ns;
	),
	TP_printk("partition=%u adjunct=%u queue=%u id=%u op=%u status=%u bytes=%u latency_ns=%llu undonated_ns=%llu",
		  __entry->partition, __entry->adjunct, __entry->queue, __entry->id,
		  __entry->op, __entry->status, __entry->bytes, __entry->latency_ns,
		  __entry->undonated_ns)
);

DECLARE_EVENT_CLASS(lpar_asks,
	TP_PROTO(u32 partition, u32 adjunct, u32 queue),
	TP_ARGS(partition, adjunct, queue),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, adjunct)
		__field(u32, queue)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->adjunct = adjunct;
		__entry->queue = queue;
	),
	TP_printk("partition=%u adjunct=%u queue=%u", __entry->partition,
		  __entry->adjunct, __entry->queue)
);

DEFINE_EVENT(lpar_asks, lpar_pa_busy,
	TP_PROTO(u32 partition, u32 adjunct, u32 queue),
	TP_ARGS(partition, adjunct, queue)
);

DEFINE_EVENT(lpar_asks, lpar_runnable,
	TP_PROTO(u32 partition, u32 adjunct, u32 queue),
	TP_ARGS(partition, adjunct, queue)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
