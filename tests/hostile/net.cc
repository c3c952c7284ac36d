// SPDX-License-Identifier: GPL-2.0
// N1 to N6: a hostile station on a network port. Needs a partition whose first NIC is not trusted and whose second one is
// (-n), and the network device at the other end of the port's cable (-w), where nothing may arrive that was refused.
#include "station.h"

#include <atomic>
#include <csignal>
#include <thread>

#include <sched.h>
#include <unistd.h>

using namespace hostile;

namespace {

struct Change {
	const char *what;
	std::uint64_t allowed;
	void (*make)(Station &g, lpar_net_sqe &s);
};

// Each change of a good submission, and of the frame that it names, is refused, and nothing leaves.
template <std::size_t n> void refused(Station &g, Wire &wire, const Change (&changes)[n], lpar_net_sqe (*good)(Station &))
{
	for (auto &c : changes) {
		lpar_net_sqe s = good(g);
		c.make(g, s);
		const u32 st = g.send(s);
		EXPECT(allowed(st, c.allowed), "{}: status {}, allowed {:#x}", c.what, st, c.allowed);
	}
	EXPECT(!(attack_load(&g.tx.ctrl->state) & LPAR_QUEUE_BROKEN), "the queue is broken");
	g.alone(wire);
}

#define CHANGE(what, allowed, ...) Change{what, allowed, [](Station &g, lpar_net_sqe &s) { (void)g, (void)s; __VA_ARGS__; }}

CASE(net_shapes, "N1 frames that are not what their submissions say", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);

	// the shortest, the limits of what is copied whole, the longest
	for (u32 bytes : {14u, 18u, 60u, 256u, 257u, 1514u}) {
		EXPECT(g.send(g.raw(bytes)) == LPAR_OK, "{} bytes", bytes);
		if (bytes >= 18) {
			Frame f;
			while (!(f = wire.next(5000)).empty() && !is_raw(f, g.marker)) {}
			EXPECT(f.size() >= bytes && std::equal(f.begin(), f.begin() + bytes, g.data()), "{} bytes do not arrive", bytes);
		}
	}
	static constexpr Change raw[] = {
		CHANGE("no operation", ST(NOSYS), s.op = 0),
		CHANGE("a buffer", ST(NOSYS), s.op = LPAR_NET_RECEIVE),
		CHANGE("operation 255", ST(NOSYS), s.op = 255),
		CHANGE("reserved", ST(INVAL), s.reserved = 1),
		CHANGE("an SA", ST(NOTSUPP), s.sa = 1),
		CHANGE("the last SA", ST(NOTSUPP), s.sa = 0xffff),
		CHANGE("reserved3", ST(INVAL), s.reserved3 = 1ull << 63),
		CHANGE("an unknown flag", ST(INVAL), s.flags = 4),
		CHANGE("all flags", ST(INVAL), s.flags = 255),
		CHANGE("no segments", ST(INVAL), s.nsegs = 0),
		CHANGE("5 segments where 4 have room", ST(INVAL), s.nsegs = 5),
		CHANGE("65,535 segments", ST(INVAL), s.nsegs = 0xffff),
		CHANGE("3 segments, and one in the submission", ST(INVAL), s.nsegs = 3),
		CHANGE("a second, empty segment", ST(INVAL), s.nsegs = 2),
		CHANGE("a segment's reserved", ST(INVAL), s.seg[0].reserved = 1),
		CHANGE("length 0", ST(INVAL), s.len = 0),
		CHANGE("length 13", ST(INVAL), s.len = s.seg[0].len = 13),
		CHANGE("length 1,519", ST(INVAL), s.len = s.seg[0].len = 1519),
		CHANGE("length 65,551", ST(INVAL), s.len = s.seg[0].len = 65551),
		CHANGE("length 2^32 - 1", ST(INVAL), s.len = s.seg[0].len = ~0u),
		CHANGE("more than the segment", ST(INVAL), s.len++),
		CHANGE("less than the segment", ST(INVAL), s.len--),
		CHANGE("segments that wrap", ST(INVAL), s.nsegs = 2; s.seg[0].len = ~0u; s.seg[1] = {s.seg[0].addr, s.len + 1, 0}),
		CHANGE("no headers", ST(INVAL), s.headers = 0),
		CHANGE("13 bytes of headers", ST(INVAL), s.headers = 13),
		CHANGE("257 bytes of headers", ST(INVAL), s.headers = 257),
		CHANGE("headers beyond the frame", ST(INVAL), s.len = s.seg[0].len = 100; s.headers = 101),
		CHANGE("65,535 bytes of headers", ST(INVAL), s.headers = 0xffff),
		CHANGE("a sum nobody asked for", ST(INVAL), s.csum_start = 14),
		CHANGE("a sum's place nobody asked for", ST(INVAL), s.csum_offset = 1),
		CHANGE("a sum from 0", ST(INVAL), s.flags = LPAR_NET_CSUM),
		CHANGE("a sum outside of the headers", ST(INVAL), s.flags = LPAR_NET_CSUM; s.csum_start = 14),
		CHANGE("a sum that wraps", ST(INVAL), s.flags = LPAR_NET_CSUM; s.headers = 60; s.csum_start = 34; s.csum_offset = 0xffff),
		CHANGE("a sum from 65,535", ST(INVAL), s.flags = LPAR_NET_CSUM; s.headers = 60; s.csum_start = 0xffff; s.csum_offset = 0xffff),
		CHANGE("a sum in front of an IP header's end", ST(INVAL), s.flags = LPAR_NET_CSUM; s.headers = 60; s.csum_start = 33),
		CHANGE("a VLAN without the flag", ST(INVAL), s.vlan_tci = 1),
		CHANGE("a VLAN", ST(NOTSUPP) | ST(PROTECTION), s.flags = LPAR_NET_VLAN; s.vlan_tci = 5),
		CHANGE("a segment size alone", ST(INVAL), s.gso_size = 100),
		CHANGE("kind of segments 4", ST(INVAL), s.gso_type = 4),
		CHANGE("kind of segments 255", ST(INVAL), s.gso_type = 255; s.gso_size = 100),
		CHANGE("segments without a sum", ST(INVAL) | ST(NOTSUPP), s.gso_type = LPAR_GSO_TCP4; s.gso_size = 100),
		CHANGE("no such window", ST(NOWINDOW), s.seg[0].addr = 77777ull << LPAR_WINDOW_SHIFT),
		CHANGE("the last window", ST(NOWINDOW) | ST(INVAL), s.seg[0].addr = ~0ull - 4095),
		CHANGE("a guest address", ST(NOWINDOW), s.seg[0].addr = FakeGuest::unbacked),
		CHANGE("over the end of a window", ST(INVAL), s.seg[0].addr = g.a->window[1] + LPAR_WINDOW_SIZE - 100),
		CHANGE("a second segment without window", ST(NOWINDOW),
		       s.nsegs = 2; s.seg[0].len -= 100; s.seg[1] = {1ull << 62, 100, 0}),
	};
	refused(g, wire, raw, [](Station &g) { return g.raw(400); });

	// in the segment table, the last of four
	lpar_net_sqe s = g.raw(400);
	s.nsegs = 4, s.seg[0] = {};
	for (u32 i = 0; i < 4; i++)
		g.tx.table[(g.tx.sq_tail & (g.tx.depth - 1)) * g.tx.segs + i] = {i < 3 ? g.io(100 * i) : 77777ull << LPAR_WINDOW_SHIFT, 100, 0};
	EXPECT(g.send(s) == LPAR_NOWINDOW, "a segment of the table without window");
	g.alone(wire);
}

CASE(net_segments, "N1 frames to be segmented that cannot be", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);

	if (!g.tso4)
		skip("no TSO");
	// what is right: its segments are all there, and no longer than they may be
	EXPECT(g.send(g.tcp(4000, 1400)) == LPAR_OK, "TSO");
	u32 bytes = 0, segments = 0;
	for (Frame f; bytes < 4000 && !(f = wire.next(5000)).empty();) {
		if (!is_from(f, g.mac))
			continue;
		const u32 at = get32(&f[38]) - g.marker;
		const u32 payload = get16(&f[16]) - 40;
		EXPECT(f.size() <= 1454 && at == bytes && payload <= 1400 && at + payload <= 4000 &&
		       std::equal(f.begin() + 54, f.begin() + 54 + payload, g.data() + 54 + at), "segment at {} of {} bytes", at, f.size());
		bytes += payload, segments++;
	}
	EXPECT(bytes == 4000 && segments == 3, "{} bytes in {} segments", bytes, segments);
	EXPECT(g.send(g.tcp(1000, 0)) == LPAR_OK, "a checksum");
	Frame f;
	while (!(f = wire.next(5000)).empty() && !is_from(f, g.mac)) {}
	EXPECT(f.size() == 1054, "{} bytes", f.size());

	static constexpr Change tcp[] = {
		CHANGE("segment size 0", ST(INVAL), s.gso_size = 0),
		CHANGE("segment size 7", ST(INVAL), s.gso_size = 7),
		CHANGE("segments beyond the MTU", ST(INVAL), s.gso_size = 1461),
		CHANGE("segment size 65,535", ST(INVAL), s.gso_size = 0xffff),
		CHANGE("without a sum", ST(INVAL), s.flags = 0; s.csum_start = s.csum_offset = 0),
		CHANGE("datagrams", ST(INVAL) | ST(NOTSUPP), s.gso_type = LPAR_GSO_UDP),
		CHANGE("IPv6", ST(INVAL) | ST(NOTSUPP), s.gso_type = LPAR_GSO_TCP6),
		CHANGE("nothing but headers", ST(INVAL), s.len = s.seg[0].len = 54),
		CHANGE("longer than offered", ST(INVAL), s.len = s.seg[0].len = g.tso4 + 1),
		CHANGE("headers too short", ST(INVAL), s.headers = 53),
		CHANGE("headers too long", ST(INVAL), s.headers = 58),
		CHANGE("just the Ethernet header", ST(INVAL), s.headers = 14),
		CHANGE("the sum elsewhere", ST(INVAL), s.csum_offset = 6),
		CHANGE("the sum from elsewhere", ST(INVAL), s.csum_start = 36),
		CHANGE("another type", ST(INVAL), put16(g.data(12), type_raw)),
		CHANGE("IPv6 it says", ST(INVAL), put16(g.data(12), 0x86dd)),
		CHANGE("IP version 6", ST(INVAL), g.data(14)[0] = 0x65),
		CHANGE("an IP header of 0 bytes", ST(INVAL), g.data(14)[0] = 0x40),
		CHANGE("an IP header of 60 bytes", ST(INVAL), g.data(14)[0] = 0x4f),
		CHANGE("a fragment", ST(INVAL), put16(g.data(20), 0x2000)),
		CHANGE("a later fragment", ST(INVAL), put16(g.data(20), 100)),
		CHANGE("UDP", ST(INVAL), g.data(23)[0] = 17),
		CHANGE("a TCP header of 0 bytes", ST(INVAL), g.data(46)[0] = 0),
		CHANGE("a TCP header of 60 bytes", ST(INVAL), g.data(46)[0] = 0xf0),
		CHANGE("a foreign address", ST(PROTECTION), std::memcpy(g.data(6), forged.data(), 6)),
	};
	refused(g, wire, tcp, [](Station &g) { return g.tcp(4000, 1400); });
}

CASE(net_foreign, "N2 foreign addresses, VLANs, and frames for switches", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);
	const auto before = g.counter("foreign");

	static constexpr Change frames[] = {
		CHANGE("a forged address", ST(PROTECTION), std::memcpy(g.data(6), forged.data(), 6)),
		CHANGE("no address", ST(PROTECTION), std::memset(g.data(6), 0, 6)),
		CHANGE("broadcast as the source", ST(PROTECTION), std::memset(g.data(6), 0xff, 6)),
		CHANGE("the receiver's own", ST(PROTECTION), std::memcpy(g.data(6), g.data(), 6)),
		CHANGE("one bit of it", ST(PROTECTION), g.data(11)[0] ^= 1),
		CHANGE("a multicast source", ST(PROTECTION), g.data(6)[0] |= 1),
		CHANGE("to the forged address's own", ST(PROTECTION), std::memcpy(g.data(6), forged.data(), 6); std::memcpy(g.data(), g.mac.data(), 6)),
		CHANGE("to all, forged", ST(PROTECTION), std::memcpy(g.data(6), forged.data(), 6); std::memset(g.data(), 0xff, 6)),
		CHANGE("a VLAN tag in the frame", ST(PROTECTION), put16(g.data(12), 0x8100)),
		CHANGE("a service tag in the frame", ST(PROTECTION), put16(g.data(12), 0x88a8)),
		CHANGE("for bridges", ST(PROTECTION), std::memcpy(g.data(), "\x01\x80\xc2\x00\x00\x00", 6)),
		CHANGE("a pause", ST(PROTECTION), std::memcpy(g.data(), "\x01\x80\xc2\x00\x00\x01", 6); put16(g.data(12), 0x8808)),
		CHANGE("for LLDP", ST(PROTECTION), std::memcpy(g.data(), "\x01\x80\xc2\x00\x00\x0e", 6)),
	};
	refused(g, wire, frames, [](Station &g) { return g.raw(400); });
	// of all lengths: copied whole, and not
	for (u32 bytes : {14u, 60u, 257u, 1514u}) {
		const lpar_net_sqe s = g.raw(bytes);
		std::memcpy(g.data(6), forged.data(), 6);
		EXPECT(g.send(s) == LPAR_PROTECTION, "forged, {} bytes", bytes);
	}
	// in pieces of a byte: 3 of the source's are in the second
	lpar_net_sqe s = g.raw(400);
	std::memcpy(g.data(1000), g.data(), 400);
	g.data(1000)[10] ^= 1;
	s.nsegs = 2, s.seg[0].len = 9, s.seg[1] = {g.io(1009), 391, 0};
	EXPECT(g.send(s) == LPAR_PROTECTION, "forged, in two segments");
	g.alone(wire);
	EXPECT(g.counter("foreign") == before + std::size(frames) + 5, "{} foreign frames were counted", g.counter("foreign") - before);
}

// A second thread changes what is being looked at: most of all the addresses.
CASE(net_flips, "N3 a second thread changes frames", 600)
{
	need_nic();
	constexpr u32 stride = 4096;
	Wire wire;
	Station g(wire);
	std::atomic<bool> over = false;
	u32 done = 0, good = 0, foreign = 0;
	bool parallel = std::thread::hardware_concurrency() > 1;

	std::thread other([&] {
		u32 random = options.seed ?: 1;
		while (!over) {
			random = random * 1664525 + 1013904223;
			const u32 slot = random >> 17 & (g.tx.depth - 1);
			u8 *f = g.data(slot * stride);
			auto *s = reinterpret_cast<lpar_net_sqe *>(&g.tx.sq[slot]);
			switch (random >> 22 & 127) {
			case 0: WRITE_ONCE(s->len, random & 1 << 16 ? 60 : ~0u); break;
			case 1: WRITE_ONCE(s->headers, random & 1 << 16 ? 255 : 13); break;
			case 2: WRITE_ONCE(s->nsegs, random & 1 << 16 ? 4 : 0xffff); break;
			case 3: WRITE_ONCE(s->seg[0].addr, random & 1 << 16 ? 77777ull << LPAR_WINDOW_SHIFT : g.io(slot * stride)); break;
			case 4: WRITE_ONCE(s->seg[0].len, random & 1 << 16 ? 1000 : 0x200000); break;
			case 5: WRITE_ONCE(s->gso_type, random >> 16 & 7); break;
			case 6: WRITE_ONCE(f[13], random & 1 << 16 ? 0xa8 : 0xb5); break;
			case 7: WRITE_ONCE(f[0], random & 1 << 16 ? 1 : wire.mac[0]); break;
			default:
				// back and forth
				for (int i = 0; i < 6; i++)
					WRITE_ONCE(f[6 + i], random & 1 << 16 ? forged[i] : g.mac[i]);
			}
		}
	});
	for (bool ok = true; ok && done < options.flips;) {
		for (u32 i = 0; i < g.tx.depth; i++) {
			const u32 slot = g.tx.sq_tail & (g.tx.depth - 1);
			// with something behind what is copied
			g.post(g.tx, g.raw(i & 1 ? 200 : 1000, slot * stride), i);
		}
		g.monitor().ring(g.tx.index);
		for (u32 i = 0; ok && i < g.tx.depth; i++, done++) {
			u16 id;
			const u32 st = attack_reap(g.a, &g.tx, &id);
			ok = allowed(st, ST(OK) | ST(INVAL) | ST(NOSYS) | ST(NOTSUPP) | ST(NOWINDOW) | ST(PROTECTION) | ST(NOMEM));
			EXPECT(ok, "a flipped frame ends with {}", st);
			good += st == LPAR_OK, foreign += st == LPAR_PROTECTION;
		}
		for (Frame f; !(f = wire.next(0)).empty();)
			EXPECT(!g.mine(f) || (is_from(f, g.mac) && get16(&f[12]) != 0x88a8),
			       "a frame from {:02x}:{:02x} of type {:#x} reached the wire", f[6], f[7], get16(&f[12]));
	}
	over = true;
	other.join();
	for (Frame f; !(f = wire.next(300)).empty();)
		EXPECT(!g.mine(f) || is_from(f, g.mac), "a frame from {:02x}:{:02x} reached the wire", f[6], f[7]);
	fmt::print("# {} frames, {} of them good, {} foreign\n", done, good, foreign);
	EXPECT(good, "none was good");
	// or else the two did not meet, and nothing has been tested
	EXPECT(!parallel || foreign, "no address was changed in time");
	EXPECT(!(attack_load(&g.tx.ctrl->state) & LPAR_QUEUE_BROKEN), "the queue is broken");
	g.alone(wire);
}

