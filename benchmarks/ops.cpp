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
        {"binary_cross_entropy_with_logits", of_target([](const Tensor& v, const Tensor& t) {
             return binary_cross_entropy_with_logits(v, t);
         })},
    };
    return all;
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
    const Tensor x =
        rand({elements / kColumns, kColumns}, rng) + 0.01;  // above 0, for log and sqrt
    const auto op = ops().at(name)(x, rng);
    const double forward = seconds_of_each(repeats, [&] { op(x); });
    double both = 0;
    const Parameter leaf(x.clone());
    if (name != "lt") {  // without a gradient
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
