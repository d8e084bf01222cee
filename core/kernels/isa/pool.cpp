// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"
#include "vector.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

using Index = std::int64_t;

// An integer of the size of a Real: comparing vectors of Reals gives these, -1 for true.
template <int bytes>
struct OfBytes {
    using Integer = std::int32_t;
};
template <>
struct OfBytes<8> {
    using Integer = std::int64_t;
};
using Integer = OfBytes<sizeof(Real)>::Integer;

// N outputs at a time. Compilers do not vectorise this by themselves, because even and odd values
// of a row go to different vectors, and numbers of one byte accompany Reals of four.
template <int N>
struct Vectors {
    using Reals [[gnu::vector_size(N * sizeof(Real))]] = Real;
    using Integers [[gnu::vector_size(N * sizeof(Real))]] = Integer;
    using Shorts [[gnu::vector_size(N * sizeof(std::int16_t))]] = std::int16_t;
    using Bytes [[gnu::vector_size(N)]] = std::uint8_t;
};

#ifdef __AVX2__
constexpr int kMost = 32 / sizeof(Real);
#else
constexpr int kMost = 16 / sizeof(Real);
#endif
constexpr int kFew = 16 / sizeof(Real);

// Splits 2 N neighbours into those in even places and those in odd ones.
template <int N, class V = typename Vectors<N>::Reals>
void unweave(const Real* from, V& even, V& odd) {
    const V a = load<V>(from), b = load<V>(from + N);
    if constexpr (N == 8) {
        even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
        odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
    } else if constexpr (N == 4) {
        even = __builtin_shufflevector(a, b, 0, 2, 4, 6);
        odd = __builtin_shufflevector(a, b, 1, 3, 5, 7);
    } else {
        even = __builtin_shufflevector(a, b, 0, 2);
        odd = __builtin_shufflevector(a, b, 1, 3);
    }
}

template <int N, class V = typename Vectors<N>::Reals>
void weave(const V& even, const V& odd, Real* to) {
    if constexpr (N == 8) {
        store(__builtin_shufflevector(even, odd, 0, 8, 1, 9, 2, 10, 3, 11), to);
        store(__builtin_shufflevector(even, odd, 4, 12, 5, 13, 6, 14, 7, 15), to + N);
    } else if constexpr (N == 4) {
        store(__builtin_shufflevector(even, odd, 0, 4, 1, 5), to);
        store(__builtin_shufflevector(even, odd, 2, 6, 3, 7), to + N);
    } else {
        store(__builtin_shufflevector(even, odd, 0, 2), to);
        store(__builtin_shufflevector(even, odd, 1, 3), to + N);
    }
}

// Goes through the cells of N windows in order: the next cell replaces the best so far if it is
// larger or NaN.
template <int N>
void forward(const Real* top, const Real* bottom, Real* y, std::uint8_t* taken) {
    using V = typename Vectors<N>::Reals;
    using Integers = typename Vectors<N>::Integers;
    V best, cells[3];
    unweave<N>(top, best, cells[0]);
    unweave<N>(bottom, cells[1], cells[2]);
    Integers number = {};
    for (int k = 0; k < 3; ++k) {
        const Integers larger = (cells[k] > best) | (cells[k] != cells[k]);
        best = larger ? cells[k] : best;
        number = (larger & (k + 1)) | (~larger & number);
    }
    store(best, y);
    // In two steps, because GCC 12 makes a longer one value by value.
    const auto shorter = __builtin_convertvector(number, typename Vectors<N>::Shorts);
    store(__builtin_convertvector(shorter, typename Vectors<N>::Bytes), taken);
}

template <>
void forward<1>(const Real* top, const Real* bottom, Real* y, std::uint8_t* taken) {
    const Real cells[4] = {top[0], top[1], bottom[0], bottom[1]};
    int number = 0;
    for (int k = 1; k < 4; ++k) {
        if (cells[k] > cells[number] || cells[k] != cells[k]) number = k;
    }
    *y = cells[number];
    *taken = static_cast<std::uint8_t>(number);
}

template <int N>
void backward(const std::uint8_t* taken, const Real* dy, Real* top, Real* bottom) {
    using V = typename Vectors<N>::Reals;
    using Integers = typename Vectors<N>::Integers;
    const V g = load<V>(dy), none = {};
    const auto bytes = load<typename Vectors<N>::Bytes>(taken);
    // In two steps, as in forward.
    const auto shorts = __builtin_convertvector(bytes, typename Vectors<N>::Shorts);
    const auto number = __builtin_convertvector(shorts, Integers);
    weave<N>(number == 0 ? g : none, number == 1 ? g : none, top);
    weave<N>(number == 2 ? g : none, number == 3 ? g : none, bottom);
}

template <>
void backward<1>(const std::uint8_t* taken, const Real* dy, Real* top, Real* bottom) {
    top[0] = *taken == 0 ? *dy : Real(0);
    top[1] = *taken == 1 ? *dy : Real(0);
    bottom[0] = *taken == 2 ? *dy : Real(0);
    bottom[1] = *taken == 3 ? *dy : Real(0);
}

template <int N>
struct Width {
    static constexpr int value = N;
};

// Calls f(Width, i) so that the outputs i, ..., i + Width - 1 of all calls cover [0, n). The last
// call may overlap the one before it and compute some outputs twice.
template <class F>
void cover(Index n, F f) {
    const auto steps = [&](auto width) {
        Index i = 0;
        for (; i + width.value <= n; i += width.value) f(width, i);
        if (i < n) f(width, n - width.value);
    };
    if (n >= kMost) {
        steps(Width<kMost>());
    } else if (n >= kFew) {
        steps(Width<kFew>());
    } else {
        steps(Width<1>());
    }
}

void max_by_2(const PoolBy2& s, const Real* x, Real* y, std::uint8_t* taken) {
    for (Index p = 0; p < s.planes; ++p, x += s.in_h * s.in_w) {
        for (Index oh = 0; oh < s.out_h; ++oh, y += s.out_w, taken += s.out_w) {
            const Real *top = x + 2 * oh * s.in_w, *bottom = top + s.in_w;
            cover(s.out_w, [=](auto width, Index i) {
                forward<width.value>(top + 2 * i, bottom + 2 * i, y + i, taken + i);
            });
        }
    }
}

void fill_with_0(Index n, Real* x) {
    for (Index i = 0; i < n; ++i) x[i] = 0;
}

void max_by_2_backward(const PoolBy2& s, const std::uint8_t* taken, const Real* dy, Real* dx) {
    const Index seen = 2 * s.out_w;
    for (Index p = 0; p < s.planes; ++p, dx += s.in_h * s.in_w) {
        for (Index oh = 0; oh < s.out_h; ++oh, dy += s.out_w, taken += s.out_w) {
            Real *top = dx + 2 * oh * s.in_w, *bottom = top + s.in_w;
            cover(s.out_w, [=](auto width, Index i) {
                backward<width.value>(taken + i, dy + i, top + 2 * i, bottom + 2 * i);
            });
            fill_with_0(s.in_w - seen, top + seen);
            fill_with_0(s.in_w - seen, bottom + seen);
        }
        fill_with_0((s.in_h - 2 * s.out_h) * s.in_w, dx + 2 * s.out_h * s.in_w);
    }
}

}  // namespace

PoolKernels pool_kernels() {
    return {.max_by_2 = max_by_2, .max_by_2_backward = max_by_2_backward};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT
