#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <primer/core/kernels/reduce.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

constexpr double inf = std::numeric_limits<double>::infinity();

const std::vector<Shape> kShapes{{1},
                                 {7},
                                 {3, 4},
                                 {4, 1},
                                 {2, 3, 5},
                                 {1, 3, 1},
                                 {2, 1, 3, 2},
                                 {2, 3, 1, 2, 2},
                                 {2, 1, 2, 2, 1, 3},
                                 {301, 3},
                                 {3, 130}};

// The ops over all elements.
using OverAll = Tensor (*)(const Tensor&);
const std::vector<OverAll> kSums{[](const Tensor& x) { return sum(x); },
                                 [](const Tensor& x) { return mean(x); }};

// The ops over a list of dimensions.
using OverDims = std::function<Tensor(const Tensor&, const Dims&, bool keepdim)>;
struct Named {
    const char* name;
    OverDims compute;
    std::function<double(const std::vector<double>&)> definition;  // of one line
};

double total(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

double variance(const std::vector<double>& x, double correction) {
    double squares = 0;
    for (const double v : x) squares += std::pow(v - total(x) / static_cast<double>(x.size()), 2);
    return squares / std::max(0.0, static_cast<double>(x.size()) - correction);
}

double p_norm(const std::vector<double>& x, double p) {
    double sum = 0;
    for (const double v : x) sum += std::pow(std::abs(v), p);
    return std::pow(sum, 1 / p);
}

double largest_size(const std::vector<double>& x) {
    double most = 0;
    for (const double v : x) most = std::max(most, std::abs(v));
    return most;
}

double smallest_size(const std::vector<double>& x) {
    double least = inf;
    for (const double v : x) least = std::min(least, std::abs(v));
    return least;
}

OverDims norm_of(double p) {
    return
        [p](const Tensor& x, const Dims& dims, bool keepdim) { return norm(x, p, dims, keepdim); };
}

const std::vector<Named>& all_ops() {
    using Values = std::vector<double>;
    const auto var_of = [](double correction) {
        return [correction](const Tensor& x, const Dims& dims, bool keepdim) {
            return var(x, dims, {.correction = correction, .keepdim = keepdim});
        };
    };
    const auto log_sum = [](const Values& x) {
        double sum = 0;
        for (const double v : x) sum += std::exp(v);
        return std::log(sum);
    };
    static const std::vector<Named> ops{
        {"sum", [](const Tensor& x, const Dims& dims, bool keep) { return sum(x, dims, keep); },
         total},
        {"mean", [](const Tensor& x, const Dims& dims, bool keep) { return mean(x, dims, keep); },
         [](const Values& x) { return total(x) / static_cast<double>(x.size()); }},
        {"amax", amax, [](const Values& x) { return *std::ranges::max_element(x); }},
        {"amin", amin, [](const Values& x) { return *std::ranges::min_element(x); }},
        {"var", var_of(1), [](const Values& x) { return variance(x, 1); }},
        {"var, correction 0", var_of(0), [](const Values& x) { return variance(x, 0); }},
        {"stddev",
         [](const Tensor& x, const Dims& dims, bool keep) {
             return stddev(x, dims, {.correction = 0.5, .keepdim = keep});
         },
         [](const Values& x) { return std::sqrt(variance(x, 0.5)); }},
        {"logsumexp", logsumexp, log_sum},
        {"norm", norm_of(2), [](const Values& x) { return p_norm(x, 2); }},
        {"norm 1", norm_of(1), [](const Values& x) { return p_norm(x, 1); }},
        {"norm 3", norm_of(3), [](const Values& x) { return p_norm(x, 3); }},
        {"norm 1.5", norm_of(1.5), [](const Values& x) { return p_norm(x, 1.5); }},
        {"norm 0.5", norm_of(0.5), [](const Values& x) { return p_norm(x, 0.5); }},
        {"norm -1", norm_of(-1), [](const Values& x) { return p_norm(x, -1); }},
        {"norm 0", norm_of(0), [](const Values& x) { return static_cast<double>(x.size()); }},
        {"norm infinity", norm_of(inf), largest_size},
        {"norm -infinity", norm_of(-inf), smallest_size},
    };
    return ops;
}

// Calls f(dims) for every list of dimensions of a shape; some are negative and out of order.
void for_each_dims(const Shape& shape, const std::function<void(const std::vector<int>&)>& f) {
    for (int chosen = 0; chosen < 1 << shape.rank(); ++chosen) {
        std::vector<int> dims;
        for (int d = shape.rank(); d-- > 0;) {
            if ((chosen >> d & 1) != 0) dims.push_back(d % 2 == 0 ? d : d - shape.rank());
        }
        f(dims);
    }
}

// The lines of x that reducing over `dims` (none: all) makes one number of each, in the order of
// the result, whose shape goes to `shape`.
std::vector<std::vector<double>> lines_of(const Tensor& x, const std::vector<int>& dims,
                                          bool keepdim, Shape& shape) {
    const auto rank = static_cast<std::size_t>(x.rank());
    std::vector<bool> gone(rank, dims.empty());
    for (const int d : dims) gone[static_cast<std::size_t>(x.shape().normalize(d))] = true;
    std::vector<Index> sizes;
    Index count = 1;
    for (std::size_t d = 0; d < rank; ++d) {
        const Index size = gone[d] ? 1 : x.shape().dims()[d];
        count *= size;
        if (!gone[d] || keepdim) sizes.push_back(size);
    }
    shape = Shape(sizes);
    std::vector<std::vector<double>> lines(static_cast<std::size_t>(count));
    for (Index i = 0; i < x.numel(); ++i) {
        Index line = 0, stride = 1, rest = i;
        for (std::size_t d = rank; d-- > 0;) {
            const Index size = x.shape().dims()[d], at = rest % size;
            rest /= size;
            if (!gone[d]) line += at * stride, stride *= size;
        }
        lines[static_cast<std::size_t>(line)].push_back(static_cast<double>(x.data()[i]));
    }
    return lines;
}

// Calls f with the values of every line of x along `dim`, in the order of the result.
void for_each_line(const Tensor& x, int dim,
                   const std::function<void(const std::vector<double>&)>& f) {
    dim = x.shape().normalize(dim);
    const Index outer = x.shape().slice(0, dim).numel(), n = x.shape()[dim];
    const Index inner = x.shape().slice(dim + 1, x.rank()).numel();
    for (Index o = 0; o < outer; ++o) {
        for (Index i = 0; i < inner; ++i) {
            std::vector<double> line;
            for (Index j = 0; j < n; ++j) {
                line.push_back(static_cast<double>(x.data()[(o * n + j) * inner + i]));
            }
            f(line);
        }
    }
}

std::vector<double> grad_of(const std::function<Tensor(const Tensor&)>& f, const Tensor& x) {
    x.requires_grad_();
    x.set_grad({});
    Tape tape;
    tape.backward(f(x));
    return {x.grad().values().begin(), x.grad().values().end()};
}

}  // namespace

