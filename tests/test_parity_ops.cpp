// Ops, and layers that call them, compared with PyTorch's; the inputs are in tests/parity/cases/.

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <primer/core/ops.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

// Positions as a tensor, for the comparison.
Tensor real(const IntTensor& positions) {
    Tensor x = empty(positions.shape);
    std::ranges::copy(positions.values, x.mutable_data());
    return x;
}

TEST_CASE("parity: elementwise") {
    const auto add_ = [](const In& in) { return in["a"] + in["b"]; };
    const auto sub_ = [](const In& in) { return in["a"] - in["b"]; };
    const auto mul_ = [](const In& in) { return in["a"] * in["b"]; };
    const auto div_ = [](const In& in) { return in["a"] / in["b"]; };
    const auto pow_ = [](const In& in) { return pow(in["a"], in["b"]); };
    check_parity("elementwise",
                 {
                     {"add: one shape", add_},
                     {"add: a column and a row", add_},
                     {"add: both repeated", add_},
                     {"add: a scalar", add_},
                     {"add: no elements", add_},
                     {"sub: one shape", sub_},
                     {"sub: a column and a row", sub_},
                     {"sub: both repeated", sub_},
                     {"sub: a scalar", sub_},
                     {"sub: no elements", sub_},
                     {"mul: one shape", mul_},
                     {"mul: a column and a row", mul_},
                     {"mul: both repeated", mul_},
                     {"mul: a scalar", mul_},
                     {"mul: no elements", mul_},
                     {"mul: one tensor twice", [](const In& in) { return in["x"] * in["x"]; }},
                     {"div: one shape", div_},
                     {"div: negative divisors", div_},
                     {"div: both repeated", div_},
                     {"pow: one shape", pow_},
                     {"pow: both repeated", pow_},
                     {"pow: negative numbers, cubed", [](const In& in) { return pow(in["a"], 3); }},
                     {"pow: zeros", pow_},
                     {"neg", [](const In& in) { return -in["x"]; }},
                     {"exp", [](const In& in) { return exp(in["x"]); }},
                     {"log", [](const In& in) { return log(in["x"]); }},
                     {"sqrt", [](const In& in) { return sqrt(in["x"]); }},
                     {"abs", [](const In& in) { return abs(in["x"]); }},
                     {"abs: zeros", [](const In& in) { return abs(in["x"]); }},
                     {"sin", [](const In& in) { return sin(in["x"]); }},
                     {"cos", [](const In& in) { return cos(in["x"]); }},
                     {"a number, and one tensor in many places",
                      [](const In& in) {
                          const Tensor& x = in["x"];
                          return (1 - x) * (x + 3) / (x * x + 1);
                      }},
                 });
}

TEST_CASE("parity: compare") {
    using Binary = Tensor (*)(const Tensor&, const Tensor&);
    const auto of_two = [](Binary op) {
        return [op](const In& in) { return op(in["a"], in["b"]); };
    };
    std::vector<ParityCase> cases{
        {"clamp", [](const In& in) { return clamp(in["x"], -0.75, 1.25); }},
        {"clamp: at the bounds", [](const In& in) { return clamp(in["x"], -1, 2); }},
        {"clamp: bounds that cross", [](const In& in) { return clamp(in["x"], 1, -1); }},
        {"clamp_min", [](const In& in) { return clamp_min(in["x"], 0.25); }},
        {"clamp_max", [](const In& in) { return clamp_max(in["x"], 0.25); }},
        {"where", [](const In& in) { return where(in["c"] > 0, in["a"], in["b"]); }},
        {"where: numbers", [](const In& in) { return where(in["x"] > 0.5, in["x"], 0.5); }},
        {"where: not 0", [](const In& in) { return where(in["c"], in["a"], in["b"]); }},
    };
    for (const auto& [name, op] :
         {std::pair<std::string, Binary>{"maximum", maximum}, {"minimum", minimum}}) {
        for (const char* inputs : {": one shape", ": a column and a row", ": both repeated",
                                   ": a scalar", ": no elements", ": ties"}) {
            cases.push_back({name + inputs, of_two(op)});
        }
    }
    for (const auto& [name, op] : {std::pair<std::string, Binary>{"lt", lt},
                                   {"le", le},
                                   {"gt", gt},
                                   {"ge", ge},
                                   {"eq", eq},
                                   {"ne", ne}}) {
        cases.push_back({name + ": ties", of_two(op)});
        cases.push_back({name + ": a column and a row", of_two(op)});
    }
    check_parity("compare", cases);
}

TEST_CASE("parity: matmul") {
    const auto matmul_ = [](const In& in) { return matmul(in["a"], in["b"]); };
    const auto linear_ = [](const In& in) { return linear(in["x"], in["weight"], in["bias"]); };
    const auto layer = [](bool bias) {
        return [bias](const In& in) {
            const Tensor& weight = in["weight"];
            Rng rng(0);
            Linear linear(weight.shape()[1], weight.shape()[0], {.bias = bias}, rng);
            linear.weight = Parameter(weight);
            if (bias) linear.bias = Parameter(in["bias"]);
            return linear(in["x"]);
        };
    };
    check_parity("matmul", {
                               {"matmul: odd sizes", matmul_},
                               {"matmul: a row times a column", matmul_},
                               {"matmul: a column times a row", matmul_},
                               {"matmul: past one block", matmul_},
                               {"matmul: nothing to add up", matmul_},
                               {"matmul: a batch", matmul_},
                               {"matmul: a batch times one", matmul_},
                               {"matmul: one times a batch", matmul_},
                               {"matmul: a batch of one", matmul_},
                               {"matmul: two vectors", matmul_},
                               {"matmul: a matrix times a vector", matmul_},
                               {"matmul: a vector times a matrix", matmul_},
                               {"matmul: a batch times a vector", matmul_},
                               {"matmul: a vector times a batch", matmul_},
                               {"matmul: a large batch", matmul_},
                               {"matmul: a large batch times one", matmul_},
                               {"matmul: one times a large batch", matmul_},
                               {"matmul: batches that broadcast", matmul_},
                               {"matmul: part of a batch repeated", matmul_},
                               {"linear", linear_},
                               {"linear", layer(true)},
                               {"linear: without bias", layer(false)},
                               {"linear: more dimensions", layer(true)},
                               {"linear: one example", linear_},
                               {"linear: without bias",
                                [](const In& in) { return linear(in["x"], in["weight"], {}); }},
                               {"linear: more dimensions", linear_},
                               {"linear: only features", linear_},
                           });
}

TEST_CASE("parity: view") {
    const auto a_and_b = [](int dim) {
        return [dim](const In& in) { return concat({in["a"], in["b"]}, dim); };
    };
    const auto transposed = [](int dim0, int dim1) {
        return [dim0, dim1](const In& in) { return transpose(in["x"], dim0, dim1); };
    };
    const auto permuted = [](const std::vector<int>& dims) {
        return [dims](const In& in) { return permute(in["x"], dims); };
    };
    const auto sliced = [](Index start, Index end, const SliceOptions& options) {
        return [=](const In& in) { return slice(in["x"], start, end, options); };
    };
    const auto squeezed = [](const In& in) { return squeeze(in["x"], -2); };
    check_parity("view",
                 {
                     {"reshape",
                      [](const In& in) {
                          return reshape(in["x"], {5, -1});
                      }},
                     {"flatten", [](const In& in) { return flatten(in["x"]); }},
                     {"flatten: from 1", [](const In& in) { return flatten(in["x"], 1); }},
                     {"flatten: from 1", [](const In& in) { return Flatten()(in["x"]); }},
                     {"flatten: 1 to 2", [](const In& in) { return flatten(in["x"], 1, 2); }},
                     {"flatten: 1 to 2", [](const In& in) { return Flatten(1, 2)(in["x"]); }},
                     {"transpose: 2 dimensions", transposed(0, 1)},
                     {"transpose: outer dimensions", transposed(0, -1)},
                     {"transpose: inner dimensions", transposed(1, 2)},
                     {"slice", [](const In& in) { return slice(in["x"], 1, 3); }},
                     {"slice: nothing", [](const In& in) { return slice(in["x"], 2, 2); }},
                     {"concat: rows",
                      [](const In& in) {
                          return concat({in["a"], in["b"], in["c"]});
                      }},
                     {"concat: columns", a_and_b(-1)},
                     {"concat: middle dimension", a_and_b(1)},
                     {"concat: one tensor twice",
                      [](const In& in) {
                          return concat({in["x"], in["x"]});
                      }},
                     {"expand",
                      [](const In& in) {
                          return expand(in["x"], {2, 3, 5});
                      }},
                     {"permute", permuted({2, 0, 1})},
                     {"permute: 4 dimensions", permuted({0, -1, 1, 2})},
                     {"squeeze", [](const In& in) { return squeeze(in["x"]); }},
                     {"squeeze: one dimension", squeezed},
                     {"unsqueeze", [](const In& in) { return unsqueeze(in["x"], -1); }},
                     {"slice: columns", sliced(1, 4, {.dim = 1})},
                     {"slice: with a step", sliced(-4, 5, {.dim = 1, .step = 3})},
                     {"slice: rows, with a step", sliced(0, 5, {.step = 2})},
                     {"select", [](const In& in) { return select(in["x"], 1, -2); }},
                     {"index", [](const In& in) { return in["x"][1]; }},
                     {"split",
                      [](const In& in) {
                          const std::vector<Tensor> parts = split(in["x"], 2, 1);
                          return mul(parts[1], parts[0]);
                      }},
                     {"split: sizes",
                      [](const In& in) {
                          return split(in["x"], {1, 4})[1];
                      }},
                     {"chunk", [](const In& in) { return chunk(in["x"], 3, -1)[2]; }},
                     {"stack",
                      [](const In& in) {
                          return stack({in["a"], in["b"], in["a"]});
                      }},
                     {"stack: last dimension",
                      [](const In& in) {
                          return stack({in["a"], in["b"]}, -1);
                      }},
                 });
}

