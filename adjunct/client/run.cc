// SPDX-License-Identifier: GPL-2.0
#include "run.hh"

#include <CLI/CLI.hpp>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <poll.h>
#include <thread>

namespace lpar {

namespace {

constexpr auto footer = R"(Examples:
  lpar-adjunct call checksum 2 /etc/motd          SHA-256 of a file
  echo -n 123456789 | lpar-adjunct call checksum 1
  lpar-adjunct call keykeeper 1 letter --raw >letter.mac
  lpar-adjunct call checksum 1 a b c --quantum 500 --stats
  lpar-adjunct call ./mine.image 1 a --own
  lpar-adjunct query checksum || sha256sum a

The image is one that the host's administrator has registered (lparctl adjunct list), or a file;
what its operations are is the image's own. Each FILE is a request, of at most 60 KiB with the room
for its answer. Up to 32, of 60 KiB together, are one batch; more are several, but with --submit one
has to do. Exit status: 0 done, 1 failed, or the image said no, 2 not understood, 3 the host has no
such image.)";

struct Options {
    std::string image;
    uint32_t op = 0;
    std::vector<std::string> files;
    uint32_t room = 64;
    uint32_t quantum = 0;
    uint32_t timeout = 0;
    unsigned repeat = 1;
    unsigned threads = 1;
    bool raw = false;
    bool submit = false;
    bool stats = false;
    bool own = false;
    AdjunctOptions adjunct;
};

using Bytes = std::vector<std::byte>;

// No system_error: advice() is about the device's.
[[noreturn]] void unreadable(const std::string &name) {
    throw std::runtime_error(name + ": " + std::strerror(errno));
}

Bytes read_all(std::istream &in, const std::string &name) {
    std::array<char, 65536> part{};
    Bytes all;
    while (in) {
        in.read(part.data(), part.size());
        auto bytes = std::as_bytes(std::span(part).first(in.gcount()));
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    if (in.bad())
        unreadable(name);
    return all;
}

Bytes read_file(const std::string &name) {
    std::ifstream file(name, std::ios::binary);
    if (!file)
        unreadable(name);
    return read_all(file, name);
}

std::vector<Bytes> inputs(const Options &options, std::istream &in) {
    std::vector<Bytes> all;
    for (const auto &name : options.files)
        all.push_back(name == "-" ? read_all(in, "standard input") : read_file(name));
    return all;
}

// The same as a call, but what to do while there is no answer is decided here: go on.
std::vector<AdjunctReply> submit_and_poll(Adjunct &adjunct,
                                          std::span<const AdjunctRequest> requests) {
    adjunct.submit(requests);
    for (;;) {
        if (adjunct.file() >= 0) {
            pollfd wanted{adjunct.file(), POLLIN | POLLPRI, 0};
            if (::poll(&wanted, 1, -1) < 0 && errno != EINTR)
                throw std::system_error(errno, std::generic_category(), "poll");
        }
        if (auto replies = adjunct.poll())
            return *std::move(replies);
    }
}

bool same(const std::vector<AdjunctReply> &left, const std::vector<AdjunctReply> &right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const AdjunctReply &l, const AdjunctReply &r) {
                          return l.status == r.status && l.out == r.out;
                      });
}

std::vector<AdjunctReply> serve(Adjunct &adjunct, const Options &options,
                                std::span<const AdjunctRequest> requests) {
    std::vector<AdjunctReply> first;
    for (unsigned i = 0; i < options.repeat; i++) {
        auto replies = options.submit         ? submit_and_poll(adjunct, requests)
                       : requests.size() == 1 ? std::vector{adjunct.call(requests[0])}
                                              : adjunct.call(requests);
        if (i == 0)
            first = std::move(replies);
        else if (!same(first, replies))
            throw std::runtime_error("the same requests were answered differently");
    }
    return first;
}

// All threads have the same to ask, and must hear the same.
std::vector<AdjunctReply> serve_all(Adjunct &adjunct, const Options &options,
                                    std::span<const AdjunctRequest> requests) {
    std::mutex lock;
    std::exception_ptr failure;
    std::vector<std::vector<AdjunctReply>> results(options.threads);
    std::vector<std::jthread> threads;
    auto run = [&](unsigned n) {
        try {
            results[n] = serve(adjunct, options, requests);
        } catch (...) {
            std::lock_guard guard(lock);
            if (!failure)
                failure = std::current_exception();
        }
    };
    try {
        for (unsigned n = 1; n < options.threads; n++)
            threads.emplace_back(run, n);
    } catch (const std::system_error &error) {
        adjunct.destroy(); // so that the others end
        throw std::runtime_error(fmt::format("thread {} of {} could not be made: {}",
                                             threads.size() + 2, options.threads,
                                             error.code().message()));
    }
    run(0);
    threads.clear();
    if (failure)
        std::rethrow_exception(failure);
    for (const auto &result : results) {
        if (!same(result, results[0]))
            throw std::runtime_error("the same requests were answered differently");
    }
    return results[0];
}

void print_registers(const AdjunctReport &report, std::ostream &err) {
    constexpr std::array names = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    for (size_t i = 0; i < names.size(); i++)
        err << fmt::format("{}{:>4} {:016x}", i % 4 == 0 ? "  " : " ", names[i], report.gpr[i])
            << (i % 4 == 3 ? "\n" : "");
    err << fmt::format("   rip {:016x}  rflags {:016x}\n", report.rip, report.rflags);
}

// What is to be done about it.
std::string advice(const std::system_error &error, const Options &options) {
    switch (error.code().value()) {
    case ENOENT:
        if (std::string(error.what()).starts_with("image \""))
            return ": the host has no such image (lparctl adjunct list)";
        return ": is lpar_guest loaded, and may this partition have adjuncts "
               "(lparctl partition create --adjuncts)?";
    case EPERM:
    case EACCES:
        return ": this needs root, or access to " + options.adjunct.device;
    case E2BIG:
        return fmt::format(": {} bytes is the most for input and room for the answer{}",
                           LPAR_ADJUNCT_ROOM, options.submit ? ", all requests together" : "");
    case ENODEV:
        return ": the device was reset or removed";
    default:
        return "";
    }
}

// And while there is no adjunct yet.
std::string advice_on_create(const std::system_error &error, const Options &options) {
    switch (error.code().value()) {
    case EPERM:
        if (options.own)
            return ": this partition may bring no images (lparctl partition create --own-images)";
        break;
    case EBUSY:
        return ": another adjunct has the device";
    case EINVAL:
        if (options.adjunct.pci != 0)
            return ": does the image drive device " + std::to_string(options.adjunct.pci - 1) +
                   " (lpar-adjunct devices)?";
        return fmt::format("{}: are {} pages enough? See --pages",
                           options.own ? ": is it an image (SDK)" : "", options.adjunct.pages);
    case ENOSPC:
        return ": the partition may not have more adjuncts";
    default:
        break;
    }
    return advice(error, options);
}

std::unique_ptr<Adjunct> make(const Options &options, const AdjunctKernel &kernel) {
    Bytes own = options.own ? read_file(options.image) : Bytes{};
    try {
        return options.own ? kernel.make_own(AdjunctBytes{own}, options.adjunct)
                           : kernel.make(options.image, options.adjunct);
    } catch (const std::system_error &error) {
        throw std::runtime_error(error.what() + advice_on_create(error, options));
    }
}

int call(const Options &options, std::istream &in, std::ostream &out, std::ostream &err,
         const AdjunctKernel &kernel) {
    auto data = inputs(options, in);
    std::vector<AdjunctRequest> requests;
    requests.reserve(data.size());
    for (const auto &bytes : data)
        requests.push_back({options.op, bytes, options.room});
    auto adjunct = make(options, kernel);
    auto replies = serve_all(*adjunct, options, requests);
    int status = 0;
    for (size_t i = 0; i < replies.size(); i++) {
        const auto &reply = replies[i];
        if (reply.status != LPAR_OK) {
            err << fmt::format("lpar-adjunct: {}: {}\n", options.files[i],
                               status_name(reply.status));
            status = 1;
        } else if (options.raw) {
            out.write(reinterpret_cast<const char *>(reply.out.data()),
                      static_cast<std::streamsize>(reply.out.size()));
        } else {
            for (std::byte byte : reply.out)
                out << fmt::format("{:02x}", std::to_integer<unsigned>(byte));
            out << "  " << options.files[i] << '\n';
        }
    }
    if (options.stats) {
        AdjunctReport report = adjunct->report();
        err << fmt::format("slot {}: {} donations, {} ended by the quantum, {} interrupts\n",
                           report.slot, report.runs, report.busy, report.interrupts);
    }
    return status;
}

int query(const Options &options, std::ostream &out, std::ostream &err,
          const AdjunctKernel &kernel) {
    auto image = kernel.query(options.image, options.adjunct.device);
    if (!image) {
        err << fmt::format("lpar-adjunct: the host has no image \"{}\"\n", options.image);
        return 3;
    }
    out << fmt::format("{}: {} pages{}\n", options.image, image->pages,
                       image->shared ? ", and the host's text" : "");
    return 0;
}

int devices(const Options &options, std::ostream &out, const AdjunctKernel &kernel) {
    size_t index = 0;
    for (const auto &device : kernel.devices(options.adjunct.device)) {
        out << fmt::format("{}: {:04x}:{:04x} class {:06x}, {} KiB of registers{}\n", index++,
                           device.vendor, device.device, device.pci_class, device.bytes / 1024,
                           device.broken   ? ", broken"
                           : device.in_use ? ", in use"
                                           : "");
    }
    return 0;
}

} // namespace

int run_adjunct(int argc, const char *const *argv, std::istream &in, std::ostream &out,
                std::ostream &err, const AdjunctKernel &kernel) {
    CLI::App app("Calls services that run on this guest's memory and time, isolated from it.",
                 "lpar-adjunct");
    Options options;
    app.footer(footer);
    app.set_version_flag("-V,--version", "lpar-adjunct " LPAR_ADJUNCT_VERSION);
    app.require_subcommand(1);
    auto *leaf = app.add_subcommand("call", "Make an adjunct, send it requests, print the answers");
    leaf->footer(footer);
    leaf->add_option("IMAGE", options.image, "The image's name on the host")->required();
    leaf->add_option("OP", options.op, "The operation, a number of the image's")->required();
    leaf->add_option("FILE", options.files, "Input; - is standard input (default: -)");
    leaf->add_option("--room", options.room, "Bytes of room for each answer (default: 64)")
        ->check(CLI::Range(0, LPAR_ADJUNCT_ROOM));
    leaf->add_option("--pages", options.adjunct.pages, "4 KiB pages to donate (default: 16)")
        ->check(CLI::Range(1u, static_cast<unsigned>(LPAR_ADJUNCT_PAGES_MAX)));
    leaf->add_option("--quantum", options.quantum,
                     "Longest donation, in microseconds (default: the host's limit)");
    leaf->add_option("--timeout", options.timeout,
                     "Longest call, in milliseconds (default: for ever)");
    leaf->add_flag("--afterwards", options.adjunct.afterwards,
                   "When a quantum ends, let everybody else have a turn first");
    leaf->add_flag("--submit", options.submit, "Submit and poll instead of waiting");
    leaf->add_option("--repeat", options.repeat, "Ask so many times (default: 1)")
        ->check(CLI::Range(1, 1000000000));
    leaf->add_option("--threads", options.threads, "In so many threads at once (default: 1)")
        ->check(CLI::Range(1, 1024));
    leaf->add_flag("--raw", options.raw, "The answers as they are, not in hexadecimal");
    leaf->add_flag("--stats", options.stats, "Say how many donations it took");
    leaf->add_flag("--own", options.own, "IMAGE is a file of this guest's own");
    std::optional<uint32_t> pci;
    leaf->add_option("--pci", pci, "Donate this device of `lpar-adjunct devices`, which it drives")
        ->check(CLI::Range(0, LPAR_DEVICES_MAX - 1));
    auto *asking = app.add_subcommand("query", "Say whether the host has an image, or exit with 3");
    asking->footer(footer);
    asking->add_option("IMAGE", options.image, "The image's name on the host")->required();
    auto *listing = app.add_subcommand("devices", "List the PCI devices that an image may drive");
    listing->footer(footer);
    for (auto *command : {leaf, asking, listing})
        command->add_option("--device", options.adjunct.device,
                            "The device (default: " LPAR_ADJUNCT_DEVICE ")");
    try {
        app.parse(argc, argv);
        if (asking->parsed())
            return query(options, out, err, kernel);
        if (listing->parsed())
            return devices(options, out, kernel);
        options.adjunct.pci = pci ? *pci + 1 : 0;
        if (options.files.empty())
            options.files = {"-"};
        if (options.submit && options.threads > 1)
            throw CLI::ValidationError("--submit goes with one thread");
        if (options.submit && options.files.size() > LPAR_ADJUNCT_BATCH_MAX)
            throw CLI::ValidationError(
                fmt::format("--submit takes at most {} files", LPAR_ADJUNCT_BATCH_MAX));
        options.adjunct.quantum = std::chrono::microseconds(options.quantum);
        options.adjunct.timeout = std::chrono::milliseconds(options.timeout);
        int status = call(options, in, out, err, kernel);
        out.flush();
        if (!out)
            throw std::runtime_error("the answer could not be written");
        return status;
    } catch (const CLI::Success &help) {
        app.exit(help, out, err);
        return 0;
    } catch (const CLI::ParseError &error) {
        err << "lpar-adjunct: " << error.what() << ": see lpar-adjunct --help" << std::endl;
        return 2;
    } catch (const AdjunctDied &death) {
        err << "lpar-adjunct: " << death.what() << '\n';
        if (death.report.reason == LPAR_ADJUNCT_FAULT) // there are none otherwise
            print_registers(death.report, err);
        return 1;
    } catch (const std::system_error &error) {
        err << "lpar-adjunct: " << error.what() << advice(error, options) << std::endl;
        return 1;
    } catch (const std::exception &error) {
        err << "lpar-adjunct: " << error.what() << std::endl;
        return 1;
    }
}

} // namespace lpar
