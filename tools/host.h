// SPDX-License-Identifier: GPL-2.0
// The machine as the tool sees it: files below a root, the probe ioctl, other programs, time.
// Everything else in the tool reaches the kernel through this class, so a test can put a tree of
// plain files (and, by overriding, a misbehaving kernel) in its place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct lpar_probe;

namespace lpar {

class Desk;
class Mailboxes;

// What a program said and how it ended; status is -1 if it could not be run or took too long.
struct RunResult {
    int status = -1;
    std::string output;
};

class Host {
  public:
    // @root stands in front of every path: "/" for this machine.
    explicit Host(const std::string &root);
    virtual ~Host() = default;
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;

    bool is_real() const { return root_.empty(); }

    // A whole file without the white space at its end; nothing if it cannot be read.
    std::optional<std::string> read(const std::string &path) const;
    // The same, to the byte.
    std::optional<std::string> read_exact(const std::string &path) const;
    std::optional<uint64_t> read_number(const std::string &path) const;
    bool exists(const std::string &path) const;
    bool is_directory(const std::string &path) const;
    std::optional<uint64_t> inode(const std::string &path) const;
    // Names in a directory in natural order (d2 before d10); empty if there is none.
    std::vector<std::string> list(const std::string &path) const;
    // The path with all links followed, without the root; nothing if it does not exist.
    std::optional<std::string> resolve(const std::string &path) const;
    // The kernel's name ("nvme0n1p1") for a block device given by any path.
    std::optional<std::string> block_name(const std::string &path) const;

    // These return 0 or an errno. write() is one write(2) to a file that exists.
    [[nodiscard]] virtual int write(const std::string &path, const std::string &text);
    [[nodiscard]] virtual int make_directory(const std::string &path);
    [[nodiscard]] virtual int remove_directory(const std::string &path);
    // LPAR_PROBE; the caller fills in the path.
    [[nodiscard]] virtual int probe(lpar_probe &probe);

    // Where partitions' requests are (throws Failure); and, in a guest, where they are made:
    // nothing elsewhere.
    virtual std::unique_ptr<Desk> open_desk();
    virtual std::unique_ptr<Mailboxes> open_mailboxes();

    virtual bool is_privileged() const;
    virtual RunResult run(const std::vector<std::string> &arguments) const;
    // Runs a program at our own terminal, where Ctrl-C is for it alone. Its exit status, or 128 and
    // the signal that ended it. Throws Failure if it cannot be run.
    virtual int attend(const std::vector<std::string> &arguments) const;
    // Where a program is, as execvp would find it.
    virtual std::optional<std::string> find_program(const std::string &name) const;
    // Seconds since some start.
    virtual double now() const;
    virtual void sleep(double seconds);

    // Where a path is, for those who need more than the above.
    std::string real_path(const std::string &path) const { return root_ + path; }

  private:
    std::string root_; // canonical, without a final slash
};

// "d2" < "d10", as people count.
bool natural_less(std::string_view a, std::string_view b);

// The last element of a path.
std::string base_name(std::string_view path);

} // namespace lpar