// The ops over a list of dimensions, as cases/reduce.py names them.
using OverDims = std::function<Tensor(const Tensor&, const Dims&, bool keepdim)>;
std::map<std::string, OverDims> over_dims() {
    const auto norm_of = [](double p) {
        return [p](const Tensor& x, const Dims& dims, bool keepdim) {
            return norm(x, p, dims, keepdim);
        };
    };
    const auto var_of = [](double correction) {
        return [=](const Tensor& x, const Dims& dims, bool keepdim) {
            return var(x, dims, {.correction = correction, .keepdim = keepdim});
        };
    };
    const auto stddev_of = [](double correction) {
        return [=](const Tensor& x, const Dims& dims, bool keepdim) {
            return stddev(x, dims, {.correction = correction, .keepdim = keepdim});
        };
    };
    constexpr double inf = std::numeric_limits<double>::infinity();
    return {
        {"sum",
         [](const Tensor& x, const Dims& dims, bool keepdim) { return sum(x, dims, keepdim); }},
        {"mean",
         [](const Tensor& x, const Dims& dims, bool keepdim) { return mean(x, dims, keepdim); }},
        {"amax", amax},
        {"amin", amin},
        {"var", var_of(1)},
        {"var, correction 0", var_of(0)},
        {"stddev", stddev_of(1)},
        {"stddev, correction 0.5", stddev_of(0.5)},
        {"logsumexp", logsumexp},
        {"norm 2", norm_of(2)},
        {"norm 1", norm_of(1)},
        {"norm 3", norm_of(3)},
        {"norm 1.5", norm_of(1.5)},
        {"norm 0.5", norm_of(0.5)},
        {"norm -1", norm_of(-1)},
        {"norm -2", norm_of(-2)},
        {"norm inf", norm_of(inf)},
        {"norm -inf", norm_of(-inf)},
    };
}

TEST_CASE("parity: reduce") {
    std::vector<ParityCase> cases{
        {"sum: all", [](const In& in) { return sum(in["x"]); }},
        {"sum: of a scalar", [](const In& in) { return sum(in["x"]); }},
        {"sum: no elements", [](const In& in) { return sum(in["x"]); }},
        {"sum: dim 0", [](const In& in) { return sum(in["x"], 0); }},
        {"sum: dim 1", [](const In& in) { return sum(in["x"], 1); }},
        {"sum: dim -1, kept", [](const In& in) { return sum(in["x"], -1, true); }},
        {"mean: all", [](const In& in) { return mean(in["x"]); }},
        {"mean: of a scalar", [](const In& in) { return mean(in["x"]); }},
        {"mean: dim 0", [](const In& in) { return mean(in["x"], 0); }},
        {"mean: dim 1", [](const In& in) { return mean(in["x"], 1); }},
        {"mean: dim -1, kept", [](const In& in) { return mean(in["x"], -1, true); }},
        {"max: all", [](const In& in) { return max(in["x"]); }},
        {"max: all, shared", [](const In& in) { return max(in["x"]); }},
        {"max: dim 0", [](const In& in) { return max(in["x"], 0); }},
        {"max: dim 1, first of the largest", [](const In& in) { return max(in["x"], 1); }},
        {"max: dim -1, kept", [](const In& in) { return max(in["x"], -1, true); }},
        {"max: all negative", [](const In& in) { return max(in["x"], 1); }},
        {"argmax: all", [](const In& in) { return real(argmax(in["x"])); }},
        {"argmax: dim 1", [](const In& in) { return real(argmax(in["x"], 1)); }},
        {"argmax: dim 0, kept", [](const In& in) { return real(argmax(in["x"], 0, true)); }},
        {"min: all, shared", [](const In& in) { return min(in["x"]); }},
        {"min: dim 1, first of the smallest", [](const In& in) { return min(in["x"], 1); }},
        {"min: dim 0, kept", [](const In& in) { return min(in["x"], 0, true); }},
        {"argmin: all", [](const In& in) { return real(argmin(in["x"])); }},
        {"argmin: dim 1, kept", [](const In& in) { return real(argmin(in["x"], 1, true)); }},
        {"amax: ties",
         [](const In& in) {
             return amax(in["x"], {0, 1});
         }},
        {"amin: ties",
         [](const In& in) {
             return amin(in["x"], {0, 1});
         }},
    };
    for (const auto& named : over_dims()) {
        const std::string& name = named.first;
        const OverDims& op = named.second;
        const auto add = [&](const char* dims_text, const Dims& dims, bool keepdim) {
            cases.push_back({name + ": " + dims_text,
                             [=](const In& in) { return op(in["x"], dims, keepdim); }});
        };
        add("0 2", {0, 2}, false);
        add("-1 1, kept", {-1, 1}, true);
        add("2 0 1", {2, 0, 1}, false);
    }
    check_parity("reduce", cases);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
