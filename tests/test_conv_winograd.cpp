#include <cmath>
#include <limits>
#include <vector>

#include <primer/core/kernels/conv.h>
#include <primer/core/kernels/correlation.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/rng.h>
#include "support.h"

using namespace primer;
using kernels::ConvSizes;

namespace {

std::vector<Real> values_of(const Tensor& x) { return {x.values().begin(), x.values().end()}; }

ConvSizes sizes(Index batch, Index in, Index out, Index h, Index w, Index padding) {
    return {batch, in, out, 1, {h, 3, 1, padding, 1}, {w, 3, 1, padding, 1}};
}

kernels::Correlation correlation(const ConvSizes& s) {
    return {.batch = s.batch,
            .groups = s.groups,
            .channels = s.in_channels / s.groups,
            .rows = s.out_channels / s.groups,
            .h = kernels::forward_direction(s.h),
            .w = kernels::forward_direction(s.w)};
}

// The largest difference, as a share of the largest expected value.
double relative_error(const Tensor& found, const Tensor& expected) {
    double worst = 0, largest = 0;
    for (Index i = 0; i < expected.numel(); ++i) {
        const auto e = static_cast<double>(expected.data()[i]);
        const double error = std::abs(static_cast<double>(found.data()[i]) - e);
        worst = error <= worst ? worst : error;  // a NaN counts as worst
        largest = std::max(largest, std::abs(e));
    }
    return worst / largest;
}

// Whole tiles and cut ones, one image and several of them in a group of tiles, a group that is part
// of an image, all amounts of padding; the last of several groups smaller than the others.
const std::vector<ConvSizes> cases{sizes(3, 32, 48, 12, 12, 1), sizes(2, 48, 32, 9, 13, 0),
                                   sizes(1, 32, 32, 21, 22, 2), sizes(7, 32, 64, 8, 8, 1),
                                   sizes(1, 64, 32, 40, 33, 1), sizes(13, 32, 32, 4, 5, 1)};

}  // namespace

TEST_CASE("winograd: the plain sums, to rounding") {
    Rng rng(1);
    for (const ConvSizes& s : cases) {
        CAPTURE(s.batch);
        CAPTURE(s.h.in);
        CAPTURE(s.w.in);
        const kernels::Correlation c = correlation(s);
        REQUIRE(kernels::winograd_wins(c));
        const Tensor x = randn({s.batch, s.in_channels, s.h.in, s.w.in}, rng);
        const Tensor w = randn({s.out_channels, s.in_channels, 3, 3}, rng);
        const Tensor bias = randn({s.out_channels}, rng);
        const Shape out{s.batch, s.out_channels, s.h.out, s.w.out};
        const Tensor dy = randn(out, rng);
        // Some ten times the rounding of the plain sum.
        const double bound = kDouble ? 1e-13 : 2e-5;

        const Tensor y = full(out, NAN), expected_y = empty(out);
        kernels::winograd(c, x.data(), w.data(), bias.data(), y.mutable_data());
        kernels::reference::conv2d(s, x.data(), w.data(), bias.data(), expected_y.mutable_data());
        CHECK(relative_error(y, expected_y) < bound);
        kernels::winograd(c, x.data(), w.data(), nullptr, y.mutable_data());
        kernels::reference::conv2d(s, x.data(), w.data(), nullptr, expected_y.mutable_data());
        CHECK(relative_error(y, expected_y) < bound);

        const Tensor dx = full(x.shape(), NAN), expected_dx = empty(x.shape());
        kernels::conv2d_backward_input(s, w.data(), dy.data(), dx.mutable_data());
        kernels::reference::conv2d_backward_input(s, w.data(), dy.data(),
                                                  expected_dx.mutable_data());
        CHECK(relative_error(dx, expected_dx) < bound);

        const Tensor dw = full(w.shape(), NAN), expected_dw = empty(w.shape());
        CHECK(kernels::winograd_weight_gradient(c, x.data(), dy.data(), dw.mutable_data()));
        kernels::reference::conv2d_backward_weight(s, x.data(), dy.data(),
                                                   expected_dw.mutable_data());
        CHECK(relative_error(dw, expected_dw) < bound);
    }
}

TEST_CASE("winograd: what is infinite, NaN or large spreads no further than in the plain sums") {
    Rng rng(3);
    const ConvSizes s = sizes(3, 32, 32, 12, 12, 1);
    const Tensor x = randn({3, 32, 12, 12}, rng), w = randn({32, 32, 3, 3}, rng);
    const Tensor dy = randn({3, 32, 12, 12}, rng);
    const Tensor y = empty(dy.shape()), plain_y = empty(dy.shape());
    const Tensor dw = empty(w.shape()), plain_dw = empty(w.shape());
    const auto same_kinds = [](const Tensor& found, const Tensor& expected) {
        for (Index i = 0; i < found.numel(); ++i) {
            const Real a = found.data()[i], b = expected.data()[i];
            if (std::isnan(a) != std::isnan(b) || std::isinf(a) != std::isinf(b)) return false;
            if (std::isinf(a) && a != b) return false;
        }
        return true;
    };
    // The transform overflows for the last one, but the sums do not.
    const Real large = std::numeric_limits<Real>::max() / 100;
    for (const Real value : {Real(INFINITY), Real(NAN), large}) {
        CAPTURE(value);
        const Real before = x.data()[(32 + 7) * 144 + 5 * 12 + 6];
        x.mutable_data()[(32 + 7) * 144 + 5 * 12 + 6] = value;
        kernels::conv2d(s, x.data(), w.data(), nullptr, y.mutable_data());
        kernels::reference::conv2d(s, x.data(), w.data(), nullptr, plain_y.mutable_data());
        CHECK(same_kinds(y, plain_y));
        kernels::conv2d_backward_weight(s, x.data(), dy.data(), dw.mutable_data());
        kernels::reference::conv2d_backward_weight(s, x.data(), dy.data(), plain_dw.mutable_data());
        CHECK(same_kinds(dw, plain_dw));
        x.mutable_data()[(32 + 7) * 144 + 5 * 12 + 6] = before;
    }
}

TEST_CASE("winograd: only where it can and where it pays") {
    const ConvSizes good = sizes(3, 32, 32, 12, 12, 1);
    CHECK(kernels::winograd_wins(correlation(good)));
    const auto refuses = [](const ConvSizes& s) { return !kernels::winograd_wins(correlation(s)); };
    CHECK(refuses(sizes(1, 32, 32, 8, 8, 1)));    // few tiles
    CHECK(refuses(sizes(3, 16, 32, 12, 12, 1)));  // few channels
    CHECK(refuses(sizes(3, 32, 40, 12, 12, 1)));  // not whole registers of them
    ConvSizes s = good;
    s.groups = 2;
    CHECK(refuses(s));
    for (const kernels::Window& window :
         {kernels::Window{12, 3, 2, 1, 1}, kernels::Window{12, 3, 1, 1, 2},
          kernels::Window{12, 2, 1, 1, 1}, kernels::Window{12, 5, 1, 1, 1}}) {
        s = good;
        s.h = window;
        CHECK(refuses(s));
        s = good;
        s.w = window;
        CHECK(refuses(s));
    }
}

TEST_CASE("winograd: the same bits for any number of threads") {
    const ConvSizes s = sizes(25, 32, 48, 10, 11, 1);  // 5 groups of tiles, shared out
    const kernels::Correlation c = correlation(s);
    Rng rng(2);
    const Tensor x = randn({25, 32, 10, 11}, rng), w = randn({48, 32, 3, 3}, rng);
    const Tensor dy = randn({25, 48, 10, 11}, rng);
    const auto results = [&](int threads) {
        const int before = num_threads();
        set_num_threads(threads);
        const Tensor y = empty(dy.shape()), dw = empty(w.shape());
        kernels::winograd(c, x.data(), w.data(), nullptr, y.mutable_data());
        CHECK(kernels::winograd_weight_gradient(c, x.data(), dy.data(), dw.mutable_data()));
        set_num_threads(before);
        return std::pair(values_of(y), values_of(dw));
    };
    const auto expected = results(1);
    for (int threads : {2, 3, 8}) CHECK(results(threads) == expected);
}
// SPDX-License-Identifier: MIT
