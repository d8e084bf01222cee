#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "creation.h"
#include "dims.h"
#include "int_tensor.h"
#include "parameter.h"
#include "rng.h"
#include "size2.h"
#include "tensor.h"

// The catalogue: every op with its shapes and its formula. Each is a plain function in ops/, where
// its check, its forward and its backward stand together. A recording Tape records it. All throw
// Error, which names the op and the shapes, for inputs that do not fit. Numbers and dimensions are
// of type Only: sum(x, true) and max(x, 0.5) do not compile.
//
// At the edges of their domains (signed zeros, infinities, NaN, the largest numbers, sizes of 0)
// they behave as PyTorch's do; exceptions are stated here, with the reason. A result closer to the
// exact value also counts as correct. tests/parity/sweep.py checks all of this.
//
// Every op returns a new tensor and leaves its inputs alone, with these exceptions: relu_ and
// leaky_relu_ write over x, as do +=, -=, *= and /=, which are members of Tensor; batch_norm in
// training moves the running statistics; reshape, view, flatten, squeeze and unsqueeze and, along
// dimension 0, slice, select, split and chunk return tensors that share memory with x; and dropout
// with p = 0 returns x itself.

namespace primer {

// --- elementwise.cpp: shapes broadcast as NumPy's do; a number is a tensor of shape [] ----------

Tensor add(const Tensor& a, const Tensor& b);  ///< a + b
Tensor sub(const Tensor& a, const Tensor& b);  ///< a - b
Tensor mul(const Tensor& a, const Tensor& b);  ///< a * b
Tensor div(const Tensor& a, const Tensor& b);  ///< a / b
/// a^b as in IEEE 754: (-infinity)^0.5 and (-0)^-0.5 are infinity. PyTorch agrees for a tensor of
/// exponents; for the number b = 0.5 it takes a square root instead, which gives NaN and -infinity.
/// The gradient of b is taken as 0 at a = 0, b >= 0, and that of a as 0 at b = 0.
Tensor pow(const Tensor& a, const Tensor& b);

/// a + b, a - b, a * b, a / b
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

// --- unary.cpp: y has the shape of x -------------------------------------------------------------

Tensor neg(const Tensor& x);   ///< -x
Tensor exp(const Tensor& x);   ///< e^x
Tensor log(const Tensor& x);   ///< ln x
Tensor sqrt(const Tensor& x);  ///< x^(1/2)
/// |x|. The derivative at 0 is taken as 0. At a NaN it is NaN, because a 0, as in PyTorch, would
/// hide it.
Tensor abs(const Tensor& x);
Tensor sin(const Tensor& x);  ///< The sine of x, an angle in radians. NaN for an infinite x.
Tensor cos(const Tensor& x);  ///< The cosine, likewise.

/// -x
inline Tensor operator-(const Tensor& x) { return neg(x); }

// --- compare.cpp: shapes broadcast as NumPy's do; a number is a tensor of shape [] --------------

/// The larger and the smaller of a and b; NaN where a or b is NaN. The gradient goes to the one
/// that was taken. Where a = b, each gets half of it; where a or b is NaN, each gets all of it.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// min where x < min, max where x > max, else x; max everywhere if min > max. A NaN in x stays; a
/// bound that is NaN makes all of y NaN. The derivative is 1 where min <= x <= max, the bounds
/// included, else 0, also for NaN. (PyTorch's bounds may be tensors: write minimum(maximum(x, min),
/// max), which differs in the gradients of ties.)
Tensor clamp(const Tensor& x, Only<double> min, Only<double> max);
/// clamp with one bound.
Tensor clamp_min(const Tensor& x, Only<double> min);
Tensor clamp_max(const Tensor& x, Only<double> max);
/// a where the condition is not 0, else b; all three broadcast. A NaN is not 0. The gradient goes
/// to the one that was taken; the condition gets none.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

// Comparisons give 1 where they hold, else 0, so they serve as conditions for where(). They have no
// gradient. NaN equals nothing, itself included. Since == gives a tensor, `if (a == b)` does not
// compile, because it does not say whether all elements must be equal or just one.
Tensor lt(const Tensor& a, const Tensor& b);  ///< a < b
Tensor le(const Tensor& a, const Tensor& b);  ///< a <= b
Tensor gt(const Tensor& a, const Tensor& b);  ///< a > b
Tensor ge(const Tensor& a, const Tensor& b);  ///< a >= b
Tensor eq(const Tensor& a, const Tensor& b);  ///< a = b
Tensor ne(const Tensor& a, const Tensor& b);  ///< a != b

/// The comparisons as operators.
inline Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return eq(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return ne(a, b); }

// Masks are numbers, so their operators would be arithmetic: write that.
Tensor operator&(const Tensor& a, const Tensor& b) = delete;  // (x > 0) * (y > 0)
Tensor operator|(const Tensor& a, const Tensor& b) = delete;  // maximum(x > 0, y > 0)
Tensor operator~(const Tensor& mask) = delete;                // 1 - mask
Tensor operator!(const Tensor& mask) = delete;                // 1 - mask

/// IntTensors, such as argmax(logits, 1) and labels, compare likewise, but must have the same
/// shape, because a column against a row, which PyTorch broadcasts to a matrix, is a mistake more
/// often than not.
Tensor eq(const IntTensor& a, const IntTensor& b);
inline Tensor operator==(const IntTensor& a, const IntTensor& b) { return eq(a, b); }
inline Tensor operator!=(const IntTensor& a, const IntTensor& b) { return 1 - eq(a, b); }
/// Compares each element with one number: labels == 3.
Tensor operator==(const IntTensor& a, Only<Index> b);
inline Tensor operator!=(const IntTensor& a, Only<Index> b) { return 1 - (a == b); }
inline Tensor operator==(Only<Index> a, const IntTensor& b) { return b == a; }
inline Tensor operator!=(Only<Index> a, const IntTensor& b) { return b != a; }

// --- activation.cpp ----------------------------------------------------------------------------

// All but the last four work element by element, so y has the shape of x. A NaN stays a NaN. Its
// gradient is NaN as well where the derivative is a formula in x (elu, selu, gelu, silu, tanh,
// softplus, hardswish, ...); relu, leaky_relu and prelu pass the gradient on at a NaN as at any
// number, as PyTorch's do; and relu6, hardtanh and hardsigmoid, whose derivative is 0 unless x lies
// between two numbers, give 0. For some of these, PyTorch's gradient at a NaN depends on the
// element's position in a SIMD vector.
//
// At a kink the derivative is the one from the left. The exceptions are the upper kinks of relu6,
// hardtanh, hardsigmoid and hardswish; their comments give the derivative there.

/// max(x, 0). The derivative at 0 is taken as 0.
Tensor relu(const Tensor& x);
/// x where x > 0, else negative_slope x.
Tensor leaky_relu(const Tensor& x, Only<double> negative_slope = 0.01);
/// relu and leaky_relu in place: they overwrite x, return it and take no memory. While a Tape
/// records, x must not be a leaf that requires a gradient, and backward throws Error if another op
/// needs the old values. leaky_relu_ always needs negative_slope >= 0.
Tensor relu_(const Tensor& x);
Tensor leaky_relu_(const Tensor& x, Only<double> negative_slope = 0.01);
/// leaky_relu with learnt slopes: x where x > 0, else weight x. The weight is [] or [1], for all of
/// x, or [C], a slope for each channel of x [N, C, ...].
Tensor prelu(const Tensor& x, const Tensor& weight);
/// min(max(x, 0), 6). The derivative at 0 and at 6 is taken as 0.
Tensor relu6(const Tensor& x);

/// The options of hardtanh and Hardtanh.
struct HardtanhOptions {
    Only<double> min_val = -1;  ///< the least y
    Only<double> max_val = 1;   ///< the largest y; at least min_val
};

/// min(max(x, min_val), max_val). The derivative at both is taken as 0. They must be finite.
Tensor hardtanh(const Tensor& x, const HardtanhOptions& options = {});
/// x where x > 0, else alpha (e^x - 1). Needs alpha >= 0.
Tensor elu(const Tensor& x, Only<double> alpha = 1);
/// x where x > 0, else alpha (e^(x / alpha) - 1): elu with a slope of 1 at 0 for every alpha. Needs
/// alpha > 0. (PyTorch also takes alpha < 0, for which y falls exponentially.)
Tensor celu(const Tensor& x, Only<double> alpha = 1);
/// lambda elu(x, alpha) with alpha = 1.6733, lambda = 1.0507, which preserve mean 0 and variance 1.
Tensor selu(const Tensor& x);

/// Whether gelu is exact, or computed by a formula with tanh that is off by at most 0.0005.
enum class Approximation { none, tanh };

/// x P(x), where P(x) = (1 + erf(x / sqrt(2))) / 2 is the share of a normal variable's values that
/// are below x; approximately x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
Tensor gelu(const Tensor& x, Approximation approximate = Approximation::none);
/// x sigmoid(x), also known as Swish.
Tensor silu(const Tensor& x);
/// x tanh(ln(1 + e^x)): a smooth relu with a minimum, like silu.
Tensor mish(const Tensor& x);
/// 1 / (1 + e^-x). Far from 0 its derivative is small but not 0, unlike PyTorch's; the same holds
/// for tanh and, where b is large, for glu.
Tensor sigmoid(const Tensor& x);
/// ln sigmoid(x), without the underflow of taking the logarithm afterwards.
Tensor logsigmoid(const Tensor& x);
/// (e^x - e^-x) / (e^x + e^-x)
Tensor tanh(const Tensor& x);
/// x / (1 + |x|). NaN at infinity, as in PyTorch. (PyTorch's gradient is also NaN if the upstream
/// gradient is infinite.)
Tensor softsign(const Tensor& x);

/// The options of softplus and Softplus.
struct SoftplusOptions {
    Only<double> beta = 1;        ///< how sharply it turns; must be > 0
    Only<double> threshold = 20;  ///< where beta x is above it, the result is x itself
};

/// ln(1 + e^(beta x)) / beta: a smooth relu.
Tensor softplus(const Tensor& x, const SoftplusOptions& options = {});
/// min(max(x + 3, 0), 6) / 6: a piecewise sigmoid. The derivative at -3 and 3 is taken as 0.
Tensor hardsigmoid(const Tensor& x);
/// x min(max(x + 3, 0), 6) / 6: a piecewise silu. The derivative is taken as 0 at -3, 1 at 3.
Tensor hardswish(const Tensor& x);
/// exp(x_i) / sum_j exp(x_j) along dimension `dim`. Safe for any finite x. Here, as in every op
/// along a dimension except concat, slice, select, split and chunk, a scalar counts as having one
/// dimension: 0, or -1.
Tensor softmax(const Tensor& x, Only<int> dim);
/// ln softmax(x), without the underflow of taking the logarithm afterwards.
Tensor log_softmax(const Tensor& x, Only<int> dim);
/// The largest of every `pieces` neighbouring channels: x [N, pieces * C, ...] -> [N, C, ...] with
/// y[n, c, ...] = max over j < pieces of x[n, c * pieces + j, ...]. The gradient goes to the first
/// of the largest; a NaN counts as the largest.
Tensor maxout(const Tensor& x, Only<Index> pieces);
/// a sigmoid(b), where a and b are the first and the second half of x along dimension `dim`, whose
/// size must be even: [N, 2 C, ...] -> [N, C, ...] with dim = 1.
Tensor glu(const Tensor& x, Only<int> dim = -1);

// --- matmul.cpp --------------------------------------------------------------------------------

/// y_ij = sum_p a_ip b_pj: [m, k] x [k, n] -> [m, n]. More dimensions in front are a batch of
/// matrices, and these dimensions broadcast: [8, 1, m, k] x [5, k, n] -> [8, 5, m, n]. A vector [k]
/// counts as one row on the left and as one column on the right, and the result lacks that
/// dimension: [k] x [k] -> [].
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b: x [*, in], weight [out, in], bias [out] or undefined -> [*, out]. * is any number of
/// dimensions.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// --- view.cpp: the same values in another shape or order -----------------------------------------
// Ops that take x by value may share its memory: internal.h says why.

/// The same values, in the same order; shares memory with x. One size may be -1: it is computed.
/// Here, as in view, permute and expand, the numbers may be written without braces:
/// reshape(x, 2, -1) is reshape(x, {2, -1}).
Tensor reshape(Tensor x, std::span<const Index> sizes);
Tensor reshape(Tensor x, std::initializer_list<Index> sizes);
Tensor reshape(Tensor x, const Shape& shape);
Tensor reshape(Tensor x, WholeNumber auto... sizes) {
    return reshape(std::move(x), {Only<Index>(sizes)...});
}
/// Another name for reshape. (In PyTorch the two differ for tensors that are not contiguous in
/// memory; here all are.)
Tensor view(Tensor x, std::span<const Index> sizes);
Tensor view(Tensor x, std::initializer_list<Index> sizes);
Tensor view(Tensor x, const Shape& shape);
Tensor view(Tensor x, WholeNumber auto... sizes) {
    return view(std::move(x), {Only<Index>(sizes)...});
}
/// Merges dimensions start_dim ... end_dim: [2, 3, 4, 5] from 1 -> [2, 60]. Shares memory with x.
Tensor flatten(Tensor x, Only<int> start_dim = 0, Only<int> end_dim = -1);
/// x without its dimensions of size 1, or without dimension `dim` if its size is 1. Shares memory
/// with x.
Tensor squeeze(Tensor x);
Tensor squeeze(Tensor x, Only<int> dim);
/// Inserts a dimension of size 1 before dimension `dim`; -1: after the last one. Shares memory
/// with x.
Tensor unsqueeze(Tensor x, Only<int> dim);
/// x with dimensions dim0 and dim1 exchanged: y[.., j, .., i, ..] = x[.., i, .., j, ..]. A copy.
Tensor transpose(const Tensor& x, Only<int> dim0, Only<int> dim1);
/// x with its dimensions in a new order: [N, H, W, C] becomes [N, C, H, W] with permute(x, {0, 3,
/// 1, 2}). A copy.
Tensor permute(const Tensor& x, std::span<const int> dims);
Tensor permute(const Tensor& x, std::initializer_list<Only<int>> dims);
Tensor permute(const Tensor& x, WholeNumber auto... dims) {
    return permute(x, {Only<int>(dims)...});
}

/// The options of slice.
struct SliceOptions {
    Only<int> dim = 0;     ///< along which to slice
    Only<Index> step = 1;  ///< from one element to the next; at least 1
};

/// x[start], x[start + step], ..., up to but not including x[end], along dimension `dim`. Python's
/// x[:, a:b:step] is slice(x, a, b, {.dim = 1, .step = step}), and x[:, a:], to the end, is
/// slice(x, a, {.dim = 1}). Negative start and end count from the end. Throws Error for an end
/// before the start, and for either outside x, where Python clamps them. Shares memory with x along
/// dimension 0 with step 1; otherwise a copy.
Tensor slice(Tensor x, Only<Index> start, Only<Index> end, const SliceOptions& options = {});
Tensor slice(Tensor x, Only<Index> start, const SliceOptions& options = {});
/// x at one position of dimension `dim`, which the result lacks; a negative index counts from the
/// end. Shares memory with x along dimension 0; otherwise a copy. Tensor also has x[i].
Tensor select(Tensor x, Only<int> dim, Only<Index> index);
/// x cut into pieces of split_size along dimension `dim`, the last one smaller if need be; or into
/// pieces of these sizes, which add up to the dimension's. The pieces are slices.
std::vector<Tensor> split(const Tensor& x, Only<Index> split_size, Only<int> dim = 0);
std::vector<Tensor> split(const Tensor& x, std::span<const Index> sizes, Only<int> dim = 0);
std::vector<Tensor> split(const Tensor& x, std::initializer_list<Only<Index>> sizes,
                          Only<int> dim = 0);
/// split with the smallest split_size that makes at most `chunks` pieces.
std::vector<Tensor> chunk(const Tensor& x, Only<Index> chunks, Only<int> dim = 0);
/// The tensors one after another along dimension `dim`; their shapes may differ only there. (A
/// tensor of shape [0] is no exception; PyTorch skips it.)
Tensor concat(std::span<const Tensor> tensors, Only<int> dim = 0);
Tensor concat(std::initializer_list<Tensor> tensors, Only<int> dim = 0);
/// The tensors, all of one shape, along a new dimension before dimension `dim`; -1: after the last.
Tensor stack(std::span<const Tensor> tensors, Only<int> dim = 0);
Tensor stack(std::initializer_list<Tensor> tensors, Only<int> dim = 0);
/// x broadcast to these sizes, where -1 keeps the size of x. A copy.
Tensor expand(const Tensor& x, std::span<const Index> sizes);
Tensor expand(const Tensor& x, std::initializer_list<Only<Index>> sizes);
Tensor expand(const Tensor& x, const Shape& shape);
Tensor expand(const Tensor& x, WholeNumber auto... sizes) {
    return expand(x, {Only<Index>(sizes)...});
}

// --- index.cpp: rows picked by number ------------------------------------------------------------
// Indices count from 0; negative ones throw Error, as in PyTorch. A row picked several times gets
// the sum of the gradients, added up in the order of the indices.

/// y[.., j, ..] = x[.., index[j], ..] along dimension `dim`, for index [n].
Tensor index_select(const Tensor& x, Only<int> dim, const IntTensor& index);

/// The options of embedding.
struct EmbeddingOptions {
    /// The row used as padding for short sequences; its weights get no gradient. A negative index
    /// counts from the end.
    std::optional<Only<Index>> padding_idx = {};
};

/// The rows of the weight [rows, D] that the indices, of any shape, name -> [*, D].
Tensor embedding(const IntTensor& indices, const Tensor& weight,
                 const EmbeddingOptions& options = {});

// --- pad.cpp -------------------------------------------------------------------------------------

/// What stands in a margin: a number, or x reflected at its edge.
enum class PadMode { constant, reflect };

/// The options of pad.
struct PadOptions {
    PadMode mode = PadMode::constant;  ///< what stands in the margin
    Only<Real> value = 0;              ///< of a constant
};

/// x with margins, two sizes for each dimension and the last dimension first: {left, right, top,
/// bottom, ...}; dimensions that are not named get none. A negative size crops. Reflection leaves
/// out the edge itself, [1, 2, 3] -> [2, 1, 2, 3, 2], so its sizes must be below the dimension's,
/// and it leaves at least one element of each (in PyTorch, not always). It takes any dimensions of
/// any x; PyTorch's takes the last one to three, of an x with one or two more.
Tensor pad(const Tensor& x, std::span<const Index> sizes, const PadOptions& options = {});
Tensor pad(const Tensor& x, std::initializer_list<Only<Index>> sizes,
           const PadOptions& options = {});

// --- reduce.cpp: over all elements, or over some dimensions --------------------------------------
// The result lacks the dimensions or, with `keepdim`, has size 1 there. Some of the ops take one
// dimension, the others a list (dims.h), in which each may be named once; the empty list means all.
// A scalar stays a scalar. A plain number has nothing to reduce.

Tensor sum(Number auto, auto&&...) = delete;   // the first argument is a tensor
Tensor mean(Number auto, auto&&...) = delete;  // the first argument is a tensor
Tensor max(Number auto, auto&&...) = delete;   // std::max(a, b); of a tensor x: maximum(x, a)
Tensor min(Number auto, auto&&...) = delete;   // std::min(a, b); of a tensor x: minimum(x, a)
Tensor norm(Number auto, auto&&...) = delete;  // of a number: std::abs(x)

/// sum_i x_i; 0 if there are no elements.
Tensor sum(const Tensor& x, const Dims& dims = {}, Only<bool> keepdim = false);
/// The mean; finite for finite elements even if their sum overflows. NaN if there are no elements.
Tensor mean(const Tensor& x, const Dims& dims = {}, Only<bool> keepdim = false);
/// The largest and the smallest element; a NaN counts as both. Several that are equally large share
/// the gradient evenly, and so do several NaN (PyTorch's amax and amin then give NaN to all
/// elements, and multiply an infinite gradient by 0). Throws Error if there are no elements, unless
/// the result is empty anyway (PyTorch throws then, too, in some cases).
Tensor max(const Tensor& x);
Tensor min(const Tensor& x);
Tensor amax(const Tensor& x, const Dims& dims = {}, Only<bool> keepdim = false);
Tensor amin(const Tensor& x, const Dims& dims = {}, Only<bool> keepdim = false);
/// As above, but the gradient goes to the first of the largest (smallest), as in PyTorch, whose
/// max(x, dim) also returns the position; here, use argmax.
Tensor max(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);
Tensor min(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);
Tensor max(const Tensor&, const std::derived_from<Tensor> auto&) = delete;  // maximum(a, b)
Tensor min(const Tensor&, const std::derived_from<Tensor> auto&) = delete;  // minimum(a, b)
/// The position of the (first) largest or smallest element: in x flattened, or along `dim`. No
/// gradient.
IntTensor argmax(const Tensor& x);
IntTensor argmax(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);
IntTensor argmin(const Tensor& x);
IntTensor argmin(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);

/// The options of var and stddev.
struct VarOptions {
    /// 1: the unbiased estimate from n samples; 0: the variance of these n numbers.
    Only<double> correction = 1;
    bool keepdim = false;  ///< leaves the dimensions, with size 1
};

/// The variance, sum_i (x_i - mean x)^2 / max(0, n - correction), for n elements: NaN for one
/// element and a correction of 1.
Tensor var(const Tensor& x, const Dims& dims = {}, const VarOptions& options = {});
/// The standard deviation, the square root of the variance: PyTorch's `std`. Where it is 0, the
/// gradient is taken as 0.
Tensor stddev(const Tensor& x, const Dims& dims = {}, const VarOptions& options = {});
/// ln sum_i e^(x_i): a smooth maximum. Safe for any finite x. -infinity if there are no elements.
/// Its gradient, softmax(x), is NaN where x and the result are the same infinity. It sums to 1 even
/// for x so large that the result rounds to the largest of them (PyTorch's does not).
Tensor logsumexp(const Tensor& x, const Dims& dims, Only<bool> keepdim = false);
/// (sum_i |x_i|^p)^(1/p), PyTorch's linalg.vector_norm: p = 2 is the length of a vector, p = 1 the
/// sum of |x_i|, infinity the largest and -infinity the smallest |x_i|, 0 how many x_i are not 0.
/// The gradient at x_i = 0 is taken as 0; for p = 0 it is 0 everywhere; tied largest (smallest)
/// elements share it. At a NaN it is NaN (in PyTorch 0 for p = 1 and infinity, which hides it).
/// Without elements the norm is 0, but p < 0 and p = infinity throw Error, unless the result is
/// empty anyway. p must not be NaN.
Tensor norm(const Tensor& x, Only<double> p = 2, const Dims& dims = {}, Only<bool> keepdim = false);

// --- conv2d.cpp --------------------------------------------------------------------------------

/// Zeros around an image: a number of rows and columns on each side; "valid", none; or "same",
/// enough to give y the size of x, which needs stride 1. If the total is odd, the extra row goes at
/// the bottom, the extra column on the right.
struct ConvPadding {
    /// A number for all sides, or a Size2.
    template <std::convertible_to<Size2> T>
    constexpr ConvPadding(T on_each_side) : size(on_each_side) {}
    /// Rows above and below; columns on the left and right.
    constexpr ConvPadding(Only<Index> height, Only<Index> width) : size(height, width) {}
    /// Throws Error for any other word.
    ConvPadding(const char* word);

    Size2 size = 0;         ///< 0 if there is a word
    std::string_view word;  ///< "same", "valid" or ""
};

/// The options of conv2d.
struct Conv2dOptions {
    Size2 stride = 1;         ///< how far the kernel moves from one output to the next
    ConvPadding padding = 0;  ///< rows or columns of zeros on each side of the image, or "same"
    Size2 dilation = 1;       ///< distance between neighbouring cells of the kernel
    Only<Index> groups = 1;   ///< of channels, each convolved by itself
};

/// Cross-correlation, which every framework calls convolution: x [N, C_in, H, W], weight [C_out,
/// C_in / groups, kh, kw], bias [C_out] or undefined -> [N, C_out, OH, OW], where
///     y[n, o, i, j] = bias[o] + sum over c, k, l of weight[o, c, k, l] *
///                     x[n, c, i stride - padding + k dilation, j stride - padding + l dilation]
/// over the C_in / groups channels c of o's group, with x = 0 outside the image, and
///     OH = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down; OW likewise.
/// One image, x [C_in, H, W], gives [C_out, OH, OW]. core/kernels/reference.cpp has all this as
/// plain loops.
///
/// N and C_in may be 0, but H and W may not, because an image without pixels is a mistake (PyTorch
/// takes some). The kernels also multiply the zeros outside the image: there, a weight that is not
/// finite may give NaN, and an upstream gradient that is not finite may give NaN in the gradient of
/// weight. x may hold anything.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2dOptions& options = {});
/// Without a bias. (A template, so that in conv2d(x, weight, {}) the braces are a bias.)
template <std::same_as<Conv2dOptions> Options = Conv2dOptions>
Tensor conv2d(const Tensor& x, const Tensor& weight, const Options& options) {
    return conv2d(x, weight, {}, options);
}

// --- conv_transpose2d.cpp ----------------------------------------------------------------------

/// The options of conv_transpose2d.
struct ConvTranspose2dOptions {
    Size2 stride = 1;          ///< distance in y between the kernels of neighbouring x
    Size2 padding = 0;         ///< rows or columns cut off y on each side
    Size2 output_padding = 0;  ///< and added to y below and on the right; less than the stride or
                               ///< the dilation
    Only<Index> groups = 1;    ///< of channels, each convolved by itself
    Size2 dilation = 1;        ///< distance between neighbouring cells of the kernel
};

/// The transpose of conv2d, which takes images of y's size to images of x's size: x [N, C_in, H,
/// W], weight [C_in, C_out / groups, kh, kw], bias [C_out] or undefined -> [N, C_out, OH, OW]. Each
/// x adds the kernel, scaled by x, to y:
///     y[n, o, p, q] = bias[o] + sum over c, i, j, k, l of weight[c, o, k, l] * x[n, c, i, j]
/// over the C_in / groups channels c of o's group and those i, j, k, l for which p = i stride -
/// padding + k dilation and q = j stride - padding + l dilation, and
///     OH = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1; OW likewise.
/// A conv2d with stride s maps s different heights to the same H; output_padding says which of
/// them y has. One image, x [C_in, H, W], gives [C_out, OH, OW].
///
/// N may be 0, but the other sizes may not. The kernels also multiply zeros outside the images:
/// there, a weight that is not finite may give NaN, and an x that is not finite may give NaN in the
/// gradient of weight.
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dOptions& options = {});
/// Without a bias.
template <std::same_as<ConvTranspose2dOptions> Options = ConvTranspose2dOptions>
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Options& options) {
    return conv_transpose2d(x, weight, {}, options);
}

// --- pool2d.cpp: x [N, C, H, W] -> [N, C, OH, OW], each channel on its own -----------------------
// One image, x [C, H, W], gives [C, OH, OW]. N and C may be 0 (PyTorch refuses some C = 0), but not
// H and W.

/// The options of max_pool2d and MaxPool2d.
struct MaxPool2dOptions {
    Size2 kernel_size = 0;   ///< required
    Size2 stride = 0;        ///< 0 means kernel_size, so that windows do not overlap
    Size2 padding = 0;       ///< cells of -infinity on each side; at most half the kernel
    Size2 dilation = 1;      ///< distance between neighbouring cells of the window
    bool ceil_mode = false;  ///< round OH and OW up: the last window may reach past the edge
};

/// The largest x in each window; the gradient goes to the first of the largest. A NaN counts as the
/// largest. OH and OW are conv2d's; with ceil_mode they are rounded up, but no window begins beyond
/// the image.
Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options);
inline Tensor max_pool2d(const Tensor& x, Size2 kernel_size, Size2 stride = 0, Size2 padding = 0) {
    return max_pool2d(x, {.kernel_size = kernel_size, .stride = stride, .padding = padding});
}
/// max_pool2d(x, {2, 3}), with height and width of the kernel; options in braces have names.
template <WholeNumber T>
Tensor max_pool2d(const Tensor& x, std::initializer_list<T> kernel_size, Size2 stride = 0,
                  Size2 padding = 0) {
    return max_pool2d(x, kernel_size_of(kernel_size, "max_pool2d"), stride, padding);
}
template <std::same_as<MaxPool2dOptions> Options = MaxPool2dOptions>
void max_pool2d(const Tensor&, Size2, const Options&) = delete;  // {.kernel_size = 3, .stride = 2}

