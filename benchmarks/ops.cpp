// Measures single ops, forward and backward, for compare_ops.py. It reads lines "OP ELEMENTS
// REPEATS" from standard input and answers each with two numbers: seconds for a forward, and for
// the forward and backward of a step. With --list it prints the names of the ops.

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <primer/primer.h>

namespace primer::benchmarks {
namespace {

constexpr Index kColumns = 64;  // rows of this length for what works along rows

/// Makes the op of its input x [rows, kColumns], with whatever else it needs.
using MakeOp = std::function<std::function<Tensor(const Tensor& x)>(const Tensor& x, Rng& rng)>;

MakeOp of_x(Tensor (*op)(const Tensor&)) {
    return [op](const Tensor&, Rng&) { return op; };
}
MakeOp of_two(Tensor (*op)(const Tensor&, const Tensor&)) {
    return [op](const Tensor& x, Rng& rng) {
        return [op, y = rand(x.shape(), rng) + 0.5](const Tensor& v) { return op(v, y); };
    };
}
/// A loss of x and a target in its shape.
MakeOp of_target(Tensor (*loss)(const Tensor&, const Tensor&)) {
    return [loss](const Tensor& x, Rng& rng) {
        return [loss, t = rand(x.shape(), rng)](const Tensor& v) { return loss(v, t); };
    };
}

const std::map<std::string, MakeOp>& ops() {
    static const std::map<std::string, MakeOp> all{
        {"add", of_two(add)},
        {"sub", of_two(sub)},
        {"mul", of_two(mul)},
        {"div", of_two(div)},
        {"maximum", of_two(maximum)},
        {"minimum", of_two(minimum)},
        {"lt", of_two(lt)},
        {"eq", of_two(eq)},
        {"pow",  // x to the power of a tensor
         [](const Tensor& x, Rng& rng) {
             return [q = rand(x.shape(), rng) * 3](const Tensor& v) { return pow(v, q); };
         }},
        {"square", [](const Tensor&, Rng&) { return [](const Tensor& v) { return pow(v, 2); }; }},
        {"neg", of_x(neg)},
        {"abs", of_x(abs)},
        {"exp", of_x(exp)},
        {"log", [](const Tensor&, Rng&) { return [](const Tensor& v) { return log(v); }; }},
        {"sqrt", of_x(sqrt)},
        {"sin", of_x(sin)},
        {"cos", of_x(cos)},
        {"clamp",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return clamp(v, 0.2, 0.8); }; }},
        {"where",
         [](const Tensor& x, Rng& rng) {
             return [c = rand(x.shape(), rng) > 0.5, y = rand(x.shape(), rng)](const Tensor& v) {
                 return where(c, v, y);
             };
         }},
        {"relu", of_x(relu)},
        {"relu6", of_x(relu6)},
        {"leaky_relu",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return leaky_relu(v); }; }},
        {"hardtanh",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return hardtanh(v); }; }},
        {"celu", [](const Tensor&, Rng&) { return [](const Tensor& v) { return celu(v); }; }},
        {"prelu",
         [](const Tensor&, Rng&) {
             return [w = full({kColumns}, 0.25)](const Tensor& v) { return prelu(v, w); };
         }},
        {"glu", [](const Tensor&, Rng&) { return [](const Tensor& v) { return glu(v); }; }},
        {"elu", [](const Tensor&, Rng&) { return [](const Tensor& v) { return elu(v); }; }},
        {"selu", of_x(selu)},
        {"gelu", [](const Tensor&, Rng&) { return [](const Tensor& v) { return gelu(v); }; }},
        {"silu", of_x(silu)},
        {"mish", of_x(mish)},
        {"sigmoid", of_x(sigmoid)},
        {"logsigmoid", of_x(logsigmoid)},
        {"tanh", of_x(tanh)},
        {"softplus",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return softplus(v); }; }},
        {"softsign", of_x(softsign)},
        {"hardswish", of_x(hardswish)},
        {"hardsigmoid", of_x(hardsigmoid)},
        {"softmax",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return softmax(v, 1); }; }},
        {"log_softmax",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return log_softmax(v, 1); }; }},
        {"layer_norm",
         [](const Tensor&, Rng&) {
             return [w = ones({kColumns}), b = zeros({kColumns})](const Tensor& v) {
                 return layer_norm(v, {kColumns}, w, b);
             };
         }},
        {"group_norm",
         [](const Tensor&, Rng&) {
             return [w = ones({kColumns}), b = zeros({kColumns})](const Tensor& v) {
                 return group_norm(v, 8, w, b);
             };
         }},
        {"var", [](const Tensor&, Rng&) { return [](const Tensor& v) { return var(v, 1); }; }},
        {"norm", [](const Tensor&, Rng&) { return [](const Tensor& v) { return norm(v, 2, 1); }; }},
        {"amax", [](const Tensor&, Rng&) { return [](const Tensor& v) { return amax(v, 1); }; }},
        {"logsumexp",
         [](const Tensor&, Rng&) { return [](const Tensor& v) { return logsumexp(v, 1); }; }},
        {"sum", [](const Tensor&, Rng&) { return [](const Tensor& v) { return sum(v); }; }},
        {"mean", [](const Tensor&, Rng&) { return [](const Tensor& v) { return mean(v, 1); }; }},
        {"cross_entropy",
         [](const Tensor& x, Rng& rng) {
             return [labels = randint(kColumns, {x.shape()[0]}, rng)](const Tensor& v) {
                 return cross_entropy(v, labels);
             };
         }},
        {"mse_loss", of_target([](const Tensor& v, const Tensor& t) { return mse_loss(v, t); })},
        {"l1_loss", of_target([](const Tensor& v, const Tensor& t) { return l1_loss(v, t); })},
        {"smooth_l1_loss",
         of_target([](const Tensor& v, const Tensor& t) { return smooth_l1_loss(v, t); })},
        {"huber_loss",
         of_target([](const Tensor& v, const Tensor& t) { return huber_loss(v, t); })},
        {"nll_loss",
         [](const Tensor& x, Rng& rng) {
             return [labels = randint(kColumns, {x.shape()[0]}, rng)](const Tensor& v) {
                 return nll_loss(v, labels);
             };
         }},
        {"kl_div", of_target([](const Tensor& v, const Tensor& t) { return kl_div(v, t); })},
        {"binary_cross_entropy",
         of_target([](const Tensor& v, const Tensor& t) { return binary_cross_entropy(v, t); })},
        {"binary_cross_entropy_with_logits", of_target([](const Tensor& v, const Tensor& t) {
             return binary_cross_entropy_with_logits(v, t);
         })},
    };
    return all;
}

