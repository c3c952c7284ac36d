// SPDX-License-Identifier: GPL-2.0
// A client with a NIC, and the other end of the cable that its port is plugged into.
#pragma once

#include "harness.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

namespace hostile {

using Mac = std::array<u8, 6>;
using Frame = std::vector<u8>;

constexpr u16 type_raw = 0x88b5; // for experiments
constexpr Mac forged{0x02, 0xf0, 0, 0, 0, 1}, stranger{0x02, 0xaa, 0, 0, 0, 1};

inline void put16(u8 *at, u16 v) { at[0] = v >> 8, at[1] = v; }
inline u16 get16(const u8 *at) { return at[0] << 8 | at[1]; }
inline void put32(u8 *at, u32 v) { put16(at, v >> 16), put16(at + 2, v); }
inline u32 get32(const u8 *at) { return static_cast<u32>(get16(at)) << 16 | get16(at + 2); }
inline bool is_from(const Frame &f, const Mac &mac) { return std::equal(mac.begin(), mac.end(), f.begin() + 6); }

inline Mac mac_of(const std::string &device)
{
	Mac mac{};
	std::string text;
	std::ifstream("/sys/class/net/" + device + "/address") >> text;
	for (unsigned i = 0; i < 6 && text.size() == 17; i++)
		mac[i] = std::stoul(text.substr(3 * i, 2), nullptr, 16);
	return mac;
}

// The other end of the cable.
class Wire {
public:
	Wire() : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))), mac(mac_of(options.wire))
	{
		sockaddr_ll address{};
		address.sll_family = AF_PACKET;
		address.sll_protocol = htons(ETH_P_ALL);
		address.sll_ifindex = if_nametoindex(options.wire.c_str());
		packet_mreq all{};
		all.mr_ifindex = address.sll_ifindex;
		all.mr_type = PACKET_MR_PROMISC;
		int bytes = 16 << 20;
		if (bind(fd_.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) ||
		    setsockopt(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
		    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
			throw std::runtime_error(fmt::format("{}: {}", options.wire, std::strerror(errno)));
	}

	// What arrives next; empty: nothing for so long.
	Frame next(int ms)
	{
		Frame f(65536);
		for (;;) {
			pollfd p{fd_.get(), POLLIN, 0};
			sockaddr_ll from{};
			socklen_t n = sizeof(from);
			if (poll(&p, 1, ms) <= 0)
				return {};
			ssize_t bytes = recvfrom(fd_.get(), f.data(), f.size(), 0, reinterpret_cast<sockaddr *>(&from), &n);
			if (bytes < 14 || from.sll_pkttype == PACKET_OUTGOING)
				continue;
			f.resize(bytes);
			return f;
		}
	}

	void send(const Frame &f) { EXPECT(::send(fd_.get(), f.data(), f.size(), 0) == static_cast<ssize_t>(f.size()), "the wire does not send"); }

private:
	Fd fd_;

public:
	const Mac mac;
};

inline Frame raw_frame(const Mac &to, const Mac &from, u32 marker, u32 bytes)
{
	Frame f(bytes);
	attack_pattern(f.data(), marker, bytes);
	std::copy(to.begin(), to.end(), f.begin());
	std::copy(from.begin(), from.end(), f.begin() + 6);
	put16(&f[12], type_raw);
	put32(&f[14], marker);
	return f;
}

inline bool is_raw(const Frame &f, u32 marker) { return f.size() >= 18 && get16(&f[12]) == type_raw && get32(&f[14]) == marker; }

// A NIC's client.
class Station : public FakeGuest {
public:
	attack *const a = env();
	attack_queue tx{}, rx{};
	Mac mac{};
	u64 mac_value = 0;
	u32 tso4 = 0, trusted = 0;
	u32 marker = 1;

	explicit Station(const Wire &wire) : FakeGuest(options.nic), wire_mac_(wire.mac) { begin(); }

	// From whatever state to a device with windows and both kinds of queues.
	void begin()
	{
		std::vector<u32> ids;

		attack_begin(a, "a station");
		std::memset(a->mem, 0, ATTACK_ARENA_BYTES);
		require(a->open(a), "the device cannot be opened");
		require(attack_call(a, LPAR_OP_HELLO, 1 | 1 << 16, 0, 0, 0, 0) == LPAR_OK, "HELLO");
		require(attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0) == LPAR_OK, "FUNCTIONS");
		for (u64 i = 0; i < a->answer.ret[0]; i++) {
			lpar_function f;
			std::memcpy(&f, a->answer.data + i * sizeof(f), sizeof(f));
			if (f.type == LPAR_FUNCTION_NIC)
				ids.push_back(f.id);
		}
		for (u32 id : ids) {
			require(attack_call(a, LPAR_OP_CAPS, id, 0, 0, 0, 0) == LPAR_OK, "CAPS");
			(attack_value(&a->answer, LPAR_CAP_TX_VLAN) ? trusted : a->function) = id;
			if (id != a->function)
				continue;
			mac_value = attack_value(&a->answer, LPAR_CAP_MAC);
			tso4 = attack_value(&a->answer, LPAR_CAP_TSO4);
		}
		require(a->function && mac_value, "no NIC that is not trusted");
		for (int i = 0; i < 6; i++)
			mac[i] = mac_value >> (40 - 8 * i);
		for (unsigned i = 0; i < 2; i++)
			require(map(base + i * LPAR_WINDOW_SIZE, &a->window[i]) == LPAR_OK, "MAP");
		create();
	}

	void create()
	{
		require(attack_create(a, &tx, 1, 32, 4) == LPAR_OK, "no queue to send");
		require(attack_create_as(a, &rx, 2, 16, 4, LPAR_ROLE_RECEIVE) == LPAR_OK, "no queue to receive");
	}

	u8 *data(u32 at = 0) { return a->mem + ATTACK_DATA + at; }
	u64 io(u32 at = 0) { return a->window[1] + ATTACK_DATA - LPAR_WINDOW_SIZE + at; }

	// A good frame in memory, and its submission.
	lpar_net_sqe raw(u32 bytes, u32 at = 0)
	{
		const Frame f = raw_frame(wire_mac_, mac, ++marker, std::max(bytes, 18u));
		std::copy_n(f.begin(), bytes, data(at));
		return submission(LPAR_NET_SEND, 14, bytes, at);
	}

	// TCP over IPv4, its checksum and segments left to the adapter.
	lpar_net_sqe tcp(u32 payload, u16 gso_size)
	{
		u8 *f = data(), *ip = f + 14, *tcp = ip + 20;
		attack_pattern(f, ++marker, 54 + payload);
		std::memcpy(f, wire_mac_.data(), 6);
		std::memcpy(f + 6, mac.data(), 6);
		put16(f + 12, 0x0800);
		std::memset(ip, 0, 40);
		ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
		put16(ip + 2, 40 + payload);
		put32(ip + 12, 0x0a4d0001), put32(ip + 16, 0x0a4d0002);
		put16(tcp, 1000), put16(tcp + 2, 1001), put32(tcp + 4, marker);
		tcp[12] = 0x50, tcp[13] = 0x10;
		lpar_net_sqe s = submission(LPAR_NET_SEND, 54, 54 + payload, 0);
		s.flags = LPAR_NET_CSUM, s.csum_start = 34, s.csum_offset = 16;
		if (gso_size)
			s.gso_type = LPAR_GSO_TCP4, s.gso_size = gso_size;
		return s;
	}

	lpar_net_sqe buffer(u32 bytes, u32 at = 0) { return submission(LPAR_NET_RECEIVE, 0, bytes, at); }

	u32 send(const lpar_net_sqe &s) { return attack_io(a, &tx, std::bit_cast<lpar_blk_sqe>(s)); }
	u32 receive(const lpar_net_sqe &s) { return attack_io(a, &rx, std::bit_cast<lpar_blk_sqe>(s)); }
	void post(attack_queue &q, lpar_net_sqe s, u16 id)
	{
		s.id = id;
		const auto blk = std::bit_cast<lpar_blk_sqe>(s);
		attack_submit(a, &q, &blk);
	}

	// A good frame arrives, and of this station nothing else has since: so what was refused has not left.
	void alone(Wire &wire)
	{
		EXPECT(send(raw(300)) == LPAR_OK, "a good frame is refused");
		bool arrived = false;
		for (Frame f; !arrived && !(f = wire.next(5000)).empty();) {
			arrived = is_raw(f, marker) && is_from(f, mac);
			EXPECT(arrived || !mine(f), "frame {} reached the wire from {:02x}:…:{:02x}, type {:#x}", get32(&f[14]), f[6], f[11],
			       get16(&f[12]));
			EXPECT(!arrived || std::equal(f.begin(), f.begin() + 300, data()), "it is another one there");
		}
		EXPECT(arrived, "a good frame does not arrive");
	}
	bool mine(const Frame &f) const
	{
		return is_from(f, mac) || is_from(f, forged) || get16(&f[12]) == type_raw || (f[0] == 1 && f[1] == 0x80);
	}

	// A counter of the NIC.
	unsigned long counter(const char *name) const
	{
		for (auto &nic : std::filesystem::directory_iterator("/sys/kernel/lpar/partitions/" + options.nic + "/nics")) {
			u32 id = 0;
			std::ifstream(nic.path() / "id") >> id;
			unsigned long value = 0;
			if (id == a->function && std::ifstream(nic.path() / name) >> value)
				return value;
		}
		return 0;
	}

private:
	static void require(bool ok, const char *what)
	{
		if (!ok)
			throw std::runtime_error(fmt::format("the station does not start: {}", what));
	}
	lpar_net_sqe submission(u8 op, u16 headers, u32 len, u32 at)
	{
		lpar_net_sqe s{};
		s.op = op, s.headers = headers, s.len = len, s.nsegs = 1;
		s.seg[0].addr = io(at), s.seg[0].len = len;
		return s;
	}

	const Mac wire_mac_;
};

inline void need_nic()
{
	if (options.nic.empty() || options.wire.empty())
		skip("no NIC: -n, -w");
}

inline bool allowed(u32 status, u64 set) { return status < 64 && set >> status & 1; }

}
