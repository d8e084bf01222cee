#pragma once

#include "batchnorm.h"
#include "conv.h"
#include "gemm.h"
#include "pool.h"
#include "rownorm.h"

// The definitions of the kernels, as plain loops. A reader may stop here: the fast versions
// elsewhere in core/kernels give the same results, up to rounding. Tests compare the two, and
// PRIMER_ISA=reference runs whole programs on these. The headers above describe the arguments.
// Activations, arithmetic, dropout and optimizers have no second version: their loops, in isa/, are
// plain, and the definition.

namespace primer::kernels::reference {

void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, const GemmOptions& options = {});

/// The sum of x[0], x[stride], ..., n elements, in double.
double sum(Index n, Index stride, const Real* x);

// One line of reduce.h's softmax and log_softmax: n >= 1 elements, `stride` apart.
void softmax(Index n, Index stride, const Real* x, Real* y);
void softmax_backward(Index n, Index stride, const Real* y, const Real* dy, Real* dx);
void log_softmax(Index n, Index stride, const Real* x, Real* y);
void log_softmax_backward(Index n, Index stride, const Real* y, const Real* dy, Real* dx);

void conv2d(const ConvSizes& sizes, const Real* x, const Real* weight, const Real* bias, Real* y);
void conv2d_backward_input(const ConvSizes& sizes, const Real* weight, const Real* dy, Real* dx);
void conv2d_backward_weight(const ConvSizes& sizes, const Real* x, const Real* dy, Real* dweight);

void max_pool2d(const MaxPoolSizes& sizes, const Real* x, Real* y, void* taken);
void max_pool2d_backward(const MaxPoolSizes& sizes, const void* taken, const Real* dy, Real* dx);
void avg_pool2d(const AvgPoolSizes& sizes, const Real* x, Real* y);
void avg_pool2d_backward(const AvgPoolSizes& sizes, const Real* dy, Real* dx);
void adaptive_max_pool2d(const AdaptiveMaxPoolSizes& sizes, const Real* x, Real* y, void* taken);
void adaptive_max_pool2d_backward(const AdaptiveMaxPoolSizes& sizes, const void* taken,
                                  const Real* dy, Real* dx);

/// The moments of channel c.
Moments moments_of(const BatchNormSizes& sizes, const Real* x, Index c);

/// A BatchNormRule for the values of channel c, without relu: (x - mean) scale + bias.
class Normalization {
  public:
    Normalization(const BatchNormRule& rule, const Moments& moments, Index c);
    Real operator()(Real x) const {
        return static_cast<Real>((static_cast<double>(x) - mean_) * scale_ + bias_);
    }

  private:
    double mean_, scale_, bias_;
};

void batch_norm(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                const Moments* moments, Real* y);
void batch_norm_training(const BatchNormSizes& sizes, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y);
void batch_norm_backward(const BatchNormSizes& sizes, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias);

void row_norm(const RowNormSizes& sizes, const RowNormRule& rule, const Real* x, Moments* moments,
              Real* y);
void row_norm_backward(const RowNormSizes& sizes, const RowNormRule& rule,
                       const RowNormBackward& from, Real* dx, Real* dweight, Real* dbias);

}  // namespace primer::kernels::reference
// SPDX-License-Identifier: MIT
