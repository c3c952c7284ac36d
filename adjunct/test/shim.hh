// SPDX-License-Identifier: GPL-2.0
// A service as its client sees it, in a test's own process: the shared part with the SDK's loop
// behind it, and what the kernel's driver does in front of it.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include <lpar/adjunct.h>
#include <lpar/service.hh>

namespace lpar {

class Shim {
  public:
    Shim();

    lpar_adjunct_control &control() { return *reinterpret_cast<lpar_adjunct_control *>(at(0)); }
    std::byte *at(size_t offset) { return shared_ + offset; }
    // Put one request as it is, and serve.
    lpar_adjunct_request raw(const lpar_adjunct_request &request);
    // One request with data; the answer's bytes. @status: as answered.
    std::vector<std::byte> call(uint32_t op, std::span<const std::byte> in, uint32_t room,
                                uint32_t *status = nullptr);
    service::Loop::Served serve();

  private:
    // to the byte, so that the sanitizer sees who goes beyond it
    std::vector<std::byte> memory_;
    std::byte *shared_;
    service::Loop loop_;
};

std::vector<std::byte> bytes_of(std::string_view text);
std::vector<std::byte> from_hex(std::string_view hex);
std::string to_hex(std::span<const std::byte> data);

} // namespace lpar
