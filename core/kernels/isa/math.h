#pragma once

#include <cstdint>

// The elementary functions of ops and activations. A compiler can vectorise a loop that calls them,
// because they have no branches, no tables and no calls. Everything has internal linkage, so each
// file has its own copy, compiled for its own instruction set.
//
// In float the errors of exp and tanh are below one unit in the last place, and those of functions
// with several steps below five, from the subnormal numbers to infinity; NaN gives NaN. table.h
// lists the bounds for each activation and its derivative, and tests/test_math.cpp tests them. The
// functions use only operations whose rounding IEEE 754 defines, so they give the same bits in
// every lane of a vector, and at all instruction sets that have fused multiply-adds. The double
// versions, for checking gradients, are those of the C library.
//
// The polynomials are our own fits by Lawson's algorithm (least squares, with weights that grow
// where the error is large until it is level). A comment gives the largest relative error of each.

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

[[maybe_unused]] float root(float x) { return __builtin_sqrtf(x); }
[[maybe_unused]] double root(double x) { return __builtin_sqrt(x); }
[[maybe_unused]] float magnitude(float x) { return __builtin_fabsf(x); }
[[maybe_unused]] double magnitude(double x) { return __builtin_fabs(x); }

// a b + c, with one rounding where the instruction set has an instruction for it.
[[gnu::always_inline]] inline float mul_add(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}
[[gnu::always_inline]] inline double mul_add(double a, double b, double c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

// Always inlined, because a loop with a call cannot be vectorised.
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

// Adding 1.5 * 2^23 rounds to a whole number, because a float of that size has no bits for
// fractions, and its last bits hold n. Here they hold n + 64 + 127, so that shifting them to the
// exponent's place makes 2^(n + 64). n ln 2 is subtracted in two parts; the first has so few digits
// that its product with n is exact (Cody and Waite, 1980). For |x| > 200 the result is meaningless.
[[gnu::always_inline]] inline Reduced reduce(float x) {
    constexpr float log2_e = 1.442695041F, round = 12582912.0F + 64 + 127;
    constexpr float ln2_high = 0.693145751953125F, ln2_low = 1.428606765e-6F;
    const float shifted = mul_add(x, log2_e, round), n = shifted - round;
    return {static_cast<std::int32_t>(bits_of(shifted) - bits_of(round)),
            from_bits(bits_of(shifted) << 23), mul_add(-n, ln2_low, mul_add(-n, ln2_high, x))};
}

// e^r - 1, for the r of Reduced. The largest relative error is 1.4e-8. Here and below, a polynomial
// is a polynomial of r^2 whose coefficients are a + b r, because then fewer steps wait for the one
// before.
[[gnu::always_inline]] inline float expm1_reduced(float r) {
    const float square = r * r;
    const float high = mul_add(1.3882489e-3F, square, mul_add(8.3666916e-3F, r, 4.1667205e-2F));
    const float low = mul_add(1.6666542e-1F, r, 4.9999998e-1F);
    return mul_add(mul_add(high, square, low), square, r);
}

// Applies the limits at the end, because if x were clamped to a constant first, a compiler would
// make a second copy of everything for that constant.
[[gnu::always_inline]] inline float exp(float x) {
    const Reduced of = reduce(x);
    const float mantissa = 1 + expm1_reduced(of.r);
    // In two steps, because 2^n may be out of a float's range where the result is not.
    const std::int32_t half = of.n >> 1;
    const float value = mantissa * power_of_2(half) * power_of_2(of.n - half);
    const float low = x < -104 ? 0 : value;
    return x > 89 ? __builtin_inff() : low;
}

// 2^-64: undoes the 64 in Reduced::power. Then n may be as small as it gets where 2^n e^r is not 0.
constexpr float kUnscale = 0x1p-64F;

// exp(x) for x <= 0, in fewer steps and with the same bits.
[[gnu::always_inline]] inline float exp_below_0(float x) {
    const Reduced of = reduce(x);
    const float value = (1 + expm1_reduced(of.r)) * of.power * kUnscale;
    return x < -104 ? 0 : value;
}

// e^x - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), where the terms do not cancel.
[[gnu::always_inline]] inline float expm1_below_0(float x) {
    const Reduced of = reduce(x);
    const float scale = of.power * kUnscale;
    const float value = mul_add(scale, expm1_reduced(of.r), scale - 1);
    return x < -18 ? -1 : value;
}

// ln x = n ln 2 + ln(1 + f) with a whole number n and 1 + f from sqrt(1/2) to sqrt(2), which the
// bits of x give: those of 1 + f are the mantissa's, and sqrt(1/2) is where n changes. ln(1 + f) is
// f - f^2 / 2 + f^3 P(f); the largest relative error of the polynomial is 5.9e-9. n ln 2 is in two
// parts as above, and the sum begins with its smallest terms. The error is below 0.93 units in the
// last place.
[[gnu::always_inline]] inline float log(float x) {
    constexpr float ln2_high = 0.693145751953125F, ln2_low = 1.428606765e-6F;
    constexpr std::uint32_t root_half = 0x3f3504f3;
    // A subnormal number has no exponent of its own.
    const float scaled = x < 0x1p-126F ? x * 0x1p23F : x, less = x < 0x1p-126F ? 23.0F : 0.0F;
    const std::uint32_t beyond = bits_of(scaled) - root_half;
    const float n = static_cast<float>(static_cast<std::int32_t>(beyond) >> 23) - less;
    const float f = from_bits((beyond & 0x7fffff) + root_half) - 1;
    const float square = f * f;
    float p = mul_add(mul_add(-7.6345008e-2F, f, 1.2761581e-1F), square,
                      mul_add(-1.3160182e-1F, f, 1.4201758e-1F));
    p = mul_add(p, square, mul_add(-1.6623357e-1F, f, 2.0001227e-1F));
    p = mul_add(p, square, mul_add(-2.5000821e-1F, f, 3.3333332e-1F));
    const float small = mul_add(square, mul_add(f, p, -0.5F), n * ln2_low);
    const float value = mul_add(n, ln2_high, f + small);
    const float below = x < 0 ? __builtin_nanf("") : -__builtin_inff();  // and of 0
    const float finite = x > 0 ? value : below;
    return x < __builtin_inff() ? finite : x;  // infinity and NaN stay
}

// ln(1 + e) for 0 <= e <= 1: 2 artanh(s) with s = e / (2 + e), which is at most 1/3, and
// artanh(s) / s = 1 + s^2 / 3 + s^4 / 5 + ... The largest relative error is 4.5e-9.
[[gnu::always_inline]] inline float log1p_below_1(float e) {
    const float s = e / (2 + e), w = s * s;
    const float p = mul_add(mul_add(mul_add(1.4005994e-1F, w, 1.4000903e-1F), w, 2.0010764e-1F), w,
                            3.3333208e-1F);
    return 2 * mul_add(s, w * p, s);
}

// Where a = |x| < 0.625, tanh a is a + a^3 P(a^2), whose second term is too small for its rounding
// errors to matter; the largest relative error of the polynomial is 1.6e-10. Above: 1 - q with q =
// 2 / (e^2a + 1), where q is at most a half. With e^2a = 2^n (1 + m) and t = 2^-n, q = 2 t / (1 + t
// + m). The rounding errors of the sum 1 + t + m (`lost`) and of 1 - q are added at the end, so
// that only the last sum rounds: the error is below 0.9 units in the last place.
[[gnu::always_inline]] inline float tanh(float x) {
    const float a = __builtin_fabsf(x), w = a * a;
    float p = mul_add(2.14296114e-3F, w, -8.17739777e-3F);
    p = mul_add(mul_add(p, w, 2.17007026e-2F), w, -5.39467633e-2F);
    p = mul_add(mul_add(p, w, 1.33332059e-1F), w, -3.33333313e-1F);
    const float small = mul_add(a, w * p, a);
    const Reduced of = reduce(2 * a);
    const float m = expm1_reduced(of.r), t = power_of_2(-of.n);
    const float one = 1 + t, sum = one + m, lost = (one - sum) + m;
    const float q = 2 * t / sum, rest = 1 - q;
    const float large = rest + (((1 - rest) - q) + lost * q * q * (power_of_2(of.n) * 0.5F));
    const float low = a < 0.625F ? small : large;
    return __builtin_copysignf(a > 10 ? 1 : low, x);
}

// The share of the values of a standard normal variable that are below x, and e^(-x^2 / 2), which
// is proportional to the density.
template <class T>
struct Normal {
    T share, bell;
};

// The share above a >= 0 is e^(-a^2 / 2) M(a), where M falls slowly, from 1/2 to 1 / (a sqrt(2
// pi)), as a quotient p / (sqrt(2 pi) a p + s) does, with polynomials p of degree 4 and s of degree
// 3: a fit like those of Hart et al., "Computer Approximations", 1968. All coefficients are
// positive, so no digits cancel; and because p stands above and below, its rounding errors nearly
// do. For a <= 14.5 the largest relative error is 3.4e-8; above, the result rounds to 0.
[[gnu::always_inline]] inline float normal_ratio(float a) {
    const float square = a * a;
    const float p = mul_add(mul_add(a + 9.28716946F, a, 40.02388F), square,
                            mul_add(92.0771103F, a, 99.8279648F));
    const float s =
        mul_add(mul_add(2.49917531F, a, 23.4527607F), square, mul_add(93.2247314F, a, 199.65593F));
    return p / mul_add(2.5066328F * a, p, s);
}

// -a^2 / 2 = n ln 2 + r, so that e^(-a^2 / 2) = 2^n e^r keeps all its digits: with a^2 in two
// parts, of which the square of 12 bits is exact. As reduce, but with -1/2 in the constants.
[[gnu::always_inline]] inline Reduced reduce_square(float a) {
    constexpr float log2_e = -0.7213475205F, round = 12582912.0F + 64 + 127;
    constexpr float ln2_high = 2 * 0.693145751953125F, ln2_low = 2 * 1.428606765e-6F;
    const float high = from_bits(bits_of(a) & 0xfffff000);
    const float square = high * high, rest = (a - high) * (a + high);
    const float shifted = mul_add(square + rest, log2_e, round), n = shifted - round;
    const float minus_2r = mul_add(n, ln2_high, square) + mul_add(n, ln2_low, rest);
    return {static_cast<std::int32_t>(bits_of(shifted) - bits_of(round)),
            from_bits(bits_of(shifted) << 23), -0.5F * minus_2r};
}

[[gnu::always_inline]] inline Normal<float> normal(float x) {
    const float a = __builtin_fabsf(x);
    const Reduced of = reduce_square(a);
    const float m = expm1_reduced(of.r), ratio = normal_ratio(a);
    const float tail = mul_add(ratio, m, ratio) * of.power * kUnscale;
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
    const double wide = x, shifted = mul_add(wide, one_over_pi, shift) + round;
    const double count = (shifted - round) - shift;
    const double r = mul_add(-count, pi_low, mul_add(-count, pi_high, wide)), w = r * r;
    double p = mul_add(w, 1 / 6227020800.0, -1 / 39916800.0);
    p = mul_add(mul_add(p, w, 1 / 362880.0), w, -1 / 5040.0);
    p = mul_add(mul_add(p, w, 1 / 120.0), w, -1 / 6.0);
    const double sine = r * mul_add(p, w, 1.0);
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
[[gnu::always_inline]] inline double exact_log(double x) {
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

// Functions of which the float above has too few digits, in double but with the digits of a float
// and some more. They are for numbers that were floats.

[[gnu::always_inline]] inline std::uint64_t bits_of(double x) {
    return __builtin_bit_cast(std::uint64_t, x);
}
[[gnu::always_inline]] inline double from_bits(std::uint64_t bits) {
    return __builtin_bit_cast(double, bits);
}

// log2 x for 0 < x < infinity, whose relative error is at most 5e-12: n + log2(m) with m from
// sqrt(1/2) to sqrt(2), as in log above, and ln(m) = 2 artanh(s) with s = (m - 1) / (m + 1).
[[gnu::always_inline]] inline double log2_within(double x) {
    constexpr std::uint64_t root_half = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
    const std::uint64_t beyond = bits_of(x) + (one - root_half);
    // n + 1023 becomes the last bits of 2^52. Not all processors convert integers of 64 bits.
    const double n = from_bits((beyond >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
    const double m = from_bits((beyond & 0xfffffffffffff) + root_half);
    const double s = (m - 1) / (m + 1), w = s * s;
    double p = mul_add(0.11791217680878897, w, 0.14268647238694104);
    p = mul_add(mul_add(p, w, 0.2000016769838902), w, 0.333333328223116);
    return mul_add(2.8853900817779268, mul_add(s, w * p, s), n);  // 2 / ln 2
}

// Any x is allowed.
[[gnu::always_inline]] inline double short_log2(double x) {
    const double below = x < 0 ? __builtin_nan("") : -__builtin_inf();
    const double finite = x > 0 ? log2_within(x) : below;
    return x < __builtin_inf() ? finite : x;
}

// 2^x, whose relative error is at most 2.1e-9; 0 below 2^-1022.
[[gnu::always_inline]] inline double short_exp2(double x) {
    constexpr double round = 6755399441055744.0 + 1023;  // 1.5 * 2^52, and the exponent's offset
    const double shifted = x + round, r = x - (shifted - round);
    double p = mul_add(1.53533516451338e-4, r, 1.3398887377289578e-3);
    p = mul_add(mul_add(p, r, 9.618437481884184e-3), r, 5.550332440202494e-2);
    p = mul_add(mul_add(p, r, 2.402264791195463e-1), r, 6.931472028680847e-1);
    const double value = mul_add(p, r, 1.0) * from_bits(bits_of(shifted) << 52);
    const double low = x < -1022 ? 0 : value;
    return x >= 1024 ? __builtin_inf() : low;
}

// p^q as std::pow has it, for any two floats, or for a whole q up to 2^51: 2^(q log2 |p|) with the
// sign of p if q is odd; NaN if p < 0 is finite and q is not whole. 1^q and p^0 are 1, even for NaN
// and infinity.
[[gnu::always_inline]] inline double short_pow(double p, double q) {
    constexpr double round = 6755399441055744.0;
    const double log = short_log2(__builtin_fabs(p));
    const double size = short_exp2(((log == 0) | (q == 0)) ? 0 : q * log);
    // The last bit of the sum tells whether a whole q is odd. A float from 2^51 on is even, as 0
    // is.
    const double last = __builtin_fabs(q) >= 0x1p51 ? 0 : q, shifted = last + round;
    const bool whole = shifted - round == last;
    const std::uint64_t odd = whole ? bits_of(shifted) << 63 : 0;
    const double value = from_bits(bits_of(size) | (bits_of(p) & odd));
    const double fraction = whole ? value : __builtin_nan("");
    return ((p < 0) & (p > -__builtin_inf())) ? fraction : value;
}

// p^q and ln p in double, with the digits that a Real needs. The second one is for 0 < p < infinity
// and finite q, in fewer steps and with the same bits.
[[gnu::always_inline]] inline double wide_pow(float p, double q) { return short_pow(p, q); }
[[gnu::always_inline]] inline double pow_within(float p, double q) {
    return short_exp2(q * log2_within(p));
}
[[gnu::always_inline]] inline double wide_log(float p) {
    return short_log2(p) * 0.69314718055994531;
}
inline double wide_pow(double p, double q) { return __builtin_pow(p, q); }
inline double pow_within(double p, double q) { return __builtin_pow(p, q); }
inline double wide_log(double p) { return __builtin_log(p); }

inline double exp(double x) { return __builtin_exp(x); }
inline double log(double x) { return __builtin_log(x); }
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
