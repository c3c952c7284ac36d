// SPDX-License-Identifier: GPL-2.0
// Frames of a NIC: whatever passes is one that the host's stack and drivers take without a WARN,
// a BUG or a step beyond its linear part.
#include "input.hh"

namespace {

using Wide = unsigned __int128;

Tally tally;

struct Seg {
    uint64_t addr;
    uint32_t len, reserved;
};

unsigned at16(const uint8_t *data, size_t at) {
    return data[at] << 8 | data[at + 1];
}

lpar_nic_limits nic(Input &in) {
    lpar_nic_limits l = {};
    l.mac = 0x02a1b2c3d4e5;
    l.mtu_max = in.rarely(3) ? in.ConsumeIntegralInRange(68, 70000) : 1500;
    l.segments = in.ConsumeIntegralInRange(1, 18);
    l.tso4 = in.rarely(4) ? 0 : in.ConsumeIntegralInRange(100, 70000);
    l.tso6 = in.rarely(4) ? 0 : in.ConsumeIntegralInRange(100, 70000);
    l.uso = in.rarely(4) ? 0 : in.ConsumeIntegralInRange(100, 70000);
    l.tso_segments = in.rarely(3) ? in.ConsumeIntegralInRange(1, 64) : 0xffff;
    l.tx_csum = in.ConsumeBool();
    l.tx_csum4 = !in.rarely(4);
    l.tx_csum6 = !in.rarely(4);
    l.tx_vlan = in.ConsumeBool();
    l.ipsec = in.ConsumeBool();
    l.trusted = in.ConsumeBool();
    return l;
}

// Mostly what could be right; each thing is sometimes not.
struct Frame {
    lpar_net_sqe sqe = {};
    std::vector<Seg> segs;
    std::vector<uint8_t> data;
};

Frame make(Input &in, const lpar_nic_limits &l, bool receive) {
    Frame fr;
    lpar_net_sqe &s = fr.sqe;
    const bool six = in.ConsumeBool(), tcp = in.ConsumeBool(), csum = in.ConsumeBool();
    const bool gso = csum && in.ConsumeBool();
    const unsigned words = in.rarely(3) ? in.ConsumeIntegralInRange(4, 15) : 5;
    const unsigned doff = in.rarely(3) ? in.ConsumeIntegralInRange(4, 15) : 5;
    const unsigned start = 14 + (six ? 40 : words * 4);
    unsigned headers = start + (tcp ? doff * 4 : 8);
    if (in.rarely(12))
        headers = in.ConsumeIntegralInRange(0, 300);
    uint32_t len = headers + in.ConsumeIntegralInRange(0, 1400);
    if (gso && in.ConsumeBool())
        len += in.ConsumeIntegralInRange(0, 66000);

    s.op = in.rarely(24) ? in.ConsumeIntegral<uint8_t>() : receive ? 2 : 1;
    s.id = in.ConsumeIntegral<uint16_t>();
    if (!receive || in.rarely(8)) {
        s.headers = cpu_to_le16(headers);
        s.flags = csum ? LPAR_NET_CSUM : 0;
        if (csum) {
            s.csum_start = cpu_to_le16(in.rarely(8) ? in.ConsumeIntegralInRange(0, 300) : start);
            s.csum_offset = cpu_to_le16(in.rarely(8) ? in.ConsumeIntegral<uint16_t>()
                                        : tcp        ? 16
                                                     : 6);
        }
        if (gso) {
            s.gso_type = !tcp ? LPAR_GSO_UDP : six ? LPAR_GSO_TCP6 : LPAR_GSO_TCP4;
            s.gso_size = cpu_to_le16(in.ConsumeIntegralInRange(in.rarely(3) ? 0 : 200, 1500));
        }
        if (in.rarely(8)) {
            s.flags |= LPAR_NET_VLAN;
            s.vlan_tci = in.ConsumeIntegral<uint16_t>();
        }
    }
    if (in.rarely(receive || csum ? 20 : 3))
        s.sa = in.ConsumeIntegral<uint16_t>();
    if (in.rarely(30))
        s.gso_type = in.ConsumeIntegral<uint8_t>();
    if (in.rarely(30)) // any byte of it
        reinterpret_cast<uint8_t *>(&s)[in.ConsumeIntegralInRange<size_t>(0, sizeof(s) - 1)] ^=
            in.ConsumeIntegral<uint8_t>();

    uint32_t left = len;
    const unsigned n = in.ConsumeIntegralInRange(1, 6);
    for (unsigned i = 0; i < n && left; i++) {
        Seg seg = {};
        seg.len = i + 1 == n ? left : in.ConsumeIntegralInRange(1u, left);
        seg.addr = (in.ConsumeIntegralInRange<uint64_t>(0, 4) << 21) +
                   in.ConsumeIntegralInRange(0, 1 << 20);
        left -= seg.len;
        if (in.rarely(30))
            seg.addr = in.ConsumeIntegral<uint64_t>();
        if (in.rarely(40))
            seg.len = in.ConsumeIntegral<uint32_t>();
        if (in.rarely(60))
            seg.reserved = in.ConsumeIntegral<uint32_t>();
        fr.segs.push_back(seg);
    }
    if (!s.nsegs)
        s.nsegs = cpu_to_le16(fr.segs.size());
    if (!s.len)
        s.len = cpu_to_le32(in.rarely(30) ? in.ConsumeIntegral<uint32_t>() : len);

    // the headers, and what comes of the input
    fr.data.resize(in.rarely(12) ? in.ConsumeIntegralInRange(0, 80) : headers + 64);
    const auto put = [&](size_t at, unsigned value) {
        if (at < fr.data.size())
            fr.data[at] = value;
    };
    for (unsigned i = 0; i < 6; i++)
        put(6 + i, l.mac >> (40 - 8 * i));
    put(12, six ? 0x86 : 0x08);
    put(13, six ? 0xdd : 0x00);
    put(14, six ? 0x60 : 0x40 | words);
    put(six ? 20 : 23, tcp ? 6 : 17);
    put(start + 3, in.ConsumeBool() ? 67 : 0);
    put(start + 12, doff << 4);
    while (in.rarely(3) && !fr.data.empty())
        fr.data[in.ConsumeIntegralInRange<size_t>(0, fr.data.size() - 1)] =
            in.ConsumeIntegral<uint8_t>();
    return fr;
}

// ------------------------------------------------------------- what passed, looked at again

void must_be_covered(const lpar_frame &f, const std::vector<Seg> &segs) {
    Wide total = 0;
    for (size_t i = 0; i < f.nsegs; i++) {
        const Wide first = segs[i].addr, end = first + segs[i].len;
        MUST(segs[i].len && !segs[i].reserved);
        MUST(first >> 21 == (end - 1) >> 21);
        total += segs[i].len;
    }
    MUST(total == f.len);
}

void must_be_sendable(const lpar_frame &f, const lpar_nic_limits &l) {
    const unsigned most = l.mtu_max + 14;
    MUST(f.nsegs >= 1 && f.nsegs <= l.segments);
    MUST(f.len <= LPAR_NET_FRAME_MAX && f.headers >= 14 && f.headers <= 256);
    // the linear part, all of it copied
    MUST(f.headers <= f.len);
    MUST(!(f.flags & LPAR_NET_VLAN) || l.tx_vlan);
    MUST(f.flags & LPAR_NET_VLAN || !f.vlan_tci);
    // skb_checksum_help() and skb_segment() would look at what the adapter is to encrypt
    MUST(!f.sa || (l.ipsec && !(f.flags & LPAR_NET_CSUM) && !f.gso_type));
    if (f.flags & LPAR_NET_CSUM) // skb_checksum_help()
        MUST(f.csum_start >= 14 && f.csum_start + f.csum_offset + 2 <= f.headers);
    else
        MUST(!f.gso_type && !f.csum_start && !f.csum_offset);
    if (!f.gso_type) {
        MUST(!f.gso_size && f.len <= most + 4);
        return;
    }
    const unsigned limit = f.gso_type == 1 ? l.tso4 : f.gso_type == 2 ? l.tso6 : l.uso;
    MUST(f.gso_type <= 3 && f.len <= limit);
    MUST(f.gso_size >= 8 && f.headers + f.gso_size <= most);
    const unsigned payload = f.len - f.headers, count = (payload + f.gso_size - 1) / f.gso_size;
    // shinfo->gso_segs has 16 bits
    MUST(count >= 2 && count <= l.tso_segments && count <= 0xffff);
}

void must_be_true(const lpar_frame &f, const lpar_nic_limits &l, const uint8_t *data, size_t have) {
    MUST(have >= f.headers);
    const unsigned type = at16(data, 12);
    if (!l.trusted) {
        MUST(at16(data, 6) == 0x02a1 && at16(data, 8) == 0xb2c3 && at16(data, 10) == 0xd4e5);
        MUST(type != 0x8100 && type != 0x88a8 && !(f.flags & LPAR_NET_VLAN));
    }
    if (!(f.flags & LPAR_NET_CSUM))
        return;
    // e1000_tx_csum() looks at the protocol and counts in bytes
    MUST(f.csum_start >= (type == 0x86dd ? 54 : 34));
    MUST(f.csum_start + f.csum_offset <= 0xff);
    if (l.tx_csum && !f.gso_type)
        return;
    const bool six = type == 0x86dd;
    MUST(six || type == 0x0800);
    MUST(data[14] >> 4 == (six ? 6 : 4));
    MUST(six || !(at16(data, 20) & 0x3fff));
    const unsigned start = 14 + (six ? 40 : (data[14] & 15) * 4), proto = data[six ? 20 : 23];
    MUST(start >= 34 && f.csum_start == start);
    MUST(proto == 6 || proto == 17);
    MUST(f.csum_offset == (proto == 6 ? 16 : 6));
    if (!f.gso_type) {
        MUST(six ? l.tx_csum6 : l.tx_csum4);
        return;
    }
    // skb_tcp_all_headers() and skb_segment(): just these headers before the payload
    MUST(f.gso_type == (proto == 17 ? 3 : six ? 2 : 1));
    const unsigned doff = proto == 17 ? 8 : data[start + 12] / 16 * 4;
    MUST(proto == 17 || doff >= 20);
    MUST(f.headers == start + doff && f.headers < f.len);
}

// e1000_transfer_dhcp_info(): what it reads is there.
void must_be_there(const uint8_t *data, size_t have, size_t len) {
    if (lpar_core_whole(data, have, len) || have >= len || at16(data, 12) != 0x0800 ||
        data[23] != 17)
        return;
    const unsigned udp = 14 + (data[14] & 15) * 4;
    MUST(udp + 4 <= have && at16(data, udp + 2) != 67);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    Input in(input, size);
    const bool receive = in.rarely(8);
    const lpar_nic_limits lim = nic(in);
    const Frame fr = make(in, lim, receive);
    const unsigned nsegs = le16_to_cpu(fr.sqe.nsegs);
    // as net.c: the table has as many as the entry says
    std::vector<lpar_seg> wire(nsegs);
    for (size_t i = 0; i < nsegs && i < fr.segs.size(); i++)
        wire[i] = {cpu_to_le64(fr.segs[i].addr), cpu_to_le32(fr.segs[i].len),
                   cpu_to_le32(fr.segs[i].reserved)};
    const auto segs = exact(wire.data(), wire.size());
    const auto data = exact(fr.data.data(), fr.data.size());

    lpar_frame f, early;
    std::memset(&f, 0xff, sizeof(f));
    const lpar_status st = lpar_core_frame(&fr.sqe, segs.get(), &lim, receive, &f);
    MUST(f.id == le16_to_cpu(fr.sqe.id));
    const lpar_status before = lpar_core_frame(&fr.sqe, nullptr, &lim, receive, &early);
    MUST(before == LPAR_OK || before == st);
    MUST(st == LPAR_OK || st == LPAR_INVAL || st == LPAR_NOTSUPP || st == LPAR_NOSYS);
    if (st != LPAR_OK) {
        tally.add(false);
        return 0;
    }
    MUST(fr.sqe.op == (receive ? LPAR_NET_RECEIVE : LPAR_NET_SEND));
    MUST(f.nsegs <= fr.segs.size());
    MUST(f.sa == le16_to_cpu(fr.sqe.sa));
    must_be_covered(f, fr.segs);
    if (receive) {
        MUST(!f.flags && !f.headers && !f.gso_type && !f.gso_size && !f.csum_start &&
             !f.csum_offset && !f.vlan_tci && !f.sa);
        MUST(f.len >= sizeof(lpar_net_rx) + 14 && f.len <= LPAR_WINDOW_SIZE);
        return 0;
    }
    must_be_sendable(f, lim);

    const lpar_status headers = lpar_core_headers(data.get(), fr.data.size(), &f, &lim);
    MUST(headers == LPAR_OK || headers == LPAR_INVAL || headers == LPAR_PROTECTION);
    if (headers == LPAR_OK)
        must_be_true(f, lim, data.get(), fr.data.size());
    must_be_there(data.get(), fr.data.size(), f.len);
    tally.add(headers == LPAR_OK && f.flags & LPAR_NET_CSUM);
    return 0;
}
