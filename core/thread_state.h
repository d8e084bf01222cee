#pragma once

#include <atomic>
#include <memory>
#include <vector>

// Only the library's own files use this.

namespace primer {

class ForwardHook;
class OpHook;
class Tape;
class Tensor;

/// The state of one thread. A Tape, a NoGrad and a ForwardHook each keep that of the thread that
/// made them, so that they may end on another thread, even after the first has ended.
struct ThreadState : std::enable_shared_from_this<ThreadState> {
    std::atomic<Tape*> tape = nullptr;         ///< the one that records
    std::atomic<int> no_grad = 0;              ///< how many NoGrads exist
    std::atomic<ForwardHook*> hook = nullptr;  ///< the innermost
    OpHook* op_hook = nullptr;                 ///< the innermost; for this thread alone
    /// Where the tape and mutable_data put the Buffers that a module's forward uses, and the
    /// Parameters that no optimizer has; null: nowhere.
    std::vector<Tensor>* used_members = nullptr;

    ThreadState() = default;
    ThreadState(const ThreadState&) = delete;
    ThreadState& operator=(const ThreadState&) = delete;
    ~ThreadState();

    /// This thread's; null as long as it has made none of the three.
    static ThreadState* here();
    /// This thread's, made at the first call.
    static std::shared_ptr<ThreadState> share();
};

}  // namespace primer
// SPDX-License-Identifier: MIT
