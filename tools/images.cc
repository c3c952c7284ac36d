// SPDX-License-Identifier: GPL-2.0
#include "images.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <numeric>

#include "error.h"
#include "parse.h"
#include "paths.h"
#include "sha256.hh"
#include "undo.h"
#include "whole_file.h"
#include <lpar/adjunct.h>
#include <lpar/control.h>

namespace lpar {

namespace {

constexpr uint64_t page = 4096;

std::string image_path(const std::string &name) {
    return configfs_images + name;
}

std::string set_error(const std::string &what, int error) {
    return fmt::format("adjunct {}: {}", what, error_text(error));
}

} // namespace

std::string image_sha256(const std::string &bytes) {
    std::string text;
    for (std::byte byte : sha256(std::as_bytes(std::span(bytes))))
        text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

uint64_t check_image(const std::string &bytes, const std::string &what, bool global) {
    auto refuse = [&](const std::string &why) { throw Failure(what + ": " + why); };
    lpar_image head{};
    if (bytes.size() < sizeof(head))
        refuse("it is no image: it is too short; sdk/image makes one of an ELF file");
    std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.magic != LPAR_IMAGE_MAGIC)
        refuse(bytes.starts_with("\177ELF") ? "it is an ELF file: sdk/image makes an image of it"
                                            : "it is no image: it does not begin with \"LADJ\"");
    if (head.abi != LPAR_IMAGE_ABI)
        refuse(fmt::format("it is for version {} of the interface, this is for {}", head.abi,
                           LPAR_IMAGE_ABI));
    for (uint32_t word : head.reserved)
        if (word != 0)
            refuse("its head has something where there must be zeroes");
    const uint64_t pages[] = {head.text_pages, head.data_pages, head.bss_pages, head.stack_pages};
    uint64_t sum = std::accumulate(std::begin(pages), std::end(pages), uint64_t{0});
    if (head.text_pages == 0 || head.stack_pages == 0)
        refuse(head.text_pages == 0 ? "it has no text" : "it has no stack");
    if (sum > LPAR_ADJUNCT_PAGES_MAX)
        refuse(fmt::format("it wants {} pages, an adjunct has at most {}", sum,
                           LPAR_ADJUNCT_PAGES_MAX));
    uint64_t length = (pages[0] + pages[1]) * page;
    if (bytes.size() != length)
        refuse(fmt::format("it is cut off or too long: {} bytes, its head says {}", bytes.size(),
                           length));
    if (head.entry < sizeof(head) || head.entry >= pages[0] * page)
        refuse(fmt::format("its entry point {:#x} is not in its text", head.entry));
    return global ? sum - pages[0] : sum;
}

std::string wanted_sha256(const NewImage &wish) {
    if (wish.sha256)
        return *wish.sha256;
    return image_sha256(wish.bytes.empty() ? read_whole_file(wish.file) : wish.bytes);
}

NewImage wanted_of(const Image &image) {
    return {image.name, "", std::nullopt, image.content, image.global};
}

std::vector<Image> Images::all() const {
    std::vector<Image> images;
    for (const auto &name : host_.list(configfs_images))
        images.push_back(image(name));
    return images;
}

Image Images::image(const std::string &name) const {
    check_name("adjunct", name);
    std::string path = image_path(name);
    if (!host_.exists(path))
        throw Failure(fmt::format("there is no adjunct '{}': see lparctl adjunct list", name));
    Image image;
    image.name = name;
    image.sha256 = host_.read(path + "/sha256").value_or("");
    image.enabled = host_.read(path + "/enable") == "1";
    image.global = host_.read(path + "/global") == "1";
    image.users = host_.read_number(path + "/users");
    auto content = host_.read_exact(path + "/image");
    if (!content)
        return image;
    image.content = std::move(*content);
    image.bytes = image.content.size();
    try {
        image.pages = check_image(image.content, name, image.global);
    } catch (const Failure &) { // another program's, and never enabled
        image.pages = 0;
    }
    return image;
}

Image Images::add(const NewImage &wish) {
    check_new_name("adjunct", wish.name);
    if (wish.name.size() >= LPAR_TEXT_MAX)
        throw Failure(
            fmt::format("adjunct '{}': a name has at most {} bytes", wish.name, LPAR_TEXT_MAX - 1));
    if (!host_.exists(configfs_images))
        throw Failure("this lpar_host knows no adjuncts: load one that is as new as lparctl");
    std::string bytes = wish.bytes.empty() ? read_whole_file(wish.file) : wish.bytes;
    check_image(bytes, wish.file.empty() ? wish.name : wish.file);
    std::string digest = image_sha256(bytes);
    if (wish.sha256 && *wish.sha256 != digest)
        throw Failure(fmt::format("{}: its sha256 is {}, not {}: it is another image than was "
                                  "approved",
                                  wish.file, digest, *wish.sha256));

    SignalHold hold;
    std::string path = image_path(wish.name);
    if (int error = host_.make_directory(path))
        throw Failure(error == EEXIST ? fmt::format("adjunct '{}' exists already: lparctl adjunct "
                                                    "unregister {}",
                                                    wish.name, wish.name)
                                      : set_error(wish.name, error));
    Undo undo;
    undo.add("the new adjunct", [&] { return host_.remove_directory(path); });
    try {
        if (int error = wish.global ? host_.write(path + "/global", "1") : 0)
            throw Failure(error == ENOENT
                              ? fmt::format("adjunct {}: this lpar_host knows no global images: "
                                            "load one that is as new as lparctl",
                                            wish.name)
                              : set_error(wish.name, error));
        if (int error = host_.write(path + "/image", bytes))
            throw Failure(set_error(wish.name, error));
        // The kernel takes it when the file is closed, where nobody is told of errors.
        if (host_.read(path + "/sha256") != digest)
            throw Failure(
                fmt::format("adjunct {}: the kernel did not get it: is there memory?", wish.name));
        if (int error = host_.write(path + "/enable", "1"))
            throw Failure(error == EINVAL
                              ? fmt::format("adjunct {}: the kernel does not take this image: is "
                                            "lpar_host as new as lparctl?",
                                            wish.name)
                              : set_error(wish.name, error));
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
    return image(wish.name);
}

void Images::remove(const std::string &name) {
    image(name);
    SignalHold hold;
    if (int error = host_.remove_directory(image_path(name)))
        throw Failure(set_error(name, error));
}

} // namespace lpar
