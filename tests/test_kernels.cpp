#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <primer/core/kernels/copy.h>
#include <primer/core/kernels/elementwise.h>
#include <primer/core/kernels/gemm.h>
#include <primer/core/kernels/loss.h>
#include <primer/core/kernels/reduce.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/rng.h>
#include "support.h"

// Kernels against plain loops. (Kernels that an op calls once and unchanged are compared in the
// op's own test.)

namespace primer {
namespace {

using kernels::Trans;

using Reals = std::vector<Real>;

constexpr std::array kTrans{Trans::no, Trans::yes};

Reals random_reals(Index n, Rng& rng) {
    Reals x(static_cast<std::size_t>(n));
    for (Real& v : x) v = rng.normal();
    return x;
}

// Whole numbers from -4 to 4: their sums of products are exact in any order.
Reals random_digits(Index n, Rng& rng) {
    Reals x(static_cast<std::size_t>(n));
    for (Real& v : x) v = static_cast<Real>(rng.below(9) - 4);
    return x;
}

struct Gemm {
    Trans trans_a, trans_b;
    Index m, n, k;
    bool accumulate;
};

// Every transposition, with and without accumulation.
std::vector<Gemm> all_ways(Index m, Index n, Index k) {
    std::vector<Gemm> ways;
    for (Trans a : kTrans) {
        for (Trans b : kTrans) {
            for (bool accumulate : {false, true}) ways.push_back({a, b, m, n, k, accumulate});
        }
    }
    return ways;
}

void check_exact(const Gemm& g, Rng& rng) {
    const Reals a = random_digits(g.m * g.k, rng), b = random_digits(g.k * g.n, rng);
    // Elements on either side must survive; without accumulation the old ones must not matter.
    Reals c = random_digits(g.m * g.n + 2, rng);
    if (!g.accumulate)
        std::fill(c.begin() + 1, c.end() - 1, std::numeric_limits<Real>::quiet_NaN());
    Reals expected = c;
    kernels::gemm(g.trans_a, g.trans_b, g.m, g.n, g.k, a.data(), b.data(), c.data() + 1,
                  {.accumulate = g.accumulate});
    kernels::reference::gemm(g.trans_a, g.trans_b, g.m, g.n, g.k, a.data(), b.data(),
                             expected.data() + 1, {.accumulate = g.accumulate});
    CAPTURE(g.m);
    CAPTURE(g.n);
    CAPTURE(g.k);
    CAPTURE(static_cast<int>(g.trans_a));
    CAPTURE(static_cast<int>(g.trans_b));
    CAPTURE(g.accumulate);
    CHECK(c == expected);
}

}  // namespace

TEST_CASE("gemm: the reference, worked out by hand") {
    // [1 2 3; 4 5 6] [7 8; 9 10; 11 12]
    const Reals a{1, 2, 3, 4, 5, 6}, a_t{1, 4, 2, 5, 3, 6};
    const Reals b{7, 8, 9, 10, 11, 12}, b_t{7, 9, 11, 8, 10, 12};
    for (Trans ta : kTrans) {
        for (Trans tb : kTrans) {
            Reals c{1, 2, 3, 4};
            const Real* pa = ta == Trans::no ? a.data() : a_t.data();
            const Real* pb = tb == Trans::no ? b.data() : b_t.data();
            kernels::reference::gemm(ta, tb, 2, 2, 3, pa, pb, c.data());
            CHECK(c == Reals{58, 64, 139, 154});
            kernels::reference::gemm(ta, tb, 2, 2, 3, pa, pb, c.data(), {.accumulate = true});
            CHECK(c == Reals{116, 128, 278, 308});
        }
    }
}

TEST_CASE("gemm: equals the reference where both are exact, over odd sizes") {
    Rng rng(1);
    constexpr std::array<Index, 8> sizes{0, 1, 3, 5, 17, 64, 129, 257};
    for (Index m : sizes) {
        for (Index n : sizes) {
            for (Index k : sizes) {
                if (m * n * k > 200'000) continue;  // those follow below, fewer of them
                for (const Gemm& g : all_ways(m, n, k)) check_exact(g, rng);
            }
        }
    }
    for (const auto& [m, n, k] :
         {std::array<Index, 3>{257, 129, 64}, std::array<Index, 3>{64, 257, 129},
          std::array<Index, 3>{129, 64, 257}, std::array<Index, 3>{17, 1000, 300},
          std::array<Index, 3>{300, 17, 1000}, std::array<Index, 3>{257, 257, 257}}) {
        for (const Gemm& g : all_ways(m, n, k)) check_exact(g, rng);
    }
}

TEST_CASE("gemm: within the rounding error that is inevitable") {
    Rng rng(2);
    for (const auto& [m, n, k] : {std::array<Index, 3>{5, 7, 1}, std::array<Index, 3>{33, 65, 129},
                                  std::array<Index, 3>{129, 31, 500}}) {
        for (const Gemm& g : all_ways(m, n, k)) {
            const Reals a = random_reals(m * k, rng), b = random_reals(k * n, rng);
            const Reals start = random_reals(m * n, rng);
            Reals c = start;
            kernels::gemm(g.trans_a, g.trans_b, m, n, k, a.data(), b.data(), c.data(),
                          {.accumulate = g.accumulate});
            Index wrong = 0;
            for (Index i = 0; i < m; ++i) {
                for (Index j = 0; j < n; ++j) {
                    const auto at = [](const Reals& x, Index index) {
                        return static_cast<double>(x[static_cast<std::size_t>(index)]);
                    };
                    double sum = g.accumulate ? at(start, i * n + j) : 0, size = std::abs(sum);
                    for (Index p = 0; p < k; ++p) {
                        const double product =
                            at(a, g.trans_a == Trans::no ? i * k + p : p * m + i) *
                            at(b, g.trans_b == Trans::no ? p * n + j : j * k + p);
                        sum += product;
                        size += std::abs(product);
                    }
                    // Each of k + 1 roundings is off by at most epsilon / 2 of what has been added
                    // up.
                    const double bound = static_cast<double>(k + 1) * size *
                                         static_cast<double>(std::numeric_limits<Real>::epsilon());
                    wrong += !(std::abs(at(c, i * n + j) - sum) <= bound);
                }
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("gemm: with no depth, the result is 0 or what was there") {
    Reals c{1, 2, 3, 4};
    kernels::gemm(Trans::no, Trans::yes, 2, 2, 0, nullptr, nullptr, c.data(), {.accumulate = true});
    CHECK(c == Reals{1, 2, 3, 4});
    kernels::gemm(Trans::yes, Trans::no, 2, 2, 0, nullptr, nullptr, c.data());
    CHECK(c == Reals{0, 0, 0, 0});
}

TEST_CASE("kernels: copy_strided transposes") {
    Rng rng(3);
    for (Index rows : {0, 1, 2, 15, 16, 17, 33, 200, 2000}) {
        for (Index cols : {0, 1, 3, 16, 31, 150}) {
            CAPTURE(rows);
            CAPTURE(cols);
            const Reals x = random_reals(rows * cols, rng);
            Reals y(x.size() + 1, Real(7)), expected(x.size() + 1, Real(7));
            kernels::copy_strided({cols, rows}, x.data(), {1, cols}, y.data(), {rows, 1});
            for (Index r = 0; r < rows; ++r) {
                for (Index c = 0; c < cols; ++c) {
                    expected[static_cast<std::size_t>(c * rows + r)] =
                        x[static_cast<std::size_t>(r * cols + c)];
                }
            }
            CHECK(y == expected);
        }
    }
}

TEST_CASE("kernels: copy_strided") {
    const Reals x{1, 2, 3, 4, 5, 6};
    Reals y(8, Real(0));
    kernels::copy_strided({2, 2}, x.data() + 1, {3, 1}, y.data() + 1, {4, 1});
    CHECK(y == Reals{0, 2, 3, 0, 0, 5, 6, 0});
    kernels::copy_strided({0, 2}, x.data(), {3, 1}, y.data(), {4, 1});
    kernels::copy_strided({2, 0}, x.data(), {3, 1}, y.data(), {4, 1});
    CHECK(y == Reals{0, 2, 3, 0, 0, 5, 6, 0});
    kernels::copy_strided({3, 2}, x.data() + 5, {-2, -1}, y.data(), {2, 1});  // backwards
    CHECK(y == Reals{6, 5, 4, 3, 2, 1, 6, 0});
    kernels::copy_strided({2, 2, 2}, x.data(), {0, 1, 0}, y.data(), {4, 2, 1});
    CHECK(y == Reals{1, 1, 2, 2, 1, 1, 2, 2});
    kernels::copy_strided({}, x.data(), {}, y.data() + 1, {});
    CHECK(y == Reals{1, 1, 2, 2, 1, 1, 2, 2});
    kernels::copy_strided({4}, x.data(), {1}, y.data(), {2});  // leaves what lies between
    CHECK(y == Reals{1, 1, 2, 2, 3, 1, 4, 2});
}

TEST_CASE("kernels: sum_to adds what broadcasting would have copied") {
    Rng rng(4);
    const std::vector<std::pair<Shape, Shape>> cases{
        {{2, 3}, {3}},          {{2, 3}, {2, 1}},       {{2, 3}, {}},
        {{2, 3}, {2, 3}},       {{2, 3}, {1, 1}},       {{4, 2, 3}, {2, 1}},
        {{4, 2, 3}, {4, 1, 3}}, {{4, 2, 3}, {1, 2, 1}}, {{2, 2, 2, 2, 2, 2}, {2, 1, 2, 1, 2}},
        {{700, 3}, {3}},        {{3, 700}, {3, 1}},     {{0, 3}, {3}},
        {{3, 0}, {3, 1}},       {{3, 0}, {1, 0}},       {{}, {}}};
    for (const auto& pair : cases) {
        const Shape &from = pair.first, &to = pair.second;
        CAPTURE(from.str());
        CAPTURE(to.str());
        const Reals x = random_digits(from.numel(), rng), start = random_digits(to.numel(), rng);
        Reals y = start, expected = start;
        kernels::sum_to(from, x.data(), to, y.data());
        const auto strides = broadcast_strides(to, from);
        for (Index i = 0; i < from.numel(); ++i) {
            Index offset = 0, rest = i;
            for (int d = from.rank() - 1; d >= 0; --d) {
                offset += rest % from[d] * strides[static_cast<std::size_t>(d)];
                rest /= from[d];
            }
            expected[static_cast<std::size_t>(offset)] += x[static_cast<std::size_t>(i)];
        }
        CHECK(y == expected);
    }
}

TEST_CASE("kernels: the loops of a broadcast") {
    const auto walk = [](const Shape& a, const Shape& b) {
        const kernels::Broadcast loop(a, b, "test");
        const auto n = static_cast<std::size_t>(loop.rank);
        return std::vector<std::vector<Index>>{{loop.size.begin(), loop.size.begin() + n},
                                               {loop.stride_a.begin(), loop.stride_a.begin() + n},
                                               {loop.stride_b.begin(), loop.stride_b.begin() + n}};
    };
    using Walk = std::vector<std::vector<Index>>;
    // One shape: one loop, whatever the rank.
    CHECK(walk({2, 3, 4}, {2, 3, 4}) == Walk{{24}, {1}, {1}});
    CHECK(walk({2, 3}, {}) == Walk{{6}, {1}, {0}});
    // A bias over rows: a loop of rows over a loop of columns.
    CHECK(walk({8, 4, 3}, {3}) == Walk{{32, 3}, {3, 1}, {0, 1}});
    // A channel's bias: the dimensions on each side join.
    CHECK(walk({8, 4, 5, 5}, {4, 1, 1}) == Walk{{8, 4, 25}, {100, 25, 1}, {0, 1, 0}});
    // Sizes of 1 are not walked.
    CHECK(walk({2, 1, 3}, {1, 1, 1}) == Walk{{6}, {1}, {0}});
    CHECK(walk({1, 1}, {1}) == Walk{{1}, {0}, {0}});
    CHECK(walk({2, 1}, {1, 3}) == Walk{{2, 3}, {1, 0}, {0, 1}});
}

TEST_CASE("kernels: add in place and scale") {
    Reals x{1, 2, 3};
    const Reals y{10, 20, 30};
    kernels::add(3, x.data(), y.data(), x.data());
    CHECK(x == Reals{11, 22, 33});
    kernels::scale(3, Real(2), x.data());
    CHECK(x == Reals{22, 44, 66});
}

TEST_CASE("kernels: the sum over an axis, on and off the size of a strip") {
    Rng rng(5);
    for (Index outer : {1, 3}) {
        for (Index n : {0, 1, 7, 8, 9, 100}) {
            for (Index inner : {0, 1, 2, 63, 64, 65, 200}) {
                CAPTURE(outer);
                CAPTURE(n);
                CAPTURE(inner);
                const Reals x = random_digits(std::max(Index{1}, n) * outer * inner, rng);
                Reals y(static_cast<std::size_t>(outer * inner), Real(99)),
                    expected(y.size(), Real(0));
                for (Index o = 0; o < outer; ++o) {
                    for (Index j = 0; j < n; ++j) {
                        for (Index i = 0; i < inner; ++i) {
                            expected[static_cast<std::size_t>(o * inner + i)] +=
                                x[static_cast<std::size_t>((o * n + j) * inner + i)];
                        }
                    }
                }
                kernels::sum(kernels::Axis(Shape{outer, n, inner}, 1), x.data(), y.data());
                CHECK(y == expected);
            }
        }
    }
}

TEST_CASE("kernels: cross_entropy returns the sum of the losses and the softmax") {
    const Reals x{0, std::log(Real(3)), 5, 5};
    const std::vector<Index> labels{0, 1};
    Reals p(4), dx(4);
    const double loss =
        kernels::cross_entropy(2, 2, x.data(), {labels.data()}, 0, p.data(), nullptr);
    CHECK(loss == doctest::Approx(std::log(4.0) + std::log(2.0)).epsilon(kTolerance));
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(p[i] == doctest::Approx(std::array{0.25, 0.75, 0.5, 0.5}[i]).epsilon(kTolerance));
    }
    const Real four = 4;
    kernels::cross_entropy_backward(2, 2, p.data(), {labels.data()}, 0, {&four, 0, 1}, dx.data());
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(dx[i] == doctest::Approx(std::array{-3.0, 3.0, 2.0, -2.0}[i]).epsilon(kTolerance));
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT
