// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest's network card does with datagrams to these ports (tests/boot/net-basic), and with all of VLAN 8, whose tag
 * the adapter may have removed (net-life); all else passes.
 * 7007 come back by XDP_TX, 7013 by a redirect to where they came from; 7009 are dropped; 7011 pass after their frame has
 * grown at both ends, and shrunk again in front.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

struct tag {
	__be16 tci;
	__be16 type;
};

/* No sum changes. */
static __always_inline void turn_round(struct headers *h)
{
	unsigned char mac[ETH_ALEN];
	__be32 address = h->ip.saddr;
	__be16 port = h->udp.source;

	__builtin_memcpy(mac, h->eth.h_source, ETH_ALEN);
	__builtin_memcpy(h->eth.h_source, h->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(h->eth.h_dest, mac, ETH_ALEN);
	h->ip.saddr = h->ip.daddr;
	h->ip.daddr = address;
	h->udp.source = h->udp.dest;
	h->udp.dest = port;
}

SEC("xdp")
int judge(struct xdp_md *ctx)
{
	struct headers *h = (void *)(long)ctx->data;

	if ((void *)(h + 1) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (h->eth.h_proto == bpf_htons(ETH_P_8021Q)) {
		struct tag *tag = (void *)(&h->eth + 1);

		return (tag->tci & bpf_htons(0xfff)) == bpf_htons(8) ? XDP_DROP : XDP_PASS;
	}
	if (h->eth.h_proto != bpf_htons(ETH_P_IP) || h->ip.ihl != 5 || h->ip.protocol != IPPROTO_UDP ||
	    h->ip.frag_off & bpf_htons(0x3fff))
		return XDP_PASS;
	switch (h->udp.dest) {
	case bpf_htons(7007):
		turn_round(h);
		return XDP_TX;
	case bpf_htons(7013):
		turn_round(h);
		return bpf_redirect(ctx->ingress_ifindex, 0);
	case bpf_htons(7009):
		return XDP_DROP;
	case bpf_htons(7011):
		if (bpf_xdp_adjust_head(ctx, -128) || bpf_xdp_adjust_tail(ctx, 64) || bpf_xdp_adjust_head(ctx, 128))
			return XDP_ABORTED;
		return XDP_PASS;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