TEST_CASE("sum: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    check_values(sum(x), {}, {21});
    check_values(sum(x, 0), {3}, {5, 7, 9});
    check_values(sum(x, 1), {2}, {6, 15});
    check_values(sum(x, -1, true), {2, 1}, {6, 15});
    check_values(sum(x, -2, true), {1, 3}, {5, 7, 9});
    check_values(sum(reshape(x, {1, 2, 3}), 1), {1, 3}, {5, 7, 9});
    check_values(sum(Tensor(4)), {}, {4});
    check_values(sum(tensor({7}), 0), {}, {7});
}

TEST_CASE("mean: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    check_values(mean(x), {}, {3.5});
    check_values(mean(x, 0), {3}, {2.5, 3.5, 4.5});
    check_values(mean(x, 1), {2}, {2, 5});
    check_values(mean(x, -1, true), {2, 1}, {2, 5});
    check_values(mean(Tensor(4)), {}, {4});
}

TEST_CASE("max and argmax: worked out by hand") {
    const Tensor x = tensor({1, 6, 3, 4, 5, 2}, {2, 3});
    check_values(max(x), {}, {6});
    check_values(max(x, 0), {3}, {4, 6, 3});
    check_values(max(x, 1), {2}, {6, 5});
    check_values(max(x, -1, true), {2, 1}, {6, 5});
    check_values(max(Tensor(-4)), {}, {-4});
    const auto positions = [](const IntTensor& found, const Shape& shape,
                              const std::vector<Index>& want) {
        CHECK(found.shape == shape);
        CHECK(found.values == want);
    };
    positions(argmax(x), {}, {1});
    positions(argmax(x, 0), {3}, {1, 0, 0});
    positions(argmax(x, 1), {2}, {1, 1});
    positions(argmax(x, -2, true), {1, 3}, {1, 0, 0});
    positions(argmax(neg(x)), {}, {0});
    positions(argmax(Tensor(3)), {}, {0});
}

TEST_CASE("reduce: every op along every dimension, against the definition") {
    Rng rng(1);
    for (const Shape& shape : kShapes) {
        const Tensor x = randn(shape, rng);
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            for (const bool keepdim : {false, true}) {
                CAPTURE(shape.str());
                CAPTURE(dim);
                const Tensor total = sum(x, dim, keepdim), average = mean(x, dim, keepdim);
                const Tensor largest = max(x, dim, keepdim);
                const IntTensor position = argmax(x, dim, keepdim);
                const Shape expected = keepdim ? shape.with(dim, 1) : shape.without(dim);
                REQUIRE(total.shape() == expected);
                REQUIRE(average.shape() == expected);
                REQUIRE(largest.shape() == expected);
                REQUIRE(position.shape == expected);
                Index at = 0;
                for_each_line(x, dim, [&](const std::vector<double>& line) {
                    double want = 0;
                    Index best = 0;
                    for (std::size_t j = 0; j < line.size(); ++j) {
                        want += line[j];
                        if (line[j] > line[static_cast<std::size_t>(best)])
                            best = static_cast<Index>(j);
                    }
                    CHECK(static_cast<double>(total.data()[at]) ==
                          doctest::Approx(want).epsilon(kTolerance));
                    CHECK(static_cast<double>(average.data()[at]) ==
                          doctest::Approx(want / static_cast<double>(line.size()))
                              .epsilon(kTolerance));
                    CHECK(static_cast<double>(largest.data()[at]) ==
                          line[static_cast<std::size_t>(best)]);
                    CHECK(position.values[static_cast<std::size_t>(at)] == best);
                    ++at;
                });
            }
        }
    }
}

TEST_CASE("reduce: every op over every list of dimensions, against the definition") {
    Rng rng(11);
    for (const Shape& shape : {Shape{}, Shape{7}, Shape{4, 1}, Shape{2, 3, 5}, Shape{3, 1, 2, 4},
                               Shape{2, 1, 2, 3, 1, 2}, Shape{3, 130, 2}, Shape{2, 5, 41, 43}}) {
        const Tensor x = randn(shape, rng);
        for_each_dims(shape, [&](const std::vector<int>& dims) {
            for (const Named& op : all_ops()) {
                for (const bool keepdim : {false, true}) {
                    CAPTURE(shape.str());
                    CAPTURE(std::string(op.name));
                    CAPTURE(dims.size());
                    Shape expected;
                    const auto lines = lines_of(x, dims, keepdim, expected);
                    const Tensor y = op.compute(x, std::span(dims), keepdim);
                    REQUIRE(y.shape() == expected);
                    Index wrong = 0;
                    for (std::size_t i = 0; i < lines.size(); ++i) {
                        const double want = op.definition(lines[i]);
                        const auto got = static_cast<double>(y.values()[i]);
                        const bool same =
                            std::abs(got - want) <= kTolerance * 10 * std::max(1.0, std::abs(want));
                        wrong += !(same || (std::isnan(got) && std::isnan(want)));
                    }
                    CHECK(wrong == 0);
                }
            }
        });
    }
}

TEST_CASE("reduce: gradients over every list of dimensions") {
    Rng rng(12);
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3, 4}, Shape{2, 1, 3, 2}}) {
        for_each_dims(shape, [&](const std::vector<int>& dims) {
            for (const Named& op : all_ops()) {
                for (const bool keepdim : {false, true}) {
                    CAPTURE(shape.str());
                    CAPTURE(std::string(op.name));
                    CAPTURE(dims.size());
                    const Tensor x = randn(shape, rng);
                    Shape unused;
                    const auto n = lines_of(x, dims, keepdim, unused)[0].size();
                    // Of one number they are NaN, or the root of 0.
                    const std::string name = op.name;
                    if (n == 1 && (name == "var" || name == "stddev")) continue;
                    check_gradients(
                        [&](const Inputs& in) {
                            return op.compute(in[0], std::span(dims), keepdim);
                        },
                        {x});
                }
            }
        });
    }
}

TEST_CASE("reduce: over several dimensions, worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 3, 2});
    check_values(sum(x, {0, 2}), {3}, {1 + 2 + 7 + 8, 3 + 4 + 9 + 10, 5 + 6 + 11 + 12});
    check_values(sum(x, {-1, 0}, true), {1, 3, 1}, {18, 26, 34});
    check_values(mean(x, {0, 2}), {3}, {4.5, 6.5, 8.5});
    check_values(mean(x, {1, 2}, true), {2, 1, 1}, {3.5, 9.5});
    check_values(amax(x, {0, 1}), {2}, {11, 12});
    check_values(amin(x, {1, 2}), {2}, {1, 7});
    check_values(sum(x, {}), {}, {78});
    check_values(sum(x, {}, true), {1, 1, 1}, {78});
    check_values(amax(x), {}, {12});
    check_values(amin(x, {2, 0, 1}, true), {1, 1, 1}, {1});
    check_values(sum(Tensor(4), {0}), {}, {4});
    check_values(amax(Tensor(4), {-1}, true), {}, {4});
}

TEST_CASE("min and argmin: worked out by hand") {
    const Tensor x = tensor({3, 6, 1, 4, 5, 2}, {2, 3});
    check_values(min(x), {}, {1});
    check_values(min(x, 0), {3}, {3, 5, 1});
    check_values(min(x, -1, true), {2, 1}, {1, 2});
    check_values(min(Tensor(-4)), {}, {-4});
    CHECK(argmin(x).values == std::vector<Index>{2});
    CHECK(argmin(x, 0).values == std::vector<Index>{0, 1, 0});
    CHECK(argmin(x, -1, true).shape == Shape{2, 1});
    CHECK(argmin(Tensor(3), 0).values == std::vector<Index>{0});
    // A NaN counts as the smallest, the first of several is found.
    const Tensor special = tensor({1, NAN, -inf, NAN, inf, inf, inf, inf, 2, 1, 1, 3}, {3, 4});
    check_values(min(special, 1), {3}, {NAN, inf, 1});
    CHECK(argmin(special, 1).values == std::vector<Index>{1, 0, 1});
    check_values(amin(special, {0, 1}), {}, {NAN});
}

TEST_CASE("var and stddev: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 2, 4, 9}, {2, 3});  // means 2 and 5, squares 2 and 26
    check_values(var(x, 1), {2}, {1, 13});
    check_values(var(x, 1, {.correction = 0}), {2}, {2.0 / 3, 26.0 / 3});
    check_values(var(x, -1, {.correction = 1.5, .keepdim = true}), {2, 1}, {2 / 1.5, 26 / 1.5});
    check_values(stddev(x, 1), {2}, {1, std::sqrt(13.0)});
    check_values(var(tensor({1, 3})), {}, {2});
    check_values(stddev(tensor({1, 3}), {}, {.correction = 0}), {}, {1});
    // dvar/dx = 2 (x - mean) / (n - correction), dstddev/dx = (x - mean) / (stddev (n -
    // correction))
    CHECK(grad_of([](const Tensor& t) { return mul(var(t), 3); }, tensor({1, 2, 3})) ==
          std::vector<double>{-3, 0, 3});
    CHECK(grad_of([](const Tensor& t) { return mul(stddev(t), 4); }, tensor({1, 2, 3})) ==
          std::vector<double>{-2, 0, 2});
}

TEST_CASE("var and stddev: at the edges") {
    // Small beside the mean: mean x^2 - (mean x)^2 would be rounding errors.
    check_values(var(tensor({1e6, 1e6 + 1, 1e6 + 2})), {}, {1}, 0);
    check_values(var(full({1001}, Real(0.1))), {}, {0});
    // Too small for its square, in float.
    check_values(div(stddev(tensor({1e-25, -1e-25}), {}, {.correction = 0}), 1e-25), {}, {1});
    check_values(var(Tensor(2)), {}, {NAN});
    check_values(var(tensor({2, 3}, {2, 1}), 1), {2}, {NAN, NAN});
    check_values(var(Tensor(2), 0, {.correction = 0}), {}, {0});
    check_values(var(tensor({1, 2, 4}), 0, {.correction = 3}), {}, {inf});
    check_values(stddev(tensor({1, inf, 3, NAN, 5, 6, 7, 8, 9}, {3, 3}), 1), {3}, {NAN, NAN, 1});
    check_values(var(zeros({2, 0}), 1), {2}, {NAN, NAN});
    CHECK(stddev(zeros({2, 0}), 0).shape() == Shape{0});
    const auto spread = [](const Tensor& t) { return stddev(t); };
    CHECK(grad_of(spread, tensor({2, 2, 2})) == std::vector<double>{0, 0, 0});
    const std::vector<double> of_one = grad_of([](const Tensor& t) { return var(t); }, Tensor(2));
    CHECK(std::isnan(of_one[0]));
}

TEST_CASE("logsumexp: worked out by hand, and at the edges") {
    const double ln2 = std::log(2.0), ln3 = std::log(3.0);
    check_values(logsumexp(tensor({0, ln2, 0, ln3}, {2, 2}), 1), {2}, {ln3, 2 * ln2});
    check_values(logsumexp(tensor({0, ln2, 0, ln3}, {2, 2}), {0, 1}, true), {1, 1},
                 {std::log(7.0)});
    check_values(logsumexp(tensor({1e4, 1e4, -1e4, -1e4}, {2, 2}), 1), {2}, {1e4 + ln2, ln2 - 1e4});
    check_values(logsumexp(Tensor(3), 0), {}, {3});
    check_values(logsumexp(tensor({-inf, -inf, -inf, 5, inf, 5, inf, -inf, NAN, inf}, {5, 2}), 1),
                 {5}, {-inf, 5, inf, inf, NAN});
    check_values(logsumexp(zeros({2, 0}), 1), {2}, {-inf, -inf});
    const auto f = [](const Tensor& t) { return mul(logsumexp(t, {}), 4); };
    CHECK(grad_of(f, tensor({0, 0, -inf, 0, 0})) == std::vector<double>{1, 1, 0, 1, 1});
    // In float, 1e8 + ln 4 is 1e8.
    CHECK(grad_of(f, tensor({1e8, 1e8, 1e8, 1e8})) == std::vector<double>{1, 1, 1, 1});
    CHECK(std::isnan(grad_of(f, tensor({-inf, -inf}))[0]));
    CHECK(std::isnan(grad_of(f, tensor({0, inf}))[1]));
    CHECK(grad_of(f, tensor({0, inf}))[0] == 0);
}

TEST_CASE("norm: worked out by hand") {
    const Tensor x = tensor({3, -4, 0, 0, -2, 2}, {2, 3});
    check_values(norm(x, 2, 1), {2}, {5, std::sqrt(8.0)});
    check_values(norm(x, 1, {1}, true), {2, 1}, {7, 4});
    check_values(norm(x, 0, 1), {2}, {2, 2});
    check_values(norm(x, inf, 1), {2}, {4, 2});
    check_values(norm(x, -inf, 1), {2}, {0, 0});
    check_values(norm(x, 3, 0), {3}, {3, std::cbrt(72.0), 2});
    check_values(norm(x, -1, 1), {2}, {0, 0});
    check_values(norm(x), {}, {std::sqrt(33.0)});
    check_values(norm(tensor({3, 4}), 2), {}, {5});
    check_values(norm(tensor({3e30, 4e30})), {}, {5e30});
    check_values(norm(Tensor(-3), 0.5), {}, {3});
}

TEST_CASE("norm: gradients at kinks, ties and special numbers") {
    const auto of = [](double p) { return [p](const Tensor& t) { return mul(norm(t, p), 6); }; };
    using Values = std::vector<double>;
    for (const double p : {2.0, 1.0, 3.0, 1.5, 0.5, -1.0, 0.0, inf, -inf}) {
        CAPTURE(p);
        CHECK(grad_of(of(p), zeros({3})) == Values{0, 0, 0});
    }
    CHECK(grad_of(of(2), tensor({0, -4, 0})) == Values{0, -6, 0});
    CHECK(grad_of(of(1), tensor({0, 3, -4})) == Values{0, 6, -6});
    CHECK(grad_of(of(0.5), tensor({0, 9})) == Values{0, 6});
    CHECK(grad_of(of(-1), tensor({0, 9})) == Values{0, 0});
    CHECK(grad_of(of(0), tensor({0, 9})) == Values{0, 0});
    CHECK(grad_of(of(inf), tensor({2, -2, 2, 1})) == Values{2, -2, 2, 0});
    CHECK(grad_of(of(-inf), tensor({2, -2, 2, -1})) == Values{0, 0, 0, -6});
    CHECK(grad_of(of(1), tensor({inf, 1, -1})) == Values{6, 6, -6});
    const Values nan = grad_of(of(1), tensor({1, NAN, -1}));
    CHECK(nan[0] == 6);
    CHECK(std::isnan(nan[1]));
    CHECK(nan[2] == -6);
    check_values(norm(tensor({1, NAN}), inf), {}, {NAN});
    check_values(norm(tensor({NAN, 1}), -inf), {}, {NAN});
    check_values(norm(tensor({NAN, 0}), 0), {}, {1});
}

TEST_CASE("amax, amin, logsumexp and norm: rows of any length give what scattered lines give") {
    Rng rng(11);
    for (Index n = 1; n <= 70; ++n) {
        const Tensor x = randn({5, n}, rng);
        Real* values = x.mutable_data();
        values[rng.below(n)] = NAN;
        values[n + rng.below(n)] = INFINITY;
        values[2 * n + rng.below(n)] = -INFINITY;
        // The same lines, whose elements are 5 apart, are computed one element after another.
        const Tensor columns = transpose(x, 0, 1);
        const auto same = [&](const auto& f, double tolerance) {
            const Tensor rows_x = x + 0, columns_x = columns + 0, up = tensor({1, 2, 3, 4, 5});
            const auto gradient = [&](Tensor& of, int dim) {
                of.requires_grad_();
                Tape tape;
                const Tensor y = f(of, dim);
                tape.backward(sum(mul(y, up)));
                return y;
            };
            Tensor a = rows_x, b = columns_x;
            const Tensor ya = gradient(a, 1), yb = gradient(b, 0);
            const Tensor da = a.grad(), db = transpose(b.grad(), 0, 1);
            const auto check_same = [&](const Tensor& p, const Tensor& q) {
                for (Index i = 0; i < p.numel(); ++i) {
                    const Real u = p.data()[i], v = q.data()[i];
                    const bool equal = u == v || (std::isnan(u) && std::isnan(v)) ||
                                       std::abs(u - v) <= tolerance * (1 + std::abs(v));
                    CHECK_MESSAGE(equal, "n = ", n, ", element ", i, ": ", u, " and ", v);
                }
            };
            check_same(ya, yb);
            check_same(da, db);
        };
        same([](const Tensor& t, int dim) { return amax(t, dim); }, 0);
        same([](const Tensor& t, int dim) { return amin(t, dim); }, 0);
        same([](const Tensor& t, int dim) { return logsumexp(t, dim); }, 3e-6);
        same([](const Tensor& t, int dim) { return norm(t, 2, dim); }, 3e-6);
    }
}