// Whether the op is for numbers from 0 to 1 here. The others get both signs: a branch for all
// positive numbers would look too good.
bool of_positive(const std::string& name) {
    return name == "log" || name == "sqrt" || name == "pow" || name == "binary_cross_entropy";
}

template <class F>
double seconds_of_each(Index repeats, const F& f) {
    const auto start = std::chrono::steady_clock::now();
    for (Index i = 0; i < repeats; ++i) f();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    return passed.count() / static_cast<double>(repeats);
}

void measure(const std::string& name, Index elements, Index repeats) {
    Rng rng(1);
    const Shape shape{elements / kColumns, kColumns};
    const Tensor x = of_positive(name) ? rand(shape, rng) * 0.98 + 0.01 : randn(shape, rng);
    const auto op = ops().at(name)(x, rng);
    const double forward = seconds_of_each(repeats, [&] { op(x); });
    double both = 0;
    const Parameter leaf(x.clone());
    if (name != "lt" && name != "eq") {  // without a gradient
        const Tensor dy = rand(op(x).shape(), rng);
        both = seconds_of_each(repeats, [&] {
            leaf.set_grad({});
            Tape tape;
            tape.backward(sum(op(leaf) * dy));
        });
    }
    std::cout << forward << ' ' << both << std::endl;
}

}  // namespace
}  // namespace primer::benchmarks

int main(int argc, char** argv) {
    using namespace primer::benchmarks;
    if (argc > 1 && std::string(argv[1]) == "--list") {
        for (const auto& op : ops()) std::cout << op.first << '\n';
        return EXIT_SUCCESS;
    }
    std::string name;
    primer::Index elements = 0, repeats = 0;
    while (std::cin >> name >> elements >> repeats) measure(name, elements, repeats);
}
// SPDX-License-Identifier: MIT
