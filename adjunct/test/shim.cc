// SPDX-License-Identifier: GPL-2.0
#include "shim.hh"

#include <cstring>

namespace lpar {

bool service::pause() {
    return false;
}

Shim::Shim() : memory_(LPAR_ADJUNCT_SHARED + 64) {
    auto address = reinterpret_cast<uintptr_t>(memory_.data());
    shared_ = memory_.data() + (64 - address % 64) % 64;
}

service::Loop::Served Shim::serve() {
    return loop_.serve_all(control(), LPAR_ADJUNCT_SHARED);
}

lpar_adjunct_request Shim::raw(const lpar_adjunct_request &request) {
    uint32_t tail = control().tail;
    control().request[tail % LPAR_ADJUNCT_DEPTH] = request;
    control().tail = tail + 1;
    EXPECT_EQ(serve(), service::Loop::Served::something);
    EXPECT_EQ(control().head, tail + 1);
    return control().request[tail % LPAR_ADJUNCT_DEPTH];
}

std::vector<std::byte> Shim::call(uint32_t op, std::span<const std::byte> in, uint32_t room,
                                  uint32_t *status) {
    lpar_adjunct_request request{};
    request.op = op;
    request.in = LPAR_ADJUNCT_DATA;
    request.in_len = static_cast<uint32_t>(in.size());
    request.out = LPAR_ADJUNCT_SHARED - room;
    request.out_len = room;
    if (!in.empty())
        std::memcpy(at(request.in), in.data(), in.size());
    lpar_adjunct_request answer = raw(request);
    if (status != nullptr)
        *status = answer.status;
    else
        EXPECT_EQ(answer.status, static_cast<uint32_t>(LPAR_OK));
    EXPECT_LE(answer.bytes, room);
    return {at(request.out), at(request.out) + answer.bytes};
}

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto *data = reinterpret_cast<const std::byte *>(text.data());
    return {data, data + text.size()};
}

std::vector<std::byte> from_hex(std::string_view hex) {
    std::vector<std::byte> data;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        data.push_back(std::byte(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return data;
}

std::string to_hex(std::span<const std::byte> data) {
    std::string text;
    for (std::byte byte : data) {
        text += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        text += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

} // namespace lpar
