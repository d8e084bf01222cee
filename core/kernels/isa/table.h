#pragma once

#include <cstdint>

#include "../../real.h"
#include "../isa.h"
#include "../optimizer.h"
#include "../upstream.h"

// One table of all functions that are compiled once for each instruction set. The files of this
// folder fill it, and core/kernels and core/ops call its functions: table().activation.relu(n, x,
// y).
//
// CMakeLists.txt compiles these files once for each instruction set, and each time defines
// PRIMER_ISA_LEVEL as its name: baseline, avx2 or avx512. It is the namespace of everything in
// them, so the versions of a function have different names.

namespace primer::kernels {

// --- activation.cpp ------------------------------------------------------------------------------

/// The loops of the activations. All instruction sets with fused multiply-adds give the same bits.
/// A forward computes y from x, a backward dx from dy and from what the op keeps, x or y. y may be
/// x, and dx may be dy. core/ops/activation.cpp has the formulas and derivatives.
///
/// Errors in float, in units in the last place (ulp) of a result that is not subnormal:
///
///     exp, tanh                1      sigmoid         2.4
///     elu, hardsigmoid         1.1    softplus        3
///     softsign                 1.5    logsigmoid      3
///     celu                     2      mish (x > -87)  4.3
///     silu (x > -87)           3.2    gelu (x > -13)  4.4
///
/// The relative error of the derivatives is at most 1e-5. Near their zeros, where the terms of
/// silu, mish, gelu and gelu_tanh cancel, their absolute error is at most 1e-6. gelu_tanh cancels
/// for x < 0, as its formula does.
struct ActivationKernels {
    using Index = std::int64_t;
    using Forward = void (*)(Index n, const Real* x, Real* y);
    using Backward = void (*)(Index n, const Real* kept, const Real* dy, Real* dx);

    Forward relu;            ///< a NaN stays a NaN
    Backward relu_backward;  ///< dy where y > 0 or is a NaN, else 0

    void (*leaky_relu)(Index n, Real slope, const Real* x, Real* y);
    /// With slope >= 0, y may be passed as x.
    void (*leaky_relu_backward)(Index n, Real slope, const Real* x, const Real* dy, Real* dx);
    /// leaky_relu_backward with a slope w[i] for each element.
    void (*prelu_backward)(Index n, const Real* x, const Real* w, const Real* dy, Real* dx);
    /// The term of each x in its channel's dw: 0 where x > 0, else x dy.
    Backward prelu_backward_weight;

    void (*hardtanh)(Index n, Real least, Real most, const Real* x, Real* y);
    void (*hardtanh_backward)(Index n, Real least, Real most, const Real* y, const Real* dy,
                              Real* dx);
    Forward hardsigmoid;
    Backward hardsigmoid_backward;
    Forward hardswish;
    Backward hardswish_backward;
    Forward softsign;
    Backward softsign_backward;

    /// y = above x where x > 0, else below (e^x - 1).
    void (*elu)(Index n, Real above, Real below, const Real* x, Real* y);
    void (*elu_backward)(Index n, Real above, Real below, const Real* x, const Real* dy, Real* dx);
    void (*celu)(Index n, Real alpha, const Real* x, Real* y);
    void (*celu_backward)(Index n, Real alpha, const Real* x, const Real* dy, Real* dx);

    Forward gelu;
    Backward gelu_backward;
    Forward gelu_tanh;
    Backward gelu_tanh_backward;
    Forward silu;
    Backward silu_backward;
    /// y = a s(b), with the sigmoid s. No array may be another.
    void (*glu)(Index n, const Real* a, const Real* b, Real* y);
    void (*glu_backward)(Index n, const Real* a, const Real* b, const Real* dy, Real* da, Real* db);
    Forward sigmoid;
    Backward sigmoid_backward;
    Forward tanh;
    Backward tanh_backward;

    void (*softplus)(Index n, Real beta, Real threshold, const Real* x, Real* y);
    void (*softplus_backward)(Index n, Real beta, Real threshold, const Real* x, const Real* dy,
                              Real* dx);
    Forward logsigmoid;
    Backward logsigmoid_backward;
    Forward mish;
    Backward mish_backward;
};

// --- batchnorm.cpp -------------------------------------------------------------------------------

inline constexpr std::int64_t kMostChannels = 32;

/// A part of x [batch, channels, inner]: `rows` images, in each some neighbouring channels, at most
/// kMostChannels, and in each of these `inner` adjacent values. Images begin row_stride apart,
/// channels channel_stride apart.
struct BatchNormBlock {
    std::int64_t rows, channels, inner, row_stride, channel_stride;
};

/// The line (x - center) scale + shift for each of a block's channels.
struct BatchNormLine {
    Real center[kMostChannels], scale[kMostChannels], shift[kMostChannels];
};

/// The loops over a block. They add the values of a channel in the same order whatever the width of
/// a vector, so every instruction set gives the same bits.
struct BatchNormKernels {
    /// The sum of x - center and the sum of (x - center)^2 for each channel.
    void (*moments)(const BatchNormBlock& block, const Real* center, const Real* x, double* sum,
                    double* squares);
    /// y = the line's value or, with relu, the larger of that and 0.
    void (*normalize)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                      const Real* x, Real* y);
    /// The sum of g and the sum of g (x - center) for each channel, where g = dy or, with relu, 0
    /// where the line's value is <= 0.
    void (*gradient_sums)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                          const Real* x, const Real* dy, double* sum, double* products);
    /// dx = g scale, plus (x - center) slope + offset if slope and offset are not null. If they are
    /// and there is no relu, x may be null, too.
    void (*input_gradient)(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                           const Real* slope, const Real* offset, const Real* x, const Real* dy,
                           Real* dx);
};

// --- depthwise.cpp -------------------------------------------------------------------------------

/// The sizes for the innermost loops of a depthwise convolution. The loops walk over an output
/// plane, `rows` rows of `columns`. Output (i, j) of y or dy is at i * columns + j, and there tap t
/// meets x[i * x_step + offsets[t] + j].
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

/// Random numbers are drawn for this many elements at a time.
inline constexpr std::int64_t kDropoutBlock = 256;

/// The loops of dropout, as core/kernels/dropout.h describes them, for n elements. Every
/// instruction set gives the same bits. Element number `first` must be the first of a block.
struct DropoutKernels {
    using Index = std::int64_t;
    void (*forward)(Index first, Index n, std::uint64_t seed, std::uint32_t limit, Real scale,
                    const Real* x, Real* y, std::uint8_t* kept);
    void (*backward)(Index n, Real scale, const std::uint8_t* kept, const Real* dy, Real* dx);
};

// --- elementwise.cpp -----------------------------------------------------------------------------

/// The largest |x| for which the loops of sin and cos below keep all digits.
inline constexpr double kLargestAngle = 1048576;

/// The loops of arithmetic. Every instruction set gives the same bits, but for exp, log, pow, sin
/// and cos, whose bits depend on whether it has fused multiply-adds. In float, the errors of log
/// are below 0.93 units in the last place, those of pow below 0.55 (for exponents 3 and -0.5: 1),
/// and those of sin and cos, for |x| <= kLargestAngle, below 0.52.
struct ElementwiseKernels {
    using Index = std::int64_t;
    /// y[i] = a[i * stride_a] op b[i * stride_b] for i < n; y may be a if stride_a is 1.
    using Binary = void (*)(Index n, const Real* a, Index stride_a, const Real* b, Index stride_b,
                            Real* y);
    /// y[i] = op x[i]; y may be x.
    using Unary = void (*)(Index n, const Real* x, Real* y);

    Binary add, sub, mul, div, pow;
    Binary pow_grad_base;      ///< changes y: y b a^(b-1), as core/kernels/elementwise.h has it
    Binary pow_grad_exponent;  ///< changes y: y a^b ln a, likewise; in both y must not be a
    Binary maximum, minimum;   ///< NaN if a or b is
    Binary less, less_equal, greater, greater_equal, equal, not_equal;  ///< 1 or 0
    Binary share_of_larger;  ///< changes y: 0 where a < b, y / 2 where a = b; y must not be a
    Binary choose;           ///< changes y: a where y is not 0, else b; y must not be a
    Unary neg, exp, log, sqrt;
    Unary abs, sign, sin, cos;  ///< sign: 1, -1, or x where it is 0 or NaN
    /// Whether |x[i]| > limit for an i.
    bool (*any_beyond)(Index n, Real limit, const Real* x);
    /// min(max(x, low), high); NaN where x is, and everywhere if high is.
    void (*clamp)(Index n, Real low, Real high, const Real* x, Real* y);
    /// dx = dy where low <= x <= high, else 0.
    void (*clamp_backward)(Index n, Real low, Real high, const Real* x, const Real* dy, Real* dx);
    void (*scale)(Index n, Real factor, Real* x);
};

// --- gemm_tile.cpp -------------------------------------------------------------------------------

/// The innermost step of gemm and convolution: C [rows, columns] = A [rows, depth] B [depth,
/// columns], where C is a tile that fits the processor's registers.
struct TileProduct {
    /// At step p of the walk over depth, A's column begins at a + p * a_step and B's row at b + p *
    /// b_step. The elements of B's row are adjacent. So are those of A's column, unless
    /// `rows_apart`: then they are a vector register's `lanes` apart.
    const Real *a, *b;
    std::int64_t depth, a_step, b_step;
    bool rows_apart = false;
    /// The walk may consist of groups of runs. After each run of `depth` steps, a and b advance by
    /// the skips of `runs`; after each group of runs.count runs, also by those of `groups`.
    struct Level {
        std::int64_t count = 1, a_skip = 0, b_skip = 0;
    } runs = {}, groups = {};

    Real* c;  ///< rows begin `stride` apart
    std::int64_t stride;
    bool accumulate;                    ///< C += instead of C =
    const Real* row_bias = nullptr;     ///< [rows] or nullptr: added to each row
    const Real* column_bias = nullptr;  ///< [columns] or nullptr
    bool relu = false;                  ///< max(C, 0) at the end
};

/// At no instruction set does a tile have more columns.
constexpr std::int64_t kMaxTileColumns = 32;

/// The step for a tile, and the loops that prepare its operands.
struct GemmTile {
    std::int64_t rows, columns;  ///< of the largest tile
    /// Computes a tile with at least one and at most the largest number of rows and columns. Reads
    /// whole vector registers: B's rows must be readable up to the next multiple of `lanes`
    /// columns.
    void (*run)(std::int64_t rows, std::int64_t columns, const TileProduct& product);
    std::int64_t lanes;  ///< Reals in a vector register

    /// y[i] = sum over p of lines[i * line_step + p] * x[p], or y[i] += with `accumulate`.
    void (*dots)(std::int64_t count, std::int64_t depth, std::int64_t line_step, const Real* lines,
                 const Real* x, Real* y, bool accumulate);

    /// to[p * to_step + i] = from[i * line_step + p] for i < lines, p < depth; writes nothing else.
    void (*transpose_into)(std::int64_t lines, std::int64_t line_step, std::int64_t depth,
                           const Real* from, std::int64_t to_step, Real* to);

    /// to[p * width + i] = from[i * line_step + p] for i < lines, p < depth. If width > lines,
    /// the rest of each row becomes 0. Writes depth * width values. Needs lines <= width.
    void (*transpose)(std::int64_t lines, std::int64_t line_step, std::int64_t depth,
                      const Real* from, std::int64_t width, Real* to);

    /// Copies pieces[0 ... count) for each of `rows` rows: from `from` + offsets[row] + piece.from
    /// to `to` + row * width + piece.to.
    struct Piece {
        std::int64_t from, to, length;
    };
    void (*gather)(std::int64_t rows, const std::int64_t* offsets, const Real* from,
                   std::int64_t count, const Piece* pieces, std::int64_t width, Real* to);

    /// Copies `rows` rows of `length` values. Rows begin from_step and to_step apart.
    void (*copy_rows)(std::int64_t rows, std::int64_t length, const Real* from,
                      std::int64_t from_step, Real* to, std::int64_t to_step);
};

// --- loss.cpp ------------------------------------------------------------------------------------

/// The loops of the losses, whose formulas are in core/kernels/loss.h. Each forward writes the loss
/// of each element, each backward dx, which may be none of the other arrays. Errors are below 5 ulp
/// in float: logarithms of probabilities are taken in double.
struct LossKernels {
    using Index = std::int64_t;

    /// Whether low <= x[i] <= high for all i < n; not for a NaN.
    bool (*within)(Index n, Real low, Real high, const Real* x);
    /// x = ln x
    void (*logarithms)(Index n, double* x);
    /// dx = up (total p - share)
    void (*cross_entropy_backward)(Index n, Real up, Real total, const Real* p, const Real* share,
                                   Real* dx);

    void (*bent)(Index n, double bend, double slope, const Real* x, const Real* t, Real* losses);
    void (*bent_backward)(Index n, double bend, double slope, const Real* x, const Real* t,
                          const Upstream& dy, Real* dx);
    void (*binary_cross_entropy)(Index n, const Real* x, const Real* t, Real* losses);
    void (*binary_cross_entropy_backward)(Index n, const Real* x, const Real* t, const Upstream& dy,
                                          Real* dx);
    /// binary_cross_entropy_with_logits; v may be nullptr: 1.
    void (*logits)(Index n, const Real* x, const Real* t, const Real* v, Real* losses);
    void (*logits_backward)(Index n, const Real* x, const Real* t, const Real* v,
                            const Upstream& dy, Real* dx);
    void (*kl_div)(Index n, bool log_target, const Real* x, const Real* t, Real* losses);
    void (*kl_div_backward)(Index n, bool log_target, const Real* t, const Upstream& dy, Real* dx);
};

// --- optimizer.cpp -------------------------------------------------------------------------------

/// The loops of the optimizers: sgd_update, adam_update and rmsprop_update of
/// core/kernels/optimizer.h. Every instruction set gives the same bits.
struct OptimizerKernels {
    using Index = std::int64_t;
    void (*sgd)(Index n, const SgdStep& step, const Real* grad, Real* velocity, Real* w);
    void (*adam)(Index n, const AdamStep& step, const Real* grad, Real* mean, Real* square,
                 Real* largest, Real* w);
    void (*rmsprop)(Index n, const RmspropStep& step, const Real* grad, Real* square, Real* mean,
                    Real* velocity, Real* w);
};

// --- pool.cpp ------------------------------------------------------------------------------------

/// Windows of 2x2 cells side by side: out_h rows of out_w windows, over each plane of in_h rows of
/// in_w cells. Rows and columns beyond 2 out_h and 2 out_w are in no window.
struct PoolBy2 {
    std::int64_t planes, in_h, in_w, out_h, out_w;
};

/// The loops of pooling.
struct PoolKernels {
    /// max_pool2d of core/kernels/pool.h, for such windows.
    void (*max_by_2)(const PoolBy2& sizes, const Real* x, Real* y, std::uint8_t* taken);
    /// max_pool2d_backward for such windows. Writes all of dx.
    void (*max_by_2_backward)(const PoolBy2& sizes, const std::uint8_t* taken, const Real* dy,
                              Real* dx);
};

// --- reduce.cpp ----------------------------------------------------------------------------------

inline constexpr std::int64_t kMostColumns = 32;

/// The loops of reductions. All add in the same order whatever the width of a vector, so every
/// instruction set gives the same bits.
struct ReduceKernels {
    /// The sum of x[i] for i < n, in double.
    double (*sum)(std::int64_t n, const Real* x);
    /// The sum of x[i]^2.
    double (*sum_of_squares)(std::int64_t n, const Real* x);
    /// y[r] += factor times the sum of row r, for contiguous rows of n values.
    void (*row_sums)(std::int64_t rows, std::int64_t n, double factor, const Real* x, Real* y);
    /// y[r] = the largest or smallest value of row r, NaN if one is NaN, for contiguous rows of n
    /// >= 1 values.
    void (*row_extremes)(std::int64_t rows, std::int64_t n, bool largest, const Real* x, Real* y);
    /// sums[i] += the sum over r < rows of x[r * stride + i], for i < columns <= kMostColumns.
    void (*add_rows)(std::int64_t rows, std::int64_t columns, std::int64_t stride, const Real* x,
                     double* sums);
};

// --- rownorm.cpp ---------------------------------------------------------------------------------

/// The line (x - center) scale + shift, the same for all values of a row.
struct NormLine {
    Real center, scale, shift;
};

/// What turns dy into dx.
struct NormSlope {
    Real weight;  ///< of all values, unless each has one of its own
    NormLine rest;
    Real rstd;
};

/// The loops of layer_norm and group_norm over n adjacent values; `weight` and `bias` have as many,
/// or are nullptr: 1 and 0. Every instruction set gives the same bits.
struct RowNormKernels {
    using Index = std::int64_t;
    /// The mean of x and the mean squared distance from it, added up in double.
    void (*moments)(Index n, const Real* x, double* mean, double* variance);
    /// y = z weight + bias, where z is the line's value.
    void (*normalize)(Index n, const NormLine& line, const Real* weight, const Real* bias,
                      const Real* x, Real* y);
    /// The sum of dy weight and the sum of dy weight z.
    void (*gradient_sums)(Index n, const NormLine& line, const Real* weight, const Real* x,
                          const Real* dy, double* g, double* gz);
    /// dx = (dy weight + the value of slope.rest) slope.rstd.
    void (*input_gradient)(Index n, const NormSlope& slope, const Real* weight, const Real* x,
                           const Real* dy, Real* dx);
    /// The sum of dy and the sum of dy z for each of at most kMostColumns columns, over `rows` rows
    /// of x and dy, which begin `stride` apart and have a line each.
    void (*column_sums)(Index rows, Index columns, Index stride, const NormLine* lines,
                        const Real* x, const Real* dy, double* g, double* gz);
};

// --- softmax.cpp ---------------------------------------------------------------------------------

/// The loops of softmax, over `rows` contiguous rows of n >= 1 values. All instruction sets with
/// fused multiply-adds give the same bits.
struct SoftmaxKernels {
    using Index = std::int64_t;
    using Forward = void (*)(Index rows, Index n, const Real* x, Real* y);
    using Backward = void (*)(Index rows, Index n, const Real* y, const Real* dy, Real* dx);
    /// Sets, for each row r, largest[r] = max x, y = e^(x - max x) and sums[r] = the sum of y, in
    /// double.
    void (*exponentials)(Index rows, Index n, const Real* x, Real* y, double* largest,
                         double* sums);
    /// y = y / sums[r]
    void (*divide)(Index rows, Index n, const double* sums, Real* y);
    /// As core/kernels/reduce.h describes them.
    Forward softmax, log_softmax;
    /// The same for `count` <= kColumns lines of n values side by side: value i of line c is at
    /// x[i * stride + c].
    using Columns = void (*)(Index n, Index stride, Index count, const Real* x, Real* y);
    static constexpr Index kColumns = 32;
    Columns softmax_columns, log_softmax_columns;
    Backward softmax_backward, log_softmax_backward;
};

// --- winograd.cpp --------------------------------------------------------------------------------

/// The layout of the squares that a Winograd transform reads or writes. Every value is a vector of
/// GemmTile::lanes channels; value (i, j) of square k begins at data + item * k + row * i +
/// column * j.
template <class R>
struct Squares {
    R* data;
    std::int64_t item, row, column;
};

/// The transforms of Winograd's convolution F(4x4, 3x3), each for `count` squares, with the
/// matrices of conv_winograd.cpp.
struct Winograd {
    using Transform = void (*)(std::int64_t count, const Squares<const Real>& from,
                               const Squares<Real>& to);
    Transform input;            ///< B^T d B, 6x6 to 6x6
    Transform output;           ///< A^T m A, 6x6 to 4x4
    Transform weight;           ///< G w G^T, 3x3 to 6x6
    Transform output_gradient;  ///< A d A^T, 4x4 to 6x6
    Transform weight_gradient;  ///< G^T m G, 6x6 to 3x3
    /// Whether all n values are finite.
    bool (*finite)(std::int64_t n, const Real* x);
    /// In x [2 rows, 2 columns, lanes]: writes the largest of each 2x2 neighbours, for each lane,
    /// to the beginning of x, as [rows, columns, lanes].
    void (*max_by_2)(std::int64_t rows, std::int64_t columns, Real* x);
    /// x [n, lanes] = x + bias [lanes], which may be nullptr, and with `relu` max(x, 0).
    void (*add_bias)(std::int64_t n, const Real* bias, bool relu, Real* x);
};

// --- The table -----------------------------------------------------------------------------------

/// All functions at one instruction set.
struct Table {
    ActivationKernels activation;
    BatchNormKernels batch_norm;
    Depthwise depthwise;
    DropoutKernels dropout;
    ElementwiseKernels elementwise;
    GemmTile gemm;
    LossKernels loss;
    OptimizerKernels optimizer;
    PoolKernels pool;
    ReduceKernels reduce;
    RowNormKernels row_norm;
    SoftmaxKernels softmax;
    Winograd winograd;
};

/// The table of the instruction set in use, isa(); the baseline's for Isa::reference. Defined in
/// isa.cpp, as is the next function.
const Table& table();

/// The table of any instruction set that this processor has. Throws Error for another.
Table make_table(Isa isa);

// They make the tables, in table.cpp. The functions in a table are compiled for its instruction
// set. On other processors than x86-64 there is only the baseline.
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
// table.cpp calls these, the parts that the other files of this folder make at this level.
namespace PRIMER_ISA_LEVEL {
ActivationKernels activation_kernels();
BatchNormKernels batch_norm_kernels();
Depthwise depthwise();
DropoutKernels dropout_kernels();
ElementwiseKernels elementwise_kernels();
GemmTile gemm_tile();
LossKernels loss_kernels();
OptimizerKernels optimizer_kernels();
PoolKernels pool_kernels();
ReduceKernels reduce_kernels();
RowNormKernels row_norm_kernels();
SoftmaxKernels softmax_kernels();
Winograd winograd();
}  // namespace PRIMER_ISA_LEVEL
#endif

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT
