#pragma once

#include "../real.h"
#include "../shape.h"
#include "batchnorm.h"

namespace primer::kernels {

/// x [batch, groups, channels, inner]: each of its batch * groups rows of channels * inner adjacent
/// values is normalised by itself. weight and bias are [groups, channels]. In layer_norm all values
/// of an example are one group, and inner is 1.
struct RowNormSizes {
    Index batch, groups, channels, inner;

    Index rows() const { return batch * groups; }
    /// The number of values of a row.
    Index row() const { return channels * inner; }
    /// The number of weights.
    Index weights() const { return groups * channels; }
    /// Which weight belongs to value i of a row.
    Index weight_of(Index row, Index i) const { return row % groups * channels + i / inner; }
};

/// y = (x - mean) / sqrt(variance + eps) * weight + bias with the moments of the row.
struct RowNormRule {
    double eps;
    const Real* weight = nullptr;  ///< [groups, channels], or nullptr: 1
    const Real* bias = nullptr;    ///< [groups, channels], or nullptr: 0
};

/// Computes y, and the moments [batch * groups], which the backward needs.
void row_norm(const RowNormSizes& sizes, const RowNormRule& rule, const Real* x, Moments* moments,
              Real* y);

/// What the backward reads.
struct RowNormBackward {
    const Real* x;
    const Real* dy;
    const Moments* moments;
};

/// The gradients of x, weight and bias. A gradient that is nullptr is not computed.
void row_norm_backward(const RowNormSizes& sizes, const RowNormRule& rule,
                       const RowNormBackward& from, Real* dx, Real* dweight, Real* dbias);

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT
