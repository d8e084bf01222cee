#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "kernels/conv.h"
#include "ops.h"

// Only layers/fuse.cpp uses this: conv2d and linear for prediction.

namespace primer::internal {

/// The weight and bias of a convolution or linear layer, with what the kernels make of the weight:
/// packed, or transformed for Winograd's algorithm. It is made when it is first needed, and kept.
/// So nobody may change the weight. Several threads may use it at once. Nothing is recorded.
class PreparedWeight {
  public:
    /// The bias may be undefined.
    PreparedWeight(Tensor weight, Tensor bias);

    /// What follows the sums.
    struct Then {
        bool relu = false;
        bool max_pool = false;  ///< max_pool2d(y, 2)
    };
    /// conv2d(x, weight, bias, options) for a batch x [N, C, H, W], and what follows it; nullopt
    /// where the ops would throw.
    std::optional<Tensor> conv2d(const Tensor& x, const Conv2dOptions& options, const Then& then);
    /// linear(x, weight, bias), and relu if asked for; nullopt where the op would throw.
    std::optional<Tensor> linear(const Tensor& x, bool then_relu);

  private:
    std::shared_ptr<const kernels::ConvWeight> for_convolution(const kernels::ConvSizes& sizes);
    const Real* for_products();

    Tensor weight_, bias_;
    std::mutex mutex_;  // for the two below
    std::shared_ptr<const kernels::ConvWeight> conv_;
    std::shared_ptr<Storage> packed_;
};

}  // namespace primer::internal
// SPDX-License-Identifier: MIT
