#include "op.h"

#include "thread_state.h"

namespace primer {

OpHook::OpHook() : thread_(ThreadState::share()), outer_(thread_->op_hook) {
    thread_->op_hook = this;
}

OpHook::~OpHook() { thread_->op_hook = outer_; }

void OpHook::tell(const Op& op) {
    const ThreadState* const here = ThreadState::here();
    OpHook* hook = here != nullptr ? here->op_hook : nullptr;
    for (; hook != nullptr; hook = hook->outer_) hook->called(op);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
