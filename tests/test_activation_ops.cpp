// The activations of core/ops/activation.cpp, except softmax, which has its own file.

#include <functional>
#include <limits>
#include <vector>

#include <primer/core/kernels/activation.h>
#include <primer/core/kernels/isa/table.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;
using Wide = long double;  // the type in which the definitions are computed

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr Wide kPi = 3.14159265358979323846264L;

Wide sigmoid_of(Wide x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Wide normal_share(Wide x) { return std::erfc(-x / std::sqrt(Wide(2))) / 2; }
Wide normal_density(Wide x) { return std::exp(-x * x / 2) / std::sqrt(2 * kPi); }
// 2 u of gelu's approximation, and its derivative.
Wide twice_u(Wide x) { return 2 * std::sqrt(2 / kPi) * (x + 0.044715L * x * x * x); }
Wide twice_u_slope(Wide x) { return 2 * std::sqrt(2 / kPi) * (1 + 3 * 0.044715L * x * x); }

Wide clamp(Wide x, Wide least, Wide most) { return std::min(std::max(x, least), most); }
Wide mish_gate(Wide x) { return std::tanh(std::log1p(std::exp(x))); }

constexpr Wide kAlpha = 1.67326324235437728481704L, kLambda = 1.05070098735548049341933L;

// One y_i = f(x_i), its definition and that of its derivative.
struct Activation {
    const char* name;
    std::function<Tensor(const Tensor&)> op;
    Wide (*value)(Wide);
    Wide (*slope)(Wide);
    std::vector<double> kinks;
    bool keeps_x;  // or y
};

const std::vector<Activation> kActivations{
    {"relu",
     [](const Tensor& x) { return relu(x); },
     [](Wide x) { return x > 0 ? x : 0; },
     [](Wide x) { return x > 0 ? Wide(1) : 0; },
     {0},
     false},
    {"leaky_relu",
     [](const Tensor& x) { return leaky_relu(x); },
     [](Wide x) { return x > 0 ? x : 0.01L * x; },
     [](Wide x) { return x > 0 ? 1 : 0.01L; },
     {0},
     false},
    {"leaky_relu, slope -0.5",
     [](const Tensor& x) { return leaky_relu(x, -0.5); },
     [](Wide x) { return x > 0 ? x : -x / 2; },
     [](Wide x) { return x > 0 ? 1 : -0.5L; },
     {0},
     true},
    {"prelu, one slope",
     [](const Tensor& x) { return prelu(x, tensor({0.25})); },
     [](Wide x) { return x > 0 ? x : x / 4; },
     [](Wide x) { return x > 0 ? 1 : 0.25L; },
     {0},
     true},
    {"relu6",
     relu6,
     [](Wide x) { return clamp(x, 0, 6); },
     [](Wide x) { return x > 0 && x < 6 ? Wide(1) : 0; },
     {0, 6},
     false},
    {"hardtanh",
     [](const Tensor& x) { return hardtanh(x); },
     [](Wide x) { return clamp(x, -1, 1); },
     [](Wide x) { return x > -1 && x < 1 ? Wide(1) : 0; },
     {-1, 1},
     false},
    {"hardtanh, -2 to 0.5",
     [](const Tensor& x) { return hardtanh(x, {.min_val = -2, .max_val = 0.5}); },
     [](Wide x) { return clamp(x, -2, 0.5L); },
     [](Wide x) { return x > -2 && x < 0.5L ? Wide(1) : 0; },
     {-2, 0.5},
     false},
    {"elu",
     [](const Tensor& x) { return elu(x); },
     [](Wide x) { return x > 0 ? x : std::expm1(x); },
     [](Wide x) { return x > 0 ? 1 : std::exp(x); },
     {},
     true},
    {"elu, alpha 0.5",
     [](const Tensor& x) { return elu(x, 0.5); },
     [](Wide x) { return x > 0 ? x : std::expm1(x) / 2; },
     [](Wide x) { return x > 0 ? 1 : std::exp(x) / 2; },
     {0},
     true},
    {"celu",
     [](const Tensor& x) { return celu(x); },
     [](Wide x) { return x > 0 ? x : std::expm1(x); },
     [](Wide x) { return x > 0 ? 1 : std::exp(x); },
     {},
     true},
    {"celu, alpha 0.5",
     [](const Tensor& x) { return celu(x, 0.5); },
     [](Wide x) { return x > 0 ? x : std::expm1(2 * x) / 2; },
     [](Wide x) { return x > 0 ? 1 : std::exp(2 * x); },
     {},
     true},
    {"selu",
     [](const Tensor& x) { return selu(x); },
     [](Wide x) { return kLambda * (x > 0 ? x : kAlpha * std::expm1(x)); },
     [](Wide x) { return kLambda * (x > 0 ? 1 : kAlpha * std::exp(x)); },
     {0},
     true},
    {"gelu",
     [](const Tensor& x) { return gelu(x); },
     [](Wide x) { return x * normal_share(x); },
     [](Wide x) { return normal_share(x) + x * normal_density(x); },
     {},
     true},
    {"gelu, tanh",
     [](const Tensor& x) { return gelu(x, Approximation::tanh); },
     [](Wide x) { return x * sigmoid_of(twice_u(x)); },
     [](Wide x) {
         const Wide s = sigmoid_of(twice_u(x)), rest = sigmoid_of(-twice_u(x));
         return s + x * s * rest * twice_u_slope(x);
     },
     {},
     true},
    {"silu",
     [](const Tensor& x) { return silu(x); },
     [](Wide x) { return x * sigmoid_of(x); },
     [](Wide x) { return sigmoid_of(x) * (1 + x * sigmoid_of(-x)); },
     {},
     true},
    {"mish",
     mish,
     [](Wide x) { return x * mish_gate(x); },
     [](Wide x) {
         const Wide gate = mish_gate(x);
         return gate + x * (1 - gate) * (1 + gate) * sigmoid_of(x);
     },
     {},
     true},
    {"logsigmoid",
     logsigmoid,
     [](Wide x) { return std::min(x, Wide(0)) - std::log1p(std::exp(-std::abs(x))); },
     [](Wide x) { return sigmoid_of(-x); },
     {},
     true},
    {"softsign",
     softsign,
     [](Wide x) { return x / (1 + std::abs(x)); },
     [](Wide x) { return 1 / ((1 + std::abs(x)) * (1 + std::abs(x))); },
     {},
     true},
    {"sigmoid",
     [](const Tensor& x) { return sigmoid(x); },
     [](Wide x) { return sigmoid_of(x); },
     [](Wide x) { return sigmoid_of(x) * sigmoid_of(-x); },
     {},
     true},
    {"tanh",
     [](const Tensor& x) { return tanh(x); },
     [](Wide x) { return std::tanh(x); },
     [](Wide x) { return 1 / (std::cosh(x) * std::cosh(x)); },
     {},
     true},
    {"softplus",
     [](const Tensor& x) { return softplus(x); },
     [](Wide x) { return std::log1p(std::exp(x)); },
     [](Wide x) { return sigmoid_of(x); },
     {},
     true},
    {"softplus, beta 2, threshold 3",
     [](const Tensor& x) { return softplus(x, {.beta = 2, .threshold = 3}); },
     [](Wide x) { return 2 * x > 3 ? x : std::log1p(std::exp(2 * x)) / 2; },
     [](Wide x) { return 2 * x > 3 ? 1 : sigmoid_of(2 * x); },
     {1.5},
     true},
    {"hardsigmoid",
     hardsigmoid,
     [](Wide x) { return clamp(x + 3, 0, 6) / 6; },
     [](Wide x) { return x > -3 && x < 3 ? 1 / Wide(6) : 0; },
     {-3, 3},
     true},
    {"hardswish",
     [](const Tensor& x) { return hardswish(x); },
     [](Wide x) { return x <= -3  ? 0
                         : x >= 3 ? x
                                  : x * (x + 3) / 6; },
     [](Wide x) { return x <= -3  ? 0
                         : x >= 3 ? 1
                                  : x / 3 + 0.5L; },
     {-3, 3},
     true},
};

// f(x), and the gradient that dy sends back to x.
struct Results {
    Tensor y, dx;
};

Results run(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, const Tensor& dy) {
    const Tensor leaf = x.clone().requires_grad_();
    Tape tape;
    const Tensor y = f(leaf);
    tape.backward(sum(mul(y, dy)));
    return {y, leaf.grad()};
}

// 1, -2, 3, -1, 2, -3, ...
Tensor uneven(const Shape& shape) {
    const Tensor dy = empty(shape);
    Real* out = dy.mutable_data();
    for (Index i = 0; i < dy.numel(); ++i) {
        out[i] = static_cast<Real>((i % 3 + 1) * (i % 2 == 0 ? 1 : -1));
    }
    return dy;
}

// How many of x are further from `want` than the tolerance, relative to its size and, where that is
// smaller, to `floor`.
Index wrong_values(const Tensor& x, const std::function<Wide(Index)>& want, double tolerance,
                   double floor) {
    Index wrong = 0;
    for (Index i = 0; i < x.numel(); ++i) {
        const auto wanted = static_cast<double>(want(i));
        const double error = std::abs(static_cast<double>(x.data()[i]) - wanted);
        wrong += !(error <= tolerance * std::max(floor, std::abs(wanted)));
    }
    return wrong;
}

// Random, but nowhere within 0.1 of relu's kink.
Tensor away_from_0(const Shape& shape, Rng& rng) {
    const Tensor x = randn(shape, rng);
    for (Real& v : std::span(x.mutable_data(), static_cast<std::size_t>(x.numel()))) {
        v += v < 0 ? Real(-0.1) : Real(0.1);
    }
    return x;
}

bool same(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::ranges::equal(a.values(), b.values());
}

}  // namespace

// --- one by one, worked out by hand -----------------------------------------------------------

TEST_CASE("relu: worked out by hand") {
    check_values(relu(tensor({-2, -0.5, 0, 0.5, 3, -1}, {2, 3})), {2, 3}, {0, 0, 0, 0.5, 3, 0});
    check_values(relu(Tensor(-1)), {}, {0});
    CHECK(relu(zeros({0, 2})).shape() == Shape{0, 2});
}

TEST_CASE("relu: the gradient is 1 above 0, and 0 at 0 and below") {
    const Tensor x = tensor({-2, -0.0, 0, 1e-30, 3}).requires_grad_();
    Tape tape;
    tape.backward(sum(mul(relu(x), tensor({1, 2, 3, 4, 5}))));
    check_values(x.grad(), {5}, {0, 0, 0, 4, 5});
}

TEST_CASE("relu: NaN and infinity pass, forward and backward") {
    const Tensor x = tensor({NAN, inf, -inf}).requires_grad_();
    Tape tape;
    const Tensor y = relu(x);
    check_values(y, {3}, {NAN, inf, 0});
    tape.backward(sum(mul(y, tensor({2, 3, 4}))));
    // A NaN must not vanish here: its gradient passes, as in PyTorch.
    check_values(x.grad(), {3}, {2, 3, 0});
}

TEST_CASE("relu: gradients") {
    Rng rng(1);
    for (const Shape& shape : {Shape{}, Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 1, 3, 2, 1, 2},
                               Shape{0}, Shape{2, 0}}) {
        CAPTURE(shape.str());
        check_gradients([](const Inputs& x) { return relu(x[0]); }, {away_from_0(shape, rng)});
    }
    check_gradients([](const Inputs& x) { return mul(relu(x[0]), relu(neg(x[0]))); },
                    {away_from_0({9}, rng)});
    check_gradients([](const Inputs& x) { return mul(relu(x[0]), x[0]); }, {away_from_0({9}, rng)});
}

TEST_CASE("relu: beyond one chunk of work") {
    Rng rng(2);
    const Tensor x = randn({50001}, rng).requires_grad_();
    Tape tape;
    const Tensor y = relu(x);
    tape.backward(sum(mul(y, 3)));
    Index wrong = 0;
    for (Index i = 0; i < x.numel(); ++i) {
        const Real v = x.data()[i];
        wrong += y.data()[i] != (v > 0 ? v : 0) || x.grad().data()[i] != (v > 0 ? 3 : 0);
    }
    CHECK(wrong == 0);
}

TEST_CASE("leaky_relu: worked out by hand") {
    const Tensor x = tensor({-2, -0.5, 0, 3});
    check_values(leaky_relu(x), {4}, {-0.02, -0.005, 0, 3});
    check_values(leaky_relu(x, 0.25), {4}, {-0.5, -0.125, 0, 3});
    check_values(leaky_relu(x, 0), {4}, {0, 0, 0, 3});
    check_values(leaky_relu(x, -0.5), {4}, {1, 0.25, 0, 3});
    check_values(leaky_relu(x, 2), {4}, {-4, -1, 0, 3});
    // Even a slope so small that y rounds to 0 reaches the gradient.
    const auto [y, dx] = run([](const Tensor& v) { return leaky_relu(v, 0.25); },
                             tensor({-1e-45, 1e-30, -1e-30}), tensor({4, 4, 4}));
    check_values(dx, {3}, {1, 4, 1});
}

TEST_CASE("prelu: worked out by hand") {
    check_values(prelu(tensor({-2, 3}), tensor({0.25})), {2}, {-0.5, 3});
    check_values(prelu(Tensor(-2), tensor({-0.5})), {}, {1});
    check_values(prelu(tensor({-2, 3}), Tensor(0.25)), {2}, {-0.5, 3});
    // Features: a slope for each column.
    const Tensor w = tensor({0.5, 0.25, -1});
    check_values(prelu(tensor({-2, -2, -2, 4, 5, 6}, {2, 3}), w), {2, 3}, {-1, -0.5, 2, 4, 5, 6});
    // Images: a slope for each channel.
    check_values(prelu(tensor({-2, 4, -2, 4, -2, 4, 2, -4, 2, -4, 2, -4}, {2, 3, 1, 2}), w),
                 {2, 3, 1, 2}, {-1, 4, -0.5, 4, 2, 4, 2, -2, 2, -1, 2, 4});
}

TEST_CASE("prelu: gradients worked out by hand") {
    const Tensor x = tensor({-2, 4, -3, -1, 5, 0}, {2, 3}).requires_grad_();
    const Tensor dy = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    const Tensor w = tensor({0.5, 0.25, -1}).requires_grad_();
    {
        Tape tape;
        tape.backward(sum(mul(prelu(x, w), dy)));
    }
    check_values(x.grad(), {2, 3}, {0.5, 2, -3, 2, 5, -6});  // 0 counts as below 0
    check_values(w.grad(), {3}, {-2 * 1 - 1 * 4, 0, -3 * 3 + 0 * 6});
    for (const Tensor& one : {tensor({0.5}).requires_grad_(), Tensor(0.5).requires_grad_()}) {
        Tape tape;
        tape.backward(sum(mul(prelu(x.detach(), one), dy)));
        check_values(one.grad(), one.shape(), {-2 - 9 - 4});
    }
}

TEST_CASE("elu and selu: worked out by hand") {
    const double ln2 = std::log(2.0);
    const Tensor x = tensor({-2 * ln2, -ln2, 0, 3});  // e^x - 1 = -3/4, -1/2, 0
    check_values(elu(x), {4}, {-0.75, -0.5, 0, 3});
    check_values(elu(x, 0.5), {4}, {-0.375, -0.25, 0, 3});
    check_values(elu(x, 0), {4}, {0, 0, 0, 3});
    // 1.0507009873554805 * 1.6732632423543772 = 1.7580993408473766
    check_values(selu(x), {4}, {-1.3185745056355325, -0.8790496704236883, 0, 3.1521029620664414});
}

TEST_CASE("selu: keeps mean 0 and variance 1") {
    Rng rng(1);
    const Tensor y = selu(randn({200'000}, rng));
    CHECK(std::abs(mean(y).item()) < 0.01);
    CHECK(mean(mul(y, y)).item() == doctest::Approx(1).epsilon(0.02));
}

TEST_CASE("gelu: worked out by hand") {
    // 0.84134474606854293 of a normal variable's values are below 1, 0.97724986805182079 below 2.
    const Tensor x = tensor({-2, -1, 0, 1, 2});
    check_values(gelu(x), {5},
                 {-2 * 0.02275013194817921, -0.15865525393145707, 0, 0.84134474606854293,
                  2 * 0.97724986805182079});
    // u = 0.79788456080286536 * 1.044715 = 0.83356197, tanh u = 0.68238398
    check_values(gelu(x, Approximation::tanh), {5},
                 {-0.0454023059, -0.1588080094, 0, 0.8411919906, 1.9545976941}, 1e-8 + kTolerance);
}

TEST_CASE("gelu: the approximation is within 0.0005") {
    const Tensor x = mul(sub(arange(4001), 2000), 0.005);  // -10 ... 10
    const Tensor difference = sub(gelu(x), gelu(x, Approximation::tanh));
    double largest = 0;
    for (Real v : difference.values()) largest = std::max(largest, std::abs(double{v}));
    CHECK(largest < 0.0005);
    CHECK(largest > 0.0004);  // it is not the same formula
}

TEST_CASE("sigmoid, silu, tanh: worked out by hand") {
    const double ln3 = std::log(3.0);
    const Tensor x = tensor({-ln3, 0, ln3});
    check_values(sigmoid(x), {3}, {0.25, 0.5, 0.75});
    check_values(silu(x), {3}, {-ln3 / 4, 0, ln3 * 3 / 4});
    check_values(tanh(x), {3}, {-0.8, 0, 0.8});  // (3 - 1/3) / (3 + 1/3)
}

TEST_CASE("softplus: worked out by hand") {
    const double ln2 = std::log(2.0), ln3 = std::log(3.0), ln4 = std::log(4.0);
    check_values(softplus(tensor({-ln3, 0, ln3, 30})), {4}, {ln4 - ln3, ln2, ln4, 30});
    check_values(softplus(tensor({-ln3 / 2, 0, ln3 / 2}), {.beta = 2}), {3},
                 {(ln4 - ln3) / 2, ln2 / 2, ln4 / 2});
    // Above the threshold it is x itself; at it, not yet.
    check_values(softplus(tensor({1, 1.01}), {.threshold = 1}), {2},
                 {std::log(1 + std::exp(1.0)), 1.01});
    check_values(softplus(tensor({0.5, 0.51}), {.beta = 2, .threshold = 1}), {2},
                 {std::log(1 + std::exp(1.0)) / 2, 0.51});
}

TEST_CASE("hardswish: worked out by hand") {
    check_values(hardswish(tensor({-4, -3, -1.5, -1, 0, 1, 3, 4})), {8},
                 {0, 0, -0.375, -1.0 / 3, 0, 2.0 / 3, 3, 4});
}

TEST_CASE("relu6, hardtanh and hardsigmoid: worked out by hand") {
    const Tensor x = tensor({-4, -1, -0.5, 0, 0.75, 1, 5, 6, 7});
    check_values(relu6(x), {9}, {0, 0, 0, 0, 0.75, 1, 5, 6, 6});
    check_values(hardtanh(x), {9}, {-1, -1, -0.5, 0, 0.75, 1, 1, 1, 1});
    check_values(hardtanh(x, {.min_val = -2, .max_val = 5}), {9},
                 {-2, -1, -0.5, 0, 0.75, 1, 5, 5, 5});
    check_values(hardtanh(x, {.min_val = 1, .max_val = 1}), {9}, {1, 1, 1, 1, 1, 1, 1, 1, 1});
    check_values(hardsigmoid(x), {9}, {0, 1.0 / 3, 2.5 / 6, 0.5, 3.75 / 6, 2.0 / 3, 1, 1, 1});
    CHECK(std::signbit(relu6(tensor({-0.0})).item()));
}

TEST_CASE("hardtanh: the gradient passes strictly between the two") {
    const auto [y, dx] =
        run([](const Tensor& v) { return hardtanh(v, {.min_val = -2, .max_val = 3}); },
            tensor({-3, -2, -1.5, 0, 2.5, 3, 4}), tensor({1, 2, 3, 4, 5, 6, 7}));
    check_values(y, {7}, {-2, -2, -1.5, 0, 2.5, 3, 3});
    check_values(dx, {7}, {0, 0, 3, 4, 5, 0, 0});
}

TEST_CASE("celu, mish, logsigmoid, softsign: worked out by hand") {
    const double ln2 = std::log(2.0), ln3 = std::log(3.0);
    check_values(celu(tensor({-2 * ln2, -ln2, 0, 3})), {4}, {-0.75, -0.5, 0, 3});
    check_values(celu(tensor({-4 * ln2, -2 * ln2, 0, 3}), 2), {4}, {-1.5, -1, 0, 3});
    // With u = 1 + e^x the gate is (u^2 - 1) / (u^2 + 1): u = 3 and 3/2.
    check_values(mish(tensor({ln2, -ln2, 0})), {3}, {ln2 * 0.8, -ln2 * 5 / 13, 0});
    check_values(logsigmoid(tensor({-ln3, 0, ln3})), {3}, {-2 * ln2, -ln2, ln3 - 2 * ln2});
    check_values(softsign(tensor({-3, -1, 0, 0.25, 4})), {5}, {-0.75, -0.5, 0, 0.2, 0.8});
}

TEST_CASE("logsigmoid: keeps its digits on both sides") {
    // e^-80 = 1.8048513878454153e-35
    check_values(div(logsigmoid(tensor({80})), 1.8048513878454153e-35), {1}, {-1});
    check_values(logsigmoid(tensor({-80, -1e30})), {2}, {-80, -1e30});
}

TEST_CASE("glu: worked out by hand") {
    const double ln3 = std::log(3.0);  // whose sigmoid is 3/4
    const Tensor x = tensor({2, -4, 0, ln3, 8, 1, -ln3, ln3}, {2, 4});
    check_values(glu(x), {2, 2}, {1, -3, 2, 0.75});
    check_values(glu(x, 1), {2, 2}, {1, -3, 2, 0.75});
    // Rows: the first times the sigmoid of the second.
    check_values(glu(tensor({4, 8, ln3, 0}, {2, 2}), 0), {1, 2}, {3, 4});
    check_values(glu(tensor({4, ln3})), {1}, {3});
    // Channels of images, 1 and 2 before 3 and 4.
    check_values(glu(tensor({4, 8, 12, 16, ln3, ln3, 0, 0}, {1, 4, 1, 2}), 1), {1, 2, 1, 2},
                 {3, 6, 6, 8});
    CHECK(glu(zeros({0, 4})).shape() == Shape{0, 2});
    CHECK(glu(zeros({3, 0}), 1).shape() == Shape{3, 0});
    CHECK(glu(zeros({0, 3}), -2).shape() == Shape{0, 3});
    CHECK_FALSE(glu(zeros({2}).requires_grad_()).requires_grad());
}

TEST_CASE("glu: the gradient, worked out by hand") {
    const double ln3 = std::log(3.0);
    const Tensor x = tensor({2, -4, 0, ln3}, {1, 4});
    const auto [y, dx] = run([](const Tensor& v) { return glu(v); }, x, tensor({3, -2}, {1, 2}));
    check_values(y, {1, 2}, {1, -3});
    check_values(dx, {1, 4}, {1.5, -1.5, 3 * 2 * 0.25, -2 * -4 * 0.75 * 0.25});
}

TEST_CASE("glu: infinity, NaN and the largest numbers, as PyTorch has them") {
    constexpr auto most = static_cast<double>(std::numeric_limits<Real>::max());
    const Tensor x =
        tensor({inf, 0, 1, inf, NAN, 1, 1, NAN, 0, -inf, inf, -inf, most, -1e4}, {7, 2});
    const auto [y, dx] = run([](const Tensor& v) { return glu(v); }, x, ones({7, 1}));
    check_values(y, {7, 1}, {inf, 1, NAN, NAN, 0, NAN, 0});
    check_values(dx, {7, 2},
                 {0.5, inf, 1, 0, 0.7310585786300049, NAN, NAN, NAN, 0, 0, 0, NAN, 0, 0});
}

TEST_CASE("maxout: worked out by hand") {
    const Tensor x = tensor({1, 2, 4, 3, -1, -2, 0, 0, 7, 7, 5, 6}, {2, 6});
    check_values(maxout(x, 2), {2, 3}, {2, 4, -1, 0, 7, 6});
    check_values(maxout(x, 3), {2, 2}, {4, 3, 7, 7});
    check_values(maxout(x, 6), {2, 1}, {4, 7});
    check_values(maxout(x, 1), {2, 6}, {1, 2, 4, 3, -1, -2, 0, 0, 7, 7, 5, 6});
    // Channels of images: 1 and 2 of four, then 3 and 4, pixel by pixel.
    check_values(maxout(tensor({1, 5, 2, 4, -1, -5, -2, -4}, {1, 4, 2}), 2), {1, 2, 2},
                 {2, 5, -1, -4});
    CHECK(maxout(zeros({0, 4, 3}), 2).shape() == Shape{0, 2, 3});
    CHECK(maxout(zeros({2, 0}), 3).shape() == Shape{2, 0});
}

TEST_CASE("maxout: the gradient goes to the first of the largest") {
    const Tensor x = tensor({1, 2, 2, 5, 5, 4, 3, 3, 3}, {1, 9});
    const auto [y, dx] = run([](const Tensor& v) { return maxout(v, 3); }, x, tensor({2, 3, 4}));
    check_values(y, {1, 3}, {2, 5, 3});
    check_values(dx, {1, 9}, {0, 2, 0, 3, 0, 0, 4, 0, 0});
}

TEST_CASE("maxout: a NaN is the largest, and the first one is taken") {
    const Tensor x = tensor({1, NAN, 9, NAN, NAN, inf, -inf, -inf, -inf}, {3, 3});
    const auto [y, dx] =
        run([](const Tensor& v) { return maxout(v, 3); }, x, tensor({2, 3, 4}, {3, 1}));
    check_values(y, {3, 1}, {NAN, NAN, -inf});
    check_values(dx, {3, 3}, {0, 2, 0, 3, 0, 0, 4, 0, 0});
}

// --- all of them ------------------------------------------------------------------------------

TEST_CASE("activations: every digit of the definition, beyond one chunk of work") {
    constexpr double tolerance = kDouble ? 1e-12 : 3e-5;  // of erfc and exp of a rounded number
    const Tensor x = mul(sub(arange(50'001), 25'000), 8.0 / 25'000), dy = uneven(x.shape());
    const auto at = [](const Tensor& t, Index i) { return static_cast<Wide>(t.data()[i]); };
    for (const Activation& f : kActivations) {
        CAPTURE(std::string(f.name));
        const auto [y, dx] = run(f.op, x, dy);
        CHECK(wrong_values(
                  y, [&](Index i) { return f.value(at(x, i)); }, tolerance, 0) == 0);
        // Ops that keep y lose the digits of a small derivative, not its size.
        CHECK(wrong_values(
                  dx, [&](Index i) { return f.slope(at(x, i)) * at(dy, i); }, tolerance, 1) == 0);
    }
}

TEST_CASE("activations: small values keep their digits") {
    constexpr double tolerance = kDouble ? 1e-12 : 3e-5;
    const Tensor x = tensor({-1e-6, 1e-6, -1e-30, 1e-30, -12, -13});
    for (const Activation& f : kActivations) {
        CAPTURE(std::string(f.name));
        const Tensor y = f.op(x);
        const Index n = std::string(f.name) == "gelu, tanh" ? 4 : 6;  // e^-186 is 0 in float
        CHECK(wrong_values(
                  slice(y, 0, n), [&](Index i) { return f.value(Wide(x.data()[i])); }, tolerance,
                  0) == 0);
    }
    // e^-80 = 1.8048513878454153e-35
    check_values(div(sigmoid(tensor({-80})), 1.8048513878454153e-35), {1}, {1});
    check_values(div(softplus(tensor({-80})), 1.8048513878454153e-35), {1}, {1});
    // e^-x would overflow here, but the result is not yet 0.
    CHECK(sigmoid(tensor({kDouble ? -740.0 : -95.0})).item() > 0);
    check_values(div(silu(tensor({-80})), 1.8048513878454153e-35), {1}, {-80});
}

TEST_CASE("activations: huge inputs neither overflow nor become NaN") {
    constexpr auto most = static_cast<double>(std::numeric_limits<Real>::max());
    const Tensor x = tensor({1e4, -1e4, 1e20, -1e20, most, -most});
    for (const Activation& f : kActivations) {
        const std::string name = f.name;
        if (name == "softsign") continue;  // is not yet constant at 1e4
        CAPTURE(name);
        const auto [y, dx] = run(f.op, x, full({6}, 2));
        // On either side a line through 0 or a constant.
        const auto right = static_cast<double>(f.slope(1e4L));
        const auto left = static_cast<double>(f.slope(-1e4L));
        const auto far_right = static_cast<double>(f.value(1e4L));
        const auto far_left = static_cast<double>(f.value(-1e4L));
        if (name == "selu") {  // most * lambda is too large
            check_values(slice(y, 0, 4), {4}, {right * 1e4, far_left, right * 1e20, far_left});
        } else {
            const auto end = [&](double v) {
                const double slope = v > 0 ? right : left;
                return slope == 0 ? (v > 0 ? far_right : far_left) : slope * v;
            };
            check_values(y, {6},
                         {end(1e4), end(-1e4), end(1e20), end(-1e20), end(most), end(-most)});
        }
        check_values(dx, {6}, {2 * right, 2 * left, 2 * right, 2 * left, 2 * right, 2 * left});
    }
    check_values(softplus(tensor({1e4, -1e4}), {.threshold = 1e6}), {2}, {1e4, 0});
    const auto [y, dx] = run(softsign, x, full({6}, 2));
    check_values(y, {6}, {1e4 / 10001, -1e4 / 10001, 1, -1, 1, -1});
    check_values(dx, {6}, {2 / (10001.0 * 10001), 2 / (10001.0 * 10001), 0, 0, 0, 0});
}

TEST_CASE("activations: infinity, as PyTorch has it, and NaN, which stays NaN") {
    const auto at_infinity = [](const Tensor& y, double right, double left) {
        check_values(y, {3}, {right, left, NAN});
    };
    const Tensor x = tensor({inf, -inf, NAN});
    at_infinity(leaky_relu(x), inf, -inf);
    at_infinity(leaky_relu(x, -0.5), inf, inf);
    at_infinity(prelu(x, tensor({0.25})), inf, -inf);
    at_infinity(elu(x, 0.5), inf, -0.5);
    at_infinity(selu(x), inf, -1.7580993408473766);
    at_infinity(gelu(x), inf, NAN);  // -inf * 0
    at_infinity(gelu(x, Approximation::tanh), inf, NAN);
    at_infinity(silu(x), inf, NAN);
    at_infinity(hardswish(x), inf, NAN);
    at_infinity(mish(x), inf, NAN);
    at_infinity(softsign(x), NAN, NAN);
    at_infinity(relu6(x), 6, 0);
    at_infinity(hardtanh(x), 1, -1);
    at_infinity(hardsigmoid(x), 1, 0);
    at_infinity(celu(x, 0.5), inf, -0.5);
    at_infinity(logsigmoid(x), 0, -inf);
    at_infinity(sigmoid(x), 1, 0);
    at_infinity(tanh(x), 1, -1);
    at_infinity(softplus(x), inf, 0);
}

TEST_CASE("activations: a NaN has a gradient of NaN, or passes the gradient on, or has 0") {
    for (const Activation& f : kActivations) {
        const std::string name = f.name;
        CAPTURE(name);
        const auto [y, dx] = run(f.op, tensor({NAN}), tensor({2}));
        CHECK(std::isnan(y.item()));
        const bool between =
            name == "relu6" || name == "hardsigmoid" || name.starts_with("hardtanh");
        const double passed = between                            ? 0
                              : name == "relu"                   ? 2
                              : name == "leaky_relu"             ? 0.02
                              : name == "leaky_relu, slope -0.5" ? -1
                              : name == "prelu, one slope"       ? 0.5
                                                                 : NAN;
        check_values(dx, {1}, {passed});
    }
}

TEST_CASE("activations: the derivative at a kink is PyTorch's") {
    const auto slope_at = [](double x, const std::function<Tensor(const Tensor&)>& f, double want) {
        CAPTURE(x);
        const Results at = run(f, tensor({x}), tensor({1}));
        check_values(at.dx, {1}, {want});
    };
    for (const double zero : {0.0, -0.0}) {
        slope_at(zero, relu, 0);
        slope_at(
            zero, [](const Tensor& x) { return leaky_relu(x, 0.25); }, 0.25);
        slope_at(
            zero, [](const Tensor& x) { return leaky_relu(x, -0.25); }, -0.25);
        slope_at(
            zero, [](const Tensor& x) { return prelu(x, tensor({0.5})); }, 0.5);
        slope_at(
            zero, [](const Tensor& x) { return elu(x, 0.5); }, 0.5);
        slope_at(zero, selu, 1.7580993408473766);
        slope_at(zero, relu6, 0);
        slope_at(
            zero, [](const Tensor& x) { return celu(x, 0.5); }, 1);
    }
    slope_at(6, relu6, 0);
    for (const double end : {-1, 1}) {
        slope_at(
            end, [](const Tensor& x) { return hardtanh(x); }, 0);
        slope_at(3 * end, hardsigmoid, 0);
    }
    // y rounds to 1 in float, but x is not yet at the kink.
    slope_at(static_cast<double>(std::nextafter(3.0F, 0.0F)), hardsigmoid, 1.0 / 6);
    slope_at(-3, hardswish, 0);
    slope_at(3, hardswish, 1);
    const auto threshold_1 = [](const Tensor& x) { return softplus(x, {.threshold = 1}); };
    slope_at(1, threshold_1, 1 / (1 + std::exp(-1.0)));
    slope_at(1.0001, threshold_1, 1);
}

TEST_CASE("activations: gradients, near kinks too") {
    Rng rng(2);
    for (const Activation& f : kActivations) {
        CAPTURE(std::string(f.name));
        const auto away_from_kinks = [&](const Tensor& x) {
            for (Real& v : std::span(x.mutable_data(), static_cast<std::size_t>(x.numel()))) {
                for (const double kink : f.kinks) {
                    if (std::abs(static_cast<double>(v) - kink) < 1e-3) v += Real(2e-3);
                }
            }
            return x;
        };
        const auto op = [&](const Inputs& in) { return f.op(in[0]); };
        for (const Shape& shape :
             {Shape{}, Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 1, 3, 2, 1, 2}, Shape{2, 0}}) {
            CAPTURE(shape.str());
            check_gradients(op, {away_from_kinks(mul(randn(shape, rng), 2))});
        }
        for (const double kink : f.kinks) {
            check_gradients(op, {tensor({kink - 1e-4, kink + 1e-4, kink - 3e-6, kink + 3e-6})});
        }
        // An output that is used twice, once through the op again.
        const auto twice = [&](const Inputs& in) {
            const Tensor y = f.op(in[0]);
            return mul(y, f.op(add(y, 0.3)));
        };
        check_gradients(twice, {tensor({-4.1, -1.3, -0.7, 0.6, 1.1, 2.2, 4.7})});
    }
}

TEST_CASE("activations: the same bits for any number of threads") {
    const int before = num_threads();
    Rng rng(3);
    const Tensor x = randn({50'007}, rng), dy = uneven(x.shape());
    for (const Activation& f : kActivations) {
        CAPTURE(std::string(f.name));
        set_num_threads(1);
        const Results one = run(f.op, x, dy);
        for (const int threads : {2, 3, 8}) {
            set_num_threads(threads);
            const Results many = run(f.op, x, dy);
            CHECK(same(many.y, one.y));
            CHECK(same(many.dx, one.dx));
        }
    }
    set_num_threads(before);
}

TEST_CASE("activations: no elements, and nothing recorded without a tape") {
    for (const Activation& f : kActivations) {
        CAPTURE(std::string(f.name));
        CHECK(f.op(zeros({0, 3})).shape() == Shape{0, 3});
        CHECK_FALSE(f.op(zeros({2}).requires_grad_()).requires_grad());
        check_error([&] { f.op(Tensor()); }, {"undefined"});
    }
}

// Whether it keeps x or y decides the memory of a network.
TEST_CASE("activations: the backward keeps what it says, and reads it") {
    for (const Activation& f : kActivations) {
        CAPTURE(std::string(f.name));
        const Tensor x = tensor({-1, 2}).requires_grad_();
        Tape tape;
        const Tensor loss = sum(f.op(x));
        x.fill_(7);
        if (f.keeps_x) {
            check_error([&] { tape.backward(loss); }, {"has changed in place"});
        } else {
            tape.backward(loss);
            CHECK(wrong_values(
                      x.grad(), [&](Index i) { return f.slope(i == 0 ? -1 : 2); }, kTolerance, 1) ==
                  0);
        }
    }
    // maxout keeps neither.
    const Tensor x = tensor({1, 2}, {1, 2}).requires_grad_();
    Tape tape;
    const Tensor loss = sum(maxout(x, 2));
    x.fill_(7);
    tape.backward(loss);
    check_values(x.grad(), {1, 2}, {0, 1});
}

TEST_CASE("activations: kernels may write over what they read") {
    const kernels::ActivationKernels& loops = kernels::table().activation;
    Rng rng(9);
    const Index n = 20'011;
    const Tensor x = randn({n}, rng), dy = uneven({n});
    const auto check_in_place = [&](const auto& forward, const auto& backward) {
        const Tensor y = empty({n}), dx = empty({n}), over_x = x.clone(), over_dy = dy.clone();
        forward(x.data(), y.mutable_data());
        forward(over_x.data(), over_x.mutable_data());
        CHECK(same(over_x, y));
        backward(x.data(), dy.data(), dx.mutable_data());
        backward(x.data(), over_dy.data(), over_dy.mutable_data());
        CHECK(same(over_dy, dx));
    };
    check_in_place(
        [&](const Real* from, Real* to) { kernels::in_chunks(n, 16384, loops.relu, from, to); },
        [&](const Real* kept, const Real* d, Real* to) {
            kernels::in_chunks(n, 16384, loops.relu_backward, kept, d, to);
        });
    const auto slope = Real(0.25);
    check_in_place([&](const Real* from, Real* to) { loops.leaky_relu(n, slope, from, to); },
                   [&](const Real* kept, const Real* d, Real* to) {
                       loops.leaky_relu_backward(n, slope, kept, d, to);
                   });
    check_in_place(
        [&](const Real* from, Real* to) { kernels::in_chunks(n, 8192, loops.gelu, from, to); },
        [&](const Real* kept, const Real* d, Real* to) {
            kernels::in_chunks(n, 8192, loops.gelu_backward, kept, d, to);
        });
    const kernels::Axis axis({1, 1, n}, 1);
    check_in_place([&](const Real* from, Real* to) { kernels::prelu(axis, from, &slope, to); },
                   [&](const Real* kept, const Real* d, Real* to) {
                       kernels::prelu_backward(axis, kept, &slope, d, to);
                   });
}

// --- prelu and maxout over shapes -------------------------------------------------------------

const std::vector<Shape> kChannelShapes{
    {3, 1},          {1, 1, 1},          {5, 7}, {2, 3, 5}, {1, 4, 9}, {2, 3, 3, 5},
    {2, 6, 1, 1, 3}, {1, 2, 1, 2, 3, 2}, {0, 3}, {2, 3, 0}};

TEST_CASE("prelu: gradients over shapes, each alone and both") {
    Rng rng(4);
    for (const Shape& shape : kChannelShapes) {
        CAPTURE(shape.str());
        const Tensor x = randn(shape, rng);
        for (Real& v : std::span(x.mutable_data(), static_cast<std::size_t>(x.numel()))) {
            v += v < 0 ? Real(-0.01) : Real(0.01);
        }
        for (const Tensor& w : {tensor({-0.25}), randn({shape[1]}, rng)}) {
            check_gradients([](const Inputs& in) { return prelu(in[0], in[1]); },
                            {x.clone(), w.clone()});
            check_gradients([&](const Inputs& in) { return prelu(in[0], w); }, {x.clone()});
            check_gradients([&](const Inputs& in) { return prelu(x, in[0]); }, {w.clone()});
        }
    }
}

TEST_CASE("prelu: kernels and definition agree, with any number of threads") {
    const int before = num_threads();
    Rng rng(5);
    for (const Shape& shape : {Shape{301, 101}, Shape{7, 33, 129}, Shape{3, 5, 60, 61},
                               Shape{50'001, 1}, Shape{20, 1500}, Shape{40, 1023}}) {
        CAPTURE(shape.str());
        const Index channels = shape[1], inner = shape.slice(2, shape.rank()).numel();
        const Tensor x = randn(shape, rng), dy = uneven(shape);
        for (const Tensor& w : {tensor({0.25}), randn({channels}, rng)}) {
            const Tensor weight = w.clone().requires_grad_();
            set_num_threads(1);
            const Results one = run([&](const Tensor& v) { return prelu(v, weight); }, x, dy);
            const Tensor dw = weight.grad();
            std::vector<double> sums(static_cast<std::size_t>(w.numel()));
            Index wrong = 0;
            for (Index i = 0; i < x.numel(); ++i) {
                const Index c = w.numel() == 1 ? 0 : i / inner % channels;
                const Real v = x.data()[i], slope = v > 0 ? Real(1) : w.data()[c];
                wrong += one.y.data()[i] != v * slope;
                wrong += one.dx.data()[i] != dy.data()[i] * slope;
                // Not inside an `if`: Clang 22 for s390x, or QEMU, then gets the sum wrong.
                const double term = v <= 0 ? static_cast<double>(v) : 0;
                sums[static_cast<std::size_t>(c)] += term * static_cast<double>(dy.data()[i]);
            }
            CHECK(wrong == 0);
            const double size = std::sqrt(static_cast<double>(x.numel() / w.numel()));
            CHECK(wrong_values(
                      dw, [&](Index c) { return sums[static_cast<std::size_t>(c)]; }, kTolerance,
                      size) == 0);
            for (const int threads : {2, 3, 8}) {
                set_num_threads(threads);
                weight.set_grad({});
                const Results many = run([&](const Tensor& v) { return prelu(v, weight); }, x, dy);
                CHECK(same(many.y, one.y));
                CHECK(same(many.dx, one.dx));
                CHECK(same(weight.grad(), dw));
            }
        }
    }
    set_num_threads(before);
}

TEST_CASE("glu: gradients over shapes") {
    Rng rng(8);
    for (const Shape& shape : {Shape{2}, Shape{6}, Shape{3, 4}, Shape{4, 3, 2}, Shape{2, 6, 1, 3},
                               Shape{0, 2}, Shape{2, 0}}) {
        for (int dim = 0; dim < shape.rank(); ++dim) {
            if (shape[dim] % 2 != 0) continue;
            CAPTURE(shape.str());
            CAPTURE(dim);
            check_gradients([=](const Inputs& in) { return glu(in[0], dim); }, {randn(shape, rng)});
        }
    }
}

TEST_CASE("glu: kernels and definition agree, with any number of threads") {
    const int before = num_threads();
    Rng rng(9);
    for (const Shape& shape :
         {Shape{2, 30'011}, Shape{7, 66, 29}, Shape{5'003, 6}, Shape{3, 2, 60, 61}}) {
        const int dim = shape[0] == 2 ? 0 : 1;
        CAPTURE(shape.str());
        const Index half = shape[dim] / 2, inner = shape.slice(dim + 1, shape.rank()).numel();
        const Tensor x = randn(shape, rng), dy = uneven(shape.with(dim, half));
        const auto op = [=](const Tensor& v) { return glu(v, dim); };
        set_num_threads(1);
        const Results one = run(op, x, dy);
        const auto a = [&](Index i) { return i + i / (half * inner) * half * inner; };
        const auto b = [&](Index i) { return a(i) + half * inner; };
        const auto at = [](const Tensor& t, Index i) { return static_cast<Wide>(t.data()[i]); };
        CHECK(wrong_values(
                  one.y, [&](Index i) { return at(x, a(i)) * sigmoid_of(at(x, b(i))); }, kTolerance,
                  0.1) == 0);
        Index wrong = 0;
        for (Index i = 0; i < dy.numel(); ++i) {
            const Wide s = sigmoid_of(at(x, b(i))), da = at(dy, i) * s;
            const Wide db = da * at(x, a(i)) * (1 - s);
            wrong += !(std::abs(at(one.dx, a(i)) - da) < 1e-5L);
            wrong += !(std::abs(at(one.dx, b(i)) - db) < 1e-5L);
        }
        CHECK(wrong == 0);
        for (const int threads : {2, 3, 8}) {
            set_num_threads(threads);
            const Results many = run(op, x, dy);
            CHECK(same(many.y, one.y));
            CHECK(same(many.dx, one.dx));
        }
    }
    set_num_threads(before);
}

TEST_CASE("maxout: gradients over shapes") {
    Rng rng(6);
    for (const Shape& shape : kChannelShapes) {
        for (const Index pieces : {1, 2, 3, 5}) {
            const Shape wide = shape.with(1, shape[1] * pieces);
            CAPTURE(wide.str());
            CAPTURE(pieces);
            check_gradients([=](const Inputs& in) { return maxout(in[0], pieces); },
                            {randn(wide, rng)});
        }
    }
}

TEST_CASE("maxout: kernels and definition agree, with any number of threads") {
    const int before = num_threads();
    Rng rng(7);
    for (const Shape& shape : {Shape{301, 202}, Shape{7, 33 * 6, 29}, Shape{3, 12, 60, 61}}) {
        for (const Index pieces : {1, 2, 3, 6}) {
            if (shape[1] % pieces != 0) continue;
            CAPTURE(shape.str());
            CAPTURE(pieces);
            const Tensor x = empty(shape);  // few different numbers: ties are common
            Real* out = x.mutable_data();
            for (Index i = 0; i < x.numel(); ++i) out[i] = static_cast<Real>(rng.below(5));
            const Shape narrow = shape.with(1, shape[1] / pieces);
            const Tensor dy = uneven(narrow);
            const auto op = [=](const Tensor& v) { return maxout(v, pieces); };
            // The same with a separate dimension for the pieces.
            const Index inner = shape.slice(2, shape.rank()).numel();
            const auto other = [&](const Tensor& v) {
                const Tensor split = reshape(v, {narrow[0] * narrow[1], pieces, inner});
                return reshape(max(split, 1), narrow.dims());
            };
            const Results want = run(other, x, dy);
            for (const int threads : {1, 2, 3, 8}) {
                set_num_threads(threads);
                const Results got = run(op, x, dy);
                CHECK(same(got.y, want.y));
                CHECK(same(got.dx, want.dx));
            }
        }
    }
    set_num_threads(before);
}

TEST_CASE("prelu and maxout: in steady state a step asks the system for no memory") {
    Rng rng(8);
    const Tensor x = randn({32, 12, 11}, rng).requires_grad_();
    const Tensor w = full({12}, Real(0.25)).requires_grad_();
    const auto step = [&] {
        x.set_grad({});
        w.set_grad({});
        Tape tape;
        tape.backward(sum(maxout(prelu(x, w), 3)));
    };
    step();
    step();
    const Index before = storage_stats().system_allocations;
    for (int i = 0; i < 5; ++i) step();
    CHECK(storage_stats().system_allocations == before);
}

// --- errors -----------------------------------------------------------------------------------

TEST_CASE("activations: bad options and shapes") {
    const Tensor x = zeros({2, 6, 5});
    check_error([&] { elu(x, -0.5); }, {"elu: expected alpha >= 0, got -0.5"});
    check_error([&] { elu(x, NAN); }, {"elu: expected alpha >= 0, got nan"});
    check_error([&] { elu(x, inf); }, {"elu: expected alpha to be finite", "got inf"});
    if constexpr (!kDouble) {  // would be infinite, and give NaN for x = 0
        check_error([&] { elu(x, 1e300); }, {"elu: expected alpha to be finite", "got 1e+300"});
    }
    check_error([&] { leaky_relu(x, inf); },
                {"leaky_relu: expected negative_slope to be finite", "got inf"});
    check_error([&] { leaky_relu_(x, inf); }, {"leaky_relu_: expected negative_slope"});
    check_error([&] { leaky_relu(x, NAN); }, {"leaky_relu: expected negative_slope", "got nan"});
    check_error([&] { softplus(x, {.beta = inf}); }, {"softplus: expected beta to be finite"});
    check_error([&] { softplus(x, {.beta = 1e-310}); },
                {"softplus: expected 1 / beta to be finite"});
    check_error([&] { softplus(x, {.threshold = NAN}); },
                {"softplus: expected threshold to be finite", "got nan"});
    check_error([&] { softplus(x, {.beta = 0}); }, {"softplus: expected beta > 0, got 0"});
    check_error([&] { softplus(x, {.beta = -2}); }, {"softplus: expected beta > 0, got -2"});

    check_error(
        [&] { prelu(x, zeros({5})); },
        {"prelu: expected one slope, [] or [1], or one for each channel of x [N, channels, ...]; "
         "got a weight [5] for x [2, 6, 5]"});
    check_error([&] { prelu(x, zeros({6, 1})); }, {"prelu: ", "weight [6, 1] for x [2, 6, 5]"});
    check_error([&] { prelu(zeros({3}), zeros({3})); }, {"prelu: ", "weight [3] for x [3]"});
    check_error([&] { prelu(x, Tensor()); }, {"undefined"});

    check_error([&] { maxout(x, 4); },
                {"maxout: expected x [N, channels, ...] whose channels can be divided into groups "
                 "of 4, got [2, 6, 5]"});
    check_error([&] { maxout(zeros({6}), 2); }, {"maxout: expected x [N, channels", "got [6]"});
    check_error([&] { maxout(x, 0); }, {"maxout: expected 1 to 16777216 pieces, got 0"});
    check_error([&] { maxout(x, -2); }, {"maxout: expected 1 to 16777216 pieces, got -2"});
    check_error([&] { maxout(zeros({1, 0}), 1 << 25); }, {"maxout: ", "got 33554432"});
    check_error([&] { maxout(Tensor(), 2); }, {"undefined"});
}

TEST_CASE("elu, selu: the gradient far below 0 has its digits") {
    // alpha e^x and lambda alpha e^x; y + alpha would be 0, or wrong by a fifth.
    const Tensor x = tensor({-9, -16, -20});
    const auto gradient = [&](auto f) {
        x.requires_grad_();
        x.set_grad({});
        Tape tape;
        tape.backward(sum(f(x)));
        return x.grad();
    };
    const double bound = kDouble ? 1e-12 : 1e-6;
    const Tensor elu_gradient = gradient([](const Tensor& v) { return elu(v); });
    const Tensor selu_gradient = gradient([](const Tensor& v) { return selu(v); });
    for (Index i = 0; i < 3; ++i) {
        const double e = std::exp(static_cast<double>(x.data()[i]));
        const double of_selu = 1.6732632423543772848 * 1.0507009873554804934 * e;
        CHECK(std::abs(static_cast<double>(elu_gradient.data()[i]) / e - 1) < bound);
        CHECK(std::abs(static_cast<double>(selu_gradient.data()[i]) / of_selu - 1) < bound);
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT
