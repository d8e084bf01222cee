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

/// An op of x alone, with options.
MakeOp plain(const std::function<Tensor(const Tensor&)>& op) {
    return [op](const Tensor&, Rng&) { return op; };
}
/// A loss of x and a label for each row.
MakeOp of_labels(Tensor (*loss)(const Tensor&, const IntTensor&)) {
    return [loss](const Tensor& x, Rng& rng) {
        return [loss, labels = randint(kColumns, {x.shape()[0]}, rng)](const Tensor& v) {
            return loss(v, labels);
        };
    };
}

const std::map<std::string, MakeOp>& arithmetic() {
    static const std::map<std::string, MakeOp> all{
        {"add", of_two(add)},
        {"sub", of_two(sub)},
        {"mul", of_two(mul)},
        {"div", of_two(div)},
        {"pow", of_two(pow)},
        {"pow_2", plain([](const Tensor& v) { return pow(v, 2); })},
        {"pow_half", plain([](const Tensor& v) { return pow(v, 0.5); })},
        {"pow_2.5", plain([](const Tensor& v) { return pow(v, 2.5); })},
        {"maximum", of_two(maximum)},
        {"minimum", of_two(minimum)},
        {"lt", of_two(lt)},
        {"eq", of_two(eq)},
        {"neg", of_x(neg)},
        {"abs", of_x(abs)},
        {"exp", of_x(exp)},
        {"log", plain([](const Tensor& v) { return log(v); })},
        {"sqrt", of_x(sqrt)},
        {"sin", of_x(sin)},
        {"cos", of_x(cos)},
        {"clamp", plain([](const Tensor& v) { return clamp(v, 0.2, 0.8); })},
        {"where",
         [](const Tensor& x, Rng& rng) {
             return [c = rand(x.shape(), rng) > 0.5, y = rand(x.shape(), rng)](const Tensor& v) {
                 return where(c, v, y);
             };
         }},
    };
    return all;
}

const std::map<std::string, MakeOp>& activations() {
    static const std::map<std::string, MakeOp> all{
        {"relu", of_x(relu)},
        {"relu6", of_x(relu6)},
        {"hardtanh", plain([](const Tensor& v) { return hardtanh(v); })},
        {"leaky_relu", plain([](const Tensor& v) { return leaky_relu(v); })},
        {"prelu",
         plain([w = full({kColumns}, Real(0.25))](const Tensor& v) { return prelu(v, w); })},
        {"elu", plain([](const Tensor& v) { return elu(v); })},
        {"celu", plain([](const Tensor& v) { return celu(v); })},
        {"selu", of_x(selu)},
        {"gelu", plain([](const Tensor& v) { return gelu(v); })},
        {"gelu_tanh", plain([](const Tensor& v) { return gelu(v, Approximation::tanh); })},
        {"silu", of_x(silu)},
        {"mish", of_x(mish)},
        {"sigmoid", of_x(sigmoid)},
        {"logsigmoid", of_x(logsigmoid)},
        {"tanh", of_x(tanh)},
        {"softplus", plain([](const Tensor& v) { return softplus(v); })},
        {"softsign", of_x(softsign)},
        {"hardswish", of_x(hardswish)},
        {"hardsigmoid", of_x(hardsigmoid)},
        {"glu", plain([](const Tensor& v) { return glu(v); })},
        {"maxout", plain([](const Tensor& v) { return maxout(v, 2); })},
        {"softmax", plain([](const Tensor& v) { return softmax(v, 1); })},
        {"softmax_of_8", plain([](const Tensor& v) {
             return softmax(reshape(v, {-1, 8}), 1);
         })},
        {"softmax_columns", plain([](const Tensor& v) { return softmax(v, 0); })},
        {"log_softmax", plain([](const Tensor& v) { return log_softmax(v, 1); })},
    };
    return all;
}

const std::map<std::string, MakeOp>& reductions_and_losses() {
    static const std::map<std::string, MakeOp> all{
        {"layer_norm", plain([w = ones({kColumns}), b = zeros({kColumns})](const Tensor& v) {
             return layer_norm(v, {kColumns}, w, b);
         })},
        {"group_norm", plain([w = ones({kColumns}), b = zeros({kColumns})](const Tensor& v) {
             return group_norm(v, 8, w, b);
         })},
        {"sum", plain([](const Tensor& v) { return sum(v); })},
        {"mean", plain([](const Tensor& v) { return mean(v, 1); })},
        {"var", plain([](const Tensor& v) { return var(v, 1); })},
        {"norm", plain([](const Tensor& v) { return norm(v); })},
        {"amax", plain([](const Tensor& v) { return amax(v, 1); })},
        {"logsumexp", plain([](const Tensor& v) { return logsumexp(v, 1); })},
        {"cross_entropy", of_labels([](const Tensor& v, const IntTensor& labels) {
             return cross_entropy(v, labels);
         })},
        {"nll_loss",
         of_labels([](const Tensor& v, const IntTensor& labels) { return nll_loss(v, labels); })},
        {"mse_loss", of_target([](const Tensor& v, const Tensor& t) { return mse_loss(v, t); })},
        {"l1_loss", of_target([](const Tensor& v, const Tensor& t) { return l1_loss(v, t); })},
        {"smooth_l1_loss",
         of_target([](const Tensor& v, const Tensor& t) { return smooth_l1_loss(v, t); })},
        {"huber_loss",
         of_target([](const Tensor& v, const Tensor& t) { return huber_loss(v, t); })},
        {"kl_div", of_target([](const Tensor& v, const Tensor& t) {
             return kl_div(v, t, {.reduction = Reduction::batchmean});
         })},
        {"binary_cross_entropy",
         of_target([](const Tensor& v, const Tensor& t) { return binary_cross_entropy(v, t); })},
        {"binary_cross_entropy_with_logits", of_target([](const Tensor& v, const Tensor& t) {
             return binary_cross_entropy_with_logits(v, t);
         })},
    };
    return all;
}

const std::map<std::string, MakeOp>& ops() {
    static const std::map<std::string, MakeOp> all = [] {
        auto of_all = arithmetic();
        for (const auto& more : {activations(), reductions_and_losses()}) {
            of_all.insert(more.begin(), more.end());
        }
        return of_all;
    }();
    return all;
}

/// Whether x should lie between 0 and 1; otherwise it lies between -2 and 2.
bool of_positive(const std::string& name) {
    return name == "log" || name == "sqrt" || name.starts_with("pow") ||
           name == "binary_cross_entropy";
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
    const Tensor uniform = rand({elements / kColumns, kColumns}, rng);
    const Tensor x = of_positive(name) ? uniform * 0.98 + 0.01 : uniform * 4 - 2;
    const auto op = ops().at(name)(x, rng);
    const double forward = seconds_of_each(repeats, [&] { op(x); });
    double both = 0;
    const Parameter leaf(x.clone());
    if (name != "lt" && name != "eq") {  // which have no gradient
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
