#include "../creation.h"
#include "../error.h"
#include "../kernels/elementwise.h"
#include "../tape.h"

namespace primer {
namespace {

// x_i = f(x_i, y_i), with y broadcast to x's shape. The kernels may write over x as they read it,
// but not over another part of y. If y lies in the same memory, they read a copy of it.
const Tensor& change(const char* op, const Tensor& x, const Tensor& y, kernels::BinaryLoop f) {
    check(!recording() || !(x.requires_grad() || y.requires_grad()), op,
          ": a Tape is recording, and it does not record a change in place of a tensor of shape ",
          x.shape(), ", so a gradient would be wrong; write x = x ", op[0],
          " y, which makes a new tensor, or change x under NoGrad");
    check(broadcast(x.shape(), y.shape(), op) == x.shape(), op, ": the left side keeps its shape ",
          x.shape(), ", but the right side of shape ", y.shape(),
          " would broadcast it to a larger one; write x = x ", op[0], " y");
    const bool shared = x.impl().storage == y.impl().storage;
    const Tensor other = shared ? tensor(y.values(), y.shape()) : y;
    f(kernels::Broadcast(x.shape(), other.shape(), x.shape()), x.data(), other.data(),
      x.mutable_data(op));
    return x;
}

}  // namespace

Tensor Tensor::operator+=(const Tensor& y) const& { return change("+=", *this, y, kernels::add); }
Tensor Tensor::operator-=(const Tensor& y) const& { return change("-=", *this, y, kernels::sub); }
Tensor Tensor::operator*=(const Tensor& y) const& { return change("*=", *this, y, kernels::mul); }
Tensor Tensor::operator/=(const Tensor& y) const& { return change("/=", *this, y, kernels::div); }

}  // namespace primer
// SPDX-License-Identifier: MIT
