#include "saved.h"

#include "error.h"
#include "internal.h"

namespace primer {

thread_local constinit const char* internal::op_in_backward = "backward";

namespace {
// Where copies of Saved and its kin report themselves; null: nowhere.
thread_local constinit std::vector<Kept>* captures = nullptr;
}  // namespace

const Tensor& Saved::get() const {
    const Storage& storage = *tensor_.impl().storage;
    check(storage.version() == version_, internal::op_in_backward,
          ": backward needs a value of shape ", tensor_.shape(), " that ", storage.writer(),
          " has changed in place since; call backward() before that, or change a clone()");
    return tensor_;
}

Saved::Saved(const Saved& other) : tensor_(other.tensor_), version_(other.version_) {
    if (!tensor_.defined()) return;
    const Storage& storage = *tensor_.impl().storage;
    tell_captured({&storage, storage.size() * Index{sizeof(Real)}, tensor_});
}

SavedBytes::SavedBytes(Index count) {
    constexpr Index each = sizeof(Real);
    memory_ = std::make_shared<Storage>((count + each - 1) / each);
}

SavedBytes::SavedBytes(const SavedBytes& other) : memory_(other.memory_) {
    tell_captured({memory_.get(), memory_->size() * Index{sizeof(Real)}, {}});
}

std::uint8_t* SavedBytes::data() const { return reinterpret_cast<std::uint8_t*>(memory_->data()); }

void tell_captured(const Kept& kept) {
    if (captures != nullptr) captures->push_back(kept);
}

std::vector<Kept> captures_of(const Backward& backward) {
    std::vector<Kept> found;
    struct Listening {
        explicit Listening(std::vector<Kept>& list) { captures = &list; }
        ~Listening() { captures = nullptr; }
    };
    const Listening listening(found);
    const Backward copy = backward;
    return found;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
