#pragma once

#include <concepts>
#include <string>

#include "tensor.h"

namespace primer {

class Module;
class Rng;

/// A tensor that is learnt: a leaf that requires a gradient. Like every Tensor it is a handle, so
/// an optimizer's copy names the same values as the layer's.
class Parameter : public Tensor {
  public:
    Parameter() = default;
    /// Names the tensor `value`, which must be a leaf, and makes it require a gradient.
    explicit Parameter(const Tensor& value) : Tensor(value) {
        requires_grad_();
        impl().role = Impl::Role::parameter;
    }
    /// A number alone does not say whether it is a value or a size, so write full({}, 3) or
    /// zeros({3}).
    template <Number T>
    explicit Parameter(T) = delete;
    /// For new values write weight.copy_(x), under NoGrad in a step; for another tensor
    /// weight = Parameter(x), before the optimizer is made.
    Parameter& operator=(const std::same_as<Tensor> auto&) = delete;  // weight.copy_(x)

    /// Whether an optimizer's weight_decay pulls it towards 0. Turn it off where 0 is nothing
    /// special, as for the slope of PReLU. Each copy of the handle has its own, so set it in the
    /// layer before the optimizer is made.
    bool weight_decay = true;
};

/// A tensor that belongs to a layer and is saved with it but not learnt, such as a running mean.
class Buffer : public Tensor {
  public:
    Buffer() = default;
    /// Names the tensor `value`.
    explicit Buffer(const Tensor& value) : Tensor(value) { impl().role = Impl::Role::buffer; }
    template <Number T>
    explicit Buffer(T) = delete;

    /// Whether it is a count: a whole number in PyTorch and in files. As with weight_decay, each
    /// copy of the handle has its own.
    bool whole = false;
};

/// What Module::visit calls for each parameter, buffer, generator and child module, with its name
/// in the module. Override what you want to see.
class Visitor {
  public:
    virtual ~Visitor() = default;
    /// A parameter, a buffer, a generator, a child; each does nothing unless it is overridden.
    virtual void operator()(const std::string& /*name*/, Parameter& /*parameter*/) {}
    virtual void operator()(const std::string& /*name*/, Buffer& /*buffer*/) {}
    virtual void operator()(const std::string& /*name*/, Rng& /*generator*/) {}
    virtual void operator()(const std::string& /*name*/, Module& /*child*/) {}
};

}  // namespace primer
// SPDX-License-Identifier: MIT
