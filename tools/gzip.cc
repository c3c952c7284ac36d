// SPDX-License-Identifier: GPL-2.0
#include "gzip.h"

#include <zlib.h>

namespace lpar {

std::optional<std::string> gunzip(const std::string &packed) {
    constexpr size_t size_max = 16u << 20; // a kernel's configuration is 300 KiB
    constexpr int gzip_only = 16 + MAX_WBITS;
    z_stream stream{};
    if (inflateInit2(&stream, gzip_only) != Z_OK)
        return std::nullopt;
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string text;
    char buffer[16384];
    int status = Z_OK;
    while (status == Z_OK && text.size() < size_max) {
        stream.next_out = reinterpret_cast<Bytef *>(buffer);
        stream.avail_out = sizeof(buffer);
        status = inflate(&stream, Z_NO_FLUSH);
        text.append(buffer, sizeof(buffer) - stream.avail_out);
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END ? std::optional(text) : std::nullopt;
}

} // namespace lpar
