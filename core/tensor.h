#pragma once

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/storage.h"
#include "only.h"
#include "real.h"
#include "shape.h"

namespace primer {

struct IntTensor;

/// A handle to Reals in row-major order with a shape. Copying a Tensor copies the handle: both then
/// name the same values, as in PyTorch. The handles own the values together; the last one to go
/// releases their memory, which waits in a cache for the next tensor (kernels/storage.h).
/// creation.h makes tensors, ops.h computes with them.
class Tensor {
  public:
    /// Names nothing; `defined()` is false and every other member throws Error.
    Tensor() = default;
    /// A scalar, of shape []. Implicit, so that `x * 2` and `1 - x` read as they should; but not
    /// from a bool or a character, which would be there by mistake.
    template <Number T>
    Tensor(T value) : Tensor(scalar(static_cast<double>(value))) {}

    /// Makes this handle name what x names. Not for a temporary, because x[0] = y would change
    /// nothing; to write y over the values of x[0], write x[0].copy_(y). And not for a const
    /// Tensor, such as the x that a forward is given; begin there with a new one, Tensor y =
    /// conv1(x).
    Tensor& operator=(const Tensor& x) & = default;
    Tensor& operator=(Tensor&& x) & = default;
    Tensor& operator=(const Tensor& x) && = delete;
    const Tensor& operator=(const Tensor& x) const& = delete;
    Tensor(const Tensor&) = default;
    Tensor(Tensor&&) = default;
    ~Tensor() = default;

    /// Whether it names a tensor.
    bool defined() const { return impl_ != nullptr; }
    /// The sizes of its dimensions.
    const Shape& shape() const { return impl().shape; }
    /// The number of dimensions.
    int rank() const { return shape().rank(); }
    /// The number of elements.
    Index numel() const { return shape().numel(); }

    /// The values, for reading. A pointer past the last one for a tensor without elements. To a
    /// tape, what is computed from them is a constant.
    const Real* data() const { return impl().data; }
    std::span<const Real> values() const { return {data(), static_cast<std::size_t>(numel())}; }
    /// The values, for writing. Marks them as changed, so a backward that still needs the old ones
    /// throws Error, naming `writer` (a text that must outlive the tensor). Throws Error for the
    /// result of a recorded op while its tape is recording, because the tape would not see the
    /// change.
    Real* mutable_data(const char* writer = "a write through mutable_data()") const&;
    /// The one value of a tensor with one element.
    Real item() const;
    /// One value, bounds-checked: x.at({row, column}).
    Real at(std::initializer_list<Only<Index>> position) const;
    /// x[i]: select(x, 0, i) of ops.h, row i, in the same memory. Negative i count from the end.
    Tensor operator[](Only<Index> index) const&;
    Tensor operator[](Only<Index> index) &&;

    /// Sets every value. Returns the tensor.
    Tensor fill_(Only<Real> value) const&;
    /// Takes the values of `source`, which must have the same shape. Returns the tensor. Not
    /// recorded: throws Error if a tape is recording and `source` wants a gradient.
    Tensor copy_(const Tensor& source) const&;
    /// x += y writes x + y over the values of x, for every handle to them; y, a tensor or a number,
    /// is broadcast to x's shape. Likewise for the others. Not recorded: throws Error if a tape is
    /// recording and x or y wants a gradient; write x = x + y there, or change x under NoGrad.
    Tensor operator+=(const Tensor& y) const&;
    Tensor operator-=(const Tensor& y) const&;
    Tensor operator*=(const Tensor& y) const&;
    Tensor operator/=(const Tensor& y) const&;
    /// The same on a temporary: x[0] += y changes x. Throws Error where nobody could see the
    /// change: transpose(x, 0, 1).fill_(3) would write to a copy of x that is gone afterwards, and
    /// so would view(transpose(x, 0, 1), 6).fill_(3).
    Tensor fill_(Only<Real> value) && { return seen("fill_").fill_(value); }
    Tensor copy_(const Tensor& source) && { return seen("copy_").copy_(source); }
    Tensor operator+=(const Tensor& y) && { return seen("+=") += y; }
    Tensor operator-=(const Tensor& y) && { return seen("-=") -= y; }
    Tensor operator*=(const Tensor& y) && { return seen("*=") *= y; }
    Tensor operator/=(const Tensor& y) && { return seen("/=") /= y; }
    Real* mutable_data(const char* writer = "a write through mutable_data()") && {
        return seen(writer).mutable_data(writer);
    }

    /// Whether a tape computes the gradient of this tensor: true for a leaf that requires it and
    /// for whatever was computed from one while a Tape was recording.
    bool requires_grad() const { return impl().requires_grad; }
    /// Sets whether a tape computes the gradient. Throws Error unless this is a leaf, that is, a
    /// tensor that no recorded op has computed.
    Tensor requires_grad_(Only<bool> on = true) const;
    /// The gradient that Tape::backward has left, of this tensor's shape; undefined if there is
    /// none. It adds up over calls of backward until it is set again.
    Tensor grad() const;
    /// Replaces the gradient; an undefined tensor drops it. The shapes must agree.
    void set_grad(const Tensor& grad) const;

    /// The same values, without a past on the tape and without a gradient.
    Tensor detach() const&;
    Tensor detach() &&;
    /// A copy with memory of its own. Recorded, as in PyTorch, so its gradient is this tensor's,
    /// too. To write to a copy while a tape records, make it with detach().clone().
    Tensor clone() const;

    // For those who look for PyTorch's methods: ops are functions.
    void view(auto&&...) const = delete;      // view(x, 2, -1)
    void sum(auto&&...) const = delete;       // sum(x, 1)
    void mean(auto&&...) const = delete;      // mean(x, 1)
    void max(auto&&...) const = delete;       // max(x, 1)
    void argmax(auto&&...) const = delete;    // argmax(x, 1)
    void matmul(auto&&...) const = delete;    // matmul(x, y)
    void t(auto&&...) const = delete;         // transpose(x, 0, 1)
    void size(auto&&...) const = delete;      // x.shape()[0]; numel() counts the elements
    void dim(auto&&...) const = delete;       // x.rank()
    void backward(auto&&...) const = delete;  // Tape tape; ... tape.backward(loss);
    void zero_(auto&&...) const = delete;     // x.fill_(0)
    void to(auto&&...) const = delete;        // every tensor is on the CPU; to_int(x) for x.long()
    Tensor operator[](const std::derived_from<Tensor> auto&) const = delete;  // where(mask, x, 0)
    Tensor operator[](const std::same_as<IntTensor> auto&) const = delete;  // index_select(x, 0, i)

    /// What the handle points to. Only core's own files use this; everybody else uses the members
    /// above.
    struct Impl {
        Shape shape;
        std::shared_ptr<Storage> storage;  // shared with views of the same values
        Real* data = nullptr;              // where in the storage this tensor's values begin
        bool requires_grad = false;
        std::shared_ptr<Impl> grad;
        bool is_leaf = true;     // false for the result of a recorded op, which also has:
        std::uint64_t tape = 0;  // number of the tape
        int node = -1;           // its node there
        Index version = 0;       // the storage's when it was recorded
        bool of_leaf = false;    // it is a view of a leaf that requires a gradient
        // The op that copied it from x, where PyTorch has a view; also for a view of such a copy
        // if nobody else has a handle to the copy.
        const char* copied_by = nullptr;

        enum class Role : std::uint8_t { none, parameter, buffer };
        Role role = Role::none;
        int optimizers = 0;  // that have been given this parameter
        // If it is a gradient: the storage's version when an optimizer's step used it; and whether
        // a backward has added to it since, so that it holds the last step's gradient as well.
        Index used_version = -1;
        bool used_before = false;
    };
    /// Only for core's own files, as are the next two.
    explicit Tensor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    /// What the handle points to. Throws Error if it names nothing.
    Impl& impl() const {
        if (!impl_) throw_undefined();
        return *impl_;
    }
    /// The handle itself; null if it names nothing.
    const std::shared_ptr<Impl>& handle() const { return impl_; }

  private:
    [[noreturn]] static void throw_undefined();
    static Tensor scalar(double value);
    const Tensor& seen(const char* writer) const;  // *this

    std::shared_ptr<Impl> impl_;
};

/// Prints the values as PyTorch does: at most four digits after the point, with an exponent where
/// the range needs one and, of more than 1000 elements, only the first and last three along each
/// dimension. A leaf that requires a gradient says so; which op has computed another tensor is
/// not printed (PyTorch: grad_fn). Leaves the stream's settings alone.
///
///     tensor([[1.0000, 2.0000, 3.0000],
///             [4.0000, 5.5000, 6.2500]], requires_grad=True)
std::ostream& operator<<(std::ostream& out, const Tensor& x);

}  // namespace primer
// SPDX-License-Identifier: MIT
