// SPDX-License-Identifier: GPL-2.0
// A configuration's VFs: what is assigned against what is wanted, and the way there, which is that
// of lparctl iov.
#pragma once

#include <vector>

#include "host.h"
#include "iov.h"
#include "iov_state.h"
#include "plan.h"

namespace lpar {

// What is assigned, in the order in which it was, with the VFs that it is. @total: where an adapter
// was given more than are assigned.
std::vector<NewVfs> assigned_vfs(const IovSnapshot &now);

struct VfSteps {
    std::vector<Step> removals;
    std::vector<Step> others;
};

// The steps from what is assigned to @wanted. Other settings of the same partition and adapter are
// a change: VFs are released and assigned anew.
VfSteps plan_vfs(const IovSnapshot &now, const std::vector<WantedPartition> &wanted, bool prune);

// These throw nothing: a step has an error if it was not taken.

// @steps: removals, each for itself; or changes of one adapter, all or none.
void release_vfs(Host &host, IovState &state, const std::vector<Step *> &steps);
// All of one adapter's @steps or none; then changes are as they were before.
void assign_vfs(Host &host, IovState &state, const std::vector<Step *> &steps);

// Is the adapter so far that its VFs can be assigned?
bool has_vf_driver(const Host &host, const std::string &adapter);

} // namespace lpar
