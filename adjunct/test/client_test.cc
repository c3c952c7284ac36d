// SPDX-License-Identifier: GPL-2.0
// The client library and the program, with a kernel that is none: it checks as the driver does,
// and has the image "checksum" behind it.
#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <pthread.h>
#include <sstream>

#include "checksum.hh"
#include "run.hh"
#include "shim.hh"

// Threads can be made until they are used up.
static int threads_to_be_had = INT_MAX;

extern "C" int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                              void *(*start)(void *), void *argument) noexcept {
    static auto *real = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, __func__));
    return threads_to_be_had-- > 0 ? real(thread, attributes, start, argument) : EAGAIN;
}

namespace lpar {
namespace {

using testing::HasSubstr;

class Kernel {
  public:
    lpar_adjunct_create created{};
    int refuse_own = 0;
    uint32_t pages = 5; // of "checksum", which has
    uint32_t flags = 0;
    unsigned calls = 0;
    unsigned batches = 0;
    unsigned destroyed = 0;
    int polls_until_done = 0;
    int fail_poll = 0;
    int fail = 0;   // the errno of whatever serves
    int refuse = 0; // CREATE
    std::vector<lpar_adjunct_device> devices;
    lpar_adjunct_state_info report{};

    int operator()(unsigned long command, void *argument) {
        std::lock_guard guard(lock_);
        switch (command) {
        case LPAR_ADJUNCT_IOC_CREATE:
            created = *static_cast<lpar_adjunct_create *>(argument);
            if (created.own_bytes != 0)
                return take_own();
            return std::string(created.image) == "absent" ? ENOENT : refuse;
        case LPAR_ADJUNCT_IOC_QUERY: {
            auto &query = *static_cast<lpar_adjunct_query *>(argument);
            if (query.pages != 0 || query.flags != 0)
                return EINVAL;
            if (std::string(query.image) != "checksum")
                return std::string(query.image) == "broken" ? EIO : ENOENT;
            query.pages = pages;
            query.flags = flags;
            return 0;
        }
        case LPAR_ADJUNCT_IOC_CALL:
            calls++;
            return serve(static_cast<lpar_adjunct_call *>(argument), 1);
        case LPAR_ADJUNCT_IOC_BATCH: {
            auto &batch = *static_cast<lpar_adjunct_batch *>(argument);
            batches++;
            return serve(reinterpret_cast<lpar_adjunct_call *>(batch.calls), batch.count);
        }
        case LPAR_ADJUNCT_IOC_SUBMIT:
            submitted_ = *static_cast<lpar_adjunct_batch *>(argument);
            return fail;
        case LPAR_ADJUNCT_IOC_POLL:
            if (fail_poll != 0)
                return fail_poll;
            if (submitted_.count == 0)
                return ENODATA;
            if (polls_until_done-- > 0)
                return EAGAIN;
            return serve(reinterpret_cast<lpar_adjunct_call *>(submitted_.calls),
                         std::exchange(submitted_.count, 0));
        case LPAR_ADJUNCT_IOC_DEVICE: {
            auto &device = *static_cast<lpar_adjunct_device *>(argument);
            if (device.index >= devices.size())
                return ENXIO;
            uint32_t index = device.index;
            device = devices[index];
            return 0;
        }
        case LPAR_ADJUNCT_IOC_REPORT:
            *static_cast<lpar_adjunct_state_info *>(argument) = report;
            return 0;
        case LPAR_ADJUNCT_IOC_DESTROY:
            destroyed++;
            return 0;
        default:
            ADD_FAILURE() << "unknown ioctl";
            return ENOTTY;
        }
    }

    std::string own; // the image that was brought

  private:
    int take_own() {
        own.assign(reinterpret_cast<const char *>(created.own), created.own_bytes);
        return created.image[0] != 0 ? EINVAL : refuse_own;
    }

    int serve(lpar_adjunct_call *calls, uint32_t count) {
        if (fail != 0)
            return fail;
        if (count == 0 || count > LPAR_ADJUNCT_BATCH_MAX)
            return EINVAL;
        size_t used = 0;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t bytes : {calls[i].in_len, calls[i].out_len})
                used += (bytes + 63) / 64 * 64;
        }
        if (used > LPAR_ADJUNCT_ROOM)
            return E2BIG;
        for (uint32_t i = 0; i < count; i++) {
            const auto *in = reinterpret_cast<const std::byte *>(calls[i].in);
            auto out =
                shim_.call(calls[i].op, {in, calls[i].in_len}, calls[i].out_len, &calls[i].status);
            calls[i].bytes = static_cast<uint32_t>(out.size());
            if (!out.empty())
                std::memcpy(reinterpret_cast<void *>(calls[i].out), out.data(), out.size());
        }
        return 0;
    }

    std::mutex lock_;
    Shim shim_;
    lpar_adjunct_batch submitted_{};
};

class Client : public testing::Test {
  protected:
    std::unique_ptr<Adjunct> make(const std::string &image = "checksum",
                                  const AdjunctOptions &options = {}) {
        return std::make_unique<Adjunct>(image, options, std::ref(kernel));
    }

    // lpar-adjunct, with @input on its standard input
    int run(std::vector<const char *> arguments, const std::string &input = "") {
        arguments.insert(arguments.begin(), "lpar-adjunct");
        std::istringstream in(input);
        out.str("");
        err.str("");
        AdjunctKernel with;
        with.make = [this](const std::string &image, const AdjunctOptions &options) {
            return make(image, options);
        };
        with.make_own = [this](AdjunctBytes image, const AdjunctOptions &options) {
            return std::make_unique<Adjunct>(image, options, std::ref(kernel));
        };
        with.query = [this](const std::string &image, const std::string &) {
            return Adjunct::query(image, std::ref(kernel));
        };
        with.devices = [this](const std::string &) { return Adjunct::devices(std::ref(kernel)); };
        return run_adjunct(static_cast<int>(arguments.size()), arguments.data(), in, out, err,
                           with);
    }

    Kernel kernel;
    std::ostringstream out;
    std::ostringstream err;
};

TEST_F(Client, Creates) {
    AdjunctOptions options;
    options.pages = 7;
    options.quantum = std::chrono::microseconds(300);
    options.timeout = std::chrono::seconds(2);
    options.afterwards = true;
    auto adjunct = make("checksum", options);
    EXPECT_STREQ(kernel.created.image, "checksum");
    EXPECT_EQ(kernel.created.pages, 7u);
    EXPECT_EQ(kernel.created.quantum_us, 300u);
    EXPECT_EQ(kernel.created.timeout_ms, 2000u);
    EXPECT_EQ(kernel.created.policy, static_cast<uint32_t>(LPAR_ADJUNCT_AFTERWARDS));
    adjunct.reset();
    EXPECT_EQ(kernel.destroyed, 1u);
    EXPECT_THROW(make(std::string(64, 'x')), std::system_error);
    EXPECT_THROW(make(""), std::system_error);
    EXPECT_THROW(make("absent"), std::system_error);
    EXPECT_NO_THROW(make(std::string(63, 'x')));
}

// No time becomes another one.
TEST_F(Client, TakesTimesThatFit) {
    using namespace std::chrono_literals;
    auto refused = [this](auto AdjunctOptions::*which, auto time) {
        AdjunctOptions options;
        options.*which = time;
        try {
            make("checksum", options);
            return 0;
        } catch (const std::system_error &error) {
            return error.code().value();
        }
    };
    EXPECT_EQ(refused(&AdjunctOptions::quantum, 2h), EINVAL);
    EXPECT_EQ(refused(&AdjunctOptions::quantum, -1us), EINVAL);
    EXPECT_EQ(refused(&AdjunctOptions::timeout, 4294967296ms), EINVAL);
    EXPECT_EQ(refused(&AdjunctOptions::timeout, -1ms), EINVAL);
    EXPECT_EQ(refused(&AdjunctOptions::quantum, 4294967295us), 0);
    EXPECT_EQ(kernel.created.quantum_us, UINT32_MAX);
    EXPECT_EQ(refused(&AdjunctOptions::timeout, 4294967295ms), 0);
    EXPECT_EQ(kernel.created.timeout_ms, UINT32_MAX);
}

TEST_F(Client, ListsDevices) {
    EXPECT_EQ(run({"devices"}), 0);
    EXPECT_EQ(out.str(), "");
    kernel.devices = {{0, 0x11e81234, 0xff00, 1 << 20, 0, {}},
                      {1, 0x00108086, 0x020000, 4096, LPAR_DEVICE_IN_USE, {}},
                      {2, 0x00108086, 0x020000, 4096, LPAR_DEVICE_IN_USE | LPAR_DEVICE_BROKEN, {}}};
    EXPECT_EQ(run({"devices"}), 0);
    EXPECT_EQ(out.str(), "0: 1234:11e8 class 00ff00, 1024 KiB of registers\n"
                         "1: 8086:0010 class 020000, 4 KiB of registers, in use\n"
                         "2: 8086:0010 class 020000, 4 KiB of registers, broken\n");
    // a kernel that never ends
    kernel.devices.resize(100);
    EXPECT_EQ(Adjunct::devices(std::ref(kernel)).size(), static_cast<size_t>(LPAR_DEVICES_MAX));
}

TEST_F(Client, DonatesADevice) {
    EXPECT_EQ(run({"call", "checksum", "1"}, "123456789"), 0);
    EXPECT_EQ(kernel.created.device, 0u);
    EXPECT_EQ(run({"call", "checksum", "1", "--pci", "0"}, "123456789"), 0);
    EXPECT_EQ(kernel.created.device, 1u);
    EXPECT_EQ(run({"call", "checksum", "1", "--pci", "8"}, "123456789"), 2);
    kernel.refuse = EINVAL;
    EXPECT_EQ(run({"call", "checksum", "1", "--pci", "7"}, "123456789"), 1);
    EXPECT_THAT(err.str(), HasSubstr("does the image drive device 7"));
    kernel.refuse = EBUSY;
    EXPECT_EQ(run({"call", "checksum", "1", "--pci", "7"}, "123456789"), 1);
    EXPECT_THAT(err.str(), HasSubstr("another adjunct has the device"));
}

TEST_F(Client, Calls) {
    auto adjunct = make();
    auto reply = adjunct->call(checksum::crc32c, bytes_of("123456789"), 64);
    EXPECT_EQ(reply.status, static_cast<uint32_t>(LPAR_OK));
    EXPECT_EQ(to_hex(reply.out), "e3069283");
    reply = adjunct->call(99, {}, 4);
    EXPECT_EQ(reply.status, static_cast<uint32_t>(LPAR_NOSYS));
    EXPECT_TRUE(reply.out.empty());
}

// More than fits is done in as few batches as it takes, in order.
TEST_F(Client, Batches) {
    auto adjunct = make();
    std::vector<std::vector<std::byte>> data;
    std::vector<AdjunctRequest> requests;
    for (size_t i = 0; i < 70; i++)
        data.emplace_back(i * 37);
    for (const auto &bytes : data)
        requests.push_back({checksum::crc32c, bytes, 4});
    auto replies = adjunct->call(requests);
    ASSERT_EQ(replies.size(), requests.size());
    EXPECT_EQ(kernel.batches, 3u);
    for (size_t i = 0; i < replies.size(); i++)
        EXPECT_EQ(std::stoul(to_hex(replies[i].out), nullptr, 16), checksum::crc32c_of(data[i]));
    std::vector<std::byte> big(LPAR_ADJUNCT_ROOM - 64);
    for (auto &request : requests)
        request.in = big;
    kernel.batches = 0;
    EXPECT_EQ(adjunct->call(requests).size(), requests.size());
    EXPECT_EQ(kernel.batches, requests.size());
    std::vector<std::byte> bigger(LPAR_ADJUNCT_ROOM - 63);
    requests[1].in = bigger;
    try {
        adjunct->call(requests);
        FAIL();
    } catch (const std::system_error &error) {
        EXPECT_EQ(error.code().value(), E2BIG);
    }
    EXPECT_TRUE(adjunct->call(std::span<const AdjunctRequest>{}).empty());
}

