#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "tensor.h"

// What backward closures capture. The classes report themselves, so that the memory that an op
// keeps can be drawn and counted.

namespace primer {

class Grad;

/// Computes an op's input gradients from dy, the gradient of its output: one Grad for each input,
/// in the order in which the op recorded them.
using Backward = std::function<void(const Tensor& dy, std::span<Grad> d)>;

/// A tensor whose current values a backward will need. The closure captures it and reads it like a
/// const Tensor&, which throws Error, naming both ops, if the values have since been changed in
/// place. Better no gradient than a wrong one.
///
/// A closure may hold its own op's output. That makes no cycle, because closures belong to the
/// tape, and no tensor holds a tape. The captures are the memory that the op costs until its
/// backward has run.
class Saved {
  public:
    /// Keeps x, which must be defined.
    explicit Saved(const Tensor& x) : tensor_(x), version_(x.impl().storage->version()) {}
    /// `x`, if it is needed; nothing otherwise.
    Saved(const Tensor& x, bool needed) : Saved(needed ? Saved(x) : Saved()) {}
    /// A copy for another closure; reports to captures_of.
    Saved(const Saved& other);
    Saved(Saved&&) = default;
    /// Whether it holds a tensor.
    bool defined() const { return tensor_.defined(); }
    /// The tensor. Throws Error if its values have been changed since it was saved.
    operator const Tensor&() const { return get(); }
    const Tensor& get() const;
    const Tensor* operator->() const { return &get(); }

  private:
    Saved() = default;
    Tensor tensor_;
    Index version_ = 0;
};

/// Bytes that a backward needs, such as a mask: `count` of them, not initialised, in memory that is
/// recycled. Copies share them.
class SavedBytes {
  public:
    /// Takes memory for `count` bytes.
    explicit SavedBytes(Index count);
    /// Shares the bytes; reports to captures_of.
    SavedBytes(const SavedBytes& other);
    SavedBytes(SavedBytes&&) = default;
    /// The first byte.
    std::uint8_t* data() const;

  private:
    std::shared_ptr<Storage> memory_;
};

/// One piece of memory that the captures of a closure keep alive.
struct Kept {
    const void* memory;  ///< which piece it is: closures may keep the same one
    Index bytes;         ///< of the whole piece, even if the tensor is a view of a part
    Tensor tensor;       ///< of a Saved; undefined for other memory
};

/// What `backward` keeps. captures_of copies the closure; each Saved, SavedBytes and SavedList
/// reports itself when copied. Other captures, such as a plain Tensor, are not found.
std::vector<Kept> captures_of(const Backward& backward);

/// Call this from the copy constructor of a class that reports to captures_of. Outside captures_of
/// it does nothing.
void tell_captured(const Kept& kept);

/// Numbers that a backward needs but that are not a tensor, such as the labels of a batch, in
/// memory that is recycled. It reads like a pointer to a std::span; copies share the numbers.
template <class T>
class SavedList {
    static_assert(std::is_trivially_copyable_v<T>);  // nobody calls its destructor

  public:
    /// Keeps a copy of the values.
    explicit SavedList(const std::vector<T>& values)
        : bytes_(static_cast<Index>(values.size() * sizeof(T))),
          values_(reinterpret_cast<const T*>(bytes_.data()), values.size()) {
        std::ranges::copy(values, reinterpret_cast<T*>(bytes_.data()));
    }
    /// The values.
    std::span<const T> operator*() const { return values_; }
    const std::span<const T>* operator->() const { return &values_; }

  private:
    SavedBytes bytes_;  // reports to captures_of
    std::span<const T> values_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT
