// SPDX-License-Identifier: GPL-2.0
// N7: a client whose adapter does IPsec. Only when -o asks for it (tests/boot/net-ipsec): -n is a partition whose first
// NIC is not trusted and whose second one is.
#include "station.h"

using namespace hostile;

namespace {

class Sas : public Station {
public:
	u32 with = 0, without = 0; // NICs that are offered IPsec, and not

	explicit Sas(const Wire &wire) : Station(wire)
	{
		std::vector<u32> ids;

		attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0);
		for (u64 i = 0; i < a->answer.ret[0]; i++) {
			lpar_function f;
			std::memcpy(&f, a->answer.data + i * sizeof(f), sizeof(f));
			ids.push_back(f.id);
		}
		for (u32 id : ids) {
			attack_call(a, LPAR_OP_CAPS, id, 0, 0, 0, 0);
			(attack_value(&a->answer, LPAR_CAP_IPSEC) ? with : without) = id;
		}
		if (!with || !without || a->function != with)
			throw std::runtime_error("two NICs are needed, and the second has to be offered IPsec");
	}

	u32 add(u64 nic, const lpar_sa &sa, u64 *number = nullptr)
	{
		std::memcpy(at(call_gpa) + offsetof(lpar_call, data), &sa, sizeof(sa));
		u32 st = attack_call(a, LPAR_OP_SA_ADD, nic, 0, 0, 0, 0);
		if (number)
			*number = a->answer.ret[0];
		return st;
	}
	u32 remove(u64 nic, u64 number) { return attack_call(a, LPAR_OP_SA_DELETE, nic, number, 0, 0, 0); }
	u32 send_by(u16 number)
	{
		lpar_net_sqe s = raw(300);
		s.sa = number;
		return send(s);
	}
	unsigned long sas() const { return counter("sas"); }
};

// Transport mode, from 10.9.0.11 to 10.9.0.12.
lpar_sa good(u32 spi)
{
	lpar_sa sa{};
	sa.spi = spi, sa.icv = 16, sa.key_len = 20;
	const u8 src[] = {10, 9, 0, 11}, dst[] = {10, 9, 0, 12};
	std::memcpy(sa.src, src, 4);
	std::memcpy(sa.dst, dst, 4);
	std::memset(sa.key, 0x11, sa.key_len);
	return sa;
}

CASE(net_sas, "IPsec: SAs of a hostile client", 300)
{
	need_nic();
	Wire wire;
	Sas g(wire);
	struct Wrong {
		const char *what;
		void (*make)(lpar_sa &sa);
	};
	static constexpr Wrong wrong[] = {
		{"no SPI", [](lpar_sa &sa) { sa.spi = 0; }},
		{"an unknown flag", [](lpar_sa &sa) { sa.flags = 8; }},
		{"all flags", [](lpar_sa &sa) { sa.flags = 255; }},
		{"no check value", [](lpar_sa &sa) { sa.icv = 0; }},
		{"4 bytes of it", [](lpar_sa &sa) { sa.icv = 4; }},
		{"255 bytes of it", [](lpar_sa &sa) { sa.icv = 255; }},
		{"no key", [](lpar_sa &sa) { sa.key_len = 0; }},
		{"no salt", [](lpar_sa &sa) { sa.key_len = 16; }},
		{"21 bytes of key", [](lpar_sa &sa) { sa.key_len = 21; }},
		{"40 bytes of key", [](lpar_sa &sa) { sa.key_len = 40; }},
		{"255 bytes of key", [](lpar_sa &sa) { sa.key_len = 255; }},
		{"reserved", [](lpar_sa &sa) { sa.reserved = 1; }},
		{"something behind the key", [](lpar_sa &sa) { sa.key[39] = 1; }},
		{"something behind the source", [](lpar_sa &sa) { sa.src[15] = 1; }},
		{"something behind the destination", [](lpar_sa &sa) { sa.dst[4] = 1; }},
	};
	for (auto &w : wrong) {
		lpar_sa sa = good(0x1000);
		w.make(sa);
		const u32 st = g.add(g.with, sa);
		EXPECT(st == LPAR_INVAL, "{}: status {}", w.what, st);
	}
	EXPECT(g.add(g.without, good(0x1000)) == LPAR_NOTSUPP, "one that is not offered it");
	EXPECT(g.add(9999, good(0x1000)) == LPAR_NOENT, "no NIC");
	EXPECT(g.add(g.with | 1ull << 32, good(0x1000)) == LPAR_INVAL, "33 bits of NIC");
	// net-ipsec gave the host one by which it receives
	lpar_sa host = good(0x7777);
	host.flags = LPAR_SA_IN, host.dst[3] = 11;
	EXPECT(g.add(g.with, host) == LPAR_RESV_CONFLICT, "what the host receives by");
	EXPECT(g.sas() == 0, "{} SAs that were refused", g.sas());

	u64 out = 0, in = 0;
	EXPECT(g.add(g.with, good(0x1000), &out) == LPAR_OK && out, "a good one is refused");
	lpar_sa receives = good(0x1001);
	receives.flags = LPAR_SA_IN;
	EXPECT(g.add(g.with, receives, &in) == LPAR_OK && in && in != out, "a good one to receive is refused");
	EXPECT(g.sas() == 2, "{} SAs", g.sas());
	EXPECT(g.send_by(out) == LPAR_INVAL, "a frame that is no ESP");
	EXPECT(g.send_by(in) == LPAR_NOENT, "a frame by one that receives");
	for (u64 number : {out + 100, 0xffffull})
		EXPECT(g.send_by(number) == LPAR_NOENT, "a frame by SA {}, which is not there", number);
	for (u64 number : {0ull, out + 100, 0xffffull, 0x10000ull | out, 1ull << 32 | out, ~0ull})
		EXPECT(g.remove(g.with, number) == LPAR_NOENT, "SA {:#x} is not there", number);
	EXPECT(g.remove(g.without, out) == LPAR_NOENT, "another NIC's");
	EXPECT(g.remove(g.with | 1ull << 32, out) == LPAR_INVAL, "33 bits of NIC");
	EXPECT(g.remove(g.with, out) == LPAR_OK && g.remove(g.with, in) == LPAR_OK, "they cannot be deleted");
	EXPECT(g.remove(g.with, out) == LPAR_NOENT && g.send_by(out) == LPAR_NOENT, "it is there still");

	// as many as the adapter has, in both directions
	unsigned made = 0;
	u32 st = LPAR_OK;
	for (u32 i = 0; i < 300 && st == LPAR_OK; i++, made += st == LPAR_OK) {
		lpar_sa sa = good(0x2000 + i);
		sa.flags = i & 1 ? LPAR_SA_IN : 0;
		st = g.add(g.with, sa);
	}
	EXPECT(allowed(st, ST(NOSPC) | ST(QUOTA)) && made >= 8 && made <= 256, "{} SAs, then status {}", made, st);
	EXPECT(g.sas() == made, "{} SAs, not {}", g.sas(), made);
	EXPECT(g.send(g.raw(300)) == LPAR_OK, "a good frame is refused");
	g.begin();
	EXPECT(g.sas() == 0, "{} SAs outlive a reset", g.sas());
	EXPECT(g.add(g.with, good(0x1000)) == LPAR_OK, "a good one is refused after it");
	// the rest goes with the client
}

}
