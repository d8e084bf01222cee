#pragma once

#include <cstdint>

#include "../../real.h"
#include "../optimizer.h"

// Every function that is compiled once for each instruction set, in one table. The files of this
// folder fill it; core/kernels takes them from it: table().activation.relu(n, x, y).

namespace primer::kernels {

// --- activation.cpp ------------------------------------------------------------------------------

/// The loops of the activations, at one instruction set, with the bits the same at all of them. A
/// forward makes y from x, a backward dx from dy and from what the op keeps, x or y; y may be x,
/// and dx may be dy. Formulas and derivatives stand in core/ops/activation.cpp.
///
/// Errors in float, in units in the last place (ulp) of a result that is not subnormal:
///
///     exp, tanh                1      sigmoid   2.4
///     elu                      1.1    softplus  3
///     silu (x > -87)           3      gelu      5 (x > -13)
///
/// The derivatives are right to 1e-5 of their value, but near their zeros, where the terms of silu,
/// gelu and gelu_tanh cancel: there to 1e-6. gelu_tanh cancels for x < 0, as its formula does.
struct ActivationKernels {
    using Index = std::int64_t;
    using Forward = void (*)(Index n, const Real* x, Real* y);
    using Backward = void (*)(Index n, const Real* kept, const Real* dy, Real* dx);

    Forward relu;            ///< a NaN stays a NaN
    Backward relu_backward;  ///< dy where y > 0 or is a NaN, else 0

    void (*leaky_relu)(Index n, Real slope, const Real* x, Real* y);
    /// For slope >= 0, y may stand for x.
    void (*leaky_relu_backward)(Index n, Real slope, const Real* x, const Real* dy, Real* dx);
    /// leaky_relu_backward with a slope w[i] for each.
    void (*prelu_backward)(Index n, const Real* x, const Real* w, const Real* dy, Real* dx);
    /// What each x adds to its channel's dw: 0 where x > 0, else x dy.
    Backward prelu_backward_weight;

    /// y = above x where x > 0, else below (e^x - 1).
    void (*elu)(Index n, Real above, Real below, const Real* x, Real* y);
    void (*elu_backward)(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx);

    Forward gelu;
    Backward gelu_backward;
    Forward gelu_tanh;
    Backward gelu_tanh_backward;
    Forward silu;
    Backward silu_backward;
    Forward sigmoid;
    Backward sigmoid_backward;
    Forward tanh;
    Backward tanh_backward;

    void (*softplus)(Index n, Real beta, Real threshold, const Real* x, Real* y);
    void (*softplus_backward)(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                              Real* dx);

    Forward hardswish;
    Backward hardswish_backward;
};

// --- batchnorm.cpp -------------------------------------------------------------------------------

inline constexpr std::int64_t kMostChannels = 32;

/// Values of x [batch, channels, inner] that are walked together: of each of `rows` images some
/// neighbouring channels, at most kMostChannels, and of each of those `inner` values side by side.
/// The images begin row_stride apart, and the channels channel_stride.
struct BatchNormBlock {
    std::int64_t rows, channels, inner, row_stride, channel_stride;
};

/// (x - center) scale + shift, with the numbers of each of a block's channels.
struct BatchNormLine {
    Real center[kMostChannels], scale[kMostChannels], shift[kMostChannels];
};

/// The loops over a block, at one instruction set. They add up each channel in the same order,
/// whatever the width of a vector is, so that the results are the same bits at all of them.
struct BatchNormKernels {
    /// Of each channel the sum of x - center and that of (x - center)^2.
    void (*moments)(const BatchNormBlock& block, const Real* center, const Real* x, double* sum,
                    double* squares);
    /// y = the line's or, with relu, the larger of it and 0.
    void (*normalize)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                      const Real* x, Real* y);
    /// With g = dy or, with relu, 0 where the line is <= 0: of each channel the sum of g and that
    /// of g (x - center).
    void (*gradient_sums)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                          const Real* x, const Real* dy, double* sum, double* products);
    /// dx = g scale, plus (x - center) slope + offset where these are not null. Without relu and
    /// them, x may be null.
    void (*input_gradient)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                           const Real* slope, const Real* offset, const Real* x, const Real* dy,
                           Real* dx);
};

// --- depthwise.cpp -------------------------------------------------------------------------------

/// The innermost loops of a convolution in which each channel has its own kernels, at one
/// instruction set. Both walk over an output plane, `rows` rows of `columns`; output (i, j) of y or
/// dy is at i * columns + j, and tap t meets it with x[i * x_step + offsets[t] + j].
struct DepthwiseLoops {
    std::int64_t rows, columns, x_step, taps;
    const std::int64_t* offsets;
};

struct Depthwise {
    /// y = bias + sum over the taps of weight[t] x.
    void (*forward)(const DepthwiseLoops& loops, const Real* x, const Real* weight, Real bias,
                    Real* y);
    /// dweight[t] += sum over the plane of dy x.
    void (*weight)(const DepthwiseLoops& loops, const Real* x, const Real* dy, Real* dweight);
};

// --- dropout.cpp ---------------------------------------------------------------------------------

/// Elements for which random numbers are drawn at a time.
inline constexpr std::int64_t kDropoutBlock = 256;

/// The loops of dropout, at one instruction set, with the bits the same at all of them: dropout and
/// dropout_backward of core/kernels/dropout.h, for n elements of which the one with number `first`
/// is the first of a block.
struct DropoutKernels {
    using Index = std::int64_t;
    void (*forward)(Index first, Index n, std::uint64_t seed, std::uint32_t limit, Real scale,
                    const Real* x, Real* y, std::uint8_t* kept);
    void (*backward)(Index n, Real scale, const std::uint8_t* kept, const Real* dy, Real* dx);
};

// --- elementwise.cpp -----------------------------------------------------------------------------

/// The loops of arithmetic, at one instruction set, with the bits the same at all of them.
struct ElementwiseKernels {
    using Index = std::int64_t;
    /// y[i] = a[i * stride_a] op b[i * stride_b] for i < n; y may be a if stride_a is 1.
    using Binary = void (*)(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                            Real* y);
    /// y[i] = op x[i]; y may be x.
    using Unary = void (*)(Index n, const Real* x, Real* y);

    Binary add, sub, mul, div;
    Unary neg, exp, sqrt;
    void (*scale)(Index n, Real factor, Real* x);
};

// --- gemm_tile.cpp -------------------------------------------------------------------------------

/// The innermost step of gemm and of convolution: C [rows, columns] = A [rows, depth] B [depth,
/// columns], where C is a tile that the processor's registers can hold.
struct TileProduct {
    /// At step p of the walk over depth, A's column begins at a + p * a_step and B's row at
    /// b + p * b_step. A row's elements lie side by side, and so do a column's, unless
    /// `rows_apart`: then they are a vector register's `lanes` apart.
    const Real *a, *b;
    std::int64_t depth, a_step, b_step;
    bool rows_apart = false;
    /// The walk can be made of several runs, which in turn make up a level of their own: after each
    /// run of `depth` steps, a and b are moved on by the skips of `runs`, and after runs.count of
    /// them by those of `groups`.
    struct Level {
        std::int64_t count = 1, a_skip = 0, b_skip = 0;
    } runs = {}, groups = {};

    Real* c;  ///< its rows begin `stride` apart
    std::int64_t stride;
    bool accumulate;                    ///< C += instead of C =
    const Real* row_bias = nullptr;     ///< [rows] or nullptr: added to each row
    const Real* column_bias = nullptr;  ///< [columns] or nullptr
};

/// No tile has more columns, at any instruction set.
constexpr std::int64_t kMaxTileColumns = 32;

/// That step at one instruction set, and what goes with it.
struct GemmTile {
    std::int64_t rows, columns;  ///< of the largest tile
    /// For 1 <= rows <= the largest, and columns likewise. Of A and B, only whole vector registers
    /// are read: B's rows must be readable up to the next multiple of `lanes` columns.
    void (*run)(std::int64_t rows, std::int64_t columns, const TileProduct& product);
    std::int64_t lanes;  ///< Reals in a vector register

    /// y[i] = sum over p of lines[i * line_step + p] * x[p], or y[i] +=.
    void (*dots)(std::int64_t count, std::int64_t depth, std::int64_t line_step, const Real* lines,
                 const Real* x, Real* y, bool accumulate);

    /// to[p * to_step + i] = from[i * line_step + p] for i < lines, p < depth, and nothing else.
    void (*transpose_into)(std::int64_t lines, std::int64_t line_step, std::int64_t depth,
                           const Real* from, std::int64_t to_step, Real* to);

    /// to[p * width + i] = from[i * line_step + p] for i < lines, p < depth. If width > lines,
    /// the rest of each row becomes 0. Writes depth * width values. Needs lines <= width.
    void (*transpose)(std::int64_t lines, std::int64_t line_step, std::int64_t depth,
                      const Real* from, std::int64_t width, Real* to);

    /// `rows` times: copies pieces[0 ... count), where each is relative to `from` + offsets[row]
    /// and to `to` + row * width.
    struct Piece {
        std::int64_t from, to, length;
    };
    void (*gather)(std::int64_t rows, const std::int64_t* offsets, const Real* from,
                   std::int64_t count, const Piece* pieces, std::int64_t width, Real* to);

    /// Copies `rows` rows of `length` values, whose starts lie that far apart.
    void (*copy_rows)(std::int64_t rows, std::int64_t length, const Real* from,
                      std::int64_t from_step, Real* to, std::int64_t to_step);
};

// --- optimizer.cpp -------------------------------------------------------------------------------

/// The loops of the optimizers, at one instruction set, with the bits the same at all of them:
/// sgd_update, adam_update and rmsprop_update of core/kernels/optimizer.h.
struct OptimizerKernels {
    using Index = std::int64_t;
    void (*sgd)(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w);
    void (*adam)(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w);
    void (*rmsprop)(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                    Real* velocity, Real* w);
};

// --- pool.cpp ------------------------------------------------------------------------------------

/// Windows of 2x2 cells side by side, out_h rows of out_w, over each plane of in_h rows of in_w:
/// what in_h and in_w have beyond twice as many is in no window.
struct PoolBy2 {
    std::int64_t planes, in_h, in_w, out_h, out_w;
};

/// The loops of pooling, at one instruction set.
struct PoolKernels {
    /// max_pool2d of core/kernels/pool.h, for such windows.
    void (*max_by_2)(const PoolBy2& sizes, const Real* x, Real* y, std::uint8_t* taken);
    /// All of dx.
    void (*max_by_2_backward)(const PoolBy2& sizes, const std::uint8_t* taken, const Real* dy,
                              Real* dx);
};

// --- reduce.cpp ----------------------------------------------------------------------------------

inline constexpr std::int64_t kMostColumns = 32;

/// The loops of reductions, at one instruction set. All add up in the same order, whatever the
/// width of a vector is, so that the results are the same bits at all of them.
struct ReduceKernels {
    /// The sum of x[i] for i < n, added up in double.
    double (*sum)(std::int64_t n, const Real* x);
    /// The sum of x[i]^2.
    double (*sum_of_squares)(std::int64_t n, const Real* x);
    /// sums[i] += the sum over r < rows of x[r * stride + i], for i < columns <= kMostColumns.
    void (*add_rows)(std::int64_t rows, std::int64_t columns, std::int64_t stride, const Real* x,
                     double* sums);
};

// --- softmax.cpp ---------------------------------------------------------------------------------

/// The loops of softmax, at one instruction set, with the bits the same at all of them: over `rows`
/// rows of `n` values, one after the other in memory.
struct SoftmaxKernels {
    using Index = std::int64_t;
    /// Of each row r, largest[r] = max x, y = e^(x - max x) and sums[r] = the sum of y, added up in
    /// double.
    void (*exponentials)(Index rows, Index n, const Real* x, Real* y, double* largest,
                         double* sums);
    /// y = y / sums[r]
    void (*divide)(Index rows, Index n, const double* sums, Real* y);
    /// y = (x - largest[r]) - logs[r]
    void (*subtract)(Index rows, Index n, const double* largest, const double* logs, const Real* x,
                     Real* y);
    /// softmax_backward and log_softmax_backward of core/kernels/reduce.h.
    void (*backward)(Index rows, Index n, const Real* y, const Real* dy, Real* dx);
    void (*log_backward)(Index rows, Index n, const Real* y, const Real* dy, Real* dx);
};

// --- winograd.cpp --------------------------------------------------------------------------------

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

// --- The table -----------------------------------------------------------------------------------

/// All of them, at one instruction set.
struct Table {
    ActivationKernels activation;
    BatchNormKernels batch_norm;
    Depthwise depthwise;
    DropoutKernels dropout;
    ElementwiseKernels elementwise;
    GemmTile gemm;
    OptimizerKernels optimizer;
    PoolKernels pool;
    ReduceKernels reduce;
    SoftmaxKernels softmax;
    Winograd winograd;
};

/// That of the instruction set in use, isa(); the baseline's for Isa::reference.
const Table& table();

// One for each instruction set, made by table.cpp. Only what the processor has may be called: the
// function itself is compiled for it.
namespace baseline {
Table make_table();
}
namespace avx2 {
Table make_table();
}
namespace avx512 {
Table make_table();
}

#ifdef PRIMER_ISA_LEVEL
// For table.cpp: what the other files of this folder make at this level.
namespace PRIMER_ISA_LEVEL {
ActivationKernels activation_kernels();
BatchNormKernels batch_norm_kernels();
Depthwise depthwise();
DropoutKernels dropout_kernels();
ElementwiseKernels elementwise_kernels();
GemmTile gemm_tile();
OptimizerKernels optimizer_kernels();
PoolKernels pool_kernels();
ReduceKernels reduce_kernels();
SoftmaxKernels softmax_kernels();
Winograd winograd();
}  // namespace PRIMER_ISA_LEVEL
#endif

}  // namespace primer::kernels
