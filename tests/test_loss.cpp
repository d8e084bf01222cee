#include <limits>
#include <vector>

#include "primer/core/ops.h"
#include "primer/core/rng.h"
#include "primer/core/tape.h"
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

constexpr double inf = std::numeric_limits<double>::infinity();

// e^0 : e^ln2 : e^ln5 = 1/8 : 2/8 : 5/8, and 1/3 each.
Tensor two_rows() { return tensor({0, std::log(2.0), std::log(5.0), 7, 7, 7}, {2, 3}); }

IntTensor labels_for(Index rows, Index classes) {
    std::vector<Index> labels;
    for (Index r = 0; r < rows; ++r) labels.push_back(r * 5 % classes);
    return labels;
}

// -sum_c t_c ln softmax(x)_c, word for word.
double by_definition(const Tensor& logits, const IntTensor& labels, double smoothing) {
    const Index rows = logits.shape()[0], classes = logits.shape()[1];
    double loss = 0;
    for (Index r = 0; r < rows; ++r) {
        double sum = 0;
        for (Index c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(logits.at({r, c})));
        for (Index c = 0; c < classes; ++c) {
            const double label = labels.values[static_cast<std::size_t>(r)] == c ? 1 : 0;
            const double target =
                (1 - smoothing) * label + smoothing / static_cast<double>(classes);
            loss -= target * (static_cast<double>(logits.at({r, c})) - std::log(sum));
        }
    }
    return loss;
}

}  // namespace

TEST_CASE("cross_entropy: worked out by hand") {
    // -ln 5/8 and -ln 1/3
    const double first = std::log(1.6), second = std::log(3.0);
    const Tensor x = two_rows();
    check_values(cross_entropy(x, {2, 0}), {}, {(first + second) / 2});
    check_values(cross_entropy(x, {2, 0}, {.reduction = Reduction::mean}), {},
                 {(first + second) / 2});
    check_values(cross_entropy(x, {2, 0}, {.reduction = Reduction::sum}), {}, {first + second});
    check_values(cross_entropy(slice(x, 0, 1), {0}), {}, {std::log(8.0)});
    // One class alone is certain.
    check_values(cross_entropy(tensor({3, -5}, {2, 1}), {0, 0}), {}, {0});
}

TEST_CASE("cross_entropy: label smoothing, worked out by hand") {
    const Tensor x = slice(two_rows(), 0, 1);
    const double p0 = std::log(8.0), p1 = std::log(4.0),
                 p2 = std::log(1.6);  // -ln of 1/8, 2/8, 5/8
    check_values(cross_entropy(x, {2}, {.label_smoothing = 0}), {}, {p2});
    // s = 0.3: the label has 0.7 + 0.1, the others 0.1.
    check_values(cross_entropy(x, {2}, {.label_smoothing = 0.3}), {},
                 {0.1 * p0 + 0.1 * p1 + 0.8 * p2});
    // s = 1: the label does not matter.
    check_values(cross_entropy(x, {2}, {.label_smoothing = 1}), {}, {(p0 + p1 + p2) / 3});
    check_values(cross_entropy(x, {0}, {.label_smoothing = 1}), {}, {(p0 + p1 + p2) / 3});
}

TEST_CASE("cross_entropy: gradient worked out by hand") {
    // (p - t) / 2 for the mean of two rows
    const Tensor x = two_rows().requires_grad_();
    const double third = 1.0 / 3;
    {
        Tape tape;
        tape.backward(cross_entropy(x, {2, 0}));
    }
    check_values(x.grad(), {2, 3}, {0.0625, 0.125, -0.1875, (third - 1) / 2, third / 2, third / 2});
    x.set_grad({});
    {
        Tape tape;  // summed, smoothed, and with a gradient of 10 from above
        tape.backward(mul(
            cross_entropy(x, {2, 0}, {.reduction = Reduction::sum, .label_smoothing = 0.3}), 10));
    }
    check_values(x.grad(), {2, 3},
                 {1.25 - 1, 2.5 - 1, 6.25 - 8, 10 * third - 8, 10 * third - 1, 10 * third - 1});
}

TEST_CASE("cross_entropy: the definition, for all options") {
    Rng rng(1);
    for (const Shape& shape :
         {Shape{1, 1}, Shape{1, 5}, Shape{7, 1}, Shape{7, 10}, Shape{513, 33}}) {
        const Tensor x = mul(randn(shape, rng), 3);
        const IntTensor labels = labels_for(shape[0], shape[1]);
        for (double smoothing : {0.0, 0.1, 1.0}) {
            CAPTURE(shape.str());
            CAPTURE(smoothing);
            const double want = by_definition(x, labels, smoothing);
            check_values(cross_entropy(x, labels, {Reduction::sum, smoothing}), {}, {want});
            check_values(cross_entropy(x, labels, {Reduction::mean, smoothing}), {},
                         {want / static_cast<double>(shape[0])});
        }
    }
}

TEST_CASE("cross_entropy: gradients, for all options") {
    Rng rng(2);
    for (const Shape& shape : {Shape{1, 1}, Shape{1, 5}, Shape{7, 1}, Shape{5, 4}, Shape{0, 3}}) {
        for (double smoothing : {0.0, 0.1, 1.0}) {
            for (Reduction reduction : {Reduction::mean, Reduction::sum}) {
                CAPTURE(shape.str());
                CAPTURE(smoothing);
                if (shape[0] == 0 && reduction == Reduction::mean) continue;  // is NaN
                const IntTensor labels = labels_for(shape[0], shape[1]);
                check_gradients(
                    [=](const Inputs& x) {
                        return cross_entropy(x[0], labels, {reduction, smoothing});
                    },
                    {randn(shape, rng)});
            }
        }
    }
    check_gradients(
        [](const Inputs& x) {
            return cross_entropy(matmul(x[0], x[0]), {2, 0, 1});
        },
        {randn({3, 3}, rng)});
}

TEST_CASE("cross_entropy: logits of ten thousand and more, value and gradient") {
    const Tensor x =
        tensor({1e4, -1e4, 0, 1e4, -1e4, 0, -1e4, -1e4, -1e4}, {3, 3}).requires_grad_();
    // Certain and right; certain and wrong by 20000; all alike.
    const double ln3 = std::log(3.0), third = 1.0 / 3;
    {
        Tape tape;
        const Tensor loss = cross_entropy(x, {0, 1, 2}, {.reduction = Reduction::sum});
        check_values(loss, {}, {0 + 2e4 + ln3});
        tape.backward(loss);
    }
    check_values(x.grad(), {3, 3}, {0, 0, 0, 1, -1, 0, third, third, third - 1});
    x.set_grad({});
    {
        // The label's 1 - s times the above, and s times the mean of 0, 20000, 10000 for both rows.
        Tape tape;
        const Tensor loss = cross_entropy(x, {0, 1, 2}, {Reduction::sum, 0.1});
        check_values(loss, {}, {0.1 * 1e4 + (0.9 * 2e4 + 0.1 * 1e4) + ln3});
        tape.backward(loss);
    }
    const double s = 0.1 / 3;
    check_values(x.grad(), {3, 3},
                 {1 - 0.9 - s, -s, -s, 1 - s, -0.9 - s, -s, third - s, third - s, third - 0.9 - s});
    constexpr auto most = static_cast<double>(std::numeric_limits<Real>::max());
    check_values(cross_entropy(tensor({most, 0}, {1, 2}), {0}), {}, {0});
    check_values(cross_entropy(tensor({most, 0}, {1, 2}), {1}), {}, {most});
}

TEST_CASE("cross_entropy: an impossible class, NaN and infinity") {
    const Tensor x = tensor({0, -inf, 0}, {1, 3}).requires_grad_();
    {
        Tape tape;
        const Tensor loss = cross_entropy(x, {0});
        check_values(loss, {}, {std::log(2.0)});
        tape.backward(loss);
    }
    check_values(x.grad(), {1, 3}, {-0.5, 0, 0.5});
    check_values(cross_entropy(x, {1}), {}, {inf});
    check_values(cross_entropy(x, {0}, {.label_smoothing = 0.1}), {}, {inf});
    for (double bad : {static_cast<double>(NAN), inf}) {
        for (Index at : {0, 1, 2}) {
            const Tensor y = zeros({1, 3});
            y.mutable_data()[at] = static_cast<Real>(bad);
            CHECK(std::isnan(cross_entropy(y, {0}).item()));
        }
    }
}

TEST_CASE("cross_entropy: no examples sum to 0 and have no mean") {
    const Tensor x = zeros({0, 3}).requires_grad_();
    check_values(cross_entropy(x, IntTensor(std::vector<Index>{}), {.reduction = Reduction::sum}),
                 {}, {0});
    Tape tape;
    const Tensor loss = cross_entropy(x, IntTensor(std::vector<Index>{}));
    check_values(loss, {}, {NAN});
    tape.backward(loss);
    CHECK(x.grad().shape() == Shape{0, 3});
}

TEST_CASE("cross_entropy: the labels may be gone when backward runs") {
    const Tensor x = two_rows().requires_grad_();
    Tape tape;
    Tensor loss;
    {
        IntTensor labels{2, 0};
        loss = cross_entropy(x, labels);
        labels.values.assign(2, 1);
    }
    tape.backward(loss);
    CHECK(x.grad().at({0, 2}) < 0);
    CHECK(x.grad().at({1, 0}) < 0);
}

TEST_CASE("cross_entropy: what does not fit") {
    check_error(
        [] {
            cross_entropy(zeros({2, 3}), {0, 3});
        },
        {"cross_entropy: label 3 of example 1 is outside 0 ... 2 for logits [2, 3]",
         "has the last layer an output for every class?"});
    check_error(
        [] {
            cross_entropy(zeros({2, 3}), {-1, 0});
        },
        {"label -1 of example 0 is outside"});
    check_error(
        [] {
            cross_entropy(zeros({2, 3}), {0, 1, 2});
        },
        {"cross_entropy: expected 2 labels for logits [2, 3], got labels of shape [3]"});
    check_error(
        [] {
            cross_entropy(zeros({2, 3}), IntTensor(Shape{2, 1}, {0, 1}));
        },
        {"got labels of shape [2, 1]"});
    check_error([] { cross_entropy(zeros({2, 3}), IntTensor()); }, {"got labels of shape [0]"});
    check_error([] { cross_entropy(zeros({3}), {0}); },
                {"cross_entropy: expected logits [N, classes], got [3]"});
    check_error([] { cross_entropy(zeros({2, 3, 4}), {0, 1}); }, {"got [2, 3, 4]"});
    check_error([] { cross_entropy(zeros({2, 0}), {0, 0}); }, {"got [2, 0]"});
    for (double s : {-0.1, 1.1, static_cast<double>(NAN)}) {
        check_error(
            [=] {
                cross_entropy(zeros({1, 2}), {0}, {.label_smoothing = s});
            },
            {"cross_entropy: expected a label_smoothing from 0 to 1, got "});
    }
    check_error([] { cross_entropy(Tensor(), {0}); }, {"undefined"});
}

TEST_CASE("mse_loss: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}), t = tensor({0, 4, 3, 1}, {2, 2});
    // 1 + 4 + 0 + 9
    check_values(mse_loss(x, t), {}, {3.5});
    check_values(mse_loss(x, t, Reduction::mean), {}, {3.5});
    check_values(mse_loss(x, t, Reduction::sum), {}, {14});
    check_values(mse_loss(Tensor(5), Tensor(2)), {}, {9});
    check_values(mse_loss(zeros({0}), zeros({0}), Reduction::sum), {}, {0});
    check_values(mse_loss(zeros({0}), zeros({0})), {}, {NAN});
}

TEST_CASE("mse_loss: gradient worked out by hand") {
    const Tensor x = tensor({1, 2}).requires_grad_(), t = tensor({0, 4}).requires_grad_();
    Tape tape;
    const Tensor loss = mul(mse_loss(x, t), 10);
    CHECK(tape.size() == 2);  // it is one op
    tape.backward(loss);
    check_values(x.grad(), {2}, {10, -20});  // 10 * 2 (x - t) / 2
    check_values(t.grad(), {2}, {-10, 20});
}

TEST_CASE("mse_loss: gradients, for all options") {
    Rng rng(3);
    for (Reduction reduction : {Reduction::mean, Reduction::sum}) {
        const auto f = [=](const Inputs& x) { return mse_loss(x[0], x[1], reduction); };
        for (const Shape& shape :
             {Shape{}, Shape{1}, Shape{5}, Shape{2, 3}, Shape{2, 1, 2, 1, 2, 1}}) {
            CAPTURE(shape.str());
            const Tensor constant = randn(shape, rng);
            check_gradients(f, {randn(shape, rng), randn(shape, rng)});
            check_gradients([=](const Inputs& x) { return mse_loss(x[0], constant, reduction); },
                            {randn(shape, rng)});
            check_gradients([=](const Inputs& x) { return mse_loss(constant, x[0], reduction); },
                            {randn(shape, rng)});
        }
        check_gradients([=](const Inputs& x) { return mse_loss(x[0], x[0], reduction); },
                        {randn({3}, rng)});
        check_gradients(f, {zeros({0, 2}), zeros({0, 2})});
    }
}

TEST_CASE("mse_loss: shapes must be equal, for broadcasting would hide a mistake") {
    check_error(
        [] {
            mse_loss(zeros({4, 1}), zeros({4}));
        },
        {"mse_loss: expected two tensors of one shape, got [4, 1] and [4]"});
    check_error([] { mse_loss(zeros({4}), 0); }, {"got [4] and []"});
    check_error([] { mse_loss(Tensor(), zeros({4})); }, {"undefined"});
}

}  // namespace primer
