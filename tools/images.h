// SPDX-License-Identifier: GPL-2.0
// Images of adjuncts: what clients may run in memory and on time of their own. They are in
// configfs, bytes and all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host.h"
#include "saved.h"

namespace lpar {

struct Image {
    std::string name;
    std::string sha256; // empty: there are no bytes
    // nothing: they may not be read by whoever asks
    std::optional<uint64_t> bytes;
    std::optional<uint64_t> pages; // that a client donates at least; 0: it is no image
    bool enabled = false;
    bool global = false;           // its text is the host's; the module may know no such images
    std::optional<uint64_t> users; // adjuncts that share its text now; nothing: likewise
    std::string content;
};

class Images {
  public:
    explicit Images(Host &host) : host_(host) {}

    // Nothing if the module is older than they are.
    std::vector<Image> all() const;
    // Throws Failure if there is no such thing.
    Image image(const std::string &name) const;

    // Entirely or not at all; throw Failure. A wish without bytes is read from its file.
    Image add(const NewImage &wish);
    void remove(const std::string &name);

  private:
    Host &host_;
};

// 64 hexadecimal digits
std::string image_sha256(const std::string &bytes);
// The pages that a client has to donate, of a @global image not those of its text; throws Failure,
// which begins with @what, if it is none.
uint64_t check_image(const std::string &bytes, const std::string &what, bool global = false);
// Of the wish, or of its file; throws Failure if it cannot be read.
std::string wanted_sha256(const NewImage &wish);
NewImage wanted_of(const Image &image);

} // namespace lpar
