#include <primer/core/metrics.h>
#include <cmath>

#include <limits>
#include <sstream>

#include "support.h"

namespace primer {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("metrics: top-k by hand") {
    // Ranks of the classes: 2 0 1 | 0 1 2 | 1 2 0.
    const Tensor outputs = tensor({5, 1, 9, 7, 3, 2, -5, -1, -2}, {3, 3});
    CHECK(count_correct(outputs, {2, 0, 1}) == 3);
    CHECK(count_correct(outputs, {0, 1, 2}) == 0);
    CHECK(count_correct(outputs, {0, 1, 2}, 2) == 3);
    CHECK(count_correct(outputs, {1, 2, 0}, 2) == 0);
    CHECK(count_correct(outputs, {1, 2, 0}, 3) == 3);
    CHECK(top_k_accuracy(outputs, {2, 1, 0}) == doctest::Approx(1.0 / 3));
    CHECK(top_k_accuracy(outputs, {2, 1, 0}, 2) == doctest::Approx(2.0 / 3));
    CHECK(std::isnan(top_k_accuracy(empty({0, 3}), IntTensor(std::vector<Index>{}))));
}

TEST_CASE("metrics: equal outputs and NaN are ranked as argmax does") {
    const Tensor outputs = tensor({4, 4, 4, 1, nan, 9}, {2, 3});
    CHECK(count_correct(outputs, {0, 1}) == 2);
    CHECK(count_correct(outputs, {1, 2}) == 0);
    CHECK(count_correct(outputs, {1, 2}, 2) == 2);
    CHECK(count_correct(outputs, {2, 0}, 2) == 0);
}

TEST_CASE("metrics: a confusion matrix by hand") {
    ConfusionMatrix matrix(3);
    CHECK(std::isnan(matrix.accuracy()));
    const Tensor guesses_0_0_1_2 = tensor({1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, {4, 3});
    matrix.add(guesses_0_0_1_2, {0, 1, 1, 1});
    matrix.add(guesses_0_0_1_2, {0, 0, 0, 2});
    CHECK(matrix.at(0, 0) == 3);
    CHECK(matrix.at(0, 1) == 1);
    CHECK(matrix.at(1, 0) == 1);
    CHECK(matrix.at(1, 1) == 1);
    CHECK(matrix.at(1, 2) == 1);
    CHECK(matrix.at(2, 2) == 1);
    CHECK(matrix.accuracy() == doctest::Approx(5.0 / 8));
    CHECK(matrix.accuracy_of(0) == doctest::Approx(3.0 / 4));
    CHECK(matrix.accuracy_of(1) == doctest::Approx(1.0 / 3));
    std::ostringstream text;
    text << matrix;
    CHECK(text.str() ==
          "label \\ guess 0 1 2\n"
          "            0 3 1 0\n"
          "            1 1 1 1\n"
          "            2 0 0 1\n");
}

TEST_CASE("metrics: loss_value stops at a loss that is not finite") {
    CHECK(loss_value(Tensor(0.5)) == 0.5);
    check_error([] { loss_value(Tensor(NAN)); }, {"the loss is not finite (", "diverged"});
    check_error([] { loss_value(Tensor(INFINITY)); }, {"the loss is not finite (inf)"});
    check_error([] { loss_value(ones({2})); },
                {"loss_value: expected a loss of one element, got shape [2]", "mean()"});
}

TEST_CASE("metrics: shapes and labels that do not fit") {
    const Tensor outputs = zeros({2, 3});
    check_error([&] { count_correct(zeros({3}), {0}); }, {"count_correct", "[N, classes]", "[3]"});
    check_error([&] { count_correct(outputs, {0}); },
                {"count_correct", "2 labels", "[2, 3]", "[1]"});
    check_error([&] { count_correct(outputs, {0, 3}); }, {"label 3 is outside 0 ... 2"});
    check_error([&] { count_correct(outputs, {0, 1}, 0); }, {"k from 1 to 3", "0"});
    check_error([&] { count_correct(outputs, {0, 1}, 4); }, {"k from 1 to 3", "4"});
    check_error([&] { ConfusionMatrix(0); }, {"ConfusionMatrix", "0"});
    ConfusionMatrix matrix(4);
    check_error([&] { matrix.add(outputs, {0, 1}); }, {"ConfusionMatrix", "[N, 4]", "[2, 3]"});
    check_error([&] { matrix.add(0, 4); }, {"ConfusionMatrix: expected classes from 0 to 3"});
    check_error([&] { matrix.at(0, 4); }, {"0 to 3", "0 and 4"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
