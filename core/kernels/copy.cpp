// Only speed: core/ops/view.cpp defines what moves where.

#include "copy.h"

#include <algorithm>

#include "gemm.h"

namespace primer::kernels {

void copy_2d(Index rows, Index width, const Real* x, Index stride_x, Real* y, Index stride_y) {
    for (Index r = 0; r < rows; ++r) std::copy_n(x + r * stride_x, width, y + r * stride_y);
}

void swap_axes(const Shape& x_shape, int dim0, int dim1, const Real* x, Real* y) {
    // x is [before, p, between, q, after], y is [before, q, between, p, after].
    if (dim0 == dim1) {
        std::copy_n(x, x_shape.numel(), y);
        return;
    }
    const Index before = x_shape.slice(0, dim0).numel();
    const Index p = x_shape[dim0];
    const Index between = x_shape.slice(dim0 + 1, dim1).numel();
    const Index q = x_shape[dim1];
    const Index after = x_shape.slice(dim1 + 1, x_shape.rank()).numel();
    const Index block = p * between * q * after;
    for (Index o = 0; o < before; ++o, x += block, y += block) {
        if (between == 1 && after == 1) {
            transpose(p, q, x, y);
            continue;
        }
        for (Index i = 0; i < p; ++i) {
            for (Index b = 0; b < between; ++b) {
                for (Index j = 0; j < q; ++j) {
                    std::copy_n(x + ((i * between + b) * q + j) * after, after,
                                y + ((j * between + b) * p + i) * after);
                }
            }
        }
    }
}

}  // namespace primer::kernels