TEST_CASE("amax and amin: several that are equal, or NaN, share the gradient") {
    const auto largest = [](const Tensor& t) { return sum(mul(amax(t, {0, 2}), 6)); };
    CHECK(grad_of(largest, tensor({5, 1, 7, 2, 3, 5, 1, 2}, {2, 2, 2})) ==
          std::vector<double>{3, 0, 6, 0, 0, 3, 0, 0});
    const auto smallest = [](const Tensor& t) { return sum(mul(amin(t, 1), 6)); };
    CHECK(grad_of(smallest, tensor({1, NAN, NAN, 2, 2, 2}, {2, 3})) ==
          std::vector<double>{0, 3, 3, 2, 2, 2});
    CHECK(grad_of([](const Tensor& t) { return mul(min(t), 6); }, tensor({1, 0, -0.0})) ==
          std::vector<double>{0, 3, 3});
    CHECK(grad_of([](const Tensor& t) { return sum(min(t, 0)); }, tensor({1, 0, -0.0})) ==
          std::vector<double>{0, 1, 0});
}

TEST_CASE("reduce: bad dimensions and empty lines are errors that say so") {
    const Tensor x = zeros({2, 3, 4}), empty = zeros({2, 0, 3});
    check_error([&] { sum(x, {0, 0}); }, {"sum: dimension 0 of [2, 3, 4] is named twice"});
    check_error([&] { mean(x, {1, -2}); }, {"mean: dimension 1 of [2, 3, 4] is named twice"});
    check_error([&] { amax(x, {0, 3}); }, {"amax: expected a dimension from -3 to 2", "got 3"});
    check_error([&] { amin(x, -4); }, {"amin: expected a dimension", "got -4"});
    check_error([&] { var(x, {2, 2}); }, {"var: dimension 2"});
    check_error([&] { stddev(x, 3); }, {"stddev: expected a dimension"});
    check_error([&] { logsumexp(x, {0, -3}); }, {"logsumexp: dimension 0"});
    check_error([&] { norm(x, 2, {0, 1, 0}); }, {"norm: dimension 0"});
    check_error([&] { norm(x, NAN); }, {"norm: expected a number p, got NaN"});
    check_error([] { sum(Tensor(1), {0, -1}); }, {"sum: dimension 0 of [] is named twice"});
    check_error([&] { min(x, 3); }, {"min: expected a dimension", "got 3"});
    check_error([&] { argmin(x, 3); }, {"argmin: expected a dimension", "got 3"});
    check_error([&] { amax(empty); }, {"amax: shape [2, 0, 3] has no element to be the largest"});
    check_error(
        [&] {
            amin(empty, {0, 1});
        },
        {"amin: shape [2, 0, 3] has no element to be the sm"});
    check_error([&] { min(empty, 1); }, {"min: shape [2, 0, 3] has no element to be the smallest"});
    check_error([&] { argmin(empty); }, {"argmin: shape [2, 0, 3] has no element"});
    check_error([&] { norm(empty, inf, 1); },
                {"norm: shape [2, 0, 3] has no element for a norm with p = inf"});
    check_error([&] { norm(empty, -1); }, {"p = -1"});
    check_error([] { var(Tensor()); }, {"undefined"});
    check_error([] { norm(Tensor()); }, {"undefined"});
    // Without lines there is nothing to ask for; a line without elements may have a norm.
    CHECK(amax(empty, {0, 2}).shape() == Shape{0});
    CHECK(norm(empty, inf, 0, true).shape() == Shape{1, 0, 3});
    check_values(norm(empty, 0.5, {1, 2}), {2}, {0, 0});
    check_values(sum(empty, {0, 1}), {3}, {0, 0, 0});
    check_values(mean(empty, {1, 2}, true), {2, 1, 1}, {NAN, NAN});
    for (const Named& op : all_ops()) {
        CAPTURE(std::string(op.name));
        CHECK(grad_of(
                  [&](const Tensor& t) {
                      return sum(op.compute(t, {0, 2}, false));
                  },
                  empty)
                  .empty());
    }
}

TEST_CASE("reduce: what is no dimension does not compile") {
    static_assert(std::is_convertible_v<int, Dims> && std::is_convertible_v<Index, Dims>);
    static_assert(!std::is_constructible_v<Dims, bool> && !std::is_constructible_v<Dims, double>);
    static_assert(!std::is_constructible_v<Dims, char>);
    check_error([] { sum(zeros({2}), Index{1} << 40); }, {"a number is out of range"});
}

TEST_CASE("reduce: over all elements is over the flattened tensor") {
    Rng rng(2);
    for (const Shape& shape : kShapes) {
        CAPTURE(shape.str());
        const Tensor x = randn(shape, rng), flat = flatten(x);
        CHECK(sum(x).item() == sum(flat, 0).item());
        CHECK(mean(x).item() == mean(flat, 0).item());
        CHECK(max(x).item() == max(flat, 0).item());
        CHECK(argmax(x).values == argmax(flat, 0).values);
    }
}

TEST_CASE("reduce: beyond one chunk of work") {
    constexpr Index n = 100'003;
    const Tensor x = empty({n});
    for (Index i = 0; i < n; ++i) x.mutable_data()[i] = Real(i % 7);
    x.mutable_data()[n - 2] = 100;
    double want = 0;
    for (Real v : x.values()) want += static_cast<double>(v);
    CHECK(static_cast<double>(sum(x).item()) == want);
    CHECK(max(x).item() == 100);
    CHECK(argmax(x).values == std::vector<Index>{n - 2});
}

TEST_CASE("sum: the fast rows and columns and the plain line agree") {
    Rng rng(13);
    for (const Index n : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1001, 40'001}) {
        CAPTURE(n);
        const Tensor x = randn({n * 3}, rng);
        std::array<Real, 3> rows{}, columns{};
        kernels::sum(kernels::Axis(Shape{3, n}, 1), x.data(), rows.data());
        kernels::sum(kernels::Axis(Shape{n, 3}, 0), x.data(), columns.data());
        const auto close = [](Real got, double want) {
            return std::abs(static_cast<double>(got) - want) <= kTolerance * (1 + std::abs(want));
        };
        for (Index i = 0; i < 3; ++i) {
            const auto at = static_cast<std::size_t>(i);
            CHECK(close(rows[at], kernels::reference::sum(n, 1, x.data() + i * n)));
            CHECK(close(columns[at], kernels::reference::sum(n, 3, x.data() + i)));
        }
    }
}

TEST_CASE("sum: small addends are not lost beside a large one") {
    // In float, 10^8 + 1 is 10^8 again; 10^8 + 1000 is not.
    const Tensor x = ones({1001, 2});
    x.mutable_data()[0] = x.mutable_data()[1] = Real(1e8);
    check_values(sum(x), {}, {2e8 + 2000}, 0);
    check_values(sum(x, 0), {2}, {1e8 + 1000, 1e8 + 1000}, 0);
    check_values(sum(transpose(x, 0, 1), 1), {2}, {1e8 + 1000, 1e8 + 1000}, 0);
}

TEST_CASE("sum and mean: NaN and infinity propagate, in their own line only") {
    const Tensor x = tensor({1, NAN, 2, inf, 5, 6, inf, -inf, 7}, {3, 3});
    check_values(sum(x, 1), {3}, {NAN, inf, NAN});
    check_values(mean(x, 0), {3}, {inf, NAN, 5});
    check_values(sum(x), {}, {NAN});
}

TEST_CASE("max: a NaN counts as the largest, the first of several is found") {
    const Tensor x = tensor({1, NAN, inf, NAN, -inf, -inf, -inf, -inf, 2, 9, 9, 3}, {3, 4});
    check_values(max(x, 1), {3}, {NAN, -inf, 9});
    CHECK(argmax(x, 1).values == std::vector<Index>{1, 0, 1});
    check_values(max(x), {}, {NAN});
    CHECK(argmax(x).values == std::vector<Index>{1});
    CHECK(argmax(tensor({NAN, 1, NAN})).values == std::vector<Index>{0});
    CHECK(argmax(tensor({0, -0.0, 0})).values == std::vector<Index>{0});
}

TEST_CASE("reduce: gradients along every dimension") {
    Rng rng(3);
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 4}, Shape{4, 1}, Shape{2, 3, 5},
                               Shape{2, 1, 3, 2}, Shape{2, 2, 1, 3, 2}, Shape{2, 1, 2, 2, 1, 3}}) {
        for (int dim = -shape.rank(); dim < shape.rank(); ++dim) {
            for (const bool keepdim : {false, true}) {
                CAPTURE(shape.str());
                CAPTURE(dim);
                check_gradients([=](const Inputs& x) { return sum(x[0], dim, keepdim); },
                                {randn(shape, rng)});
                check_gradients([=](const Inputs& x) { return mean(x[0], dim, keepdim); },
                                {randn(shape, rng)});
                check_gradients([=](const Inputs& x) { return max(x[0], dim, keepdim); },
                                {randn(shape, rng)});
            }
        }
        check_gradients([](const Inputs& x) { return sum(x[0]); }, {randn(shape, rng)});
        check_gradients([](const Inputs& x) { return mean(x[0]); }, {randn(shape, rng)});
        check_gradients([](const Inputs& x) { return max(x[0]); }, {randn(shape, rng)});
    }
    for (const OverAll f : {kSums[0], kSums[1], OverAll{max}}) {
        check_gradients([=](const Inputs& x) { return f(x[0]); }, {Tensor(1.5)});
    }
    check_gradients([](const Inputs& x) { return mul(x[0], sum(x[0], 1, true)); },
                    {randn({3, 4}, rng)});
    check_gradients([](const Inputs& x) { return sub(max(x[0]), mean(x[0])); },
                    {randn({3, 4}, rng)});
}

