// SPDX-License-Identifier: GPL-2.0
// lparctl iov: ask in a guest; requests, grant, refuse and serve on the host.
#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "iov_serve.h"
#include "lpar/wire.h"
#include "mailboxes.h"
#include "number.h"
#include "parse.h"
#include "paths.h"
#include "records.h"
#include "undo.h"

namespace lpar {

namespace {

// Who asks all the time gets no more than this many answers in a second.
constexpr double pause_seconds = 0.02;
constexpr double wait_seconds = 0.5;

struct Options {
    std::vector<std::string> words;
    std::vector<uint64_t> ids;
    uint32_t timeout = 0;
    std::string reason;
    bool once = false;
};

std::string status_text(uint32_t status) {
    switch (status) {
    case LPAR_INVAL:
    case LPAR_NOSYS:
        return "the host does not know this request";
    case LPAR_NOENT:
    case LPAR_GONE:
        return "the virtual function has been taken back";
    case LPAR_QUOTA:
        return "too many requests wait already";
    case LPAR_RANGE:
        return "no virtual function can have this value";
    case LPAR_NOTSUPP:
        return "this is nothing for a virtual function of its kind";
    case LPAR_PERM:
        return "refused";
    case LPAR_IOERR:
        return "the host could not do it";
    case LPAR_NOMEM:
        return "the host has no memory for it now";
    default:
        return fmt::format("the host says status {}", status);
    }
}

// What a mailbox is, from its records
struct Seen {
    std::string vf;
    std::string kind;
    std::vector<std::pair<uint32_t, Value>> asks;
};

Seen look(const Mailbox &mailbox) {
    Seen seen;
    Records records = decode_records(mailbox.records);
    for (const auto &record : records.good)
        if (record.type == LPAR_CAP_NAME)
            seen.vf = record.text;
    if (const Value *kind = find_value(records, LPAR_CAP_VF_KIND))
        seen.kind = kind->cur == LPAR_VF_NIC ? "nic" : kind->cur == LPAR_VF_NVME ? "nvme" : "";
    for (uint32_t ask = 1; ask < LPAR_ASKS; ask++)
        if (const Value *value = find_value(records, static_cast<uint16_t>(LPAR_CAP_ASK + ask)))
            seen.asks.emplace_back(ask, *value);
    return seen;
}

void show_mailboxes(Context &context, Mailboxes &mailboxes) {
    Json array = Json::array();
    Table table({"VF", "TYPE", "REQUEST", "FROM", "TO", "NOW"});
    for (const auto &mailbox : mailboxes.list()) {
        Seen seen = look(mailbox);
        Json asks = Json::array();
        if (seen.asks.empty())
            table.add({printable(seen.vf), seen.kind, "", "", "", ""});
        for (const auto &[ask, value] : seen.asks) {
            asks.push_back({{"request", iov_ask_name(ask)},
                            {"min", value.min},
                            {"max", value.max},
                            {"now", value.cur}});
            bool plain = ask == LPAR_ASK_RESET;
            auto cell = [&](uint64_t number) {
                return plain ? std::string() : iov_ask_value(ask, number);
            };
            table.add({printable(seen.vf), seen.kind, iov_ask_name(ask), cell(value.min),
                       cell(value.max), cell(value.cur)});
        }
        array.push_back({{"vf", seen.vf}, {"type", seen.kind}, {"requests", asks}});
    }
    if (context.json)
        context.emit({{"mailboxes", array}});
    else
        context.out << table.text(context.colour);
}

void ask(Context &context, const Options &options) {
    std::string vf;
    std::vector<std::pair<uint32_t, uint64_t>> wishes;
    for (const auto &word : options.words) {
        bool is_vf = &word == options.words.data() && word.find('=') == std::string::npos &&
                     word.find(':') != std::string::npos;
        if (is_vf)
            vf = word;
        else
            wishes.push_back(parse_ask(word));
    }
    auto mailboxes = context.host.open_mailboxes();
    if (!mailboxes)
        throw Failure("there is no /dev/lpar-iov0: this is no guest of lpar, or lpar_guest is not "
                      "loaded");
    if (options.words.empty()) {
        show_mailboxes(context, *mailboxes);
        return;
    }
    if (wishes.empty())
        throw UsageError("what is to be asked for? See lparctl iov ask --help");
    auto all = mailboxes->list();
    std::erase_if(all, [&](const auto &one) { return !vf.empty() && look(one).vf != vf; });
    if (all.size() != 1)
        throw Failure(vf.empty() && !all.empty()
                          ? "there are several virtual functions: say which one"
                      : vf.empty() ? "no virtual function has been assigned to this partition"
                                   : "there is no virtual function " + vf + ": lparctl iov ask");
    Json array = Json::array();
    for (const auto &[what, value] : wishes) {
        Verdict verdict = mailboxes->ask(all[0], what, value, options.timeout);
        std::string text = iov_ask_text(what, value);
        if (verdict.status != LPAR_OK)
            throw Failure(printable(fmt::format("{}: {}{}{}", text, status_text(verdict.status),
                                                verdict.text.empty() ? "" : ": ", verdict.text)));
        array.push_back({{"request", iov_ask_name(what)}, {"value", value}});
        if (!context.json)
            context.out << text << ": granted" << std::endl;
    }
    if (context.json)
        context.emit({{"granted", array}});
}

std::string state_text(const IovAsked &asked) {
    return asked.taken ? "in hand" : asked.allowed ? "allowed" : "waits";
}

void requests(Context &context) {
    context.require_privilege();
    Json array = Json::array();
    Table table({">REQUEST", "PARTITION", "VF", "WHAT", ">SECONDS", "STATE"});
    for (const auto &asked : context.host.open_desk()->requests()) {
        // who looks from the management partition sees his own question as well
        if (context.is_remote && asked.ask == 0)
            continue;
        std::string text = iov_ask_text(asked.ask, asked.value);
        array.push_back({{"id", asked.id},
                         {"partition", asked.partition},
                         {"vf", asked.vf.empty() ? Json(nullptr) : Json(asked.vf)},
                         {"request", asked.ask == 0 ? "text" : iov_ask_name(asked.ask)},
                         {"value", iov_ask_value(asked.ask, asked.value)},
                         {"seconds", asked.seconds},
                         {"state", state_text(asked)}});
        table.add({std::to_string(asked.id), asked.partition, asked.vf, text,
                   std::to_string(asked.seconds), state_text(asked)});
    }
    if (context.json)
        context.emit({{"requests", array}});
    else
        context.out << table.text(context.colour);
}

// Takes it in hand. Throws Failure.
IovAsked take(Desk &desk, uint64_t id) {
    auto all = desk.requests();
    auto found = std::ranges::find(all, id, &IovAsked::id);
    if (found == all.end())
        throw Failure(fmt::format("there is no request {}: lparctl iov requests", id));
    if (found->ask == 0)
        throw Failure(fmt::format("request {} is for lparctl iov serve", id));
    if (!desk.take(*found))
        throw Failure(fmt::format("request {} is in somebody else's hand, or withdrawn", id));
    return *found;
}

void answer(Context &context, const Options &options, bool grant) {
    context.require_privilege();
    auto desk = context.host.open_desk();
    Json array = Json::array();
    for (uint64_t id : options.ids) {
        IovAsked asked = take(*desk, id);
        // if it fails the request is given back when the desk goes, and waits on
        if (grant)
            iov_grant(context.host, asked);
        std::string reason = options.reason.empty() ? "refused by the administrator"
                                                    : options.reason.substr(0, LPAR_REASON_TEXT);
        if (!desk->end(id, grant ? LPAR_OK : LPAR_PERM, grant ? "" : reason))
            throw Failure(fmt::format("request {}: nobody waits for it any more", id));
        array.push_back(id);
    }
    if (context.json)
        context.emit({{grant ? "granted" : "refused", array}});
}

bool is_to_end() {
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1 ||
           ::sigismember(&pending, SIGHUP) == 1;
}

void serve(Context &context, const Options &options) {
    context.require_privilege();
    auto desk = context.host.open_desk();
    SignalHold hold;
    do {
        try {
            iov_serve_once(context.host, *desk, context.out);
        } catch (const Failure &failure) {
            // the next look may find another machine
            context.out << printable(failure.what()) << std::endl;
        }
        if (options.once)
            return;
        context.host.sleep(pause_seconds);
        desk->wait(wait_seconds);
    } while (!is_to_end());
}

// From inside a guest: the host's lparctl does it, if this is the management partition.
bool forward(Context &context) {
    if (context.is_remote || context.host.exists(state_root))
        return false;
    auto mailboxes = context.host.open_mailboxes();
    if (!mailboxes)
        return false;
    Verdict verdict = mailboxes->manage(manage_question(context.words));
    if (verdict.status == LPAR_PERM)
        throw Failure("this is not the management partition: what it may do is lparctl iov ask");
    if (verdict.status == LPAR_NOSYS)
        throw Failure("the host is too old: it has no management partition");
    if (verdict.status != LPAR_OK)
        throw Failure(fmt::format("the host says status {}", verdict.status));
    ManageAnswer answer = manage_answer_of(verdict.text);
    context.out << answer.out;
    context.err << answer.err;
    context.status = answer.status;
    return true;
}

} // namespace

void managed(Context &context, const std::function<void()> &action) {
    if (!forward(context))
        action();
}

void add_mailbox_commands(CLI::App &group, Context &context) {
    auto options = std::make_shared<Options>();
    auto *leaf = add_leaf(group, context, "requests", "What partitions ask for their VFs",
                          "  lparctl iov requests\n  lparctl iov requests -j",
                          [&context] { managed(context, [&] { requests(context); }); });
    leaf = add_leaf(
        group, context, "grant", "Carry out what a partition asks for", "  lparctl iov grant 7",
        [&context, options] { managed(context, [&] { answer(context, *options, true); }); });
    leaf->add_option("REQUEST", options->ids, "Its number")
        ->required()
        ->transform(whole_number(0, most_64));
    leaf = add_leaf(group, context, "refuse", "Refuse it",
                    "  lparctl iov refuse 7 --reason \"ask again on Monday\"", [&context, options] {
                        managed(context, [&] { answer(context, *options, false); });
                    });
    leaf->add_option("REQUEST", options->ids, "Its number")
        ->required()
        ->transform(whole_number(0, most_64));
    leaf->add_option("--reason", options->reason, "What the partition is told");
    if (context.is_remote)
        return; // the rest is no business of the management partition's
    leaf = add_leaf(group, context, "ask", "In a guest: ask the host to change a VF",
                    "  lparctl iov ask\n"
                    "  lparctl iov ask 0000:01:10.0 mac=52:54:00:12:34:56 vlan=7\n"
                    "  lparctl iov ask 0000:01:00.1 queues=2 --timeout 60",
                    [&context, options] { ask(context, *options); });
    leaf->add_option(
        "VF|REQUEST", options->words,
        "The VF as the host calls it; mac=, vlan=, mtu=, rate= (NIC), queues=, attach=, "
        "detach= (NVMe), reset");
    leaf->add_option("--timeout", options->timeout,
                     "Withdraw it after so many seconds (default: wait)")
        ->transform(whole_number(1, 1000000));
    leaf = add_leaf(group, context, "serve",
                    "Carry out what policies allow, and serve the management partition",
                    "  lparctl iov serve\n  systemctl enable --now lpar-iov",
                    [&context, options] { serve(context, *options); });
    leaf->add_flag("--once", options->once, "Do what there is to do, and end");
}

} // namespace lpar
