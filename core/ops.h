#pragma once

#include <span>

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
// exact one is also right. tests/parity/sweep.py checks all of this.
//
// Every op returns a new tensor and leaves its inputs alone, with these exceptions: relu_ and
// leaky_relu_ write over x; batch_norm in training moves the running statistics; reshape, view,
// flatten and slice return a tensor that shares memory with x; and dropout with p = 0 returns x
// itself.

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
Tensor neg(const Tensor& x);   ///< -x
Tensor exp(const Tensor& x);   ///< e^x
Tensor log(const Tensor& x);   ///< ln x
Tensor sqrt(const Tensor& x);  ///< x^(1/2)

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

// --- activation.cpp ----------------------------------------------------------------------------

// These work element by element, except for the last three: y has the shape of x. A NaN stays a
// NaN. Its gradient is NaN as well where the derivative is a formula in x (elu, selu, gelu, silu,
// tanh, softplus, hardswish, ...); for some of these, PyTorch's depends on the position in a
// vector. relu, leaky_relu and prelu pass the gradient on at a NaN as at any number, as PyTorch's
// do. At a kink the derivative is the one from the left, except in hardswish.

/// max(x, 0). The derivative at 0 is taken as 0.
Tensor relu(const Tensor& x);
/// x where x > 0, else negative_slope x.
Tensor leaky_relu(const Tensor& x, Only<double> negative_slope = 0.01);
/// relu and leaky_relu in place: they overwrite x, return it and take no memory. While a Tape
/// records, x must not be a leaf that asks for its gradient, and backward throws Error if another
/// op needs the old values. leaky_relu_ always needs negative_slope >= 0.
Tensor relu_(const Tensor& x);
Tensor leaky_relu_(const Tensor& x, Only<double> negative_slope = 0.01);
/// leaky_relu with learnt slopes: x where x > 0, else weight x. The weight is [] or [1], for all of
/// x, or [C], a slope for each channel of x [N, C, ...].
Tensor prelu(const Tensor& x, const Tensor& weight);
/// x where x > 0, else alpha (e^x - 1). Needs alpha >= 0.
Tensor elu(const Tensor& x, Only<double> alpha = 1);
/// lambda elu(x, alpha) with alpha = 1.6733, lambda = 1.0507, which preserve mean 0 and variance 1.
Tensor selu(const Tensor& x);

/// Whether gelu is exact, or computed by a formula with tanh that is off by at most 0.0005.
enum class Approximation { none, tanh };

/// x P(x), where P(x) = (1 + erf(x / sqrt(2))) / 2 is the share of a normal variable's values that
/// are below x; approximately x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
Tensor gelu(const Tensor& x, Approximation approximate = Approximation::none);
/// x sigmoid(x), also known as Swish.
Tensor silu(const Tensor& x);
/// 1 / (1 + e^-x). Far from 0 its derivative is small but not 0, unlike PyTorch's; the same holds
/// for tanh.
Tensor sigmoid(const Tensor& x);
/// (e^x - e^-x) / (e^x + e^-x)
Tensor tanh(const Tensor& x);

struct SoftplusOptions {
    Only<double> beta = 1;        ///< how sharply it turns; must be > 0
    Only<double> threshold = 20;  ///< where beta x is above it, the result is x itself
};

/// ln(1 + e^(beta x)) / beta: a smooth relu.
Tensor softplus(const Tensor& x, const SoftplusOptions& options = {});
/// x min(max(x + 3, 0), 6) / 6: a piecewise silu. The derivative is taken as 0 at -3, 1 at 3.
Tensor hardswish(const Tensor& x);
/// exp(x_i) / sum_j exp(x_j) along dimension `dim`. Safe for any finite x. Here, as in every op
/// along a dimension except concat and slice, a scalar counts as having one dimension: 0, or -1.
Tensor softmax(const Tensor& x, Only<int> dim);
/// ln softmax(x), without the underflow of taking the logarithm afterwards.
Tensor log_softmax(const Tensor& x, Only<int> dim);
/// The largest of every `pieces` neighbouring channels: x [N, pieces * C, ...] -> [N, C, ...] with
/// y[n, c, ...] = max over j < pieces of x[n, c * pieces + j, ...]. The gradient goes to the first
/// of the largest; a NaN counts as the largest.
Tensor maxout(const Tensor& x, Only<Index> pieces);

// --- matmul.cpp --------------------------------------------------------------------------------

/// [m, k] x [k, n] -> [m, n]. Batched: [b, m, k] x [b, k, n] -> [b, m, n]; an operand of two
/// dimensions, or with b = 1, is used for the whole batch.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b: x [*, in], weight [out, in], bias [out] or undefined -> [*, out]. * is any number of
/// dimensions.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

// --- view.cpp: the same values in another shape or order -----------------------------------------

/// The same values, in the same order; shares memory with x. One size may be -1: it is computed.
Tensor reshape(const Tensor& x, std::span<const Index> sizes);
Tensor reshape(const Tensor& x, std::initializer_list<Index> sizes);
Tensor reshape(const Tensor& x, const Shape& shape);
/// Another name for reshape. (In PyTorch the two differ for tensors that are not contiguous in
/// memory; here all are.)
Tensor view(const Tensor& x, std::span<const Index> sizes);
Tensor view(const Tensor& x, std::initializer_list<Index> sizes);
Tensor view(const Tensor& x, const Shape& shape);
/// Merges dimensions start_dim ... end_dim: [2, 3, 4, 5] from 1 -> [2, 60]. Shares memory with x.
Tensor flatten(const Tensor& x, Only<int> start_dim = 0, Only<int> end_dim = -1);
/// x with dimensions dim0 and dim1 exchanged: y[.., j, .., i, ..] = x[.., i, .., j, ..]. A copy.
Tensor transpose(const Tensor& x, Only<int> dim0, Only<int> dim1);
/// x[start], ..., x[end - 1] along the first dimension; shares memory with x. Needs
/// 0 <= start <= end <= x.shape()[0].
Tensor slice(const Tensor& x, Only<Index> start, Only<Index> end);
/// The tensors one after another along dimension `dim`; their shapes may differ only there. (A
/// tensor of shape [0] is no exception; PyTorch skips it.)
Tensor concat(std::span<const Tensor> tensors, Only<int> dim = 0);
Tensor concat(std::initializer_list<Tensor> tensors, Only<int> dim = 0);
/// x broadcast to `shape`. A copy.
Tensor expand(const Tensor& x, const Shape& shape);

// --- reduce.cpp: over all elements -> [], or over one dimension ---------------------------------
// The result lacks the dimension or, with `keepdim`, has size 1 there. A scalar stays a scalar.

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);
/// Finite for finite elements, even if their sum is not. NaN if there are no elements.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);
/// The largest element; a NaN counts as the largest. If several are the largest, they share the
/// gradient evenly. Throws Error for a tensor without elements.
Tensor max(const Tensor& x);
/// As above, but the gradient goes to the first of the largest, as in PyTorch. Throws Error for a
/// dimension of size 0, unless the result is empty anyway (PyTorch always throws).
Tensor max(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);
/// The position of the (first) largest element: in x flattened, or along `dim`. No gradient.
IntTensor argmax(const Tensor& x);
IntTensor argmax(const Tensor& x, Only<int> dim, Only<bool> keepdim = false);

// --- conv2d.cpp --------------------------------------------------------------------------------

struct Conv2dOptions {
    Size2 stride = 1;        ///< how far the kernel moves from one output to the next
    Size2 padding = 0;       ///< rows or columns of zeros on each side of the image
    Size2 dilation = 1;      ///< distance between neighbouring cells of the kernel
    Only<Index> groups = 1;  ///< of channels, each convolved by itself
};

/// Cross-correlation, which every framework calls convolution: x [N, C_in, H, W], weight [C_out,
/// C_in / groups, kh, kw], bias [C_out] or undefined -> [N, C_out, OH, OW], where
///     y[n, o, i, j] = bias[o] + sum over c, k, l of weight[o, c, k, l] *
///                     x[n, c, i stride - padding + k dilation, j stride - padding + l dilation]
/// over the C_in / groups channels c of o's group, with x = 0 outside the image, and
///     OH = (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down; OW likewise.
///
/// x is a batch: one image is [1, C_in, H, W] (PyTorch also takes [C_in, H, W]). N and C_in may be
/// 0, but H and W may not: an image without pixels is a mistake (PyTorch takes some). The kernels
/// also multiply the zeros outside the image: there, a weight that is not finite may give NaN, and
/// an upstream gradient that is not finite may give NaN in the gradient of weight. x may hold
/// anything.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const Conv2dOptions& options = {});

// --- pool2d.cpp: x [N, C, H, W] -> [N, C, OH, OW], each channel on its own -----------------------
// One image is [1, C, H, W]. N and C may be 0 (PyTorch refuses some C = 0), but not H and W.

struct MaxPool2dOptions {
    Size2 kernel = 0;        ///< required
    Size2 stride = 0;        ///< 0: the kernel, so that the windows lie side by side
    Size2 padding = 0;       ///< cells of -infinity on each side; at most half the kernel
    Size2 dilation = 1;      ///< distance between neighbouring cells of the window
    bool ceil_mode = false;  ///< round OH and OW up: the last window may reach past the edge
};

/// The largest x in each window; the gradient goes to the first of the largest. A NaN counts as the
/// largest. OH and OW are conv2d's; with ceil_mode they are rounded up, but no window begins beyond
/// the image.
Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options);

struct AvgPool2dOptions {
    Size2 kernel = 0;               ///< required
    Size2 stride = 0;               ///< 0: the kernel, so that the windows lie side by side
    Size2 padding = 0;              ///< zeros on each side; at most half the kernel
    bool ceil_mode = false;         ///< as in max_pool2d
    bool count_include_pad = true;  ///< divide by the cells in image and padding, not image alone
};

/// The mean of each window. Cells beyond the padding, which ceil_mode allows, are never counted.
Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options);
/// The means of OH x OW windows that divide the image as evenly as possible, for any H and W:
/// window i covers the rows from i H / OH, rounded down, to (i + 1) H / OH, rounded up. {1, 1} is
/// the mean of each channel.
Tensor adaptive_avg_pool2d(const Tensor& x, Size2 output);

// --- batchnorm.cpp -----------------------------------------------------------------------------

struct BatchNormOptions {
    bool training = false;        ///< take the moments of x, not the running ones
    Only<double> momentum = 0.1;  ///< the weight of x's moments in the new running ones
    Only<double> eps = 1e-5;      ///< added to the variance, so that a constant channel gives 0
    bool relu = false;            ///< relu of the result, in one pass instead of two
};

/// (x - mean) / sqrt(variance + eps) * weight + bias for x [N, C] or [N, C, ...]; the other four
/// are [C], or undefined: weight 1, bias 0. Without `training`, mean and variance are the running
/// ones. With it they are those of the channel in x, over all dimensions but C (Ioffe and Szegedy
/// 2015, algorithm 1), and the running ones, if given, move towards them in place:
///
///     running = (1 - momentum) running + momentum found
///
/// Only here, the variance found is the sum of squares over count - 1, not over count.
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
                  const Tensor& weight, const Tensor& bias, const BatchNormOptions& options = {});

// --- normalization.cpp -------------------------------------------------------------------------

struct LayerNormOptions {
    Only<double> eps = 1e-5;  ///< added to the variance, so that a constant row gives 0
};

/// (x - mean) / sqrt(variance + eps) * weight + bias for x [*, normalized_shape], where mean and
/// variance (the mean squared distance from the mean) are those of the last dimensions, the
/// normalized_shape, of each example by itself: training and evaluation are the same (Ba, Kiros and
/// Hinton, "Layer Normalization", 2016). weight and bias have the normalized_shape, or are
/// undefined: 1 and 0. * is any number of dimensions. A row with one value gives the bias; with eps
/// = 0, constant rows give NaN. Infinities act as in batch_norm; one in x makes its row NaN.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, const LayerNormOptions& options = {});

struct GroupNormOptions {
    Only<double> eps = 1e-5;  ///< added to the variance, so that a constant group gives 0
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
Tensor dropout(const Tensor& x, Only<double> p, Rng& rng);
/// The same for whole channels of x [N, C, H, W], different ones in each image (Tompson et al.,
/// "Efficient Object Localization Using Convolutional Networks", 2015, section 3.2).
Tensor dropout2d(const Tensor& x, Only<double> p, Rng& rng);

// --- loss.cpp ----------------------------------------------------------------------------------

/// How a loss reduces many numbers to one.
enum class Reduction { mean, sum };

struct CrossEntropyOptions {
    Reduction reduction = Reduction::mean;  ///< over the N examples
    /// s in [0, 1]: the target is 1 - s + s/C for the label and s/C for every other class
    /// (Szegedy et al., "Rethinking the Inception Architecture", 2016, section 7).
    Only<double> label_smoothing = 0;
};

/// -sum_c target_c log_softmax(logits)_c for logits [N, C] and N labels in 0 ... C - 1 -> [].
/// Computed from the logits, so it is exact where softmax would round to 0 or overflow. The mean
/// over no examples is NaN, the sum 0; but there must be at least one class. A label of -100, which
/// PyTorch ignores by default, is an Error like any other label that is not a class.
Tensor cross_entropy(const Tensor& logits, const IntTensor& labels,
                     const CrossEntropyOptions& options = {});
/// (x - target)^2, averaged or summed over all elements -> []. The shapes must be equal.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);

/// -log_probabilities[n, labels[n]], averaged or summed over the N examples -> []. For
/// log_probabilities [N, C], such as log_softmax gives, and N labels in 0 ... C - 1.
Tensor nll_loss(const Tensor& log_probabilities, const IntTensor& labels,
                Reduction reduction = Reduction::mean);
/// |x - target|, averaged or summed over all elements -> []. The shapes must be equal. The
/// derivative at 0 is taken as 0. Where the difference is NaN, so is the gradient: a 0, as in
/// PyTorch, would hide that. The same holds for smooth_l1_loss and l1_penalty.
Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);

struct SmoothL1Options {
    Reduction reduction = Reduction::mean;  ///< over all elements
    Only<double> beta = 1;                  ///< where the square becomes a line; 0: l1_loss
};

/// With d = |x - target|: d^2 / (2 beta) where d < beta, else d - beta / 2; averaged or summed ->
/// []. The shapes must be equal (Girshick, "Fast R-CNN", 2015, equation 3, where beta = 1).
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& options = {});

struct BinaryCrossEntropyOptions {
    Reduction reduction = Reduction::mean;  ///< over all elements
    /// The weight of a positive example relative to a negative one: a number, or a tensor that
    /// broadcasts to x's shape. A constant: it gets no gradient. Undefined: 1.
    Tensor pos_weight = {};
};

/// -(pos_weight t log s(x) + (1 - t) log(1 - s(x))) with s(x) = 1 / (1 + e^-x) and targets t from 0
/// to 1, averaged or summed over all elements -> []. The shapes must be equal. Computed from the
/// logits x, so it is exact where s would round to 0 or 1. A logit of -infinity costs infinity
/// (PyTorch's form gives NaN), and so does an infinite pos_weight.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BinaryCrossEntropyOptions& options = {});

/// The sum of |w| over all elements of all parameters -> [], to be added to a loss, which drives
/// weights of little use to 0: loss + 1e-5 * l1_penalty(model.parameters()). The derivative at 0 is
/// taken as 0.
Tensor l1_penalty(std::span<const Parameter> parameters);

}  // namespace primer
