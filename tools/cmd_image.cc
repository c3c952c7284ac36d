// SPDX-License-Identifier: GPL-2.0
// lparctl adjunct: register, list, unregister.
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "format.h"
#include "images.h"

namespace lpar {

namespace {

Json number_or_null(const std::optional<uint64_t> &number) {
    return number ? Json(*number) : Json(nullptr);
}

std::string text(const std::optional<uint64_t> &number) {
    return number ? std::to_string(*number) : "";
}

Json image_json(const Image &image) {
    return {{"name", image.name},
            {"sha256", image.sha256.empty() ? Json(nullptr) : Json(image.sha256)},
            {"bytes", number_or_null(image.bytes)},
            {"pages", number_or_null(image.pages)},
            {"enabled", image.enabled},
            {"global", image.global},
            {"users", number_or_null(image.users)}};
}

void enter(Context &context, const std::string &name, const std::string &file, bool global) {
    require_module(context.host);
    context.require_privilege();
    NewImage wish;
    wish.name = name;
    wish.file = file;
    wish.global = global;
    Image image = Images(context.host).add(wish);
    if (context.json)
        context.emit(image_json(image));
    else
        context.out << fmt::format("{}  {}\n", image.sha256, image.name);
}

void list(Context &context) {
    require_module(context.host);
    Json array = Json::array();
    Table table({"NAME", ">PAGES", ">BYTES", "STATUS", "GLOBAL", ">USERS", "SHA256"});
    for (const auto &image : Images(context.host).all()) {
        array.push_back(image_json(image));
        table.add(
            {image.name,
             text(image.pages),
             text(image.bytes),
             {image.enabled ? "ready" : "disabled", image.enabled ? Colour::good : Colour::faint},
             image.global ? "yes" : "",
             text(image.users),
             image.sha256});
    }
    if (context.json)
        context.emit({{"adjuncts", array}});
    else
        context.out << table.text(context.colour);
}

void remove(Context &context, const std::string &name) {
    require_module(context.host);
    context.require_privilege();
    Images(context.host).remove(name);
    if (context.json)
        context.emit({{"deleted", name}});
}

} // namespace

void add_image_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("adjunct", "Images that clients may run as adjuncts");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer(""); // the commands below it have their own examples

    struct Options {
        std::string name;
        std::string file;
        bool global = false;
    };
    auto options = std::make_shared<Options>();

    auto *leaf = add_leaf(
        *group, context, "register", "Approve an image, print its SHA-256",
        "  lparctl adjunct register checksum /usr/lib/lpar/images/checksum.image",
        [&context, options] { enter(context, options->name, options->file, options->global); });
    leaf->add_option("NAME", options->name, "What clients call it")->required();
    leaf->add_option("IMAGE", options->file, "The file")->required();
    leaf->add_flag("--global", options->global,
                   "Its text is the host's, and shared by all clients: they donate the rest");

    add_leaf(*group, context, "list", "All images", "  lparctl adjunct list -j",
             [&context] { list(context); });

    leaf = add_leaf(*group, context, "unregister",
                    "Withdraw an image; adjuncts that run go on running",
                    "  lparctl adjunct unregister checksum",
                    [&context, options] { remove(context, options->name); });
    leaf->add_option("NAME", options->name, "An image")->required();
}

} // namespace lpar
