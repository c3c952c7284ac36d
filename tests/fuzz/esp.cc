// SPDX-License-Identifier: GPL-2.0
// Security associations, and frames to be encrypted by one: what passes is just what a second
// reading of RFC 4303 and of the wire's layout takes, and drivers find its trailer.
#include "input.hh"

#include <algorithm>
#include <optional>

namespace {

Tally tally;

using Bytes = std::vector<uint8_t>;

// ------------------------------------------------------------- SAs, byte by byte

bool sa_right(const uint8_t *b) {
    const auto zero = [&](int from, int to) {
        return std::all_of(b + from, b + to, [](uint8_t x) { return x == 0; });
    };
    const int flags = b[4], icv = b[5], key = b[6];
    if (zero(0, 4) || flags > 7 || b[7])
        return false;
    if (icv % 4 || icv < 8 || icv > 16 || key % 8 != 4 || key < 20 || key > 36)
        return false;
    if (flags < 4 && !(zero(12, 24) && zero(28, 40)))
        return false;
    return zero(40 + key, 80);
}

void one_sa(Input &in) {
    lpar_sa sa = {};
    auto *raw = reinterpret_cast<uint8_t *>(&sa);
    static_assert(sizeof(sa) == 80);
    sa.spi = in.rarely(8) ? 0 : in.ConsumeIntegral<uint32_t>();
    sa.flags = in.ConsumeIntegralInRange(0, in.rarely(8) ? 255 : 7);
    sa.icv = in.rarely(8) ? in.ConsumeIntegral<uint8_t>() : 8 + 4 * in.ConsumeIntegralInRange(0, 2);
    sa.key_len =
        in.rarely(8) ? in.ConsumeIntegral<uint8_t>() : 20 + 8 * in.ConsumeIntegralInRange(0, 2);
    const unsigned address = sa.flags & LPAR_SA_IPV6 ? 16 : 4;
    for (unsigned i = 0; i < address; i++)
        sa.src[i] = sa.dst[i] = in.ConsumeIntegral<uint8_t>();
    for (unsigned i = 0; i < sa.key_len && i < sizeof(sa.key); i++)
        sa.key[i] = i + 1;
    if (in.ConsumeBool())
        raw[in.ConsumeIntegralInRange<size_t>(0, sizeof(sa) - 1)] = in.ConsumeIntegral<uint8_t>();
    const auto copy = exact(&sa, 1);
    const lpar_status st = lpar_core_sa(copy.get());
    MUST(st == LPAR_OK || st == LPAR_INVAL);
    MUST((st == LPAR_OK) == sa_right(raw));
    MUST(!std::memcmp(copy.get(), &sa, sizeof(sa)));
    tally.add(st == LPAR_OK);
}

// ------------------------------------------------------------- frames, from the front

// What is left of a frame; nothing is taken that is not there.
class Reader {
  public:
    explicit Reader(const Bytes &from) : from_(from) {}
    size_t left() const { return from_.size() - at_; }
    size_t at() const { return at_; }
    std::optional<uint64_t> number(size_t bytes) {
        if (left() < bytes)
            return {};
        uint64_t v = 0;
        while (bytes--)
            v = v * 256 + from_[at_++];
        return v;
    }
    bool skip(size_t bytes) {
        if (left() < bytes)
            return false;
        at_ += bytes;
        return true;
    }
    // As many of its last bytes are not looked at any more.
    bool drop(size_t bytes) {
        if (left() < bytes)
            return false;
        from_.resize(from_.size() - bytes);
        return true;
    }
    int last() {
        if (!left())
            return -1;
        const int v = from_.back();
        from_.pop_back();
        return v;
    }

  private:
    Bytes from_;
    size_t at_ = 0;
};

struct Want {
    size_t at;
    uint32_t seq;
    int inner;
};

bool ip4(Reader &r) {
    const size_t whole = r.left();
    const auto version = r.number(1);
    if (!version || *version < 0x45 || *version > 0x4f || !r.skip(1))
        return false;
    const auto total = r.number(2);
    if (!total || *total != whole || !r.skip(2))
        return false;
    const auto fragment = r.number(2);
    // just "do not", and the bit that means nothing
    if (!fragment || *fragment & 0x3fff || !r.skip(1))
        return false;
    const auto proto = r.number(1);
    return proto == 50 && r.skip(10 + (*version - 0x45) * 4);
}

bool ip6(Reader &r) {
    const auto first = r.number(4);
    const auto payload = r.number(2), next = r.number(1);
    return first && *first >> 28 == 6 && next == 50 && r.skip(33) && payload == r.left();
}

std::optional<Want> esp_right(const Bytes &frame, uint32_t spi, bool six, unsigned icv) {
    Reader r(frame);
    if (!r.skip(12))
        return {};
    const auto type = r.number(2);
    if (type != (six ? 0x86ddu : 0x0800u) || !(six ? ip6(r) : ip4(r)))
        return {};
    Want w = {.at = r.at()};
    const auto index = r.number(4), seq = r.number(4);
    if (index != spi || !seq || !r.skip(8) || !r.drop(icv))
        return {};
    w.seq = *seq;
    w.inner = r.last();
    const int padding = r.last();
    if (w.inner < 0 || padding < 0 || !r.drop(padding))
        return {};
    return w;
}

void one_frame(Input &in) {
    const bool six = in.ConsumeBool();
    const unsigned icv = 8 + 4 * in.ConsumeIntegralInRange(0, 2);
    const uint32_t spi = in.ConsumeIntegral<uint32_t>();
    const unsigned words = in.rarely(3) ? in.ConsumeIntegralInRange(4, 15) : 5;
    const size_t at = 14 + (six ? 40 : words * 4);
    const size_t room = in.ConsumeIntegralInRange(0, in.rarely(3) ? 300 : 40);
    Bytes f(at + 16 + room + 2 + icv, in.ConsumeIntegral<uint8_t>());
    const auto put = [&](size_t where, uint64_t value, size_t bytes) {
        while (bytes--)
            f[where + bytes] = value, value >>= 8;
    };
    if (in.rarely(5)) // cut, and it may know
        f.resize(in.ConsumeIntegralInRange<size_t>(0, f.size()));
    const size_t full = f.size();
    f.resize(std::max<size_t>(full, at + 16 + 2 + icv));
    put(12, six ? 0x86dd : 0x0800, 2);
    put(14, six ? 0x60 : 0x40 | words, 1);
    if (six) {
        put(18, full - 54, 2);
        put(20, 50, 1);
    } else {
        put(16, full - 14, 2);
        put(20, in.ConsumeBool() ? 0x4000 : 0, 2);
        put(23, 50, 1);
    }
    put(at, spi, 4);
    put(at + 4, in.ConsumeIntegral<uint32_t>(), 4);
    put(f.size() - icv - 2, in.ConsumeIntegralInRange<size_t>(0, std::min<size_t>(room + 1, 255)),
        1);
    put(f.size() - icv - 1, in.ConsumeIntegral<uint8_t>(), 1);
    f.resize(full);
    while (in.rarely(3) && full)
        f[in.ConsumeIntegralInRange<size_t>(0, full - 1)] ^= 1 << in.ConsumeIntegralInRange(0, 7);

    const bool asked = in.rarely(16) ? !six : six;
    const auto copy = exact(f.data(), full);
    lpar_esp out = {};
    const lpar_status st = lpar_core_esp(copy.get(), full, spi, asked, icv, &out);
    const auto want = esp_right(f, spi, asked, icv);
    MUST(st == LPAR_OK || st == LPAR_INVAL);
    MUST((st == LPAR_OK) == want.has_value());
    MUST(std::equal(f.begin(), f.end(), copy.get()));
    tally.add(st == LPAR_OK);
    if (st != LPAR_OK)
        return;
    MUST(out.at == want->at && out.seq == want->seq && out.inner == want->inner);
    // as ixgbe_ipsec_tx() finds the trailer; the IV, which others write, is in front of it
    const unsigned padding = copy[full - icv - 2];
    MUST(out.at + 16 + padding + 2 + icv <= full);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    Input in(input, size);
    if (in.rarely(4))
        one_sa(in);
    else
        one_frame(in);
    return 0;
}
