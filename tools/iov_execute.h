// SPDX-License-Identifier: GPL-2.0
// Taking the steps of a plan, on this machine.
#pragma once

#include "host.h"
#include "iov.h"
#include "iov_state.h"

namespace lpar {

// For tests: something happens instead of step @fail_at, or before step @interrupt_at, from 1.
struct IovMishap {
    unsigned fail_at = 0;
    unsigned interrupt_at = 0;
    bool is_deaf = false; // not only for tests: who interrupts has to wait for the end
};

// All steps, or none: when one fails, or somebody presses Ctrl-C, those before it are undone. The
// state tells at any time what would have to be undone. Throws Failure.
void iov_carry_out(Host &host, IovState &state, const std::vector<IovStep> &steps,
                   const IovMishap &mishap);

// Steps that undo what the state has. Ends at the first that fails; what is still to be undone
// stays in the state. Throws Failure.
void iov_take_back(Host &host, IovState &state, const std::vector<IovStep> &steps,
                   const IovMishap &mishap);

// A client's wish: all of @steps or none. The state has what is to be put back with its VF, however
// often somebody wishes. Throws Failure.
void iov_change(Host &host, IovState &state, const std::vector<IovStep> &steps);

// Throws Failure.
void iov_reset(Host &host, const std::string &vf);

} // namespace lpar
