// SPDX-License-Identifier: GPL-2.0
// keykeeper: authenticates messages with a key that its client, the guest's kernel included,
// cannot read: the key is in the image's pages alone, which are out of the guest's reach, and no
// answer depends on it but through the function. The comparison takes as long whatever is wrong.
#include "keykeeper.hh"

#include "sha256.hh"
#include <lpar/service.hh>

// The file that it was built with (key.S).
extern "C" const std::byte lpar_key[];
extern "C" const uint64_t lpar_key_bytes;

namespace lpar {

namespace {

std::span<const std::byte> key() {
    return {lpar_key, lpar_key_bytes};
}

service::Answer sign(const service::Request &request) {
    if (request.out.size() < sizeof(Digest))
        return {LPAR_NOSPC};
    // The client sees the result when it is one, and nothing that it is made of.
    Digest digest = hmac_sha256(key(), request.in);
    for (size_t i = 0; i < digest.size(); i++)
        request.out[i] = digest[i];
    return {LPAR_OK, sizeof(Digest)};
}

service::Answer verify(const service::Request &request) {
    if (request.in.size() < sizeof(Digest))
        return {LPAR_INVAL};
    if (request.out.empty())
        return {LPAR_NOSPC};
    Digest digest = hmac_sha256(key(), request.in.subspan(sizeof(Digest)));
    std::byte different{0};
    for (size_t i = 0; i < digest.size(); i++)
        different |= digest[i] ^ request.in[i];
    request.out[0] = different == std::byte{0} ? std::byte{1} : std::byte{0};
    return {LPAR_OK, 1};
}

} // namespace

// Without a key it does not serve.
bool service::initialise() {
    return !key().empty();
}

service::Answer service::serve(const Request &request) {
    switch (request.op) {
    case keykeeper::sign:
        return sign(request);
    case keykeeper::verify:
        return verify(request);
    default:
        return {LPAR_NOSYS};
    }
}

} // namespace lpar
