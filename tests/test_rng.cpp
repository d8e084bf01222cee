#include <primer/core/rng.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include <primer/primer.h>
#include "support.h"

// The expected numbers of seed 42 come from a second implementation, in Python, written from the
// papers that rng.h names.

namespace primer {
namespace {

// As next() makes them from the state {1, 2, 3, 4}; they are also in the tests of other
// implementations of xoshiro256++.
constexpr std::array<std::uint64_t, 8> kKnown{41943041u,
                                              58720359u,
                                              3588806011781223u,
                                              3591011842654386u,
                                              9228616714210784205u,
                                              9973669472204895162u,
                                              14011001112246962877u,
                                              12406186145184390807u};

struct Moments {
    double mean, variance, skewness, kurtosis;
};

Moments moments(const std::vector<double>& x) {
    const auto n = static_cast<double>(x.size());
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
    double m2 = 0, m3 = 0, m4 = 0;
    for (double v : x) {
        const double d = v - mean;
        m2 += d * d / n;
        m3 += d * d * d / n;
        m4 += d * d * d * d / n;
    }
    return {mean, m2, m3 / std::pow(m2, 1.5), m4 / (m2 * m2)};
}

template <class Draw>
std::vector<double> draws(int count, Draw draw) {
    std::vector<double> values;
    for (int i = 0; i < count; ++i) values.push_back(static_cast<double>(draw()));
    return values;
}

}  // namespace

TEST_CASE("rng: xoshiro256++ known answers") {
    Rng rng(0);
    rng.set_state({1, 2, 3, 4});
    for (std::uint64_t known : kKnown) CHECK(rng.next() == known);
}

TEST_CASE("rng: SplitMix64 makes the state of the seed") {
    CHECK(Rng(0).state() == Rng::State{0xe220a8397b1dcdafu, 0x6e789e6aa1b965f4u,
                                       0x06c45d188009454fu, 0xf88bb8a8724c81ecu});
    CHECK(Rng(42).state() == Rng::State{0xbdd732262feb6e95u, 0x28efe333b266f103u,
                                        0x47526757130f9f52u, 0x581ce1ff0e4ae394u});
    CHECK(Rng(~std::uint64_t{0}).state() == Rng::State{0xe4d971771b652c20u, 0xe99ff867dbf682c9u,
                                                       0x382ff84cb27281e9u, 0x6d1db36ccba982d2u});
}

TEST_CASE("rng: seed 42, the same on every platform") {
    SUBCASE("next") {
        Rng rng(42);
        CHECK(rng.next() == 15021278609987233951u);
        CHECK(rng.next() == 5881210131331364753u);
        CHECK(rng.next() == 18149643915985481100u);
    }
    SUBCASE("uniform") {
        Rng rng(42);
        for (double want : kDouble ? std::array{0.8143051451229099, 0.3188210400616611,
                                                0.9838941681774888, 0.7011355981347556}
                                   : std::array{0.8143051266670227, 0.3188210129737854,
                                                0.9838941097259521, 0.7011355757713318}) {
            CHECK(static_cast<double>(rng.uniform()) == want);
        }
    }
    SUBCASE("uniform in a range") {
        Rng rng(42);
        for (double want : {2.071525725614549, -0.4058947996916944, 2.9194708408874437}) {
            CHECK(static_cast<double>(rng.uniform(-2, 3)) ==
                  doctest::Approx(want).epsilon(kTolerance));
        }
    }
    SUBCASE("normal") {
        // To the last bit: its logarithm is our own.
        Rng rng(42);
        for (double want :
             {0.9813983900724986, 1.3403256427520227, -0.9642205062941384, 0.1962265296745266,
              0.202908544830356, -2.2415265146996535, 2.4560456925976637, -0.1224922508928045}) {
            CHECK(rng.normal() == static_cast<Real>(want));
        }
    }
    SUBCASE("normal of another mean and deviation") {
        Rng rng(42);
        CHECK(rng.normal(10, 2) == Real(10) + Real(2) * static_cast<Real>(0.9813983900724986));
    }
    SUBCASE("below") {
        Rng rng(42);
        for (Index want : {1, 3, 0, 4, 1, 5, 8, 0, 5, 8, 4, 9}) CHECK(rng.below(10) == want);
    }
    SUBCASE("below, where a quarter of all numbers must be dropped") {
        Rng rng(42);
        for (Index want :
             {1186220554705070239, 5881210131331364753, 4314585860703317388, 6016139912118023608,
              802516187400661619, 3930972873427050109, 4245009915994229574, 3382157355846508756}) {
            CHECK(rng.below(Index{3} << 61) == want);
        }
    }
    SUBCASE("permutation") {
        CHECK(Rng(42).permutation(10) == std::vector<Index>{6, 9, 7, 8, 0, 5, 3, 4, 2, 1});
    }
    SUBCASE("split") {
        Rng rng(42);
        CHECK(rng.split().next() == 5745406364259058299u);
        CHECK(rng.next() == 5881210131331364753u);
    }
    SUBCASE("state") {
        Rng rng(42);
        for (int i = 0; i < 1000; ++i) rng.next();
        CHECK(rng.state() == Rng::State{0x77207d54bea1d06bu, 0xda7dd60d30782605u,
                                        0xf156ab3da9bd2b55u, 0x00adfc76570efc8b1u});
    }
}

TEST_CASE("rng: uniform covers [0, 1) evenly") {
    Rng rng(1);
    constexpr int n = 200000;
    const std::vector<double> x = draws(n, [&] { return rng.uniform(); });
    CHECK(*std::ranges::min_element(x) >= 0);
    CHECK(*std::ranges::max_element(x) < 1);
    const Moments m = moments(x);
    CHECK(m.mean == doctest::Approx(0.5).epsilon(0.005));
    CHECK(m.variance == doctest::Approx(1.0 / 12).epsilon(0.01));
    // Chi squared over 100 cells: mean 99, standard deviation 14.
    std::array<int, 100> cells{};
    for (double v : x) ++cells[static_cast<std::size_t>(v * 100)];
    double chi2 = 0;
    for (int c : cells) chi2 += (c - n / 100.0) * (c - n / 100.0) / (n / 100.0);
    CHECK(chi2 > 50);
    CHECK(chi2 < 160);
}

TEST_CASE("rng: uniform stays below 1 even for the largest number") {
    // s0 + s3 = 2^64 - 1 stays all ones when rotated, and with s0 = 0 that is what next() returns.
    Rng rng(0);
    rng.set_state({0, 1, 1, ~std::uint64_t{0}});
    const Real u = rng.uniform();
    CHECK(u < 1);
    CHECK(u == (kDouble ? Real(1 - 0x1p-53) : Real(1 - 0x1p-24)));
}

TEST_CASE("rng: uniform in a range stays within it") {
    Rng rng(2);
    const std::vector<double> x = draws(100000, [&] { return rng.uniform(-3, 5); });
    CHECK(*std::ranges::min_element(x) >= -3);
    CHECK(*std::ranges::max_element(x) <= 5);
    CHECK(moments(x).mean == doctest::Approx(1).epsilon(0.03));
    CHECK(moments(x).variance == doctest::Approx(64.0 / 12).epsilon(0.02));
    CHECK(rng.uniform(2, 2) == 2);
}

TEST_CASE("rng: normal has the moments and the tails of the normal distribution") {
    Rng rng(3);
    constexpr int n = 400000;
    const std::vector<double> x = draws(n, [&] { return rng.normal(); });
    const Moments m = moments(x);
    // Five standard errors: 1/sqrt(n), sqrt(2/n), sqrt(6/n), sqrt(24/n).
    CHECK(std::abs(m.mean) < 5 / std::sqrt(n));
    CHECK(std::abs(m.variance - 1) < 5 * std::sqrt(2.0 / n));
    CHECK(std::abs(m.skewness) < 5 * std::sqrt(6.0 / n));
    CHECK(std::abs(m.kurtosis - 3) < 5 * std::sqrt(24.0 / n));
    // The number of values beyond t is binomial with p = erfc(t / sqrt(2)).
    for (double t : {0.5, 1.0, 2.0, 3.0, 4.0}) {
        CAPTURE(t);
        const double p = std::erfc(t / std::sqrt(2.0));
        const auto beyond = std::ranges::count_if(x, [=](double v) { return std::abs(v) > t; });
        CHECK(std::abs(static_cast<double>(beyond) - n * p) < 5 * std::sqrt(n * p * (1 - p)) + 1);
    }
    // One number tells nothing about the next.
    double product = 0;
    for (int i = 1; i < n; ++i) {
        product += x[static_cast<std::size_t>(i)] * x[static_cast<std::size_t>(i - 1)];
    }
    CHECK(std::abs(product / n) < 5 / std::sqrt(n));
}

TEST_CASE("rng: normal agrees with the standard library's logarithm") {
    Rng rng(4);
    for (int i = 0; i < 20000; ++i) {
        Rng raw(0);
        raw.set_state(rng.state());
        double u = 0, r2 = 0;
        do {
            u = static_cast<double>(raw.next() >> 11) * 0x1p-52 - 1;
            const double v = static_cast<double>(raw.next() >> 11) * 0x1p-52 - 1;
            r2 = u * u + v * v;
        } while (r2 >= 1 || r2 == 0);
        const double want = u * std::sqrt(-2 * std::log(r2) / r2);
        const auto got = static_cast<double>(rng.normal());
        REQUIRE(std::abs(got - want) <= (kDouble ? 1e-15 : 1e-7) * std::abs(want));
        REQUIRE(rng.state() == raw.state());
    }
}

TEST_CASE("rng: normal scales") {
    Rng rng(5);
    const Moments m = moments(draws(100000, [&] { return rng.normal(7, 3); }));
    CHECK(m.mean == doctest::Approx(7).epsilon(0.01));
    CHECK(m.variance == doctest::Approx(9).epsilon(0.03));
    CHECK(rng.normal(4, 0) == 4);
}

TEST_CASE("rng: bounds and deviations that no distribution has") {
    Rng rng(1);
    const Real nan = std::numeric_limits<Real>::quiet_NaN(),
               most = std::numeric_limits<Real>::max();
    using Pair = std::pair<Real, Real>;
    for (const Pair& bounds : {Pair{3, 1}, Pair{nan, 1}, Pair{0, nan}, Pair{-most, most}}) {
        check_error([&] { rng.uniform(bounds.first, bounds.second); },
                    {"Rng::uniform: expected finite bounds with low <= high, got "});
    }
    for (const Pair& moments : {Pair{0, -1}, Pair{0, nan}, Pair{nan, 1}}) {
        check_error([&] { rng.normal(moments.first, moments.second); },
                    {"Rng::normal: expected a finite mean and a finite stddev of 0 or more, got "});
    }
    CHECK(rng.uniform(2, 2) == 2);
    CHECK(rng.normal(5, 0) == 5);
}

TEST_CASE("rng: below is unbiased") {
    Rng rng(6);
    for (Index count : {2, 3, 7, 10}) {
        CAPTURE(count);
        constexpr int n = 100000;
        std::vector<int> hits(static_cast<std::size_t>(count));
        for (int i = 0; i < n; ++i) ++hits[static_cast<std::size_t>(rng.below(count))];
        const double expected = static_cast<double>(n) / static_cast<double>(count);
        for (int h : hits) CHECK(std::abs(h - expected) < 5 * std::sqrt(expected));
    }
    // A modulus alone would return the first third of this range twice as often as the others.
    constexpr Index count = Index{3} << 61;
    int in_first_third = 0;
    for (int i = 0; i < 30000; ++i) in_first_third += rng.below(count) < (Index{1} << 61) ? 1 : 0;
    CHECK(std::abs(in_first_third - 10000) < 5 * std::sqrt(30000 * 2.0 / 9));
}

TEST_CASE("rng: below 1 is 0, and nothing is below 0") {
    Rng rng(7);
    CHECK(rng.below(1) == 0);
    check_error([&] { rng.below(0); }, {"Rng::below: expected a count of 1 or more, got 0"});
    check_error([&] { rng.below(-5); }, {"Rng::below: ", "got -5"});
}

TEST_CASE("rng: shuffle makes every order equally likely") {
    Rng rng(8);
    std::map<std::vector<Index>, int> seen;
    constexpr int n = 24000;
    for (int i = 0; i < n; ++i) {
        std::vector<Index> values{10, 20, 30, 40};
        rng.shuffle(values);
        ++seen[values];
    }
    CHECK(seen.size() == 24);
    for (const auto& [order, count] : seen) CHECK(std::abs(count - n / 24) < 5 * std::sqrt(n / 24));
}

TEST_CASE("rng: permutation holds every number once") {
    Rng rng(9);
    std::vector<Index> p = rng.permutation(1000);
    CHECK_FALSE(std::ranges::is_sorted(p));
    std::ranges::sort(p);
    for (Index i = 0; i < 1000; ++i) CHECK(p[static_cast<std::size_t>(i)] == i);
    CHECK(rng.permutation(0).empty());
    CHECK(rng.permutation(1) == std::vector<Index>{0});
    check_error([&] { rng.permutation(-1); },
                {"Rng::permutation: expected a count of 0 or more, got -1"});
    std::vector<Index> nothing;
    CHECK_NOTHROW(rng.shuffle(nothing));
}

TEST_CASE("rng: the state is all that there is to save") {
    Rng rng(10);
    rng.normal();
    rng.uniform();
    const Rng::State saved = rng.state();
    const std::vector<double> first = draws(5, [&] { return rng.normal(); });
    Rng other(11);
    other.set_state(saved);
    CHECK(draws(5, [&] { return other.normal(); }) == first);
    CHECK(other.state() == rng.state());
    check_error([&] { rng.set_state({0, 0, 0, 0}); }, {"Rng::set_state: ", "four zeros"});
    CHECK(rng.state() == other.state());
}

TEST_CASE("rng: a split stream differs, and so do seeds") {
    Rng rng(12);
    Rng other = rng.split();
    CHECK(other.state() != rng.state());
    int equal = 0;
    for (int i = 0; i < 1000; ++i) equal += rng.next() == other.next() ? 1 : 0;
    CHECK(equal == 0);
    CHECK(Rng(1).next() != Rng(2).next());
    CHECK(Rng(1).next() == Rng(1).next());
}

TEST_CASE("rng: the default generator starts from seed 0, on every thread" *
          doctest::skip(kOneThread)) {
    Rng::State main{}, other{};
    std::thread([&] { main = default_rng().state(); }).join();
    std::thread([&] {
        manual_seed(1);
        default_rng().next();
        other = default_rng().state();
    }).join();
    CHECK(main == Rng(0).state());
    Rng one(1);
    one.next();
    CHECK(other == one.state());
    manual_seed(5);
    CHECK(default_rng().state() == Rng(5).state());
    CHECK(default_rng().next() == Rng(5).next());
    CHECK(&default_rng() == &default_rng());
}

// What draws from the default generator draws what it would draw from one that is passed.
TEST_CASE("rng: where no generator is passed, the default one is used") {
    Rng rng(7);
    manual_seed(7);
    const auto same = [](const Tensor& a, const Tensor& b) {
        REQUIRE(a.shape() == b.shape());
        CHECK(std::ranges::equal(a.values(), b.values()));
    };
    same(randn({2, 3}), randn({2, 3}, rng));
    same(rand({2, 3}), rand({2, 3}, rng));
    same(rand_like(ones({2})), rand({2}, rng));
    same(randn_like(ones({2})), randn({2}, rng));
    CHECK(randint(9, {8}).values == randint(9, {8}, rng).values);
    CHECK(randint(3, 9, {8}).values == randint(3, 9, {8}, rng).values);
    CHECK(randperm(8).values == randperm(8, rng).values);
    same(Linear(3, 2).weight, Linear(3, 2, rng).weight);
    same(Linear(3, 2, {.bias = false}).weight, Linear(3, 2, {.bias = false}, rng).weight);
    same(Conv2d(2, 3, 3).weight, Conv2d(2, 3, {.kernel_size = 3}, rng).weight);
    same(Conv2d(2, 3, {.kernel_size = {1, 2}}).weight,
         Conv2d(2, 3, {.kernel_size = {1, 2}}, rng).weight);
    same(Maxout(3, 2, 2).weight, Maxout(3, 2, 2, rng).weight);
    CHECK(Dropout().rng_state() == Dropout(rng).rng_state());
    CHECK(Dropout(0.2).rng_state() == Dropout(0.2, rng).rng_state());
    CHECK(Dropout2d().rng_state() == Dropout2d(rng).rng_state());
    same(dropout(ones({20})), dropout(ones({20}), 0.5, rng));
    same(dropout2d(ones({2, 9, 1, 1}), 0.2), dropout2d(ones({2, 9, 1, 1}), 0.2, rng));
    const Tensor w = zeros({3, 2});
    same(kaiming_normal_(w).clone(), kaiming_normal_(w, {}, rng));
    same(kaiming_uniform_(w, {.fan = Fan::out}).clone(),
         kaiming_uniform_(w, {.fan = Fan::out}, rng));
    same(xavier_normal_(w).clone(), xavier_normal_(w, 1, rng));
    same(orthogonal_(w, 3).clone(), orthogonal_(w, 3, rng));
    same(uniform_(w, 2, 3).clone(), uniform_(w, 2, 3, rng));
    same(normal_(w, 2, 3).clone(), normal_(w, 2, 3, rng));
    same(trunc_normal_(w).clone(), trunc_normal_(w, 0, 1, -2, 2, rng));
    same(trunc_normal_(w, 1, 2, 0, 2).clone(), trunc_normal_(w, 1, 2, 0, 2, rng));
    uniform_by_fan_in_(w);
    const Tensor of_default = w.clone();
    uniform_by_fan_in_(w, {}, rng);
    same(of_default, w);
    Linear layer(3, 2), twin(3, 2, rng);
    layer.reset_parameters();
    twin.reset_parameters(rng);
    same(layer.weight, twin.weight);
    Module &any = layer, &other = twin;
    any.reset_parameters();
    other.reset_parameters(rng);
    same(layer.bias, twin.bias);
    same(Embedding(3, 2, {.padding_idx = 1}).weight,
         Embedding(3, 2, {.padding_idx = 1}, rng).weight);
    same(xavier_uniform_(w, 2).clone(), xavier_uniform_(w, 2, rng));
    CHECK(default_rng().state() == rng.state());
    const ImageDataset digits = synthetic_digits(4, 1);
    CHECK(DataLoader(digits).rng_state() == DataLoader(digits, {}, rng).rng_state());
    CHECK(DataLoader(digits, {.shuffle = true}).rng_state() ==
          DataLoader(digits, {.shuffle = true}, rng).rng_state());
    CHECK(default_rng().state() == rng.state());
}

TEST_CASE("rng: after the same seed, the same network") {
    const auto network = [] {
        manual_seed(3);
        return Sequential{Linear(4, 3), ReLU(), Dropout(0.5), Linear(3, 2)};
    };
    Sequential a = network(), b = network();
    const Tensor x = ones({5, 4});
    CHECK(text(a(x)) == text(b(x)));
    CHECK(text(a(x)) == text(b(x)));
}

}  // namespace primer
// SPDX-License-Identifier: MIT
