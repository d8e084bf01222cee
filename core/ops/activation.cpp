#include "../kernels/activation.h"

#include "../error.h"
#include "../kernels/isa/table.h"
#include "../kernels/parallel.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../options.h"
#include "../tape.h"

namespace primer {
namespace {

// What the backward of an activation keeps. It keeps y wherever the derivative follows from y. The
// next layer nearly always keeps its input, y, anyway, so this costs nothing, and x can be released
// at once.
enum class Keep { x, y };

// Where y goes. If it overwrites x, only y can be kept.
enum class Output { fresh, over_x };

// How many elements justify another thread: in a loop that is as fast as memory, and in one that
// computes an exponential for each.
constexpr Index kCheap = 16384, kCostly = 8192;

// relu's way to the processor:
//     relu, below                                passes the loop loops().relu to apply()
//     table() in ../kernels/isa.cpp              is the table of the instruction set in use
//     make_table() in ../kernels/isa/table.cpp   fills it, once for each instruction set
//     relu in ../kernels/isa/activation.cpp      is the loop in the table: max(v, 0) for each v
//     unary in ../kernels/isa/loops.h            is its for statement, which compilers vectorise
//     in_chunks in ../kernels/parallel.h         runs the loop on all threads
const kernels::ActivationKernels& loops() { return kernels::table().activation; }

// Applies y_i = f(x_i): `forward` is a loop (n, x, y), `backward` a loop (n, kept, dy, dx).
template <class Forward, class BackwardLoop>
Tensor apply(const char* op, const Tensor& x, Keep keep, Index grain, Forward forward,
             BackwardLoop backward, Output output = Output::fresh) {
    const bool fresh = output == Output::fresh;
    Tensor y = fresh ? empty(x.shape()) : x;
    Real* const to = fresh ? y.mutable_data() : begin_overwrite(op, x);
    kernels::in_chunks(x.numel(), grain, forward, x.data(), to);
    return record({op, 0}, y, {x},
                  [grain, backward, kept = Saved(keep == Keep::x ? x : y)](const Tensor& dy,
                                                                           std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = empty(dy.shape());
                      kernels::in_chunks(dy.numel(), grain, backward, kept->data(), dy.data(),
                                         grad.mutable_data());
                      dx.add(grad);
                  });
}

Tensor leaky(const char* op, const Tensor& x, double negative_slope, Keep keep, Output output) {
    check_finite(negative_slope, op, "negative_slope");
    const auto a = static_cast<Real>(negative_slope);
    return apply(
        op, x, keep, kCheap,
        [a](Index n, const Real* from, Real* to) { loops().leaky_relu(n, a, from, to); },
        [a](Index n, const Real* kept, const Real* dy, Real* dx) {
            loops().leaky_relu_backward(n, a, kept, dy, dx);
        },
        output);
}

// y = f(x) along dimension `dim`. The backward, a loop (axis, y, dy, dx), needs only y.
template <class Forward, class BackwardLoop>
Tensor along(int dim, const char* op, const Tensor& x, Forward forward, BackwardLoop backward) {
    const Shape shape = at_least_1d(x.shape());
    const kernels::Axis axis(shape, shape.normalize(dim, op));
    Tensor y = empty(x.shape());
    forward(axis, x.data(), y.mutable_data());
    return record({op, 0}, y, {x},
                  [axis, backward, y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = empty(dy.shape());
                      backward(axis, y->data(), dy.data(), grad.mutable_data());
                      dx.add(grad);
                  });
}

Tensor clamped(const char* op, const Tensor& x, double min_val, double max_val) {
    check_finite(min_val, op, "min_val");
    check_finite(max_val, op, "max_val");
    const auto least = static_cast<Real>(min_val), most = static_cast<Real>(max_val);
    return apply(
        op, x, Keep::y, kCheap,
        [=](Index n, const Real* from, Real* to) { loops().hardtanh(n, least, most, from, to); },
        [=](Index n, const Real* kept, const Real* dy, Real* dx) {
            loops().hardtanh_backward(n, least, most, kept, dy, dx);
        });
}

}  // namespace

// Glorot, Bordes and Bengio, "Deep Sparse Rectifier Neural Networks", 2011.
// dy/dx = 1 where x > 0, else 0; and y > 0 exactly where x > 0.
Tensor relu(const Tensor& x) {
    return apply("relu", x, Keep::y, kCheap, loops().relu, loops().relu_backward);
}

Tensor relu_(const Tensor& x) {
    return apply("relu_", x, Keep::y, kCheap, loops().relu, loops().relu_backward, Output::over_x);
}

// Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
// With a = negative_slope: dy/dx = 1 where x > 0, else a; and y > 0 exactly where x > 0, unless
// a < 0 makes y > 0 on both sides.
Tensor leaky_relu(const Tensor& x, Only<double> negative_slope) {
    const Keep keep = negative_slope >= 0 ? Keep::y : Keep::x;
    return leaky("leaky_relu", x, negative_slope, keep, Output::fresh);
}

Tensor leaky_relu_(const Tensor& x, Only<double> negative_slope) {
    check(negative_slope >= 0, "leaky_relu_: expected negative_slope >= 0, got ", negative_slope,
          "; x is overwritten, and with a slope < 0 the result does not tell on which side of 0 it "
          "was: use leaky_relu");
    return leaky("leaky_relu_", x, negative_slope, Keep::y, Output::over_x);
}

// He et al., "Delving Deep into Rectifiers", 2015, section 2.1. With c the channel of x: dy/dx = 1
// where x > 0, else w_c. And dy/dw_c = 0 where x > 0, else x, so dw_c is the sum of x dy over the
// x <= 0 of channel c. Keeps x, because w_c may be negative or 0, and then x does not follow from
// y.
Tensor prelu(const Tensor& x, const Tensor& weight) {
    const bool one_slope = weight.shape() == Shape{1} || weight.rank() == 0;
    check(one_slope || (x.rank() >= 2 && weight.shape() == Shape{x.shape()[1]}),
          "prelu: expected one slope, [] or [1], or one for each channel of x [N, channels, ...]; "
          "got a weight ",
          weight.shape(), " for x ", x.shape());
    const kernels::Axis axis = one_slope ? kernels::Axis({1, 1, x.numel()}, 1)  //
                                         : kernels::Axis(x.shape(), 1);
    Tensor y = empty(x.shape());
    kernels::prelu(axis, x.data(), weight.data(), y.mutable_data());
    const Index batch = x.rank() > 0 ? x.shape()[0] : 1;
    return record({"prelu", batch * weight.numel(), 2}, y, {x, weight},
                  [axis, x = Saved(x), w = Saved(weight)](const Tensor& dy, std::span<Grad> d) {
                      Grad &dx = d[0], &dw = d[1];
                      if (dx.wanted()) {
                          Tensor grad = empty(dy.shape());
                          kernels::prelu_backward(axis, x->data(), w->data(), dy.data(),
                                                  grad.mutable_data());
                          dx.add(grad);
                      }
                      if (dw.wanted()) {
                          Tensor terms = empty({axis.outer, axis.n, axis.inner});
                          kernels::in_chunks(dy.numel(), kCheap, loops().prelu_backward_weight,
                                             x->data(), dy.data(), terms.mutable_data());
                          dw.add(reshape(sum(sum(terms, 2), 0), w->shape()));
                      }
                  });
}

// dy/dx = 1 where min_val < x < max_val, else 0; and y lies between the two exactly where x does.
Tensor hardtanh(const Tensor& x, const HardtanhOptions& options) {
    check(options.min_val <= options.max_val, "hardtanh: expected min_val <= max_val, got ",
          options.min_val, " and ", options.max_val);
    return clamped("hardtanh", x, options.min_val, options.max_val);
}

// Krizhevsky, "Convolutional Deep Belief Networks on CIFAR-10", 2010. dy/dx as in hardtanh.
Tensor relu6(const Tensor& x) { return clamped("relu6", x, 0, 6); }

// Clevert, Unterthiner and Hochreiter, "Fast and Accurate Deep Network Learning by Exponential
// Linear Units", 2016, section 3. dy/dx = 1 where x > 0; else y = alpha (e^x - 1), so dy/dx = alpha
// e^x. That also equals y + alpha; but for x far below 0, y is nearly -alpha, and the sum has no
// correct digit left.
Tensor elu(const Tensor& x, Only<double> alpha) {
    check_not_negative(alpha, "elu", "alpha");
    const auto a = static_cast<Real>(alpha);
    return apply(
        "elu", x, Keep::x, kCostly,
        [a](Index n, const Real* from, Real* to) { loops().elu(n, 1, a, from, to); },
        [a](Index n, const Real* kept, const Real* dy, Real* dx) {
            loops().elu_backward(n, 1, a, kept, dy, dx);
        });
}

// Barron, "Continuously Differentiable Exponential Linear Units", 2017. dy/dx = 1 where x > 0; else
// y = alpha (e^(x / alpha) - 1), so dy/dx = e^(x / alpha), which is 1 at 0 for every alpha. Keeps
// x, as elu does.
Tensor celu(const Tensor& x, Only<double> alpha) {
    check(alpha > 0, "celu: expected alpha > 0, got ", alpha);
    check_finite(alpha, "celu", "alpha");
    check_finite(1 / alpha, "celu", "1 / alpha");
    const auto a = static_cast<Real>(alpha);
    return apply(
        "celu", x, Keep::x, kCostly,
        [a](Index n, const Real* from, Real* to) { loops().celu(n, a, from, to); },
        [a](Index n, const Real* kept, const Real* dy, Real* dx) {
            loops().celu_backward(n, a, kept, dy, dx);
        });
}

// Klambauer et al., "Self-Normalizing Neural Networks", 2017, equation 2: lambda elu(x, alpha),
// whose constants preserve a mean of 0 and a variance of 1. dy/dx = lambda where x > 0, else lambda
// alpha e^x.
Tensor selu(const Tensor& x) {
    constexpr double alpha = 1.6732632423543772848, lambda = 1.0507009873554804934;
    constexpr auto above = static_cast<Real>(lambda), below = static_cast<Real>(lambda * alpha);
    return apply(
        "selu", x, Keep::x, kCostly,
        [](Index n, const Real* from, Real* to) { loops().elu(n, above, below, from, to); },
        [](Index n, const Real* kept, const Real* dy, Real* dx) {
            loops().elu_backward(n, above, below, kept, dy, dx);
        });
}

// Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2. y = x P(x), where P(x) is
// the share of a normal variable's values that are below x, so dy/dx = P(x) + x P'(x) with P'(x) =
// e^(-x^2 / 2) / sqrt(2 pi). The approximation has P(x) = (1 + tanh u) / 2 = s(2 u), s being the
// sigmoid, with u = c (x + 0.044715 x^3) and c = sqrt(2 / pi), so there
//     P'(x) = s(2 u) (1 - s(2 u)) 2 c (1 + 3 * 0.044715 x^2).
// Both keep x, because y has a minimum, and on either side of it different x give the same y.
Tensor gelu(const Tensor& x, Approximation approximate) {
    if (approximate == Approximation::none) {
        return apply("gelu", x, Keep::x, kCostly, loops().gelu, loops().gelu_backward);
    }
    return apply("gelu", x, Keep::x, kCostly, loops().gelu_tanh, loops().gelu_tanh_backward);
}

// Hendrycks and Gimpel, as above; Ramachandran, Zoph and Le, "Searching for Activation
// Functions", 2017, named it Swish. With s = 1 / (1 + e^-x), s' = s (1 - s): y = x s, so
// dy/dx = s + x s (1 - s). Keeps x, because y has a minimum.
Tensor silu(const Tensor& x) {
    return apply("silu", x, Keep::x, kCostly, loops().silu, loops().silu_backward);
}

// Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019. With p = ln(1 + e^x),
// dp/dx = s(x) and tanh' = 1 - tanh^2: dy/dx = tanh p + x (1 - tanh^2 p) s(x). With u = e^p = 1 +
// e^x,
//     tanh p = (u^2 - 1) / (u^2 + 1)     1 - tanh^2 p = 4 u^2 / (u^2 + 1)^2     s(x) = e^x / u
// so dy/dx = tanh p + 4 x e^x u / (u^2 + 1)^2, where no difference loses digits. Keeps x, because y
// has a minimum.
Tensor mish(const Tensor& x) {
    return apply("mish", x, Keep::x, kCostly, loops().mish, loops().mish_backward);
}

// Dauphin et al., "Language Modeling with Gated Convolutional Networks", 2017, section 2. With the
// halves a and b of x and the sigmoid s, whose derivative is s(b) s(-b): y = a s(b), so da = dy
// s(b) and db = dy a s(b) s(-b).
Tensor glu(const Tensor& x, Only<int> dim) {
    const Shape shape = at_least_1d(x.shape());
    const int halved = shape.normalize(dim, "glu");
    check(shape[halved] % 2 == 0, "glu: expected an even size along dimension ", halved,
          ", for two halves; got x ", x.shape());
    const kernels::Axis axis(shape, halved);
    Tensor y = empty(shape.with(halved, shape[halved] / 2));
    kernels::glu(axis, x.data(), y.mutable_data());
    return record({"glu", 0}, y, {x}, [axis, x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        Tensor grad = empty(x->shape());
        kernels::glu_backward(axis, x->data(), dy.data(), grad.mutable_data());
        dx.add(grad);
    });
}

// y = s(x) = (1 + e^-x)^-1, so dy/dx = e^-x (1 + e^-x)^-2 = s(x) s(-x). That also equals y (1 - y);
// but where y is nearly 1, the difference has no correct digit left. So this keeps x.
Tensor sigmoid(const Tensor& x) {
    return apply("sigmoid", x, Keep::x, kCostly, loops().sigmoid, loops().sigmoid_backward);
}

// y = ln s(x) = -ln(1 + e^-x), so dy/dx = e^-x / (1 + e^-x) = s(-x). Keeps x, because far to the
// right y rounds to 0.
Tensor logsigmoid(const Tensor& x) {
    return apply("logsigmoid", x, Keep::x, kCostly, loops().logsigmoid,
                 loops().logsigmoid_backward);
}

// For x > 0: y = x / (1 + x), so dy/dx = (1 + x - x) / (1 + x)^2; for x < 0, where y = x / (1 - x),
// dy/dx = (1 - x + x) / (1 - x)^2. Both are 1 / (1 + |x|)^2. Keeps x: the derivative also equals (1
// - |y|)^2, but where |y| is nearly 1, the difference has no correct digit left.
Tensor softsign(const Tensor& x) {
    return apply("softsign", x, Keep::x, kCheap, loops().softsign, loops().softsign_backward);
}

// tanh = sinh / cosh, so dy/dx = (cosh^2 x - sinh^2 x) / cosh^2 x = 1 / cosh^2 x. With s(x) = 1 /
// (1 + e^-x) that is 4 s(2 x) s(-2 x). It also equals 1 - y^2, but that is wrong by 12 % at x =
// 7.5, where few digits of y differ from those of 1. So this keeps x.
Tensor tanh(const Tensor& x) {
    return apply("tanh", x, Keep::x, kCostly, loops().tanh, loops().tanh_backward);
}

// Dugas et al., "Incorporating Second-Order Functional Knowledge for Better Option Pricing", 2001.
// y = ln(1 + e^(beta x)) / beta, so dy/dx = e^(beta x) / (1 + e^(beta x)) = sigmoid(beta x); and 1
// where beta x > threshold and y is x. Keeps x, because near the threshold y does not tell which
// case applied.
Tensor softplus(const Tensor& x, const SoftplusOptions& options) {
    check(options.beta > 0, "softplus: expected beta > 0, got ", options.beta);
    check_finite(options.beta, "softplus", "beta");
    check_finite(1 / options.beta, "softplus", "1 / beta");
    check_finite(options.threshold, "softplus", "threshold");
    const auto beta = static_cast<Real>(options.beta);
    const auto threshold = static_cast<Real>(options.threshold);
    return apply(
        "softplus", x, Keep::x, kCostly,
        [=](Index n, const Real* from, Real* to) {
            loops().softplus(n, beta, threshold, from, to);
        },
        [=](Index n, const Real* kept, const Real* dy, Real* dx) {
            loops().softplus_backward(n, beta, threshold, kept, dy, dx);
        });
}

// Howard et al., "Searching for MobileNetV3", 2019, section 5.2. From -3 to 3, y = (x + 3) / 6, so
// dy/dx = 1 / 6; outside, y is constant. Keeps x, because just below 3 y rounds to 1.
Tensor hardsigmoid(const Tensor& x) {
    return apply("hardsigmoid", x, Keep::x, kCheap, loops().hardsigmoid,
                 loops().hardsigmoid_backward);
}

// Howard et al., as above: x hardsigmoid(x). From -3 to 3, y = x (x + 3) / 6, so dy/dx = x / 3 + 1
// / 2; below, y = 0, and above, y = x. Keeps x, because y has a minimum.
Tensor hardswish(const Tensor& x) {
    return apply("hardswish", x, Keep::x, kCheap, loops().hardswish, loops().hardswish_backward);
}

// y_i = e^(x_i) / S with S = sum_j e^(x_j). With Iverson's bracket [i = j], which is 1 where i = j
// and 0 elsewhere:
//     dy_i/dx_j = y_i ([i = j] - y_j)
//     dx_j      = sum_i dy_i y_i ([i = j] - y_j) = y_j (dy_j - sum_i dy_i y_i)
Tensor softmax(const Tensor& x, Only<int> dim) {
    return along(dim, "softmax", x, kernels::softmax, kernels::softmax_backward);
}

// y_i = x_i - ln S with S = sum_j e^(x_j), so
//     dy_i/dx_j = [i = j] - e^(x_j) / S = [i = j] - e^(y_j)
//     dx_j      = dy_j - e^(y_j) sum_i dy_i
Tensor log_softmax(const Tensor& x, Only<int> dim) {
    return along(dim, "log_softmax", x, kernels::log_softmax, kernels::log_softmax_backward);
}

// Goodfellow et al., "Maxout Networks", 2013, section 3. dy goes to the piece that was taken; the
// others have gradient 0. Keeps the index of that piece: one number for each y, where x has
// `pieces`.
Tensor maxout(const Tensor& x, Only<Index> pieces) {
    constexpr Index most = Index{1} << 24;  // up to here, a float is exact for whole numbers
    check(pieces >= 1 && pieces <= most, "maxout: expected 1 to ", most, " pieces, got ", pieces);
    check(x.rank() >= 2 && x.shape()[1] % pieces == 0, "maxout: expected x [N, channels, ...] ",
          "whose channels can be divided into groups of ", pieces, ", got ", x.shape());
    const Shape& from = x.shape();
    const Index out = from[1] / pieces;
    const kernels::Axis axis({from[0] * out, pieces, from.slice(2, from.rank()).numel()}, 1);
    Tensor y = empty(from.with(1, out)), taken = empty(y.shape());
    kernels::maxout(axis, x.data(), y.mutable_data(), taken.mutable_data());
    return record({"maxout", 0}, y, {x},
                  [axis, from, taken = Saved(taken)](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = empty(from);
                      kernels::maxout_backward(axis, taken->data(), dy.data(), grad.mutable_data());
                      dx.add(grad);
                  });
}

}  // namespace primer
// SPDX-License-Identifier: MIT
