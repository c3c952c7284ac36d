/* SPDX-License-Identifier: GPL-2.0 */
/* The pure core of NICs; see core.h. */
#ifndef LPAR_HOST_CORE_NIC_H
#define LPAR_HOST_CORE_NIC_H

#include "core.h"

/* Payload that is copied behind the headers: drivers look at it, and the stack at the VLAN
 * tags that it may consist of, eight (VLAN_MAX_DEPTH) of 4 bytes. */
#define LPAR_NIC_PULL		64
#define LPAR_NIC_PARTS		512	/* of a frame to be cut, which software may have to do */
/* Frames up to this length are copied whole in tag mode, where the administrator says
 * nothing else; and the most that may be: what a page of the pool has room for. */
#define LPAR_NIC_COPY		256
#define LPAR_NIC_COPY_MAX	2048
/* Addresses that a trusted NIC can have besides its own. */
#define LPAR_NIC_MACS		32
/* SAs that it can have. */
#define LPAR_NIC_SAS		256

/**
 * struct lpar_nic_limits - what a NIC's adapter and the path to it honour
 * @mac:          its address; the first byte is bits 40-47
 * @mtu_min:      bytes
 * @mtu_max:      bytes
 * @mtu:          the adapter's own
 * @segments:     of a frame to send
 * @queues:       that the client may have for each direction
 * @speed:        Mbit/s; 0: unknown
 * @link:         it is up
 * @full_duplex:  likewise known
 * @tx_csum:      checksums of any protocol
 * @tx_csum4:     of TCP and UDP over IPv4
 * @tx_csum6:     of TCP and UDP over IPv6
 * @tso4:         most bytes of a frame to segment; 0: not offered
 * @tso6:         likewise
 * @uso:          likewise
 * @tso_segments: that a frame may become
 * @tx_vlan:      inserts tags
 * @rx_csum:      checks checksums
 * @rx_vlan:      removes tags
 * @ipsec:        the adapter en- and decrypts ESP, and the client may have it do so
 * @trusted:      may have any address, send tagged frames, and see all
 * @promisc:      sees all frames of the port
 * @vlan_filters: the adapter and the client can choose VLANs of those that it sees
 * @vlan_filter:  and the client does
 * @vlan:         its frames are of this VLAN, and it knows nothing of it; 0: none
 * @standby:      the client also has a VF with this address, which it prefers
 * @aside:        and is to be reached by that now
 */
struct lpar_nic_limits {
	u64 mac;
	u32 mtu_min;
	u32 mtu_max;
	u32 mtu;
	u32 segments;
	u32 queues;
	u32 speed;
	u32 tso4;
	u32 tso6;
	u32 uso;
	u32 tso_segments;
	u16 vlan;
	bool link;
	bool full_duplex;
	bool tx_csum;
	bool tx_csum4;
	bool tx_csum6;
	bool tx_vlan;
	bool rx_csum;
	bool rx_vlan;
	bool ipsec;
	bool trusted;
	bool promisc;
	bool vlan_filters;
	bool vlan_filter;
	bool standby;
	bool aside;
};

/**
 * struct lpar_frame - a submission of a NIC that has been found well-formed
 * @id:       the client's number of it
 * @nsegs:    at least 1
 * @len:      bytes that the segments cover
 * @headers:  bytes of headers
 * @flags:    LPAR_NET_*
 * @gso_type: enum lpar_gso
 * @gso_size: payload of a segment
 * @csum_start: see struct lpar_net_sqe
 * @csum_offset: likewise
 * @vlan_tci: likewise
 * @sa: likewise
 */
struct lpar_frame {
	u16 id;
	u16 nsegs;
	u32 len;
	u16 headers;
	u8 flags;
	u8 gso_type;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
	u16 vlan_tci;
	u16 sa;
};

/**
 * lpar_core_frame - decode and check a submission of a NIC, all but its contents
 * @sqe:  a private copy
 * @segs: a private copy of its segments; NULL while they are not known
 * @lim:  the NIC's limits
 * @receive: it stands in a queue of LPAR_ROLE_RECEIVE
 * @out:  the frame or buffer, when LPAR_OK; its id always
 *
 * Context: any; pure.
 * Return: LPAR_OK, or what it is to end with.
 */
enum lpar_status lpar_core_frame(const struct lpar_net_sqe *sqe,
				 const struct lpar_seg *segs,
				 const struct lpar_nic_limits *lim, bool receive,
				 struct lpar_frame *out);

/**
 * lpar_core_headers - check a frame's contents against what its submission says
 * @data: a private copy of its first bytes
 * @have: how many: at least the frame's headers
 * @f:    the frame
 * @lim:  the NIC's limits
 *
 * Only addresses, tags, its length and what is to be segmented or summed up are
 * looked at: a frame whose sender asks for neither may hold anything.
 *
 * Context: any; pure.
 * Return: LPAR_OK; LPAR_INVAL: not what it says; LPAR_PROTECTION: a foreign
 * source address or VLAN.
 */
enum lpar_status lpar_core_headers(const u8 *data, u32 have,
				   const struct lpar_frame *f,
				   const struct lpar_nic_limits *lim);

/* VLANs that a station can be put into; 0 is none. */
#define LPAR_VLAN_MAX		4094
/* That of a frame with a tag of another kind. */
#define LPAR_VLAN_OTHER		4096

/* The VLAN that a tag stands for. A mere priority is none. */
static inline u16 lpar_core_vlan(u16 type, u16 tci)
{
	return type == 0x8100 ? tci & 0xfff : LPAR_VLAN_OTHER;
}

/**
 * lpar_core_sees - are frames of a VLAN for a station?
 * @own: the VLAN that it is in; 0: none
 * @trusted: see struct lpar_nic_limits; without a VLAN it is in all of them
 * @vlan: of the frame; 0: none
 *
 * Context: any; pure.
 * Return: whether it may see them.
 */
static inline bool lpar_core_sees(u16 own, bool trusted, u16 vlan)
{
	return own == vlan || (!own && trusted);
}

/**
 * lpar_core_frame_vlan - the VLAN of a frame that a client sends
 * @data: a private copy of its first bytes
 * @have: how many: at least 14
 * @f:    the frame
 * @lim:  the NIC's limits
 *
 * Context: any; pure.
 * Return: it; 0: none; LPAR_VLAN_OTHER.
 */
u16 lpar_core_frame_vlan(const u8 *data, u32 have, const struct lpar_frame *f,
			 const struct lpar_nic_limits *lim);

/**
 * lpar_core_sa - check what a client gives as an SA
 * @sa: a private copy
 *
 * Context: any; pure.
 * Return: LPAR_OK, LPAR_INVAL.
 */
enum lpar_status lpar_core_sa(const struct lpar_sa *sa);

/**
 * struct lpar_esp - what a frame that is to be encrypted was found to be
 * @at:    where its ESP header starts
 * @seq:   its sequence number
 * @inner: the protocol that is encrypted
 */
struct lpar_esp {
	u32 at;
	u32 seq;
	u8 inner;
};

/**
 * lpar_core_esp - check a frame that an adapter is to encrypt
 * @data: a private copy of all of it
 * @len:  its bytes
 * @spi:  of its SA
 * @ipv6: its SA's
 * @icv:  its SA's, bytes
 * @out:  when LPAR_OK
 *
 * Drivers find its trailer by what it says itself, and look no further: so all of it
 * must be where it says, and nobody else can change it any more.
 *
 * Context: any; pure.
 * Return: LPAR_OK; LPAR_INVAL: not ESP by this SA, or not complete.
 */
enum lpar_status lpar_core_esp(const u8 *data, u32 len, u32 spi, bool ipv6, u32 icv,
			       struct lpar_esp *out);

/**
 * lpar_core_whole - must all of a frame be in its linear part?
 * @data: a private copy of its first bytes
 * @have: how many
 * @len:  of the frame
 *
 * e1000e gives requests for DHCP to its firmware, and takes all of them to be there.
 *
 * Context: any; pure.
 * Return: true: copy all of it, or do not send it.
 */
bool lpar_core_whole(const u8 *data, u32 have, u32 len);

/**
 * lpar_core_nic_records - write a NIC's capability records
 * @buf: where to, 8-byte aligned
 * @size: its bytes
 * @lim: the NIC's limits
 * @name: text, cut to LPAR_TEXT_MAX
 *
 * Context: any; pure.
 * Return: bytes written, or -ENOSPC.
 */
int lpar_core_nic_records(void *buf, size_t size,
			  const struct lpar_nic_limits *lim, const char *name);

/* What may be sent at once, as time at the rate, before sending pauses; half of it is
 * to be had again when it goes on, so that pauses are few. */
#define LPAR_RATE_BURST_NS	20000000ull

/**
 * lpar_core_rate_wait - does a rate let the next frame go?
 * @paid: until when what has been sent takes, see lpar_core_rate_pay()
 * @now:  ns
 *
 * A frame may go as long as less than a burst is ahead of its time, so that the
 * longest one does, at any rate.
 *
 * Context: any; pure.
 * Return: 0: yes; else ns to wait.
 */