/// The options of avg_pool2d and AvgPool2d.
struct AvgPool2dOptions {
    Size2 kernel_size = 0;          ///< required
    Size2 stride = 0;               ///< 0 means kernel_size, so that windows do not overlap
    Size2 padding = 0;              ///< zeros on each side; at most half the kernel
    bool ceil_mode = false;         ///< as in max_pool2d
    bool count_include_pad = true;  ///< divide by the cells in image and padding, not image alone
    /// Divide every window's sum by this number, not 0, instead of by the cells that count.
    std::optional<Only<Index>> divisor_override = {};
};

/// The mean of each window. Cells beyond the padding, which ceil_mode allows, are never counted.
Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options);
inline Tensor avg_pool2d(const Tensor& x, Size2 kernel_size, Size2 stride = 0, Size2 padding = 0) {
    return avg_pool2d(x, {.kernel_size = kernel_size, .stride = stride, .padding = padding});
}
/// avg_pool2d(x, {2, 3}), likewise.
template <WholeNumber T>
Tensor avg_pool2d(const Tensor& x, std::initializer_list<T> kernel_size, Size2 stride = 0,
                  Size2 padding = 0) {
    return avg_pool2d(x, kernel_size_of(kernel_size, "avg_pool2d"), stride, padding);
}
template <std::same_as<AvgPool2dOptions> Options = AvgPool2dOptions>
void avg_pool2d(const Tensor&, Size2, const Options&) = delete;  // {.kernel_size = 3, .stride = 2}
/// The means of OH x OW windows that divide the image as evenly as possible, for any H and W:
/// window i covers the rows from i H / OH, rounded down, to (i + 1) H / OH, rounded up. {1, 1} is
/// the mean of each channel.
Tensor adaptive_avg_pool2d(const Tensor& x, Size2 output);
/// The largest x in each of these windows; the gradient goes to the first of the largest. A NaN
/// counts as the largest.
Tensor adaptive_max_pool2d(const Tensor& x, Size2 output);

// --- batchnorm.cpp -----------------------------------------------------------------------------

/// The options of batch_norm.
struct BatchNormOptions {
    bool training = false;        ///< take the moments of x, not the running ones
    Only<double> momentum = 0.1;  ///< in [0, 1]: the weight of x's moments in the new running ones
    Only<double> eps = 1e-5;      ///< >= 0; added to the variance: a constant channel gives 0
    bool relu = false;            ///< relu of the result, in one pass instead of two
};

/// (x - mean) / sqrt(variance + eps) * weight + bias for x [N, C] or [N, C, ...]; the other four
/// are [C], or undefined: weight 1, bias 0. Without `training`, mean and variance are the running
/// ones. With it they are those of the channel in x, over all dimensions but C (Ioffe and Szegedy
/// 2015, algorithm 1), and the running ones, if given, move towards them in place:
///
///     running = (1 - momentum) running + momentum found
///
/// For this update only, the variance is the sum of squares divided by count - 1 instead of count.
///
/// With `relu`, values below 0 become 0: the same as relu(batch_norm(..)), including the derivative
/// at 0, but in one pass over x. Throws Error for training with one value for each channel. With no
/// values (N = 0, say) the result is empty, the gradients are 0, and the running statistics stay.
///
/// An infinity in x makes the batch's mean infinite and its variance NaN, as in PyTorch. Infinities
/// in weight or in the upstream gradient give infinity or NaN, following the order of the formula;
/// in PyTorch that depends on the shape. What relu cuts off does not contribute to the gradients,
/// even if x is infinite there (PyTorch: 0 times infinity).
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const Tensor& weight = {}, const Tensor& bias = {},
                  const BatchNormOptions& options = {});

// --- normalization.cpp -------------------------------------------------------------------------

/// The options of layer_norm.
struct LayerNormOptions {
    Only<double> eps = 1e-5;  ///< >= 0; added to the variance, so that a constant row gives 0
};

/// (x - mean) / sqrt(variance + eps) * weight + bias for x [*, normalized_shape], where mean and
/// variance (the mean squared distance from the mean) are those of the last dimensions, the
/// normalized_shape, of each example by itself: training and evaluation are the same (Ba, Kiros and
/// Hinton, "Layer Normalization", 2016). weight and bias have the normalized_shape, or are
/// undefined: 1 and 0. * is any number of dimensions. A row with one value gives the bias; with eps
/// = 0, constant rows give NaN. Infinities act as in batch_norm; one in x makes its row NaN.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, const LayerNormOptions& options = {});

/// The options of group_norm.
struct GroupNormOptions {
    Only<double> eps = 1e-5;  ///< >= 0; added to the variance, so that a constant group gives 0
};

/// The same for x [N, C] or [N, C, ...], where each example's mean and variance are those of
/// C / num_groups neighbouring channels (Wu and He, "Group Normalization", 2018). weight and bias
/// are [C], or undefined: 1 and 0. num_groups must divide C. Throws Error for a single example with
/// one value in each group. With no values (N = 0, say) the gradients of weight and bias are 0
/// (PyTorch: NaN for some shapes).
Tensor group_norm(const Tensor& x, Only<Index> num_groups, const Tensor& weight = {},
                  const Tensor& bias = {}, const GroupNormOptions& options = {});

// --- dropout.cpp -------------------------------------------------------------------------------

/// x with each element dropped (set to 0) with probability p in [0, 1], and the others divided by
/// 1 - p, so that the mean stays the same (Srivastava et al., "Dropout", 2014, section 10).
/// p = 0 is x itself. Takes one number from rng, or none for p = 0.
Tensor dropout(const Tensor& x, Only<double> p = 0.5, Rng& rng = default_rng());
/// x itself without `training`: dropout(x, 0.5, training()) in a forward.
inline Tensor dropout(const Tensor& x, Only<double> p, Only<bool> training,
                      Rng& rng = default_rng()) {
    return dropout(x, training ? double{p} : 0, rng);
}
/// The same for whole channels of x [N, C, H, W], different ones in each image (Tompson et al.,
/// "Efficient Object Localization Using Convolutional Networks", 2015, section 3.2). PyTorch also
/// takes three dimensions, which it reads as [N, C, L].
Tensor dropout2d(const Tensor& x, Only<double> p = 0.5, Rng& rng = default_rng());

// --- cross_entropy.cpp -------------------------------------------------------------------------

/// How a loss turns the losses of all examples or elements into its result: `none` leaves them as
/// they are, the others give one number. `batchmean` is for kl_div only. Every loss takes it by
/// itself, too, in place of its options: mse_loss(x, target, Reduction::sum).
enum class Reduction { mean, sum, none, batchmean };

/// The options of cross_entropy.
struct CrossEntropyOptions {
    Tensor weight = {};               ///< [C], a constant: it gets no gradient. Undefined: ones
    Only<Index> ignore_index = -100;  ///< examples with this label do not count
    Reduction reduction = Reduction::mean;  ///< of the losses
    /// s in [0, 1]: the target is 1 - s + s/C for the label and s/C for every other class
    /// (Szegedy et al., "Rethinking the Inception Architecture", 2016, section 7).
    Only<double> label_smoothing = 0;
};

/// -sum_c weight_c target_c log_softmax(logits)_c for each example: logits [N, C, ...] and labels
/// [N, ...] in 0 ... C - 1, where each position of ... is an example by itself; or logits [C] and a
/// label []. The result is [] (mean or sum over all examples) or, with Reduction::none, has the
/// labels' shape. The mean divides by the sum of the weights of all labels; ignored ones add
/// nothing to either sum. So the mean over no examples is NaN, the sum 0; but there must be at
/// least one class (PyTorch takes logits [0, 0]).
///
/// It is computed from the logits, so it is exact where softmax would round to 0 or overflow. An
/// ignored example has gradient 0 even if its logits are NaN (PyTorch: NaN).
Tensor cross_entropy(const Tensor& logits, const IntTensor& labels,
                     const CrossEntropyOptions& options = {});
inline Tensor cross_entropy(const Tensor& logits, std::initializer_list<Only<Index>> labels,
                            const CrossEntropyOptions& options = {}) {
    return cross_entropy(logits, IntTensor(labels), options);
}
inline Tensor cross_entropy(const Tensor& logits, const IntTensor& labels, Reduction reduction) {
    return cross_entropy(logits, labels, {.reduction = reduction});
}
/// The same with a probability for every class as the target, in the shape of the logits. The
/// smoothed target is (1 - s) p + s/C. The mean divides by the number of examples, whatever their
/// weights. Nothing is ignored. The probabilities get their gradient, too.
Tensor cross_entropy(const Tensor& logits, const Tensor& probabilities,
                     const CrossEntropyOptions& options = {});
inline Tensor cross_entropy(const Tensor& logits, const Tensor& probabilities,
                            Reduction reduction) {
    return cross_entropy(logits, probabilities, {.reduction = reduction});
}

/// The options of nll_loss.
struct NllLossOptions {
    Tensor weight = {};                     ///< as in cross_entropy
    Only<Index> ignore_index = -100;        ///< as in cross_entropy
    Reduction reduction = Reduction::mean;  ///< of the losses
};

