// SPDX-License-Identifier: GPL-2.0
#include "iov_serve.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <sstream>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "iov_execute.h"
#include "iov_scan.h"
#include "iov_state.h"
#include "lpar/wire.h"

namespace lpar {

namespace {

constexpr size_t most_words = 64;

std::string answer_text(int status, const std::string &out, const std::string &err) {
    return Json{{"status", status}, {"out", out}, {"err", err}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

void iov_grant(Host &host, const IovAsked &asked) {
    IovState state(host);
    auto steps = iov_ask_steps(iov_snapshot(host, state.taken()), asked);
    if (asked.ask == LPAR_ASK_RESET)
        iov_reset(host, asked.vf);
    else
        iov_change(host, state, steps);
}

void iov_serve_once(Host &host, Desk &desk, std::ostream &log) {
    // one of each: whoever asks a lot does not keep the others waiting
    std::set<std::string> served;
    for (const auto &asked : desk.requests()) {
        if (!asked.allowed || asked.taken || served.contains(asked.partition))
            continue;
        auto text = desk.take(asked);
        if (!text)
            continue;
        served.insert(asked.partition);
        uint32_t status = LPAR_OK;
        std::string answer;
        std::string result = "done";
        if (asked.ask == 0) {
            answer = manage(host, *text);
        } else {
            try {
                iov_grant(host, asked);
            } catch (const Failure &failure) {
                status = LPAR_IOERR;
                answer = std::string(failure.what()).substr(0, LPAR_REASON_TEXT);
                result = "failed: " + answer;
            }
        }
        if (!desk.end(asked.id, status, answer))
            result += ", and nobody waits for it any more";
        log << printable(fmt::format("{}{}{}: {}: {}", asked.partition, asked.vf.empty() ? "" : " ",
                                     asked.vf, iov_ask_text(asked.ask, asked.value), result))
            << std::endl;
    }
}

std::string manage_question(const std::vector<std::string> &words) {
    return Json{{"arguments", words}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ManageAnswer manage_answer_of(const std::string &text) {
    try {
        Json json = Json::parse(text);
        return {json.at("status").get<int>(), json.at("out").get<std::string>(),
                json.at("err").get<std::string>()};
    } catch (const Json::exception &error) {
        throw Failure(std::string("the host's answer makes no sense: ") + error.what());
    }
}

std::string manage(Host &host, const std::string &question) {
    std::vector<std::string> words;
    try {
        words = Json::parse(question).at("arguments").get<std::vector<std::string>>();
    } catch (const Json::exception &error) {
        return answer_text(2, "", std::string("lparctl: not understood: ") + error.what() + "\n");
    }
    if (words.size() > most_words)
        return answer_text(2, "", "lparctl: too many arguments\n");
    std::vector<const char *> argv{"lparctl"};
    for (const auto &word : words)
        argv.push_back(word.c_str());
    std::ostringstream out;
    std::ostringstream err;
    int status = 1;
    try {
        status = run_command_line(static_cast<int>(argv.size()), argv.data(), host, out, err, false,
                                  true);
    } catch (const std::exception &error) {
        err << "lparctl: " << error.what() << '\n';
    }
    std::string text = answer_text(status, out.str(), err.str());
    if (text.size() > LPAR_MANAGE_TEXT)
        return answer_text(1, "", "lparctl: the answer is too long\n");
    return text;
}

} // namespace lpar
