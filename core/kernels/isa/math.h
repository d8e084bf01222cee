#pragma once

#include <cstdint>

// The elementary functions of ops and activations. A compiler can vectorise a loop that calls them:
// they have no branches, no tables and no calls. Everything has internal linkage: each file has its
// own copy, compiled for its own instruction set.
//
// In float the errors of exp and tanh are below one unit in the last place, and those of functions
// with several steps below five, from the subnormal numbers to infinity; NaN gives NaN. table.h
// lists the bounds for each activation and its derivative, and tests/test_math.cpp tests them. The
// functions use only operations whose rounding IEEE 754 defines, so they give the same bits at
// every instruction set and in every lane of a vector. The double versions, for checking gradients,
// are those of the C library.
//
// The polynomials are our own fits by Lawson's algorithm (least squares, with weights that grow
// where the error is large until it is level). A comment gives the largest relative error of each.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

[[maybe_unused]] float root(float x) { return __builtin_sqrtf(x); }
[[maybe_unused]] double root(double x) { return __builtin_sqrt(x); }
[[maybe_unused]] float magnitude(float x) { return __builtin_fabsf(x); }
[[maybe_unused]] double magnitude(double x) { return __builtin_fabs(x); }

// Always inlined: a loop with a call cannot be vectorised.
[[gnu::always_inline]] inline std::uint32_t bits_of(float x) {
    return __builtin_bit_cast(std::uint32_t, x);
}
[[gnu::always_inline]] inline float from_bits(std::uint32_t bits) {
    return __builtin_bit_cast(float, bits);
}

// 2^n for -126 <= n <= 127: its exponent is stored with 127 added.
[[gnu::always_inline]] inline float power_of_2(std::int32_t n) {
    return from_bits((static_cast<std::uint32_t>(n) + 127) << 23);
}

// x = n ln 2 + r with a whole number n and |r| barely above ln(2) / 2 at most, so e^x = 2^n e^r.
struct Reduced {
    std::int32_t n;
    float power;  // 2^(n + 64), for -190 <= n <= 63
    float r;
};

// For `rest` below: unlike 0, a compiler may leave -0 out of a sum.
constexpr float kNoRest = -0.0F;

// Reduces x + rest, where rest is small compared with x and has digits that a float of the sum
// would lose. Adding 1.5 * 2^23 rounds to a whole number: a float of that size has no bits for
// fractions, and its last bits hold n. Here they hold n + 64 + 127, so that shifting them to the
// exponent's place makes 2^(n + 64). n ln 2 is subtracted in two parts; the first has so few digits
// that its product with n is exact (Cody and Waite, 1980). For |x| > 200 the result is meaningless.
[[gnu::always_inline]] inline Reduced reduce(float x, float rest) {
    constexpr float log2_e = 1.442695041F, round = 12582912.0F + 64 + 127;
    constexpr float ln2_high = 0.693145751953125F, ln2_low = 1.428606765e-6F;
    const float shifted = (x + rest) * log2_e + round, n = shifted - round;
    return {static_cast<std::int32_t>(bits_of(shifted) - bits_of(round)),
            from_bits(bits_of(shifted) << 23), (x - n * ln2_high) + (rest - n * ln2_low)};
}

// e^r - 1, for the r of Reduced. The largest relative error is 1.4e-8.
[[gnu::always_inline]] inline float expm1_reduced(float r) {
    const float p =
        (((1.3882489e-3F * r + 8.3666916e-3F) * r + 4.1667205e-2F) * r + 1.6666542e-1F) * r +
        4.9999998e-1F;
    return r * r * p + r;
}

// Applies the limits at the end: if x were clamped to a constant first, a compiler would make a
// second copy of everything for that constant.
[[gnu::always_inline]] inline float exp(float x) {
    const Reduced of = reduce(x, kNoRest);
    const float mantissa = 1 + expm1_reduced(of.r);
    // In two steps, because 2^n may be out of a float's range where the result is not.
    const std::int32_t half = of.n >> 1;
    const float value = mantissa * power_of_2(half) * power_of_2(of.n - half);
    const float low = x < -104 ? 0 : value;
    return x > 89 ? __builtin_inff() : low;
}

// 2^-64: undoes the 64 in Reduced::power. Then n may be as small as it gets where 2^n e^r is not 0.
constexpr float kUnscale = 0x1p-64F;

