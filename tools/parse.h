// SPDX-License-Identifier: GPL-2.0
// What people type: sizes, times, names. All throw UsageError with the text that was wrong.
#pragma once

#include <cstdint>
#include <string>

namespace lpar {

constexpr uint64_t sector_bytes = 512;

// "512", "512M", "2G": bytes; suffixes K M G T P E are powers of 1024, lower case too, "B" and
// "iB" may follow. With @sectors, "2048s" is so many sectors of 512 bytes.
uint64_t parse_size(const std::string &text, bool sectors = false);

// "500us", "1ms", "2s"; a plain number is microseconds.
uint64_t parse_microseconds(const std::string &text);

// The same for a quantum, which has limits.
uint64_t parse_quantum(const std::string &text);

// A user's name or number.
uint32_t parse_user(const std::string &text);
std::string user_name(uint64_t uid);

// A name for something new: letters, digits, ".", "_", "-"; it begins with a letter or a digit.
void check_new_name(const std::string &what, const std::string &name);
// A name to look up: anything that cannot be a path.
void check_name(const std::string &what, const std::string &name);
// A serial number: at most 20 visible ASCII characters.
void check_serial(const std::string &serial);
// "52:54:00:12:34:56", of one NIC; in lower case.
std::string parse_mac(const std::string &text);
// Where a monitor listens: an absolute path that a socket can have; empty: nowhere.
std::string parse_socket(const std::string &text);

} // namespace lpar
