// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"
#include "vector.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// A sum has this many lanes, enough for two of the widest vectors, and the same number at every
// instruction set. If a channel's values are adjacent, each lane adds every 32nd of them. If each
// image has one value per channel, each lane belongs to one channel.
constexpr Index kSums = kMostChannels;

// After this many additions in Real a lane is added to a double and starts again from 0: so few
// that the rounding errors of float do not matter.
constexpr Index kAdditions = 64;

struct Lanes {
    Real sum[kSums] = {}, products[kSums] = {};
};

struct Totals {
    double sum[kSums] = {}, products[kSums] = {};

    void add(const Lanes& lanes) {
        for (Index k = 0; k < kSums; ++k) {
            sum[k] += static_cast<double>(lanes.sum[k]);
            products[k] += static_cast<double>(lanes.products[k]);
        }
    }
};

double total_of(const double* lanes) {
    double half[kSums / 2];
    for (Index k = 0; k < kSums / 2; ++k) half[k] = lanes[k] + lanes[k + kSums / 2];
    double sum = 0;
    for (const double h : half) sum += h;
    return sum;
}

// Computes each channel's two sums: term(lanes, i, k, c) adds value i of the block's channel c to
// lane k. The innermost loops have a fixed length, so that the compiler vectorises them and keeps
// the lanes in registers.
template <class Term>
void add_up_planes(const BatchNormBlock& block, double* sum, double* products, Term term) {
    const Index most = kAdditions * kSums;
    const Index rows = block.inner < most ? most / block.inner : 1;
    for (Index c = 0; c < block.channels; ++c) {
        Totals totals;
        for (Index row = 0; row < block.rows; row += rows) {
            const Index last_row = smaller(row + rows, block.rows);
            for (Index from = 0; from < block.inner; from += most) {
                const Index length = smaller(most, block.inner - from);
                Lanes lanes;
                for (Index r = row; r < last_row; ++r) {
                    Index i = r * block.row_stride + c * block.channel_stride + from;
                    const Index end = i + length;
                    for (; i + kSums <= end; i += kSums) {
                        for (Index k = 0; k < kSums; ++k) term(lanes, i + k, k, c);
                    }
                    for (Index k = 0; i + k < end; ++k) term(lanes, i + k, k, c);
                }
                totals.add(lanes);
            }
        }
        sum[c] = total_of(totals.sum);
        products[c] = total_of(totals.products);
    }
}

// The same for channels with one value in each image: the lanes are the channels.
template <class Term>
void add_up_columns(const BatchNormBlock& block, double* sum, double* products, Term term) {
    Totals totals;
    for (Index row = 0; row < block.rows; row += kAdditions) {
        const Index last_row = smaller(row + kAdditions, block.rows);
        Lanes lanes;
        for (Index r = row; r < last_row; ++r) {
            const Index i = r * block.row_stride;
            if (block.channels == kSums) {
                for (Index k = 0; k < kSums; ++k) term(lanes, i + k, k, k);
            } else {
                for (Index k = 0; k < block.channels; ++k) term(lanes, i + k, k, k);
            }
        }
        totals.add(lanes);
    }
    for (Index c = 0; c < block.channels; ++c) {
        sum[c] = totals.sum[c];
        products[c] = totals.products[c];
    }
}

bool columns(const BatchNormBlock& block) { return block.inner == 1 && block.channel_stride == 1; }

template <class Term>
void add_up(const BatchNormBlock& block, double* sum, double* products, Term term) {
    if (columns(block)) {
        add_up_columns(block, sum, products, term);
    } else {
        add_up_planes(block, sum, products, term);
    }
}

// Calls f(i, c) for each value i of each channel c.
template <class F>
void for_each(const BatchNormBlock& block, F f) {
    for (Index row = 0; row < block.rows; ++row) {
        const Index first = row * block.row_stride;
        if (columns(block)) {
            for (Index c = 0; c < block.channels; ++c) f(first + c, c);
            continue;
        }
        for (Index c = 0; c < block.channels; ++c) {
            const Index plane = first + c * block.channel_stride;
            for (Index i = 0; i < block.inner; ++i) f(plane + i, c);
        }
    }
}

