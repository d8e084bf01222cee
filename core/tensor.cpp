#include "tensor.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <mutex>

#include "creation.h"
#include "error.h"
#include "internal.h"
#include "tape.h"
#include "thread_state.h"

namespace primer {

Tensor Tensor::scalar(double value) { return full({}, value); }

void Tensor::throw_undefined() {
    fail(
        "Tensor: this tensor is undefined: it was default-constructed and never assigned, or it is "
        "the grad() of a tensor that has none, or a Batch's targets where the dataset has labels "
        "(batch.labels)");
}

Real* Tensor::mutable_data(const char* writer) const& {
    check(impl().is_leaf || impl().tape != recording_tape(), writer, ": a tensor of shape ",
          shape(),
          " that the running Tape has recorded cannot be changed in place, for its gradient would "
          "be wrong; change a detach().clone(), or write before the Tape is made");
    if (impl().role == Impl::Role::buffer) {
        ThreadState* const here = ThreadState::here();
        if (here != nullptr && here->used_members != nullptr) here->used_members->push_back(*this);
    }
    impl().storage->written_by(writer);
    return impl().data;
}

Real Tensor::item() const {
    check(numel() == 1, "item: expected a tensor of one element, got shape ", shape());
    return *data();
}

Real Tensor::at(std::initializer_list<Only<Index>> position) const {
    check(static_cast<int>(position.size()) == rank(), "at: expected ", rank(),
          " indices for shape ", shape(), ", got ", position.size());
    Index offset = 0;
    int dim = 0;
    for (Index i : position) {
        check(i >= 0 && i < shape()[dim], "at: index ", i, " is outside dimension ", dim,
              " of shape ", shape());
        offset = offset * shape()[dim++] + i;
    }
    return data()[offset];
}

const Tensor& Tensor::seen(const char* writer) const {
    const char* const op = internal::unnamed_copy(*this);
    check(op == nullptr, writer, ": the result of ", op, ", here of shape ", shape(),
          ", is a copy without a name, so the change would be lost; only ",
          "x[i] and slice(x, a, b), along dimension 0, share x's memory. To change the copy, name ",
          "it first: Tensor y = ", op, "(...). To change x, make a new one: x = where(...)");
    return *this;
}

Tensor Tensor::fill_(Only<Real> value) const& {
    std::fill_n(mutable_data("fill_"), numel(), Real{value});
    return *this;
}

Tensor Tensor::copy_(const Tensor& source) const& {
    check(source.shape() == shape(), "copy_: expected the shape ", shape(), ", got ",
          source.shape());
    check(!recording() || !source.requires_grad(),
          "copy_: a Tape is recording, which would not see that the values of shape ", shape(),
          " depend on the source, whose gradient is wanted; use the source itself, copy under "
          "NoGrad, or take source.detach() as a constant");
    std::copy_n(source.data(), numel(), mutable_data("copy_"));
    return *this;
}

Tensor Tensor::requires_grad_(Only<bool> on) const {
    check(impl().is_leaf, "requires_grad_: a tensor of shape ", shape(),
          " that an op has computed on a tape has no gradient of its own; use detach() first");
    impl().requires_grad = on;
    return *this;
}

// Parameters are shared by the threads that train them, so each of the mutexes guards the gradients
// of some tensors.
std::mutex& internal::grad_mutex(const Tensor& x) {
    static constinit std::array<std::mutex, 64> mutexes;
    return mutexes[std::hash<const void*>()(&x.impl()) / alignof(std::max_align_t) % 64];
}

Tensor Tensor::grad() const {
    const std::lock_guard lock(internal::grad_mutex(*this));
    return Tensor(impl().grad);
}

void Tensor::set_grad(const Tensor& grad) const {
    check(!grad.defined() || grad.shape() == shape(), "set_grad: expected the shape ", shape(),
          ", got ", grad.defined() ? grad.shape() : Shape{});
    std::shared_ptr<Impl> old = grad.handle();  // its memory is given back after the lock
    const std::lock_guard lock(internal::grad_mutex(*this));
    impl().grad.swap(old);
}

Tensor Tensor::detach() const& { return internal::alias(*this, shape()); }
Tensor Tensor::detach() && {
    return internal::alias(*this, shape(), 0, internal::unnamed_copy(*this));
}

// y = x, so dx = dy.
Tensor Tensor::clone() const {
    return record({"clone", 0}, tensor(values(), shape()), {*this},
                  [](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      dx.add(dy);
                  });
}

Tensor internal::alias(const Tensor& x, const Shape& shape, Index offset, const char* copied_by) {
    check(offset >= 0 && offset <= x.numel() && shape.numel() <= x.numel() - offset,
          "alias: shape ", shape, " from element ", offset, " on reaches beyond shape ", x.shape());
    auto impl = std::make_shared<Tensor::Impl>();
    impl->shape = shape;
    impl->storage = x.impl().storage;
    impl->data = x.impl().data + offset;
    impl->copied_by = copied_by;
    return Tensor(std::move(impl));
}

}  // namespace primer
// SPDX-License-Identifier: MIT
