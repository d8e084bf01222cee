// Special values in x: conv2d gives the same results as the definition, whichever kernel does the
// work. (For that kernel itself see test_conv_winograd.cpp, for the rest test_edges.cpp.)

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/parameter.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>

namespace primer {
namespace {

constexpr Real kInf = std::numeric_limits<Real>::infinity();
constexpr Real kNaN = std::numeric_limits<Real>::quiet_NaN();

// The shapes reach each of the kernels: 1x1, Winograd, strips, depthwise, groups.
struct Network {
    const char* name;
    Index channels, outputs, size, kernel, stride, padding, groups;
};
const Network kNetworks[] = {
    {"1x1", 16, 24, 9, 1, 1, 0, 1},
    {"1x1, stride 2", 8, 8, 9, 1, 2, 0, 1},
    {"3x3", 16, 24, 12, 3, 1, 1, 1},
    {"3x3, no padding", 16, 8, 11, 3, 1, 0, 1},
    {"3x3, stride 2", 16, 24, 13, 3, 2, 1, 1},
    {"5x5", 6, 16, 14, 5, 1, 2, 1},
    {"7x7 of one channel", 1, 8, 28, 7, 1, 3, 1},
    {"depthwise", 16, 16, 12, 3, 1, 1, 16},
    {"depthwise, stride 2", 16, 16, 12, 3, 2, 1, 16},
    {"depthwise 5x5", 8, 8, 11, 5, 1, 2, 8},
    {"two outputs a channel", 8, 16, 11, 3, 1, 1, 8},
    {"groups", 16, 24, 12, 3, 1, 1, 2},
};

// A sum in double, and the sum of the terms' absolute values, to which rounding is proportional.
struct Sum {
    double value = 0, size = 0;
    void add(double term) {
        value += term;
        size += std::abs(term);
    }
};

struct Expected {
    std::vector<Sum> y, dx, dw;
};

// By the definition: only what is inside the image counts.
Expected by_definition(const Network& net, const Tensor& x, const Tensor& w, const Tensor& dy) {
    Expected sums{std::vector<Sum>(static_cast<std::size_t>(dy.numel())),
                  std::vector<Sum>(static_cast<std::size_t>(x.numel())),
                  std::vector<Sum>(static_cast<std::size_t>(w.numel()))};
    const Index in = net.channels / net.groups, out = net.outputs / net.groups, n = net.size;
    const Index side = dy.shape()[2];
    const auto visit = [&](Index image, Index o, Index i, Index j, Index c, Index k, Index l) {
        const Index row = i * net.stride - net.padding + k,
                    column = j * net.stride - net.padding + l;
        if (row < 0 || column < 0 || row >= n || column >= n) return;
        const auto y_at =
            static_cast<std::size_t>(((image * net.outputs + o) * side + i) * side + j);
        const auto x_at = static_cast<std::size_t>(
            ((image * net.channels + o / out * in + c) * n + row) * n + column);
        const auto w_at =
            static_cast<std::size_t>(((o * in + c) * net.kernel + k) * net.kernel + l);
        const double xv = x.values()[x_at], wv = w.values()[w_at], up = dy.values()[y_at];
        sums.y[y_at].add(xv * wv);
        sums.dx[x_at].add(up * wv);
        sums.dw[w_at].add(up * xv);
    };
    for (Index image = 0; image < x.shape()[0]; ++image)
        for (Index o = 0; o < net.outputs; ++o)
            for (Index i = 0; i < side; ++i)
                for (Index j = 0; j < side; ++j)
                    for (Index c = 0; c < in; ++c)
                        for (Index k = 0; k < net.kernel; ++k)
                            for (Index l = 0; l < net.kernel; ++l) visit(image, o, i, j, c, k, l);
    return sums;
}

// The number of wrong values.
int wrong(const Tensor& found, const std::vector<Sum>& expected) {
    int count = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double want = expected[i].value, value = found.values()[i];
        if (std::isnan(want)) {
            count += !std::isnan(value);
        } else if (std::isinf(want)) {
            count += value != want;
        } else {
            count += !(std::abs(value - want) <= 2e-5 * expected[i].size + 1e-44);
        }
    }
    return count;
}

struct Case {
    const char* name;
    std::function<void(Tensor& x, Tensor& w)> change;
};

void scale(Tensor& x, double factor) {
    Real* const values = x.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) values[i] *= static_cast<Real>(factor);
}

const Case kCases[] = {
    {"ordinary numbers", [](Tensor&, Tensor&) {}},
    {"an infinity", [](Tensor& x, Tensor&) { x.mutable_data()[37] = kInf; }},
    {"a NaN", [](Tensor& x, Tensor&) { x.mutable_data()[37] = kNaN; }},
    {"infinities of both signs side by side, and one in the last corner",
     [](Tensor& x, Tensor&) {
         x.mutable_data()[37] = kInf;
         x.mutable_data()[38] = -kInf;
         x.mutable_data()[x.numel() - 1] = -kInf;
     }},
    {"numbers whose transforms would overflow",
     [](Tensor& x, Tensor& w) {
         scale(x, std::numeric_limits<Real>::max() / 1e3);
         scale(w, 0.01);
     }},
    {"the smallest normal numbers",
     [](Tensor& x, Tensor&) { scale(x, std::numeric_limits<Real>::min()); }},
};

TEST_CASE("conv2d: special values in x give what the definition gives, with every kernel") {
    for (const Network& net : kNetworks) {
        for (const Case& c : kCases) {
            CAPTURE(std::string(net.name));
            CAPTURE(std::string(c.name));
            Rng rng(3);
            Tensor x = randn({2, net.channels, net.size, net.size}, rng);
            Tensor w = randn({net.outputs, net.channels / net.groups, net.kernel, net.kernel}, rng);
            c.change(x, w);
            Parameter px(x), pw(w);
            Tape tape;
            const Tensor y = conv2d(
                px, pw, {}, {.stride = net.stride, .padding = net.padding, .groups = net.groups});
            Tensor dy = randn(y.shape(), rng);
            scale(dy, 0.01);
            tape.backward(sum(mul(y, dy)));
            const Expected expected = by_definition(net, x, w, dy);
            CHECK(wrong(y, expected.y) == 0);
            CHECK(wrong(px.grad(), expected.dx) == 0);
            CHECK(wrong(pw.grad(), expected.dw) == 0);
        }
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