static inline u64 lpar_core_rate_wait(u64 paid, u64 now)
{
	return paid <= now + LPAR_RATE_BURST_NS ? 0 :
	       paid - now - LPAR_RATE_BURST_NS / 2;
}

/* Until when that takes, with @bytes more at @rate Mbit/s; not 0. */
static inline u64 lpar_core_rate_pay(u64 paid, u64 now, u32 rate, u32 bytes)
{
	return (paid > now ? paid : now) + (u64)bytes * 8000 / rate;
}

/**
 * lpar_core_wire_bytes - what a frame takes on the wire
 * @sqe: a private copy of the submission; need not be legal
 *
 * Context: any; pure.
 * Return: bytes, at most some 2 MiB: of all frames that it is to be segmented to.
 */
u32 lpar_core_wire_bytes(const struct lpar_net_sqe *sqe);

/* What a choice takes of a client's time, and how many times as long as RTNL was held for a
 * cheap one. */
#define LPAR_CHOICE_NS		50000000ull
#define LPAR_CHOICE_SHARE	20

/**
 * lpar_core_held_ns - what a lock of the whole host's takes, as time until which it is paid for
 * @held: ns for which it was held for a client
 *
 * RTNL is the whole host's: one partition has it a 20th of the time, or for a choice or a
 * reset in 50 ms. lpar_core_rate_wait() says when the next one may follow; a reset follows
 * at any time.
 *
 * Context: any; pure.
 * Return: ns, at most LPAR_CHOICE_NS, so that waiting for it is short.
 */
static inline u64 lpar_core_held_ns(u64 held)
{
	return held < LPAR_CHOICE_NS / LPAR_CHOICE_SHARE ? held * LPAR_CHOICE_SHARE :
							   LPAR_CHOICE_NS;
}

/**
 * lpar_core_choice_ns - likewise, what a choice takes
 * @cap:  what was chosen
 * @held: ns for which RTNL was held for it
 *
 * For VLANs, of which it may want thousands, that suffices. Others make readers be waited
 * for, or the network stack tell everybody, too.
 *
 * Context: any; pure.
 * Return: ns, at most LPAR_CHOICE_NS.
 */
static inline u64 lpar_core_choice_ns(u64 cap, u64 held)
{
	return cap == LPAR_CAP_VLANS ? lpar_core_held_ns(held) : LPAR_CHOICE_NS;
}

/* Memory of frames that wait for one queue, of all queues of a NIC, and which part of the
 * host's for all NICs. */
#define LPAR_BACKLOG_QUEUE	(4u << 20)
#define LPAR_BACKLOG_NIC	(16u << 20)
#define LPAR_BACKLOG_PART	16

/**
 * lpar_core_backlog - how much may wait for a receive queue
 * @ram:    bytes of memory that the host has
 * @nics:   that share ports, of all partitions
 * @queues: of this NIC, at least 1
 *
 * All NICs have equal parts, and of each its queues.
 *
 * Context: any; pure.
 * Return: bytes.
 */
static inline u32 lpar_core_backlog(u64 ram, u32 nics, u32 queues)
{
	u64 nic = ram / LPAR_BACKLOG_PART / (nics ?: 1);

	if (nic > LPAR_BACKLOG_NIC)
		nic = LPAR_BACKLOG_NIC;
	nic /= queues;
	return nic < LPAR_BACKLOG_QUEUE ? nic : LPAR_BACKLOG_QUEUE;
}

/* May the client choose this value? Return: LPAR_OK, LPAR_RANGE, LPAR_NOTSUPP. */
enum lpar_status lpar_core_nic_set(const struct lpar_nic_limits *lim, u64 cap,
				   u64 value);

/* An address that a NIC can have: not zero, one station's. */
static inline bool lpar_core_mac_ok(u64 mac)
{
	return mac && !(mac >> 48) && !(mac & 1ull << 40);
}

/* Six bytes as a number and back. */
static inline u64 lpar_core_mac(const u8 *bytes)
{
	u64 mac = 0;
	int i;

	for (i = 0; i < 6; i++)
		mac = mac << 8 | bytes[i];
	return mac;
}

static inline void lpar_core_mac_bytes(u64 mac, u8 *bytes)
{
	int i;

	for (i = 5; i >= 0; i--, mac >>= 8)
		bytes[i] = mac;
}

#endif