// e^(x + rest) for -105 <= x <= 0. For other numbers the result is meaningless; NaN gives NaN.
[[gnu::always_inline]] inline float exp_within_range(float x, float rest) {
    const Reduced of = reduce(x, rest);
    return (1 + expm1_reduced(of.r)) * of.power * kUnscale;
}

// exp(x) for x <= 0, in fewer steps and with the same bits.
[[gnu::always_inline]] inline float exp_below_0(float x) {
    const float value = exp_within_range(x, kNoRest);
    return x < -104 ? 0 : value;
}

// e^x - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), where the terms do not cancel.
[[gnu::always_inline]] inline float expm1_below_0(float x) {
    const Reduced of = reduce(x, kNoRest);
    const float scale = of.power * kUnscale;
    const float value = scale * expm1_reduced(of.r) + (scale - 1);
    return x < -18 ? -1 : value;
}

// ln(1 + e) for 0 <= e <= 1: 2 artanh(s) with s = e / (2 + e), which is at most 1/3, and
// artanh(s) / s = 1 + s^2 / 3 + s^4 / 5 + ... The largest relative error is 4.5e-9.
[[gnu::always_inline]] inline float log1p_below_1(float e) {
    const float s = e / (2 + e), w = s * s;
    const float p = ((1.4005994e-1F * w + 1.4000903e-1F) * w + 2.0010764e-1F) * w + 3.3333208e-1F;
    return 2 * (s + s * (w * p));
}

// For a = |x| < 0.625: a + a^3 P(a^2), whose second term is too small for its rounding errors to
// matter; the largest relative error of the polynomial is 1.6e-10. Above: 1 - q with q = 2 / (e^2a
// + 1), where q is at most a half. With e^2a = 2^n (1 + m) and t = 2^-n, q = 2 t / (1 + t + m). The
// rounding errors of the sum 1 + t + m (`lost`) and of 1 - q are added at the end, so that only the
// last sum rounds: the error is below 0.9 units in the last place.
[[gnu::always_inline]] inline float tanh(float x) {
    const float a = __builtin_fabsf(x), w = a * a;
    float p = 2.14296114e-3F * w - 8.17739777e-3F;
    p = (p * w + 2.17007026e-2F) * w - 5.39467633e-2F;
    p = (p * w + 1.33332059e-1F) * w - 3.33333313e-1F;
    const float small = a + a * (w * p);
    const Reduced of = reduce(2 * a, kNoRest);
    const float m = expm1_reduced(of.r), t = power_of_2(-of.n);
    const float one = 1 + t, sum = one + m, lost = (one - sum) + m;
    const float q = 2 * t / sum, rest = 1 - q;
    const float large = rest + (((1 - rest) - q) + lost * q * q * (power_of_2(of.n) * 0.5F));
    const float low = a < 0.625F ? small : large;
    return __builtin_copysignf(a > 10 ? 1 : low, x);
}

// For the standard normal distribution and a value x: the share of values below x, and e^(-x^2 /
// 2), which is proportional to the density.
template <class T>
struct Normal {
    T share, bell;
};

// The share above a >= 0 is e^(-a^2 / 2) M(a), where M falls slowly, from 1/2 to 1 / (a sqrt(2
// pi)), as a quotient p / (sqrt(2 pi) a p + s) does, with polynomials p of degree 4 and s of degree
// 3: a fit like those of Hart et al., "Computer Approximations", 1968. All coefficients are
// positive, so no digits cancel; and because p stands above and below, its rounding errors nearly
// do. For a <= 14.5 the largest relative error is 3.4e-8; above, the result rounds to 0.
[[gnu::always_inline]] inline Normal<float> normal(float x) {
    const float a = __builtin_fabsf(x);
    // a^2 in two parts, so that e^(-a^2 / 2) keeps all its digits: the square of 12 bits is exact.
    const float high = from_bits(bits_of(a) & 0xfffff000);
    const Reduced of = reduce(high * high * -0.5F, (a - high) * (a + high) * -0.5F);
    const float m = expm1_reduced(of.r);
    const float p = (((a + 9.28716946F) * a + 40.02388F) * a + 92.0771103F) * a + 99.8279648F;
    const float s = ((2.49917531F * a + 23.4527607F) * a + 93.2247314F) * a + 199.65593F;
    const float ratio = p / (2.5066328F * a * p + s);
    const float tail = (ratio + ratio * m) * of.power * kUnscale;
    const float above = a > 14.5F ? 0 : tail, bell = a > 14.5F ? 0 : (1 + m) * of.power * kUnscale;
    const float below = 1 - above;
    return {x < 0 ? above : below, bell};
}

// (-1)^n sin(r), where n is the whole number nearest to x / pi + shift and x = (n - shift) pi + r.
// With shift = 0 that is sin(x); with 1/2 it is sin(x + pi / 2) = cos(x). Computed in double, where
// few steps make a float's last digit right: pi in two parts as above, exact up to |x| = 2^20, and
// for |r| <= pi / 2 the Taylor series, whose error is below 7e-10. The last bit of x / pi + shift +
// 1.5 * 2^52 tells whether n is odd; it becomes the sign.
[[gnu::always_inline]] inline float half_waves(float x, double shift) {
    constexpr double one_over_pi = 0.31830988618379067, round = 6755399441055744;
    constexpr double pi_high = 3.1415926534682512, pi_low = 1.2154201013012384e-10;
    const double wide = x, shifted = (wide * one_over_pi + shift) + round;
    const double count = (shifted - round) - shift;
    const double r = (wide - count * pi_high) - count * pi_low, w = r * r;
    double p = w * (1 / 6227020800.0) - 1 / 39916800.0;
    p = (p * w + 1 / 362880.0) * w - 1 / 5040.0;
    p = (p * w + 1 / 120.0) * w - 1 / 6.0;
    const double sine = r * (p * w + 1);
    const std::uint64_t odd = __builtin_bit_cast(std::uint64_t, shifted) << 63;
    return static_cast<float>(
        __builtin_bit_cast(double, __builtin_bit_cast(std::uint64_t, sine) ^ odd));
}

// Both for |x| <= kLargestAngle.
[[gnu::always_inline]] inline float sin(float x) { return half_waves(x, 0); }
[[gnu::always_inline]] inline float cos(float x) { return half_waves(x, 0.5); }

// ln x in double, for the sums and probabilities of the losses: x = 2^n m with m from sqrt(1/2) to
// sqrt(2), and ln m = 2 artanh(s) with s = (m - 1) / (m + 1), for which the terms of the series
// s + s^3 / 3 + s^5 / 5 + ... up to s^19 are enough: the relative error is below 1e-15. For
// subnormal doubles the result is that of 0.
[[gnu::always_inline]] inline double wide_log(double x) {
    constexpr double ln2 = 0.6931471805599453094;
    constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd, mantissa = 0x000fffffffffffff;
    // Counted from sqrt(1/2), the exponent's bits hold n, and the mantissa's that of m.
    const std::uint64_t bits = __builtin_bit_cast(std::uint64_t, x) - root_half;
    const double m = __builtin_bit_cast(double, (bits & mantissa) + root_half);
    // n + 2^52 as a double has n in its last bits. The sign bit of x - root_half is that of n.
    const double n =
        __builtin_bit_cast(double, ((bits >> 52) ^ 0x800) | 0x4330000000000000) - (0x1p52 + 0x800);
    const double s = (m - 1) / (m + 1), w = s * s;
    double p = w * (1 / 19.0) + 1 / 17.0;
    p = (p * w + 1 / 15.0) * w + 1 / 13.0;
    p = (p * w + 1 / 11.0) * w + 1 / 9.0;
    p = (p * w + 1 / 7.0) * w + 1 / 5.0;
    p = (p * w + 1 / 3.0) * w;
    const double log = n * ln2 + 2 * (s + s * p);
    const double of_0 = x >= 0 ? -__builtin_inf() : __builtin_nan("");
    const double of_others = x < __builtin_inf() ? log : x;  // infinity, NaN
    return x >= 0x1p-1022 || x != x ? of_others : of_0;
}

inline double exp(double x) { return __builtin_exp(x); }
inline double exp_below_0(double x) { return __builtin_exp(x); }
inline double expm1_below_0(double x) { return __builtin_expm1(x); }
inline double log1p_below_1(double e) { return __builtin_log1p(e); }
inline double tanh(double x) { return __builtin_tanh(x); }
inline double sin(double x) { return __builtin_sin(x); }
inline double cos(double x) { return __builtin_cos(x); }

// 1 + erf would cancel for x < 0.
inline Normal<double> normal(double x) {
    constexpr double root_half = 0.70710678118654752440;
    return {__builtin_erfc(-x * root_half) / 2, __builtin_exp(-x * x / 2)};
}

}  // namespace
}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT
