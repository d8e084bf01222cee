#pragma once

#include <cstdint>

#include "primer/core/real.h"

namespace primer::kernels {

/// Where the squares of values of a Winograd transform lie. Every value is a vector of `lanes`
/// channels, and a square's value (i, j) begins at data + item * k + row * i + column * j, where k
/// is the number of the square.
template <class R>
struct Squares {
    R* data;
    std::int64_t item, row, column;
};

/// The transforms of Winograd's convolution F(4x4, 3x3) at one instruction set, each of `count`
/// squares. With the matrices of conv_winograd.cpp:
struct Winograd {
    using Transform = void (*)(std::int64_t count, const Squares<const Real>& from,
                               const Squares<Real>& to);
    std::int64_t lanes;
    Transform input;            ///< B^T d B, 6x6 to 6x6
    Transform output;           ///< A^T m A, 6x6 to 4x4
    Transform weight;           ///< G w G^T, 3x3 to 6x6
    Transform output_gradient;  ///< A d A^T, 4x4 to 6x6
    Transform weight_gradient;  ///< G^T m G, 6x6 to 3x3
    /// Whether all of n values are finite.
    bool (*finite)(std::int64_t n, const Real* x);
};

namespace baseline {
Winograd winograd();
}
namespace avx2 {
Winograd winograd();
}
namespace avx512 {
Winograd winograd();
}

}  // namespace primer::kernels