TEST_CASE("reduce: gradients worked out by hand") {
    const Tensor x = tensor({1, 6, 3, 4, 5, 2}, {2, 3});
    const auto sum_rows = [](const Tensor& t) { return sum(mul(sum(t, 1), tensor({10, 20}))); };
    CHECK(grad_of(sum_rows, x) == std::vector<double>{10, 10, 10, 20, 20, 20});
    const auto mean_columns = [](const Tensor& t) {
        return sum(mul(mean(t, 0), tensor({2, 4, 6})));
    };
    CHECK(grad_of(mean_columns, x) == std::vector<double>{1, 2, 3, 1, 2, 3});
    const auto max_rows = [](const Tensor& t) { return sum(mul(max(t, 1), tensor({10, 20}))); };
    CHECK(grad_of(max_rows, x) == std::vector<double>{0, 10, 0, 0, 20, 0});
    CHECK(grad_of([](const Tensor& t) { return mul(max(t), 3); }, x) ==
          std::vector<double>{0, 3, 0, 0, 0, 0});
}

TEST_CASE("max: how the gradient goes where several are the largest") {
    // Over all elements it is shared evenly ...
    const auto over_all = [](const Tensor& t) { return mul(max(t), 6); };
    CHECK(grad_of(over_all, tensor({2, 5, 5, 1, 5})) == std::vector<double>{0, 2, 2, 0, 2});
    CHECK(grad_of(over_all, tensor({-inf, -inf})) == std::vector<double>{3, 3});
    CHECK(grad_of(over_all, tensor({1, NAN, inf, NAN})) == std::vector<double>{0, 3, 0, 3});
    // ... along a dimension the first one gets it. As in PyTorch.
    const auto along = [](const Tensor& t) { return sum(mul(max(t, 1), 6)); };
    CHECK(grad_of(along, tensor({5, 5, 2, 1, 7, 7}, {2, 3})) ==
          std::vector<double>{6, 0, 0, 0, 6, 0});
    CHECK(grad_of(along, tensor({1, NAN, NAN}, {1, 3})) == std::vector<double>{0, 6, 0});
}

TEST_CASE("reduce: nothing sums to 0, has no mean and no maximum") {
    check_values(sum(zeros({0})), {}, {0});
    check_values(sum(zeros({2, 0}), 1), {2}, {0, 0});
    check_values(sum(zeros({0, 2}), 0, true), {1, 2}, {0, 0});
    CHECK(sum(zeros({2, 0}), 0).shape() == Shape{0});
    check_values(mean(zeros({0})), {}, {NAN});
    check_values(mean(zeros({2, 0}), 1), {2}, {NAN, NAN});
    CHECK(mean(zeros({2, 0}), 0).shape() == Shape{0});
    check_error([] { max(zeros({0})); }, {"max: shape [0] has no element to be the largest"});
    check_error([] { max(zeros({2, 0})); }, {"max: shape [2, 0] has no element"});
    check_error([] { max(zeros({2, 0}), 1); }, {"max: shape [2, 0] has no element"});
    check_error([] { argmax(zeros({2, 0})); }, {"argmax: shape [2, 0] has no element"});
    check_error([] { argmax(zeros({2, 0}), -1); }, {"argmax: shape [2, 0] has no element"});
    // Without lines there is nothing to ask for.
    CHECK(max(zeros({2, 0}), 0).shape() == Shape{0});
    CHECK(argmax(zeros({0, 3}), 1).shape == Shape{0});
    CHECK(max(zeros({0, 0}), 0).shape() == Shape{0});

    for (const OverAll f : kSums) {
        CHECK(grad_of([=](const Tensor& t) { return f(t); }, zeros({2, 0})).empty());
        CHECK(grad_of([=](const Tensor& t) { return sum(f(t)); }, zeros({0})).empty());
    }
    CHECK(grad_of([](const Tensor& t) { return sum(max(t, 0)); }, zeros({2, 0})).empty());
    CHECK(grad_of([](const Tensor& t) { return sum(mean(t, 1)); }, zeros({2, 0})).empty());
}

TEST_CASE("argmax: is not recorded") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    Tape tape;
    argmax(x);
    argmax(x, 0);
    CHECK(tape.size() == 0);
}

TEST_CASE("reduce: a dimension that does not exist") {
    check_error(
        [] {
            sum(zeros({2, 3}), 2);
        },
        {"sum: expected a dimension from -2 to 1 for the shape [2, 3], got 2"});
    check_error([] { mean(zeros({2, 3}), -3); }, {"mean: expected a dimension", "got -3"});
    check_error([] { max(zeros({2, 3}), 2); }, {"max: expected a dimension", "got 2"});
    check_error([] { argmax(zeros({2, 3}), 2); }, {"argmax: expected a dimension", "got 2"});
    check_error([] { sum(Tensor(1), 1); }, {"sum: expected a dimension from -1 to 0"});
    check_error([] { sum(Tensor()); }, {"undefined"});
    check_error([] { mean(Tensor(), 0); }, {"undefined"});
    check_error([] { max(Tensor()); }, {"undefined"});
    check_error([] { argmax(Tensor()); }, {"undefined"});
}

}  // namespace primer
// SPDX-License-Identifier: MIT