// A copy of per-channel numbers, so that the compiler knows that no write through a pointer changes
// it.
struct Numbers {
    Real of[kMostChannels] = {};
    Numbers(const BatchNormBlock& block, const Real* from) {
        for (Index c = 0; from != nullptr && c < block.channels; ++c) of[c] = from[c];
    }
};

void moments(const BatchNormBlock& block, const Real* center, const Real* x, double* sum,
             double* squares) {
    const Numbers mid(block, center);
    add_up(block, sum, squares, [&, x](Lanes& lanes, Index i, Index k, Index c) {
        const Real d = x[i] - mid.of[c];
        lanes.sum[k] += d;
        lanes.products[k] += d * d;
    });
}

template <bool relu>
void normalize_as(const BatchNormBlock& block, const BatchNormLine& line, const Real* x, Real* y) {
    const BatchNormLine of = line;
    for_each(block, [&, x, y](Index i, Index c) {
        const Real v = (x[i] - of.center[c]) * of.scale[c] + of.shift[c];
        y[i] = relu && v < 0 ? Real(0) : v;
    });
}

void normalize(const BatchNormBlock& block, const BatchNormLine& line, bool relu, const Real* x,
               Real* y) {
    (relu ? normalize_as<true> : normalize_as<false>)(block, line, x, y);
}

// Takes dy by value, so that callers always read it, because conditional reads cannot be
// vectorised.
template <bool relu>
Real gradient(const BatchNormLine& of, Index c, Real d, Real dy) {
    return relu && d * of.scale[c] + of.shift[c] <= 0 ? Real(0) : dy;
}

template <bool relu>
void gradient_sums_as(const BatchNormBlock& block, const BatchNormLine& line, const Real* x,
                      const Real* dy, double* sum, double* products) {
    const BatchNormLine of = line;
    add_up(block, sum, products, [&, x, dy](Lanes& lanes, Index i, Index k, Index c) {
        const Real d = x[i] - of.center[c], g = gradient<relu>(of, c, d, dy[i]);
        lanes.sum[k] += g;
        lanes.products[k] += g * d;
    });
}

void gradient_sums(const BatchNormBlock& block, const BatchNormLine& line, bool relu, const Real* x,
                   const Real* dy, double* sum, double* products) {
    (relu ? gradient_sums_as<true> : gradient_sums_as<false>)(block, line, x, dy, sum, products);
}

template <bool relu, bool sloped>
void input_gradient_as(const BatchNormBlock& block, const BatchNormLine& line, const Real* slope,
                       const Real* offset, const Real* x, const Real* dy, Real* dx) {
    const BatchNormLine of = line;
    const Numbers a(block, slope), b(block, offset);
    for_each(block, [&, x, dy, dx](Index i, Index c) {
        const Real d = relu || sloped ? x[i] - of.center[c] : 0;
        const Real through = gradient<relu>(of, c, d, dy[i]) * of.scale[c];
        dx[i] = sloped ? through + (d * a.of[c] + b.of[c]) : through;
    });
}

void input_gradient(const BatchNormBlock& block, const BatchNormLine& line, bool relu,
                    const Real* slope, const Real* offset, const Real* x, const Real* dy,
                    Real* dx) {
    const auto with_relu =
        slope != nullptr ? input_gradient_as<true, true> : input_gradient_as<true, false>;
    const auto without =
        slope != nullptr ? input_gradient_as<false, true> : input_gradient_as<false, false>;
    (relu ? with_relu : without)(block, line, slope, offset, x, dy, dx);
}

}  // namespace

BatchNormKernels batch_norm_kernels() {
    return {.moments = moments,
            .normalize = normalize,
            .gradient_sums = gradient_sums,
            .input_gradient = input_gradient};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT
