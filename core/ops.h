#pragma once

#include <span>

#include "primer/core/parameter.h"
#include "primer/core/rng.h"
#include "primer/core/tensor.h"

// The catalogue: every op with its shapes and its formula. Each is a plain function in ops/, where
// its check, its forward and its backward stand together. Every op returns a new tensor and leaves
// its inputs alone; while a Tape is recording, it is recorded. All throw Error, naming the op and
// the shapes, for inputs that do not fit.

namespace primer {

// --- elementwise.cpp: shapes broadcast as NumPy's do; a number is a tensor of shape [] ----------

Tensor add(const Tensor& a, const Tensor& b);  ///< a + b
Tensor sub(const Tensor& a, const Tensor& b);  ///< a - b
Tensor mul(const Tensor& a, const Tensor& b);  ///< a * b
Tensor div(const Tensor& a, const Tensor& b);  ///< a / b
Tensor pow(const Tensor& a, const Tensor& b);  ///< a^b
Tensor neg(const Tensor& x);                   ///< -x
Tensor exp(const Tensor& x);                   ///< e^x
Tensor log(const Tensor& x);                   ///< ln x
Tensor sqrt(const Tensor& x);                  ///< x^(1/2)

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

// --- activation.cpp ----------------------------------------------------------------------------

/// max(x, 0). The derivative at 0 is taken as 0; a NaN stays a NaN.
Tensor relu(const Tensor& x);
/// exp(x_i) / sum_j exp(x_j) along dimension `dim`. Safe for any finite x.
Tensor softmax(const Tensor& x, int dim);
/// ln softmax(x), without the underflow that taking the logarithm afterwards would have.
Tensor log_softmax(const Tensor& x, int dim);

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
/// Dimensions start_dim ... end_dim made one: [2, 3, 4, 5] from 1 -> [2, 60]. Shares memory with x.
Tensor flatten(const Tensor& x, int start_dim = 0, int end_dim = -1);
/// x's dimensions dim0 and dim1 exchanged: y[.., j, .., i, ..] = x[.., i, .., j, ..]. A copy.
Tensor transpose(const Tensor& x, int dim0, int dim1);
/// x[start], ..., x[end - 1] along the first dimension; shares memory with x. Needs
/// 0 <= start <= end <= x.shape()[0].
Tensor slice(const Tensor& x, Index start, Index end);
/// The tensors one after another along dimension `dim`, in which alone their shapes may differ.
Tensor concat(std::span<const Tensor> tensors, int dim = 0);
Tensor concat(std::initializer_list<Tensor> tensors, int dim = 0);
/// x broadcast to `shape`. A copy.
Tensor expand(const Tensor& x, const Shape& shape);

// --- reduce.cpp: over all elements -> [], or over one dimension ---------------------------------
// The dimension is left out of the result or, with `keepdim`, has size 1 there.

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int dim, bool keepdim = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int dim, bool keepdim = false);
/// The largest element; a NaN counts as the largest. If several are the largest, they share the
/// gradient evenly. Throws Error for a tensor without elements.
Tensor max(const Tensor& x);
/// As above, but the gradient goes to the first of the largest. (PyTorch differs so, too.)
Tensor max(const Tensor& x, int dim, bool keepdim = false);
/// The position of the (first) largest element: in x flattened, or along `dim`. No gradient.
IntTensor argmax(const Tensor& x);
IntTensor argmax(const Tensor& x, int dim, bool keepdim = false);

// --- loss.cpp ----------------------------------------------------------------------------------

/// How a loss makes one number of many.
enum class Reduction { mean, sum };

struct CrossEntropyOptions {
    Reduction reduction = Reduction::mean;  ///< over the N examples
    /// s in [0, 1]: the target is 1 - s + s/C for the label and s/C for every other class
    /// (Szegedy et al., "Rethinking the Inception Architecture", 2016, section 7).
    double label_smoothing = 0;
};

/// -sum_c target_c log_softmax(logits)_c for logits [N, C] and N labels in 0 ... C - 1 -> [].
/// Computed from the logits, so it is exact where softmax would round to 0 or overflow.
Tensor cross_entropy(const Tensor& logits, const IntTensor& labels,
                     const CrossEntropyOptions& options = {});
/// (x - target)^2, averaged or summed over all elements -> []. The shapes must be equal.
Tensor mse_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);

/// -log_probabilities[n, labels[n]], averaged or summed over the N examples -> []. For
/// log_probabilities [N, C], such as log_softmax gives, and N labels in 0 ... C - 1.
Tensor nll_loss(const Tensor& log_probabilities, const IntTensor& labels,
                Reduction reduction = Reduction::mean);
/// |x - target|, averaged or summed over all elements -> []. The shapes must be equal. The
/// derivative at 0 is taken as 0.
Tensor l1_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);

struct SmoothL1Options {
    Reduction reduction = Reduction::mean;  ///< over all elements
    double beta = 1;                        ///< where the square becomes a line; 0: l1_loss
};

/// With d = |x - target|: d^2 / (2 beta) where d < beta, else d - beta / 2; averaged or summed ->
/// []. The shapes must be equal (Girshick, "Fast R-CNN", 2015, equation 3, where beta = 1).
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& options = {});

struct BinaryCrossEntropyOptions {
    Reduction reduction = Reduction::mean;  ///< over all elements
    /// What a positive example counts, relative to a negative one: a number, or a tensor that
    /// broadcasts to x's shape. A constant: it gets no gradient. Undefined: 1.
    Tensor pos_weight = {};
};

/// -(pos_weight t log s(x) + (1 - t) log(1 - s(x))) with s(x) = 1 / (1 + e^-x) and targets t from 0
/// to 1, averaged or summed over all elements -> []. The shapes must be equal. Computed from the
/// logits x, so it is exact where s would round to 0 or 1.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BinaryCrossEntropyOptions& options = {});

/// The sum of |w| over all elements of all parameters -> [], to be added to a loss, so that weights
/// of little use become 0: loss + 1e-5 * l1_penalty(model.parameters()). The derivative at 0 is
/// taken as 0.
Tensor l1_penalty(std::span<const Parameter> parameters);

}  // namespace primer
