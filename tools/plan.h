// SPDX-License-Identifier: GPL-2.0
// What lies between the configuration that is and the one that is wanted, and the way there.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "images.h"
#include "iov.h"
#include "iov_state.h"
#include "saved.h"

namespace lpar {

struct Change {
    std::string attribute; // as the file has it
    std::string from;      // empty: it is the default, or new
    std::string to;        // empty: it will be the default
};

struct Step {
    enum class Action { add, change, remove };
    using Thing = std::variant<NewPartition, NewDisk, NewNic, NewVfs, NewImage>;

    Action action;
    Thing thing;                 // as it is wanted, or as it was
    Thing before;                // a change: as it was
    std::vector<Change> changes; // add: all that is asked for; remove: nothing
    std::string error;           // why it cannot be taken; carrying it out: why it was not
};

// Names and values in words of the file; a default is empty.
using Attributes = std::vector<std::pair<std::string, std::string>>;
std::vector<Change> differences(const Attributes &from, const Attributes &to);

// "partition", "disk", "nic", "vfs", "adjunct"
std::string kind_of(const Step::Thing &thing);
// Empty for an image
std::string partition_of(const Step::Thing &thing);
// "web", "checksum", "web/d0", "web/0000:03:00.0"
std::string path_of(const Step::Thing &thing);
// "+ disk web/d0: device /dev/nvme0n1, size 8G"
std::string step_text(const Step &step);

// What there is
struct Present {
    std::vector<Partition> partitions;
    IovSnapshot iov; // nothing, if VFs are neither assigned nor wanted
    std::vector<Image> images;
};

// The steps from @present to @wanted, in the order in which they can be taken: first what is in the
// way goes. Of a partition what @wanted leaves out stays; of a disk, a NIC or VFs it is the
// default. @prune: what is not wanted goes as well.
std::vector<Step> plan(const Host &host, const Present &present,
                       const std::vector<WantedPartition> &wanted, bool prune,
                       const std::vector<NewImage> &images = {});

// Takes the steps, as many as can be taken: each happens entirely or not at all, and has an error
// if not; what is added and changed of one adapter's VFs happens together. @state: not null if
// there are steps of VFs.
void carry_out(Host &host, std::vector<Step> &steps, IovState *state);

// Waits for devices that steps need and that are not there yet, until @end of the host's clock.
// Returns whether they are there.
bool wait_for_devices(Host &host, const std::vector<Step> &steps, double end);

} // namespace lpar
