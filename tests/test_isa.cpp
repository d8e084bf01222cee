// The kernels of core/kernels/isa give the same bits at every instruction set, however long an
// array is and wherever in it an element lies; those with functions such as exp, at every
// instruction set with fused multiply-adds. (Matrix products and convolutions do not: they add in
// an order of their own.)

#include <primer/core/kernels/isa.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>
#include <vector>

#include <primer/core/kernels/isa/table.h>
#include <primer/core/rng.h>
#include "support.h"

namespace primer {
namespace {

using kernels::Isa;

// Bits of results, in which NaN equals NaN.
using Bits = std::vector<std::uint64_t>;

template <class T>
void append(Bits& bits, const std::vector<T>& values) {
    for (const T v : values) {
        bits.push_back(std::isnan(v) ? 1 : std::bit_cast<std::uint64_t>(static_cast<double>(v)));
    }
}

// Small and large, negative and positive, 0 and NaN.
std::vector<Real> values(Index n, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<Real> x;
    for (Index i = 0; i < n; ++i) {
        const Index kind = rng.below(40);
        if (kind == 0) {
            x.push_back(std::numeric_limits<Real>::quiet_NaN());
        } else if (kind == 1) {
            x.push_back(Real(0));
        } else if (kind == 2) {
            x.push_back(rng.normal() * 1000);
        } else {
            x.push_back(rng.normal() * (kind % 2 == 0 ? 5 : 1));
        }
    }
    return x;
}

// Lengths on and off the width of any vector.
const std::vector<Index> kLengths{0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 100, 257, 1000};

// Whether the results differ by roundings only.
bool nearly_same(const Bits& got, const Bits& expected) {
    return std::ranges::equal(got, expected, [](std::uint64_t a, std::uint64_t b) {
        const auto x = std::bit_cast<double>(a), y = std::bit_cast<double>(b);
        return a == b || std::abs(x - y) <= 1e-4 * std::max(1.0, std::abs(y));
    });
}

enum class FusedMultiplyAdds { no, where_available };

// Checks that `results` of a part of the tables of all instruction sets that this processor has are
// equal, or nearly so if only some have fused multiply-adds. Tables of other instruction sets
// cannot even be made here.
template <class Part, class Results>
void same_at_all(Part kernels::Table::*part, FusedMultiplyAdds fused, const Results& results) {
    for (const Index n : kLengths) {
        CAPTURE(n);
        const auto at = [&](Isa isa) { return results(kernels::make_table(isa).*part, n); };
        Bits expected = at(Isa::baseline);
        if (fused == FusedMultiplyAdds::where_available && supported(Isa::avx2)) {
            const Bits with = at(Isa::avx2);
            CHECK(nearly_same(with, expected));
            expected = with;
        }
        for (const Isa isa : {Isa::avx2, Isa::avx512}) {
            if (supported(isa)) CHECK(at(isa) == expected);
        }
    }
}

template <class Part, class Results>
void same_at_all(Part kernels::Table::*part, const Results& results) {
    same_at_all(part, FusedMultiplyAdds::no, results);
}

TEST_CASE("isa: names, and what this processor has") {
    CHECK(std::string(name(Isa::reference)) == "reference");
#ifdef __aarch64__
    CHECK(std::string(name(Isa::baseline)) == "neon");
#else
    CHECK(std::string(name(Isa::baseline)) == "baseline");
#endif
    CHECK(std::string(name(Isa::avx2)) == "avx2");
    CHECK(std::string(name(Isa::avx512)) == "avx512");
    CHECK(supported(Isa::baseline));
    CHECK(supported(kernels::isa()));
    const bool reference = kernels::isa() == Isa::reference;  // whose loops are the baseline's
    const auto baseline = kernels::make_table(Isa::baseline).activation.relu;
    const bool is_baseline = kernels::table().activation.relu == baseline;
    CHECK(is_baseline == (reference || kernels::isa() == Isa::baseline));
}

// One of the loops of the activations. A forward loop ignores dy.
struct Loop {
    bool forward;
    std::function<void(Index n, const Real* kept, const Real* dy, Real* out)> run;
};

std::vector<Loop> loops_of(const kernels::ActivationKernels& k) {
    std::vector<Loop> all;
    const auto forward = [&](auto f) {
        all.push_back({true, [f](Index n, const Real* x, const Real*, Real* y) { f(n, x, y); }});
    };
    const auto backward = [&](auto f) { all.push_back({false, f}); };
    for (auto f : {k.relu, k.gelu, k.gelu_tanh, k.silu, k.sigmoid, k.tanh, k.hardswish,
                   k.hardsigmoid, k.softsign, k.logsigmoid, k.mish}) {
        forward(f);
    }
    forward([k](Index n, const Real* x, Real* y) { k.hardtanh(n, Real(-0.7), Real(0.9), x, y); });
    forward([k](Index n, const Real* x, Real* y) { k.celu(n, Real(0.7), x, y); });
    forward([k](Index n, const Real* x, Real* y) { k.glu(n, x, x, y); });
    forward([k](Index n, const Real* x, Real* y) { k.leaky_relu(n, Real(0.1), x, y); });
    forward([k](Index n, const Real* x, Real* y) { k.elu(n, Real(1.5), Real(0.7), x, y); });
    forward([k](Index n, const Real* x, Real* y) { k.softplus(n, Real(1.3), Real(4), x, y); });
    for (auto f :
         {k.relu_backward, k.prelu_backward_weight, k.gelu_backward, k.gelu_tanh_backward,
          k.silu_backward, k.sigmoid_backward, k.tanh_backward, k.hardswish_backward,
          k.hardsigmoid_backward, k.softsign_backward, k.logsigmoid_backward, k.mish_backward}) {
        backward(f);
    }
    backward([k](Index n, const Real* y, const Real* dy, Real* dx) {
        k.hardtanh_backward(n, Real(-0.7), Real(0.9), y, dy, dx);
    });
    backward([k](Index n, const Real* x, const Real* dy, Real* dx) {
        k.celu_backward(n, Real(0.7), x, dy, dx);
    });
    backward([k](Index n, const Real* x, const Real* dy, Real* dx) {
        std::vector<Real> da(static_cast<std::size_t>(n));
        k.glu_backward(n, x, x, dy, da.data(), dx);
        for (Index i = 0; i < n; ++i) dx[i] += da[static_cast<std::size_t>(i)];
    });
    backward([k](Index n, const Real* x, const Real* dy, Real* dx) {
        k.leaky_relu_backward(n, Real(0.1), x, dy, dx);
    });
    backward([k](Index n, const Real* x, const Real* dy, Real* dx) {
        k.prelu_backward(n, x, x, dy, dx);
    });
    backward([k](Index n, const Real* x, const Real* dy, Real* dx) {
        k.elu_backward(n, Real(1.5), Real(0.7), x, dy, dx);
    });
    backward([k](Index n, const Real* x, const Real* dy, Real* dx) {
        k.softplus_backward(n, Real(1.3), Real(4), x, dy, dx);
    });
    return all;
}

TEST_CASE("isa: activations") {
    same_at_all(&kernels::Table::activation, FusedMultiplyAdds::where_available,
                [](const kernels::ActivationKernels& table, Index n) {
                    const std::vector<Real> x = values(n, 1), dy = values(n, 2);
                    Bits bits;
                    for (const Loop& loop : loops_of(table)) {
                        std::vector<Real> out(x.size());
                        loop.run(n, x.data(), dy.data(), out.data());
                        append(bits, out);
                    }
                    return bits;
                });
}

TEST_CASE("isa: activations, the same bits at every place and in place") {
    for (const auto& table :
         {kernels::baseline::make_table().activation, kernels::table().activation}) {
        const std::vector<Real> x = values(100, 1), dy = values(100, 2);
        for (const Loop& loop : loops_of(table)) {
            std::vector<Real> out(x.size());
            Bits expected, alone, in_place;
            loop.run(100, x.data(), dy.data(), out.data());
            append(expected, out);
            for (std::size_t i = 0; i < x.size(); ++i) {
                loop.run(1, x.data() + i, dy.data() + i, out.data() + i);
            }
            append(alone, out);
            CHECK(alone == expected);
            out = loop.forward ? x : dy;
            loop.run(100, loop.forward ? out.data() : x.data(), out.data(), out.data());
            append(in_place, out);
            CHECK(in_place == expected);
        }
    }
}

TEST_CASE("isa: arithmetic") {
    same_at_all(
        &kernels::Table::elementwise, FusedMultiplyAdds::where_available,
        [](const kernels::ElementwiseKernels& k, Index n) {
            const std::vector<Real> a = values(2 * n + 1, 3), b = values(3 * n + 1, 4);
            Bits bits;
            std::vector<Real> y(static_cast<std::size_t>(n));
            for (const auto& f :
                 {k.add, k.sub, k.mul, k.div, k.maximum, k.minimum, k.less, k.less_equal, k.greater,
                  k.greater_equal, k.equal, k.not_equal, k.pow}) {
                for (const auto& [sa, sb] :
                     {std::pair<Index, Index>{1, 1}, {1, 0}, {0, 1}, {2, 3}}) {
                    f(n, a.data(), sa, b.data(), sb, y.data());
                    append(bits, y);
                }
                y.assign(a.data(), a.data() + n);
                f(n, y.data(), 1, b.data(), 1, y.data());
                append(bits, y);
            }
            for (const auto& f :
                 {k.share_of_larger, k.choose, k.pow_grad_base, k.pow_grad_exponent}) {
                for (const auto& [sa, sb] :
                     {std::pair<Index, Index>{1, 1}, {1, 0}, {0, 1}, {2, 3}}) {
                    y = values(n, 5);
                    f(n, a.data(), sa, b.data(), sb, y.data());
                    append(bits, y);
                }
            }
            for (const auto& f : {k.neg, k.exp, k.log, k.sqrt, k.abs, k.sign, k.sin, k.cos}) {
                f(n, a.data(), y.data());
                append(bits, y);
            }
            k.clamp(n, Real(-0.5), Real(2), a.data(), y.data());
            append(bits, y);
            k.clamp_backward(n, Real(-0.5), Real(2), a.data(), b.data(), y.data());
            append(bits, y);
            k.scale(n, Real(1.1), y.data());
            append(bits, y);
            return bits;
        });
}

TEST_CASE("isa: optimizers") {
    same_at_all(&kernels::Table::optimizer, [](const kernels::OptimizerKernels& k, Index n) {
        Bits bits;
        Rng rng(5);
        const auto positive = [&] {
            std::vector<Real> x;
            for (Index i = 0; i < n; ++i) x.push_back(rng.uniform());
            return x;
        };
        for (const bool flag : {false, true}) {
            const std::vector<Real> g = values(n, 6);
            std::vector<Real> w = values(n, 7), v = values(n, 8), m = positive(), s = positive(),
                              t = positive();
            k.sgd(n, {Real(0.1), Real(0.9), 1, Real(0.01), flag, !flag}, g.data(), v.data(),
                  w.data());
            k.sgd(n, {Real(0.1), Real(0.9), 1, Real(0.01), flag, flag}, g.data(), nullptr,
                  w.data());
            const kernels::AdamStep adam{Real(0.1), Real(0.9),  Real(0.1), Real(0.99), Real(0.01),
                                         Real(0.5), Real(1e-8), Real(0.1), Real(0.9),  flag};
            k.adam(n, adam, g.data(), m.data(), s.data(), flag ? t.data() : nullptr, w.data());
            const kernels::RmspropStep rms{Real(0.1),  Real(0.9), Real(0.1), Real(1e-8),
                                           Real(0.01), Real(0.9), flag};
            k.rmsprop(n, rms, g.data(), s.data(), flag ? m.data() : nullptr,
                      flag ? nullptr : v.data(), w.data());
            k.rmsprop(n, rms, g.data(), s.data(), flag ? nullptr : m.data(),
                      flag ? v.data() : nullptr, w.data());
            for (const auto& x : {w, v, m, s, t}) append(bits, x);
        }
        return bits;
    });
}

TEST_CASE("isa: sums") {
    same_at_all(&kernels::Table::reduce, [](const kernels::ReduceKernels& k, Index n) {
        Rng rng(9);
        std::vector<Real> x;
        for (Index i = 0; i < n * 32; ++i) x.push_back(rng.normal());
        std::vector<double> sums(70);
        sums[0] = k.sum(n, x.data());
        sums[1] = k.sum_of_squares(n, x.data());
        k.add_rows(n, 32, 32, x.data(), sums.data() + 2);
        k.add_rows(n, 10, 31, x.data(), sums.data() + 40);
        std::vector<Real> of_rows(5, Real(0.5));
        k.row_sums(5, n, 0.7, x.data(), of_rows.data());
        Bits bits;
        append(bits, sums);
        append(bits, of_rows);
        for (const bool largest : {true, false}) {
            if (n > 0) k.row_extremes(5, n, largest, x.data(), of_rows.data());
            append(bits, of_rows);
        }
        return bits;
    });
}

TEST_CASE("isa: losses") {
    same_at_all(
        &kernels::Table::loss, FusedMultiplyAdds::where_available,
        [](const kernels::LossKernels& k, Index n) {
            const std::vector<Real> x = values(n, 20), t = values(n, 21), dy = values(n, 22);
            std::vector<Real> p(x.size()), out(x.size());
            for (std::size_t i = 0; i < x.size(); ++i) p[i] = std::abs(std::sin(x[i]));
            std::vector<double> logs(x.begin(), x.end());
            k.logarithms(n, logs.data());
            Bits bits;
            append(bits, logs);
            const auto keep = [&](auto run) {
                run(out.data());
                append(bits, out);
            };
            keep([&](Real* to) { k.bent(n, 1.3, 0.7, x.data(), t.data(), to); });
            keep([&](Real* to) { k.binary_cross_entropy(n, p.data(), p.data(), to); });
            for (const Real* weight :
                 {static_cast<const Real*>(p.data()), static_cast<const Real*>(nullptr)}) {
                keep([&](Real* to) { k.logits(n, x.data(), p.data(), weight, to); });
            }
            for (const bool log_target : {false, true}) {
                keep([&](Real* to) { k.kl_div(n, log_target, x.data(), t.data(), to); });
            }
            for (const Index step : {Index{0}, Index{1}}) {
                if (n == 0) break;
                const kernels::Upstream up{dy.data(), step, Real(0.3)};
                keep([&](Real* to) { k.bent_backward(n, 1.3, 0.7, x.data(), t.data(), up, to); });
                keep([&](Real* to) {
                    k.binary_cross_entropy_backward(n, p.data(), t.data(), up, to);
                });
                keep([&](Real* to) { k.logits_backward(n, x.data(), p.data(), nullptr, up, to); });
                keep([&](Real* to) { k.logits_backward(n, x.data(), p.data(), t.data(), up, to); });
                keep([&](Real* to) { k.kl_div_backward(n, step == 0, t.data(), up, to); });
            }
            bits.push_back(k.within(n, Real(-1e6), Real(1e6), x.data()));
            bits.push_back(k.within(n, 0, 1, p.data()));
            return bits;
        });
}

TEST_CASE("isa: layer normalisation") {
    same_at_all(&kernels::Table::row_norm, [](const kernels::RowNormKernels& k, Index n) {
        const std::vector<Real> x = values(n, 15), dy = values(n, 16), w = values(n, 17);
        const kernels::NormLine line{Real(0.7), Real(1.3), Real(-0.2)};
        const std::vector<kernels::NormLine> lines(5, line);
        std::vector<double> sums(8 + 4 * kernels::kMostColumns);
        std::vector<Real> out(x.size());
        Bits bits;
        k.moments(n, x.data(), &sums[0], &sums[1]);
        for (const Real* weight : {w.data(), static_cast<const Real*>(nullptr)}) {
            k.normalize(n, line, weight, weight, x.data(), out.data());
            append(bits, out);
            k.normalize(n, line, weight, weight == nullptr ? w.data() : nullptr, x.data(),
                        out.data());
            append(bits, out);
            k.input_gradient(n, {Real(1.7), line, Real(0.4)}, weight, x.data(), dy.data(),
                             out.data());
            append(bits, out);
            const std::size_t at = weight == nullptr ? 2 : 4;
            k.gradient_sums(n, line, weight, x.data(), dy.data(), &sums[at], &sums[at + 1]);
        }
        for (const Index columns : {kernels::kMostColumns, Index{10}}) {
            if (n < columns) continue;
            double* const to = &sums[columns == 10 ? 8 : 8 + 2 * kernels::kMostColumns];
            k.column_sums(std::min(Index{5}, n / columns), columns, columns, lines.data(), x.data(),
                          dy.data(), to, to + columns);
        }
        append(bits, sums);
        return bits;
    });
}

TEST_CASE("isa: softmax") {
    same_at_all(&kernels::Table::softmax, FusedMultiplyAdds::where_available,
                [](const kernels::SoftmaxKernels& k, Index n) {
                    const Index rows = 5;
                    const std::vector<Real> x = values(rows * n, 10), dy = values(rows * n, 11);
                    std::vector<Real> y(x.size()), dx(x.size());
                    Bits bits;
                    if (n == 0) return bits;
                    std::vector<double> largest(rows), sums(rows);
                    k.exponentials(rows, n, x.data(), y.data(), largest.data(), sums.data());
                    for (const auto& values : {largest, sums}) append(bits, values);
                    k.softmax(rows, n, x.data(), y.data());
                    append(bits, y);
                    k.softmax_backward(rows, n, y.data(), dy.data(), dx.data());
                    append(bits, dx);
                    k.log_softmax(rows, n, x.data(), y.data());
                    append(bits, y);
                    k.log_softmax_backward(rows, n, y.data(), dy.data(), dx.data());
                    append(bits, dx);
                    return bits;
                });
}

TEST_CASE("isa: max pooling") {
    same_at_all(&kernels::Table::pool, [](const kernels::PoolKernels& k, Index n) {
        // Two planes of two rows of n windows, with a row and a column too many.
        const kernels::PoolBy2 sizes{2, 5, 2 * n + 1, 2, n};
        const std::vector<Real> x = values(2 * 5 * (2 * n + 1), 13), dy = values(2 * 2 * n, 14);
        std::vector<Real> y(dy.size()), dx(x.size());
        std::vector<std::uint8_t> taken(dy.size());
        k.max_by_2(sizes, x.data(), y.data(), taken.data());
        k.max_by_2_backward(sizes, taken.data(), dy.data(), dx.data());
        Bits bits(taken.begin(), taken.end());
        append(bits, y);
        append(bits, dx);
        return bits;
    });
}

TEST_CASE("isa: dropout") {
    same_at_all(&kernels::Table::dropout, [](const kernels::DropoutKernels& k, Index n) {
        const std::vector<Real> x = values(n, 12);
        std::vector<Real> y(x.size()), dx(x.size());
        std::vector<std::uint8_t> kept(x.size());
        k.forward(512, n, 99, 1U << 30, Real(1.25), x.data(), y.data(), kept.data());
        k.backward(n, Real(1.25), kept.data(), x.data(), dx.data());
        Bits bits(kept.begin(), kept.end());
        append(bits, y);
        append(bits, dx);
        return bits;
    });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