/// cross_entropy with labels, but from log-probabilities, such as log_softmax gives:
/// -weight_c log_probabilities[n, c, ...] with c = labels[n, ...].
Tensor nll_loss(const Tensor& log_probabilities, const IntTensor& labels,
                const NllLossOptions& options = {});
inline Tensor nll_loss(const Tensor& log_probabilities, const IntTensor& labels,
                       Reduction reduction) {
    return nll_loss(log_probabilities, labels, {.reduction = reduction});
}

// --- loss.cpp: x and target must have the same shape (PyTorch broadcasts, with a warning) --------
// The result is [] (mean or sum over all elements) or, with Reduction::none, has x's shape.

/// The options of losses that have only this one.
struct LossOptions {
    Reduction reduction = Reduction::mean;  ///< of the losses
};

/// (x - target)^2
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
inline Tensor mse_loss(const Tensor& x, const Tensor& target, const LossOptions& options) {
    return mse_loss(x, target, options.reduction);
}
/// |x - target|. The derivative at 0 is taken as 0. Where the difference is NaN, so is the
/// gradient, because a 0, as in PyTorch, would hide it. The same holds for smooth_l1_loss and
/// l1_penalty.
Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
inline Tensor l1_loss(const Tensor& x, const Tensor& target, const LossOptions& options) {
    return l1_loss(x, target, options.reduction);
}

/// The options of smooth_l1_loss.
struct SmoothL1Options {
    Reduction reduction = Reduction::mean;  ///< of the losses
    Only<double> beta = 1;                  ///< where the square becomes a line; 0: l1_loss
};

/// With d = |x - target|: d^2 / (2 beta) where d < beta, else d - beta / 2 (Girshick, "Fast R-CNN",
/// 2015, equation 3, where beta = 1).
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& options = {});
inline Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    return smooth_l1_loss(x, target, {.reduction = reduction});
}

/// The options of huber_loss.
struct HuberLossOptions {
    Reduction reduction = Reduction::mean;  ///< of the losses
    Only<double> delta = 1;                 ///< where the square becomes a line; > 0 and finite
};

/// With d = |x - target|: d^2 / 2 where d < delta, else delta (d - delta / 2).
Tensor huber_loss(const Tensor& x, const Tensor& target, const HuberLossOptions& options = {});
inline Tensor huber_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
    return huber_loss(x, target, {.reduction = reduction});
}

/// The options of binary_cross_entropy.
struct BinaryCrossEntropyOptions {
    /// The weight of each element: a number, or a tensor that broadcasts to x's shape. A constant:
    /// it gets no gradient. Undefined: 1.
    Tensor weight = {};
    Reduction reduction = Reduction::mean;  ///< of the losses
};

/// -weight (t log(x) + (1 - t) log(1 - x)) for probabilities x and targets t, both from 0 to 1.
/// Logarithms are clamped to at least -100, so a confident mistake costs 100; the divisor of the
/// gradient, (x - t) / (x (1 - x)), is clamped to at least 1e-12. The next op is more precise.
Tensor binary_cross_entropy(const Tensor& x, const Tensor& target,
                            const BinaryCrossEntropyOptions& options = {});
inline Tensor binary_cross_entropy(const Tensor& x, const Tensor& target, Reduction reduction) {
    return binary_cross_entropy(x, target, {.reduction = reduction});
}

/// The options of binary_cross_entropy_with_logits.
struct BinaryCrossEntropyWithLogitsOptions {
    Tensor weight = {};                     ///< as in binary_cross_entropy
    Reduction reduction = Reduction::mean;  ///< of the losses
    /// The weight of a positive example relative to a negative one; as `weight` otherwise.
    Tensor pos_weight = {};
};

/// -weight (pos_weight t log s(x) + (1 - t) log(1 - s(x))) with s(x) = 1 / (1 + e^-x) and targets t
/// from 0 to 1; others throw Error, since they are usually class labels passed by mistake (PyTorch
/// takes any number). It is computed from the logits x, so it is exact where s would round to 0 or
/// 1. A logit of -infinity costs infinity (PyTorch's form gives NaN), and so does an infinite
/// pos_weight.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options = {});
inline Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                               Reduction reduction) {
    return binary_cross_entropy_with_logits(x, target, {.reduction = reduction});
}

/// The options of kl_div.
struct KlDivOptions {
    /// `mean` divides by the number of elements. The divergence as it is defined is `batchmean`,
    /// which divides the sum by the first size of x, the number of examples.
    Reduction reduction = Reduction::mean;
    Only<bool> log_target = false;  ///< the target is given as logarithms, too
};

/// The Kullback-Leibler divergence of the probabilities e^x from those of the target:
/// target (log(target) - x), where 0 log(0) = 0; with log_target e^target (target - x). The
/// gradient of a target of 0 or infinity is infinite (PyTorch: NaN).
Tensor kl_div(const Tensor& x, const Tensor& target, const KlDivOptions& options = {});
inline Tensor kl_div(const Tensor& x, const Tensor& target, Reduction reduction) {
    return kl_div(x, target, {.reduction = reduction});
}

/// The sum of |w| over all elements of all parameters -> []. Added to a loss, it drives weights of
/// little use to 0: loss + 1e-5 * l1_penalty(model.parameters()). The derivative at 0 is taken as
/// 0.
Tensor l1_penalty(std::span<const Parameter> parameters);

}  // namespace primer
// SPDX-License-Identifier: MIT