CASE(net_buffers, "N4 buffers that are none", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);
	const Frame sent = raw_frame(g.mac, stranger, 4711, 200);

	// One frame waits through all of it.
	wire.send(sent);
	static constexpr Change buffers[] = {
		CHANGE("a frame to send", ST(NOSYS), s.op = LPAR_NET_SEND),
		CHANGE("operation 3", ST(NOSYS), s.op = 3),
		CHANGE("flags", ST(INVAL), s.flags = LPAR_NET_CSUM),
		CHANGE("headers", ST(INVAL), s.headers = 14),
		CHANGE("segments to be", ST(INVAL), s.gso_type = LPAR_GSO_TCP4),
		CHANGE("a segment size", ST(INVAL), s.gso_size = 1),
		CHANGE("a sum", ST(INVAL), s.csum_start = 14),
		CHANGE("a VLAN", ST(INVAL), s.vlan_tci = 1),
		CHANGE("an SA", ST(INVAL), s.sa = 1),
		CHANGE("reserved3", ST(INVAL), s.reserved3 = 1),
		CHANGE("no segments", ST(INVAL), s.nsegs = 0),
		CHANGE("5 segments where 4 have room", ST(INVAL), s.nsegs = 5),
		CHANGE("65,535 segments", ST(INVAL), s.nsegs = 0xffff),
		CHANGE("length 0", ST(INVAL), s.len = s.seg[0].len = 0),
		CHANGE("length 29", ST(INVAL), s.len = s.seg[0].len = 29),
		CHANGE("more than a window", ST(INVAL), s.len = s.seg[0].len = LPAR_WINDOW_SIZE + 1),
		CHANGE("more than the segment", ST(INVAL), s.len = 4096),
		CHANGE("less than the segment", ST(INVAL), s.len = 1000),
		CHANGE("length 2^32 - 1", ST(INVAL), s.len = s.seg[0].len = ~0u),
		CHANGE("no such window", ST(NOWINDOW), s.seg[0].addr = 77777ull << LPAR_WINDOW_SHIFT),
		CHANGE("address 2^64 - 1", ST(NOWINDOW) | ST(INVAL), s.seg[0].addr = ~0ull),
		CHANGE("over the end of a window", ST(INVAL), s.seg[0].addr = g.a->window[1] + LPAR_WINDOW_SIZE - 100),
	};
	std::memset(g.data(), ATTACK_CANARY, 8192);
	for (auto &c : buffers) {
		lpar_net_sqe s = g.buffer(2048, 2048);
		c.make(g, s);
		const u32 st = g.receive(s);
		EXPECT(allowed(st, c.allowed), "{}: status {}, allowed {:#x}", c.what, st, c.allowed);
	}
	EXPECT(std::count(g.data(), g.data(8192), ATTACK_CANARY) == 8192, "a bad buffer was written to");
	// now a good one, in pieces: just the frame is written
	lpar_net_sqe s = g.buffer(2048, 2048);
	s.nsegs = 2, s.seg[0].len = 7, s.seg[1] = {g.io(2055), 2041, 0};
	EXPECT(g.receive(s) == LPAR_OK, "a good buffer");
	const lpar_cqe &cqe = g.rx.cq[(g.rx.cq_head - 1) & (g.rx.depth - 1)];
	EXPECT(cqe.bytes == 16 + sent.size() && std::equal(sent.begin(), sent.end(), g.data(2048 + 16)), "another frame: {} bytes", cqe.bytes);
	EXPECT(std::count(g.data(), g.data(2048), ATTACK_CANARY) == 2048 &&
	       std::count(g.data(2048 + 16 + sent.size()), g.data(8192), ATTACK_CANARY) == 8192 - 2048 - 16 - static_cast<long>(sent.size()),
	       "more than the frame was written");

	// Too small for any frame: it is lost, and counted, and the buffer stays.
	const auto dropped = g.counter("dropped");
	g.post(g.rx, g.buffer(30), 1);
	wire.send(sent);
	for (int i = 0; i < 500 && g.counter("dropped") == dropped; i++) {
		g.monitor().ring(g.rx.index);
		sleep_ms(10);
	}
	EXPECT(g.counter("dropped") == dropped + 1, "{} frames were dropped", g.counter("dropped") - dropped);
	EXPECT(attack_load(&g.rx.ctrl->cq_tail) == g.rx.cq_head, "a buffer that is too small was used");
	// no more buffers than the ring has
	attack_store(&g.rx.ctrl->sq_tail, g.rx.sq_tail + g.rx.depth + 1);
	g.monitor().ring(g.rx.index);
	for (int i = 0; i < 500 && !(attack_load(&g.rx.ctrl->state) & LPAR_QUEUE_BROKEN); i++)
		sleep_ms(10);
	EXPECT(attack_load(&g.rx.ctrl->state) & LPAR_QUEUE_BROKEN, "an index far beyond is taken");
	wire.send(sent);
	EXPECT(attack_destroy(g.a, &g.rx) == LPAR_OK, "QUEUE_DESTROY");
	g.alone(wire);
}

CASE(net_merged, "N4 frames that are yet to be cut, and buffers for them or not", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);
	attack *const a = g.a;
	attack_queue far{};
	const u32 own = a->function;

	// the partition's other NIC sends them
	EXPECT(g.trusted, "no trusted NIC");
	EXPECT(attack_call(a, LPAR_OP_CAPS, g.trusted, 0, 0, 0, 0) == LPAR_OK, "CAPS");
	const u64 far_mac = attack_value(&a->answer, LPAR_CAP_MAC);
	a->function = g.trusted;
	const u32 made = attack_create_as(a, &far, 3, 16, 4, LPAR_ROLE_REQUESTS);
	a->function = own;
	EXPECT(made == LPAR_OK, "no queue of the other NIC");
	Frame sent;
	auto send = [&](u32 payload, u16 gso_size) {
		const lpar_net_sqe s = g.tcp(payload, gso_size);
		std::copy(g.mac.begin(), g.mac.end(), g.data());
		for (int i = 0; i < 6; i++)
			g.data()[6 + i] = far_mac >> (40 - 8 * i);
		sent.assign(g.data(), g.data(54 + payload));
		EXPECT(attack_io(a, &far, std::bit_cast<lpar_blk_sqe>(s)) == LPAR_OK, "{} bytes are not sent", payload);
	};
	constexpr u32 at = 0x20000, whole = LPAR_NET_RX_MERGED;
	// A buffer of so many bytes in all, in two pieces and a third one that lies at @last.
	auto receive = [&](u32 bytes, u32 first, u32 second, u64 last) {
		lpar_net_sqe s = g.buffer(bytes, at);
		lpar_seg *segs = &g.rx.table[(g.rx.sq_tail & (g.rx.depth - 1)) * g.rx.segs];
		segs[0] = {g.io(at), first, 0};
		segs[1] = {g.io(at + first), second, 0};
		segs[2] = {last, bytes - first - second, 0};
		s.nsegs = 3, s.seg[0] = {};
		return g.receive(s);
	};
	auto bytes = [&] { return g.rx.cq[(g.rx.cq_head - 1) & (g.rx.depth - 1)].bytes; };
	auto is_whole = [&] {
		lpar_net_rx head;
		std::memcpy(&head, g.data(at), sizeof(head));
		EXPECT(bytes() == sizeof(head) + sent.size(), "{} bytes of {}", bytes(), sent.size());
		EXPECT(head.flags == LPAR_NET_RX_CSUM && head.gso_type == LPAR_GSO_TCP4 && head.gso_size == 1400 && head.headers == 54 &&
			       head.csum_start == 34 && head.csum_offset == 16 && !head.vlan_tci && !head.reserved && !head.sa,
		       "flags {}, type {}, size {}, headers {}, sum at {} + {}", head.flags, head.gso_type, head.gso_size, head.headers,
		       head.csum_start, head.csum_offset);
		EXPECT(std::equal(sent.begin(), sent.end(), g.data(at + sizeof(head))), "another frame");
	};
	// In buffers for one frame of the wire each.
	auto is_cut = [&] {
		Frame payload;
		for (unsigned n = 0; payload.size() < sent.size() - 54 && n < 20; n++) {
			EXPECT(g.receive(g.buffer(2048, at)) == LPAR_OK, "part {}", n);
			const u32 part = bytes() - sizeof(lpar_net_rx);
			EXPECT(part > 54 && part <= 1454 && !g.data(at)[1], "a part of {} bytes", part);
			payload.insert(payload.end(), g.data(at + sizeof(lpar_net_rx) + 54), g.data(at + sizeof(lpar_net_rx) + part));
		}
		EXPECT(payload.size() == sent.size() - 54 && std::equal(payload.begin(), payload.end(), sent.begin() + 54), "other data");
	};

	send(8000, 1400);
	std::memset(g.data(at), ATTACK_CANARY, 0x20000);
	EXPECT(receive(whole, 7, 4096, g.io(at + 4103)) == LPAR_OK, "a buffer for any frame");
	is_whole();
	EXPECT(std::count(g.data(at + 16 + 8054), g.data(at + 0x20000), ATTACK_CANARY) == 0x20000 - 16 - 8054, "more than the frame was written");
	// what the frame does not reach is not looked for
	const u64 nowhere = 77777ull << LPAR_WINDOW_SHIFT;
	send(8000, 1400);
	EXPECT(receive(whole, 4096, 8192, nowhere) == LPAR_OK, "a buffer whose end is not needed");
	is_whole();
	// and where it is, the frame waits: whole for one buffer, cut for others
	send(20000, 1400);
	EXPECT(receive(whole, 4096, 8192, nowhere) == LPAR_NOWINDOW, "a buffer whose end is needed");
	EXPECT(receive(whole, 4096, 8192, g.io(at + 12288)) == LPAR_OK, "the next one");
	is_whole();
	send(20000, 1400);
	EXPECT(receive(whole, 4096, 8192, nowhere) == LPAR_NOWINDOW, "a buffer whose end is needed");
	is_cut();
	// one byte less, and it is for the wire's frames
	send(8000, 1400);
	EXPECT(receive(whole - 1, 4096, 8192, g.io(at + 12288)) == LPAR_OK, "a buffer for the wire's frames");
	EXPECT(bytes() == 16 + 1454, "{} bytes", bytes());
	for (u32 left = 6600; left; left -= std::min(left, 1400u))
		EXPECT(g.receive(g.buffer(2048, at)) == LPAR_OK && bytes() == 16 + 54 + std::min(left, 1400u), "{} bytes with {} left", bytes(), left);
	EXPECT(attack_destroy(a, &far) == LPAR_OK, "QUEUE_DESTROY");
	g.alone(wire);
}

CASE(net_revoked, "N5 memory taken away from under buffers and frames", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);
	Memory more(LPAR_WINDOW_SIZE);
	constexpr u64 gpa = FakeGuest::base + (32 << 20);
	u64 addr = 0;
	u16 id;

	EXPECT_ERRNO(g.monitor().memory(true, gpa, more.data(), more.size()), 0);
	EXPECT(g.map(gpa, &addr) == LPAR_OK, "no window");
	for (u16 i = 0; i < 8; i++) {
		lpar_net_sqe s = g.buffer(2048);
		s.seg[0].addr = addr + i * 2048;
		g.post(g.rx, s, i);
	}
	const Frame first = raw_frame(g.mac, stranger, 1, 300), second = raw_frame(g.mac, stranger, 2, 300);
	wire.send(first);
	g.monitor().ring(g.rx.index);
	EXPECT(attack_reap(g.a, &g.rx, &id) == LPAR_OK && id == 0, "the window cannot be received to");
	EXPECT(std::equal(first.begin(), first.end(), more.data() + 16), "another frame");
	EXPECT_ERRNO(g.monitor().memory(false, gpa, more.data(), more.size()), 0);
	std::memset(more.data(), ATTACK_CANARY, more.size());
	wire.send(second);
	for (u16 i = 1; i < 8; i++) {
		g.monitor().ring(g.rx.index);
		const u32 st = attack_reap(g.a, &g.rx, &id);
		EXPECT(st == LPAR_NOWINDOW && id == i, "buffer {} of a window that has gone: status {}", id, st);
	}
	// it has lost no frame by that
	EXPECT(g.receive(g.buffer(2048)) == LPAR_OK && std::equal(second.begin(), second.end(), g.data(16)), "another frame");
	EXPECT(static_cast<std::size_t>(std::count(more.data(), more.data() + more.size(), ATTACK_CANARY)) == more.size(),
	       "memory that was taken away was written to");
	lpar_net_sqe s = g.raw(400);
	s.seg[0].addr = addr;
	EXPECT(g.send(s) == LPAR_NOWINDOW, "a frame from a window that has gone");
	EXPECT(g.unmap(addr) == LPAR_OK, "the slot cannot be given back");
	g.alone(wire);
}

CASE(net_killed, "N5 killed with frames on their way and buffers posted", 300)
{
	need_nic();
	Wire wire;

	for (unsigned round = 0; round < 3; round++) {
		const int status = in_child([&] {
			Station g(wire);
			for (u16 i = 0; i < 12; i++)
				g.post(g.rx, g.buffer(2048, 0x10000 + i * 2048), i);
			g.monitor().ring(g.rx.index);
			for (u16 i = 0; i < 100; i++)
				wire.send(raw_frame(g.mac, stranger, i, 1000));
			for (u16 i = 0; i < 16; i++)
				g.post(g.tx, g.raw(1000, i * 2048), i);
			g.monitor().ring(g.tx.index);
			if (round == 1)
				g.monitor().reset();
			kill(getpid(), SIGKILL);
			return 0;
		}, 60);
		EXPECT(status == 256 + SIGKILL, "round {}: it ended with {}", round, status);
		EXPECT(at_baseline(options.nic), "round {}: something is left", round);
	}
	Station g(wire);
	while (!wire.next(100).empty()) {}
	g.alone(wire);
}

// A NIC of the first partition, on the port of the others. It goes at the end: clients before it.
class LateNic {
public:
	~LateNic() { rmdir(path_.c_str()); }
	void come()
	{
		std::string adapter;
		for (auto &entry : std::filesystem::directory_iterator(options.config + "/" + options.nic + "/nics"))
			std::ifstream(entry.path() / "adapter") >> adapter;
		std::filesystem::create_directory(path_);
		std::ofstream(path_ + "/adapter") << adapter << std::flush;
		std::ofstream enable(path_ + "/enable");
		EXPECT(static_cast<bool>(enable << 1 << std::flush), "no NIC");
	}

private:
	std::string path_ = options.config + "/" + options.partition + "/nics/late";
};

// Whose pages follow each other, the host has no list of.
CASE(net_beside, "N6 a NIC that comes beside a disk gets the windows that are there")
{
	need_nic();
	constexpr u64 gpa = 1ull << 33;
	Wire wire;
	LateNic nic;
	Memory memory(LPAR_WINDOW_SIZE);
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue tx;
	u64 window, again;

	bool huge = memory.gather();
	for (int i = 0; i < 10 && !huge; i++) {
		std::ofstream("/proc/sys/vm/compact_memory") << 1 << std::flush;
		huge = memory.gather();
	}
	EXPECT(huge, "no huge page");
	attack_pattern(memory.data(), 1, LPAR_WINDOW_SIZE);
	EXPECT_ERRNO(g.monitor().memory(true, gpa, memory.data(), memory.size()), 0);
	g.start();
	EXPECT(g.map(gpa, &window) == LPAR_OK, "MAP");
	nic.come();
	EXPECT(attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0) == LPAR_OK, "FUNCTIONS");
	for (u64 i = 0; i < a->answer.ret[0]; i++) {
		lpar_function f;
		std::memcpy(&f, a->answer.data + i * sizeof(f), sizeof(f));
		if (f.type == LPAR_FUNCTION_NIC)
			a->function = f.id;
	}
	EXPECT(attack_call(a, LPAR_OP_CAPS, a->function, 0, 0, 0, 0) == LPAR_OK, "CAPS");
	const u64 own = attack_value(&a->answer, LPAR_CAP_MAC);
	Mac mac;
	for (int i = 0; i < 6; i++)
		mac[i] = own >> (40 - 8 * i);
	EXPECT(attack_create(a, &tx, 1, 32, 4) == LPAR_OK, "no queue to send");
	auto send = [&](u32 at, const Frame &f) {
		lpar_net_sqe s{};
		std::copy(f.begin(), f.end(), memory.data() + at);
		s.op = LPAR_NET_SEND, s.headers = 14, s.len = f.size(), s.nsegs = 1;
		s.seg[0].addr = window + at, s.seg[0].len = s.len;
		return attack_io(a, &tx, std::bit_cast<lpar_blk_sqe>(s));
	};
	const u32 st = send(0, raw_frame(wire.mac, mac, 1, 1400));
	EXPECT(st == LPAR_NOWINDOW, "status {} before it has the window", st);
	EXPECT(g.map(gpa, &again) == LPAR_OK && again == window, "MAP again gives another window");
	// over the end of a page, here and there
	for (u32 at = 3500; at + 1400 <= LPAR_WINDOW_SIZE; at += 37 * 4096) {
		const Frame sent = raw_frame(wire.mac, mac, at, 1400);
		EXPECT(send(at, sent) == LPAR_OK, "the frame at {:#x} is refused", at);
		Frame f;
		while (!(f = wire.next(5000)).empty() && !is_raw(f, at)) {}
		EXPECT(f == sent, "the frame at {:#x} does not arrive as it is: {} bytes", at, f.size());
	}
}

CASE(net_calls, "N6 calls about NICs", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);
	attack *a = g.a;
	const u64 nic = a->function, own = g.mac_value, foreign = 0x02f000000001;
	u64 port = 0, random = options.seed;
	std::string adapter;

	for (auto &entry : std::filesystem::directory_iterator(options.config + "/" + options.nic + "/nics"))
		std::ifstream(entry.path() / "adapter") >> adapter;
	for (u8 byte : mac_of(adapter))
		port = port << 8 | byte;
	struct Set { u64 arg[5]; std::uint64_t allowed; };
	std::vector<Set> sets{
		{{nic, LPAR_CAP_MAC, foreign}, ST(NOTSUPP)},
		{{nic, LPAR_CAP_PROMISC, 0}, ST(OK)},
		{{nic, LPAR_CAP_PROMISC, 1}, ST(RANGE)},
		{{nic, LPAR_CAP_PROMISC, ~0ull}, ST(RANGE)},
		{{nic, LPAR_CAP_MTU, 9000}, ST(NOTSUPP)},
		{{nic, LPAR_CAP_ALLMULTI, 0}, ST(NOTSUPP)},
		{{nic, 0, 0}, ST(NOTSUPP)},
		{{nic, 9999, 1}, ST(NOTSUPP)},
		{{nic, ~0ull, ~0ull}, ST(NOTSUPP)},
		{{nic, LPAR_CAP_MAC | 1ull << 32, foreign}, ST(NOTSUPP)},
		{{nic, LPAR_CAP_MAC, foreign, 1}, ST(INVAL)},
		{{0, LPAR_CAP_MAC, foreign}, ST(NOENT)},
		{{9999, LPAR_CAP_MAC, foreign}, ST(NOENT)},
		{{nic | 1ull << 32, LPAR_CAP_MAC, foreign}, ST(INVAL)},
	};
	if (const u64 t = g.trusted) {
		sets.insert(sets.end(), {
			{{t, LPAR_CAP_MAC, 0}, ST(RANGE)},
			{{t, LPAR_CAP_MAC, 1ull << 40 | 1}, ST(RANGE)},
			{{t, LPAR_CAP_MAC, 0xffffffffffff}, ST(RANGE)},
			{{t, LPAR_CAP_MAC, 1ull << 48 | foreign}, ST(RANGE)},
			{{t, LPAR_CAP_MAC, own}, ST(RESV_CONFLICT)},
			{{t, LPAR_CAP_MAC, port}, ST(RESV_CONFLICT)},
			{{t, LPAR_CAP_PROMISC, 2}, ST(RANGE)},
			{{t, LPAR_CAP_PROMISC, 1}, ST(OK)},
			{{t, LPAR_CAP_MAC, foreign}, ST(OK)},
			{{t, LPAR_CAP_MTU, 1400}, ST(NOTSUPP)},
		});
	} else {
		EXPECT(false, "no trusted NIC");
	}
	for (auto &s : sets) {
		const u32 st = attack_call(a, LPAR_OP_SET, s.arg[0], s.arg[1], s.arg[2], s.arg[3], s.arg[4]);
		EXPECT(allowed(st, s.allowed), "SET {:#x} {:#x} {:#x}: status {}, allowed {:#x}", s.arg[0], s.arg[1], s.arg[2], st, s.allowed);
	}
	for (unsigned i = 0; i < 500; i++) {
		u64 arg[5]{};
		for (auto &x : arg) {
			random = random * 6364136223846793005ull + 1442695040888963407ull;
			x = random >> (random >> 58);
		}
		const u32 st = attack_call(a, LPAR_OP_SET, i & 1 ? nic : arg[0], i & 2 ? 60 + arg[1] % (LPAR_CAP_MACS - 59) : arg[1], arg[2], i & 4 ? arg[3] : 0, 0);
		EXPECT(allowed(st, ST(OK) | ST(INVAL) | ST(NOENT) | ST(NOTSUPP) | ST(RANGE) | ST(RESV_CONFLICT) | ST(QUOTA)), "SET of anything: status {}", st);
	}
	// SAs: neither NIC is offered any
	struct Call { u32 op; u64 arg[3]; std::uint64_t allowed; };
	std::vector<Call> calls;
	for (u64 n : {nic, static_cast<u64>(g.trusted ?: nic)}) {
		calls.push_back({LPAR_OP_SA_ADD, {n}, ST(NOTSUPP)});
		calls.push_back({LPAR_OP_SA_ADD, {n, 1}, ST(INVAL)});
		calls.push_back({LPAR_OP_SA_ADD, {n | 1ull << 32}, ST(INVAL)});
		for (u64 number : {0ull, 1ull, 2ull, 0xffffull, 0x10000ull, 0x10001ull, 1ull << 32 | 1, ~0ull})
			calls.push_back({LPAR_OP_SA_DELETE, {n, number}, ST(NOENT)});
		calls.push_back({LPAR_OP_SA_DELETE, {n, 1, 1}, ST(INVAL)});
		calls.push_back({LPAR_OP_SA_DELETE, {n | 1ull << 32, 1}, ST(INVAL)});
	}
	for (u32 op : {LPAR_OP_SA_ADD, LPAR_OP_SA_DELETE}) {
		calls.push_back({op, {0}, ST(NOENT)});
		calls.push_back({op, {9999}, ST(NOENT)});
		calls.push_back({op, {1ull << 32}, ST(INVAL)});
	}
	for (auto &c : calls) {
		const u32 st = attack_call(a, c.op, c.arg[0], c.arg[1], c.arg[2], 0, 0);
		EXPECT(allowed(st, c.allowed), "call {} {:#x} {:#x} {:#x}: status {}, allowed {:#x}", c.op, c.arg[0], c.arg[1], c.arg[2], st,
		       c.allowed);
	}
	// queues: of no role, of a disk's numbers, and more than there may be
	const u64 gpa = a->gpa + 2 * ATTACK_QUEUE_BYTES, shape = 16 | 4 << 16;
	for (u64 role : {2ull, 255ull, 0xffffull, 1ull << 32})
		EXPECT(attack_call(a, LPAR_OP_QUEUE_CREATE, nic, 3, gpa, shape, 3 | role << 16) == LPAR_INVAL, "role {}", role);
	unsigned made = 0;
	u32 st = LPAR_OK;
	for (u64 i = 3; i < 100 && st == LPAR_OK; i++, made += st == LPAR_OK)
		st = attack_call(a, LPAR_OP_QUEUE_CREATE, nic, i, gpa, shape, i | static_cast<u64>(LPAR_ROLE_RECEIVE) << 16);
	EXPECT(st == LPAR_QUOTA && made < 16, "{} more queues, then status {}", made, st);
	g.alone(wire);
	// what was SET is over
	g.begin();
	EXPECT(!g.trusted || (attack_call(a, LPAR_OP_CAPS, g.trusted, 0, 0, 0, 0) == LPAR_OK &&
			      attack_value(&a->answer, LPAR_CAP_MAC) != foreign && !attack_value(&a->answer, LPAR_CAP_PROMISC)),
	       "what was SET outlives a reset");
}

CASE(net_needy, "M1 frames without memory", 300)
{
	need_nic();
	Wire wire;
	Station g(wire);
	attack *a = g.a;
	attack_queue q;
	const unsigned refused = LPAR_NOMEM;
	auto good = [&](unsigned) { EXPECT(g.send(g.raw(300)) == LPAR_OK, "a good frame is refused"); };
	// it may go another way instead: copied, or later
	auto frame = [&](const char *what, const std::function<unsigned()> &send) {
		EXPECT(each(what, {refused}, send, good), "{}: no allocation", what);
	};

	EXPECT(attack_destroy(a, &g.tx) == LPAR_OK && attack_destroy(a, &g.rx) == LPAR_OK, "QUEUE_DESTROY");
	for (u32 role : {LPAR_ROLE_REQUESTS, LPAR_ROLE_RECEIVE}) {
		each(fmt::format("QUEUE_CREATE, role {}", role).c_str(), {refused},
		     [&] { return attack_create_as(a, &q, 1, 16, 4, role); }, [&](unsigned st) {
			EXPECT(st || attack_destroy(a, &q) == LPAR_OK, "a queue made in need cannot be destroyed");
		}, true);
	}
	g.create();
	for (u32 bytes : {60u, 256u, 1514u})
		frame(fmt::format("a frame of {} bytes", bytes).c_str(), [&] { return g.send(g.raw(bytes)); });
	frame("a frame with its sum left open", [&] { return g.send(g.tcp(1000, 0)); });
	if (g.tso4)
		frame("a frame in segments", [&] { return g.send(g.tcp(20000, 1448)); });
	// into a client's buffer goes what is there already
	each("a frame that has arrived", {}, [&] {
		wire.send(raw_frame(g.mac, wire.mac, 1, 500));
		return g.receive(g.buffer(2048, 4096));
	}, good);
}

}