TEST_F(Client, SubmitsAndPolls) {
    auto adjunct = make();
    auto data = bytes_of("abc");
    std::vector<AdjunctRequest> requests(3, {checksum::sha256, data, 32});
    kernel.polls_until_done = 2;
    adjunct->submit(requests);
    EXPECT_THROW(adjunct->submit(requests), std::system_error);
    EXPECT_FALSE(adjunct->poll());
    EXPECT_FALSE(adjunct->poll());
    auto replies = adjunct->poll();
    ASSERT_TRUE(replies);
    ASSERT_EQ(replies->size(), 3u);
    EXPECT_EQ(to_hex((*replies)[2].out),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_THROW(adjunct->poll(), std::system_error);
    adjunct->submit(requests);
    EXPECT_TRUE(adjunct->poll());
}

// What the kernel still has stays where it will write to.
TEST_F(Client, PollsAgainAfterAnInterruption) {
    auto adjunct = make();
    auto data = bytes_of("abc");
    AdjunctRequest request{checksum::sha256, data, 32};
    adjunct->submit({&request, 1});
    kernel.fail_poll = EINTR;
    EXPECT_THROW(adjunct->poll(), std::system_error);
    kernel.fail_poll = 0;
    EXPECT_THROW(adjunct->submit({&request, 1}), std::system_error);
    auto replies = adjunct->poll();
    ASSERT_TRUE(replies);
    EXPECT_EQ(replies->at(0).out.size(), 32u);
}

TEST_F(Client, Dies) {
    auto adjunct = make();
    kernel.fail = EOWNERDEAD;
    kernel.report.reason = LPAR_ADJUNCT_FAULT;
    kernel.report.vector = 14;
    kernel.report.error = 6;
    kernel.report.address = 0x12345678;
    kernel.report.rip = 0x400123;
    try {
        adjunct->call(1, {}, 4);
        FAIL();
    } catch (const AdjunctDied &death) {
        EXPECT_STREQ(death.what(), "the adjunct has died: page fault at 0x12345678, error code "
                                   "0x6, rip 0x400123");
        EXPECT_EQ(death.report.rip, 0x400123u);
    }
    kernel.report.reason = LPAR_ADJUNCT_EXIT;
    EXPECT_EQ(describe(kernel.report), "it ended itself with code 6");
    kernel.report.reason = LPAR_ADJUNCT_FAULT;
    kernel.report.vector = 6;
    EXPECT_THAT(describe(kernel.report), HasSubstr("invalid opcode, "));
    kernel.report.vector = 77;
    EXPECT_THAT(describe(kernel.report), HasSubstr("unknown exception"));
}

// -------------------------------------------------------------------------------- program

TEST_F(Client, ProgramSums) {
    EXPECT_EQ(run({"call", "checksum", "1"}, "123456789"), 0);
    EXPECT_EQ(out.str(), "e3069283  -\n");
    EXPECT_EQ(run({"call", "checksum", "1", "--raw"}, "123456789"), 0);
    EXPECT_EQ(out.str(), "\xe3\x06\x92\x83");
    EXPECT_EQ(run({"call", "checksum", "1", "--submit"}, "123456789"), 0);
    EXPECT_EQ(out.str(), "e3069283  -\n");
    EXPECT_EQ(run({"call", "checksum", "1", "--repeat", "3", "--threads", "4"}, "123456789"), 0);
    EXPECT_EQ(out.str(), "e3069283  -\n");
    EXPECT_EQ(kernel.calls, 2u + 12u);
}

TEST_F(Client, ProgramTakesFiles) {
    std::string one = testing::TempDir() + "one";
    std::string two = testing::TempDir() + "two";
    std::ofstream(one) << "abc";
    std::ofstream(two) << "";
    EXPECT_EQ(run({"call", "checksum", "2", one.c_str(), two.c_str()}), 0);
    EXPECT_EQ(kernel.batches, 1u);
    EXPECT_EQ(out.str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  " +
                             one + "\n" +
                             "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  " +
                             two + "\n");
}

// What is wrong with a file is not blamed on the device.
TEST_F(Client, ProgramNamesTheFile) {
    std::string folder = testing::TempDir() + "image folder";
    std::string missing = testing::TempDir() + "image missing";
    std::filesystem::create_directory(folder);
    for (bool own : {false, true}) {
        auto with = [&](const std::string &file) {
            return own ? run({"call", file.c_str(), "1", "--own"})
                       : run({"call", "checksum", "1", file.c_str()});
        };
        EXPECT_EQ(with(missing), 1);
        EXPECT_EQ(err.str(), "lpar-adjunct: " + missing + ": No such file or directory\n");
        EXPECT_EQ(with(folder), 1);
        EXPECT_EQ(err.str(), "lpar-adjunct: " + folder + ": Is a directory\n");
    }
}

TEST_F(Client, ProgramSaysWhatIsTooMuch) {
    EXPECT_EQ(run({"call", "checksum", "1"}, std::string(LPAR_ADJUNCT_ROOM - 64, 'x')), 0);
    EXPECT_EQ(run({"call", "checksum", "1"}, std::string(LPAR_ADJUNCT_ROOM - 63, 'x')), 1);
    EXPECT_THAT(err.str(), HasSubstr(": 61440 bytes is the most"));
    std::vector<const char *> arguments(3 + LPAR_ADJUNCT_BATCH_MAX, "/dev/null");
    std::copy_n(std::array{"call", "checksum", "1"}.begin(), 3, arguments.begin());
    arguments.push_back("--submit");
    EXPECT_EQ(run(arguments), 0);
    arguments.push_back("/dev/null");
    EXPECT_EQ(run(arguments), 2);
    EXPECT_THAT(err.str(), HasSubstr("at most 32 files"));
    // pages are not to blame for what comes after CREATE
    kernel.fail = EINVAL;
    EXPECT_EQ(run({"call", "checksum", "1"}), 1);
    EXPECT_THAT(err.str(), testing::Not(HasSubstr("pages")));
    kernel.refuse = EINVAL;
    EXPECT_EQ(run({"call", "checksum", "1"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("are 16 pages enough?"));
}

TEST_F(Client, ProgramSaysWhatIsWrong) {
    EXPECT_EQ(run({"call", "absent", "1"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("the host has no such image"));
    EXPECT_EQ(run({"call", "checksum", "9"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("no such operation"));
    EXPECT_EQ(run({"call", "checksum", "2", "--room", "3"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("not enough room"));
    EXPECT_EQ(run({"call", "checksum"}), 2);
    EXPECT_EQ(run({"call", "checksum", "1", "--pages", "0"}), 2);
    EXPECT_EQ(run({"call", "checksum", "1", "--submit", "--threads", "2"}), 2);
    EXPECT_EQ(run({}), 2);
    kernel.fail = ENODEV;
    EXPECT_EQ(run({"call", "checksum", "1"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("reset or removed"));
    kernel.fail = EOWNERDEAD;
    kernel.report.reason = LPAR_ADJUNCT_FAULT;
    kernel.report.vector = 6;
    kernel.report.gpr[3] = 0x600df00d;
    EXPECT_EQ(run({"call", "checksum", "1"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("invalid opcode"));
    EXPECT_THAT(err.str(), HasSubstr("rbx 00000000600df00d"));
    err.str("");
    kernel.report.reason = LPAR_ADJUNCT_EXIT;
    EXPECT_EQ(run({"call", "checksum", "1"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("ended itself"));
    EXPECT_THAT(err.str(), testing::Not(HasSubstr("rbx")));
}

TEST_F(Client, ProgramOutlivesALackOfThreads) {
    threads_to_be_had = 1;
    EXPECT_EQ(run({"call", "checksum", "1", "--threads", "4"}, "123456789"), 1);
    threads_to_be_had = INT_MAX;
    EXPECT_THAT(err.str(), HasSubstr("thread 3 of 4 could not be made"));
}

TEST_F(Client, ProgramBringsItsOwn) {
    std::string image = testing::TempDir() + "image";
    std::ofstream(image) << "an image";
    EXPECT_EQ(run({"call", image.c_str(), "1", "--own"}, "123456789"), 0);
    EXPECT_EQ(out.str(), "e3069283  -\n");
    EXPECT_EQ(kernel.own, "an image");
    EXPECT_STREQ(kernel.created.image, "");
    kernel.refuse_own = EPERM;
    EXPECT_EQ(run({"call", image.c_str(), "1", "--own"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("this partition may bring no images"));
    kernel.refuse_own = EINVAL;
    EXPECT_EQ(run({"call", image.c_str(), "1", "--own"}), 1);
    EXPECT_THAT(err.str(), HasSubstr("is it an image"));
    std::ofstream(image, std::ios::trunc) << "";
    EXPECT_EQ(run({"call", image.c_str(), "1", "--own"}), 1);
}

TEST_F(Client, ProgramAsks) {
    EXPECT_EQ(run({"query", "checksum"}), 0);
    EXPECT_EQ(out.str(), "checksum: 5 pages\n");
    kernel.flags = LPAR_ADJUNCT_SHARES;
    EXPECT_EQ(run({"query", "checksum"}), 0);
    EXPECT_EQ(out.str(), "checksum: 5 pages, and the host's text\n");
    EXPECT_EQ(run({"query", "absent"}), 3);
    EXPECT_THAT(err.str(), HasSubstr("no image \"absent\""));
    EXPECT_EQ(run({"query", "broken"}), 1);
    EXPECT_EQ(run({"query", std::string(64, 'x').c_str()}), 1);
    EXPECT_EQ(run({"query"}), 2);
    EXPECT_EQ(kernel.calls, 0u);
}

TEST_F(Client, ProgramHelps) {
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("lpar-adjunct call checksum"));
    EXPECT_EQ(run({"call", "--help"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("--quantum"));
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_THAT(out.str(), HasSubstr("lpar-adjunct "));
}

} // namespace
} // namespace lpar
