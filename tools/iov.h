// SPDX-License-Identifier: GPL-2.0
// SR-IOV adapters and their virtual functions (VFs), and the way from what is to what is wanted:
// values only. Nothing here touches the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lpar {

enum class IovType { nvme, nic, other };

// "nvme", "nic", "other"
std::string iov_type_name(IovType type);

// A VF that exists, or would if all were made.
struct IovFunction {
    std::string address;
    bool exists = false;
    std::string driver;                  // empty: none
    std::string driver_override;         // empty: none
    std::string group;                   // its IOMMU group; empty: none
    std::vector<std::string> neighbours; // other devices in that group, bridges not counted
    std::string user;                    // who has it open; empty: nobody that is known
    // NVMe, from the secondary controller list
    uint32_t queues = 0; // flexible resources; the admin queue's is one of them
    uint32_t interrupts = 0;
    bool online = false;
    std::set<uint32_t> namespaces; // attached
    // NIC, as the PF driver has them; empty: it does not say
    std::string mac;
    std::string vlan;
    std::string rate; // Mbit/s, 0: no limit
    std::string trust;
    std::string spoofchk; // "on", "off"
};

struct IovNamespace {
    uint32_t id = 0;
    std::string device; // /dev/nvme0n1, if the adapter's own driver has it
    std::string in_use; // by the host: "mounted on /"; empty: it is not
};

// Who has an address on a NIC besides its VFs: the host, or a partition's NIC.
struct IovStation {
    std::string mac;
    std::string who;       // "the host", "nic web/n0"
    std::string partition; // of a NIC, and
    std::string primary;   // for which VF it stands by: that has the same address
};

// Flexible resources of an NVMe controller: its primary controller capabilities.
struct IovPool {
    uint32_t total = 0;
    uint32_t per_function = 0; // most for a VF
    uint32_t primary = 0;      // those that the adapter itself has
    uint32_t fixed = 0;        // what it has besides
    uint32_t step = 1;         // granularity
};

struct IovAdapter {
    std::string address;
    std::string driver; // of the physical function (PF); empty: none
    IovType type = IovType::other;
    std::string vf_device;          // "8086:10ca"
    std::string control;            // /dev/nvme0, or the network interface
    std::string control_error;      // why it does not answer
    std::vector<std::string> users; // what of lpar is on it: "disk web/d0"
    unsigned total = 0;
    unsigned enabled = 0;
    bool autoprobe = true;
    std::string group;
    std::vector<std::string> neighbours;
    std::string no_isolation; // why VFs would not be isolated from each other; empty: they are
    int node = -1;
    std::vector<IovFunction> vfs; // all of them, in order
    IovPool queues;               // NVMe
    IovPool interrupts;
    std::vector<IovNamespace> namespaces;
    unsigned nic_queues = 0; // NIC: of the PF
    std::string speed;       // NIC: Mbit/s
    std::vector<IovStation> stations;

    const IovFunction *vf(const std::string &vf_address) const;
    // Who has an address that @partition's @vf_address cannot have therefore; empty: nobody.
    std::string station(const std::string &mac, const std::string &partition,
                        const std::string &vf_address) const;
};

struct IovPartition {
    std::string name;
    std::optional<uint64_t> memory; // of its guest; nothing: not known
    bool has_mailboxes = false;     // the module knows them
    std::string qmp{};              // the monitor of its running guest; empty: for its next start
};

// What VFs are to be given; what is not said is left as it is, or is a fair share.
struct IovSettings {
    std::optional<uint32_t> queues; // NVMe: besides the admin queue
    std::optional<uint32_t> interrupts;
    std::set<uint32_t> namespaces;
    std::optional<std::string> mac; // NIC
    std::optional<uint32_t> vlan;
    std::optional<uint32_t> rate;
    std::optional<bool> trust;
    std::optional<bool> spoofchk;

    bool operator==(const IovSettings &) const = default;
};

// One thing that changes, from what it was to what it will be. Undone, it goes back.
struct IovStep {
    enum class Kind {
        claim,      // which partition a VF is for
        primary,    // an NVMe adapter's own flexible resources, "queues/interrupts", and its reset
        autoprobe,  // whether new VFs get a driver of the host
        count,      // sriov_numvfs
        queues,     // a VF's flexible resources; only while it is offline
        interrupts, // likewise
        attach,     // a namespace
        online,     // a secondary controller
        mac,
        vlan,
        spoofchk,
        trust,
        rate,
        driver_override,
        driver,
        plug,    // into the running guest behind this QMP socket
        mailbox, // of which partition: where its guest asks for changes of the VF
        mtu,     // NIC: the adapter's own
    };
    Kind kind;
    std::string adapter;
    std::string vf; // empty: the adapter itself
    std::string from;
    std::string to;
    IovSettings settings{}; // a claim's: as somebody asked for them

    bool operator==(const IovStep &) const = default;
};

std::string iov_kind_name(IovStep::Kind kind);
std::optional<IovStep::Kind> iov_kind_of(const std::string &name);
IovStep iov_undo(IovStep step);
// "0000:01:00.1: driver nvme -> vfio-pci"
std::string iov_step_text(const IovStep &step);

struct IovSnapshot {
    std::vector<IovAdapter> adapters;
    std::vector<IovPartition> partitions;
    std::vector<IovStep> taken; // what earlier commands did and nobody took back, in that order
    uint64_t memory = 0;        // the host's, bytes

    const IovAdapter *adapter(const std::string &address) const;
    // Whose a VF is; empty: nobody's.
    std::string owner(const std::string &vf) const;
};

// So many VFs for a partition, which are alike. It may have several wishes, of other settings.
struct IovWish {
    std::string partition;
    unsigned count = 0;
    IovSettings settings{};
    std::vector<std::string> vfs{}; // which, as many as @count; empty: any
};

struct IovRequest {
    std::string adapter;
    std::optional<unsigned> vfs; // how many there are to be
    std::vector<IovWish> wishes;
    std::string socket; // a running guest's monitor; empty: as the partition says
};

struct IovPlan {
    std::vector<IovStep> steps;
    std::vector<std::string> refusals;         // not empty: there are no steps
    std::vector<std::optional<size_t>> blamed; // assign: for each the wish, if it is one's alone
    std::vector<std::string> notes;
    std::vector<std::pair<std::string, std::string>> assigned; // VF, partition
};

// Why nothing of this adapter can be assigned, in words; empty: nothing is known against it.
std::vector<std::string> iov_objections(const IovAdapter &adapter);

IovPlan iov_assign(const IovSnapshot &now, const IovRequest &request);

struct IovProposal {
    std::string adapter; // empty: none suits, and the plan has the refusals of each
    IovPlan plan;
};

// Which adapters come into question; what is not said does not matter.
struct IovTaste {
    std::optional<int> node; // NUMA
    std::optional<IovType> type;
};

// A plan for a request that names no adapter: for the one that suits best.
IovProposal iov_propose(const IovSnapshot &now, IovRequest request, const IovTaste &taste);

// @what: partitions and VFs; what they have is taken back, and with an adapter's last VF what was
// done to the adapter. @socket: the monitor of a running guest that was started with them; empty:
// as its partition says.
IovPlan iov_release(const IovSnapshot &now, const std::vector<std::string> &what,
                    const std::string &socket);

} // namespace lpar
