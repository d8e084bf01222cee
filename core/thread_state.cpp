#include "thread_state.h"

namespace primer {
namespace {

// Plain variables without a destructor, so they can be read as long as the thread runs, on the main
// thread even by the destructors of static objects, which come after those of thread-local ones.
thread_local constinit ThreadState* current = nullptr;
thread_local constinit bool ending = false;

struct Owner {
    std::shared_ptr<ThreadState> state;
    ~Owner() {
        current = nullptr;
        ending = true;
    }
};
thread_local Owner owner;

}  // namespace

ThreadState::~ThreadState() {
    if (current == this) current = nullptr;
}

ThreadState* ThreadState::here() { return current; }

std::shared_ptr<ThreadState> ThreadState::share() {
    if (current != nullptr) return current->shared_from_this();
    auto state = std::make_shared<ThreadState>();
    current = state.get();
    if (!ending) owner.state = state;  // else whoever asks is the only owner
    return state;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
