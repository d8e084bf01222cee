#include <limits>
#include <vector>

#include <primer/core/kernels/parallel.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

using Inputs = std::vector<Tensor>;

constexpr double inf = std::numeric_limits<double>::infinity();

Tensor leaf(const Tensor& x) { return x.requires_grad_(); }

double value(const Tensor& x) { return static_cast<double>(x.item()); }

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

// --- cross_entropy ------------------------------------------------------------------------------

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
            check_values(cross_entropy(x, labels,
                                       {.reduction = Reduction::sum, .label_smoothing = smoothing}),
                         {}, {want});
            check_values(
                cross_entropy(x, labels,
                              {.reduction = Reduction::mean, .label_smoothing = smoothing}),
                {}, {want / static_cast<double>(shape[0])});
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
                        return cross_entropy(
                            x[0], labels, {.reduction = reduction, .label_smoothing = smoothing});
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
        const Tensor loss =
            cross_entropy(x, {0, 1, 2}, {.reduction = Reduction::sum, .label_smoothing = 0.1});
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

TEST_CASE("cross_entropy: shapes and labels that do not fit") {
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
        {"cross_entropy: expected labels of shape [2] for logits [2, 3], got [3]"});
    check_error(
        [] {
            cross_entropy(zeros({2, 3}), IntTensor(Shape{2, 1}, {0, 1}));
        },
        {"got [2, 1]"});
    check_error([] { cross_entropy(zeros({2, 3}), IntTensor()); }, {"for logits [2, 3], got [0]"});
    check_error([] { cross_entropy(zeros({3}), {0}); },
                {"cross_entropy: expected labels of shape [] for logits [3], got [1]"});
    check_error(
        [] {
            cross_entropy(zeros({2, 3, 4}), {0, 1});
        },
        {"expected labels of shape [2, 4] for logits [2, 3, 4], got [2]"});
    check_error([] { cross_entropy(zeros({2, 0}), {0, 0}); }, {"got [2, 0]"});
    check_error([] { cross_entropy(zeros({}), {0}); },
                {"cross_entropy: expected logits [N, classes, ...] or [classes]", "got []"});
    check_error(
        [] {
            cross_entropy(zeros({2, 3, 2}), IntTensor({2, 2}, {0, 1, 7, 2}));
        },
        {"label 7 at [1, 0] is outside 0 ... 2 for logits [2, 3, 2]"});
    check_error([] { cross_entropy(zeros({3}), IntTensor(Shape{}, {3})); },
                {"label 3 is outside 0 ... 2 for logits [3]"});
    check_error(
        [] {
            cross_entropy(zeros({1, 3}), {0}, {.weight = ones({2})});
        },
        {"cross_entropy: expected a weight [3], one for each class, got [2]"});
    check_error(
        [] {
            cross_entropy(zeros({1, 3}), {0}, {.reduction = Reduction::batchmean});
        },
        {"cross_entropy: Reduction::batchmean is for kl_div only"});
    for (double s : {-0.1, 1.1, static_cast<double>(NAN)}) {
        check_error(
            [=] {
                cross_entropy(zeros({1, 2}), {0}, {.label_smoothing = s});
            },
            {"cross_entropy: expected a label_smoothing from 0 to 1, got "});
    }
    check_error([] { cross_entropy(Tensor(), {0}); }, {"undefined"});
}

// In the rows of two_rows, -ln of 1/8, 2/8, 5/8, and three times ln 3.
const double kCosts[] = {std::log(8.0), std::log(4.0), std::log(1.6), std::log(3.0)};

TEST_CASE("cross_entropy: weights, by hand") {
    const Tensor x = two_rows(), weight = tensor({2, 0.5, 3});
    const auto [c0, c1, c2, ln3] = kCosts;
    const double first = 3 * c2, second = 2 * ln3;  // of the labels 2 and 0
    const auto loss = [&](Reduction reduction, double smoothing) {
        return cross_entropy(
            x, {2, 0}, {.weight = weight, .reduction = reduction, .label_smoothing = smoothing});
    };
    check_values(loss(Reduction::none, 0), {2}, {first, second});
    check_values(loss(Reduction::sum, 0), {}, {first + second});
    check_values(loss(Reduction::mean, 0), {}, {(first + second) / 5});
    // s = 0.3: 0.7 of the above, and 0.1 of the weighted losses of all classes. The mean divides by
    // the weights of the labels, as before.
    const double a = 0.7 * first + 0.1 * (2 * c0 + 0.5 * c1 + 3 * c2);
    const double b = 0.7 * second + 0.1 * 5.5 * ln3;
    check_values(loss(Reduction::none, 0.3), {2}, {a, b});
    check_values(loss(Reduction::mean, 0.3), {}, {(a + b) / 5});

    leaf(x);
    Tape tape;
    tape.backward(loss(Reduction::sum, 0));
    // weight (p - t)
    check_values(x.grad(), {2, 3}, {3.0 / 8, 6.0 / 8, -9.0 / 8, -4.0 / 3, 2.0 / 3, 2.0 / 3});
}

TEST_CASE("cross_entropy: ignored labels, by hand") {
    const Tensor x = concat({two_rows(), tensor({NAN, 1, 2}, {1, 3})}), weight = tensor({2, 0, 3});
    leaf(x);
    const double c2 = kCosts[2], ln3 = kCosts[3];
    const auto check_case = [&](const IntTensor& labels, const CrossEntropyOptions& options,
                                double loss, std::initializer_list<double> grad) {
        x.set_grad({});
        Tape tape;
        const Tensor l = cross_entropy(x, labels, options);
        check_values(l, {}, {loss});
        tape.backward(l);
        check_values(x.grad(), {3, 3}, grad);
    };
    const double third = 1.0 / 3;
    check_case({2, 0, -100}, {}, (c2 + ln3) / 2,
               {0.0625, 0.125, -0.1875, -third, third / 2, third / 2, 0, 0, 0});
    check_case({2, -100, -100}, {}, c2, {0.125, 0.25, -0.375, 0, 0, 0, 0, 0, 0});
    check_case({2, 1, 1}, {.ignore_index = 1}, c2, {0.125, 0.25, -0.375, 0, 0, 0, 0, 0, 0});
    check_case({2, 7, 7}, {.weight = weight, .ignore_index = 7}, c2,
               {0.125, 0.25, -0.375, 0, 0, 0, 0, 0, 0});
    check_values(cross_entropy(x, {2, -100, -100}, {.reduction = Reduction::none}), {3},
                 {c2, 0, 0});
    // None is left. The weights of the labels add up to 0.
    for (const double smoothing : {0.0, 0.5}) {
        check_case({-100, -100, -100}, {.label_smoothing = smoothing}, NAN,
                   {0, 0, 0, 0, 0, 0, 0, 0, 0});
        check_case({-100, -100, -100}, {.reduction = Reduction::sum, .label_smoothing = smoothing},
                   0, {0, 0, 0, 0, 0, 0, 0, 0, 0});
    }
    check_case({1, 1, -100}, {.weight = weight}, NAN, {NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, 0});
}

// As PyTorch: 0 times the infinite loss of an impossible class is NaN; a class that is not a label
// does not matter.
TEST_CASE("cross_entropy: weights of 0 and infinity") {
    const Tensor x = leaf(tensor({0, -inf, 0}, {1, 3}));
    check_values(cross_entropy(x, {1}, {.weight = tensor({1, 0, 1}), .reduction = Reduction::sum}),
                 {}, {NAN});
    Tape tape;
    const Tensor loss =
        cross_entropy(x, {0}, {.weight = tensor({1, inf, 0}), .reduction = Reduction::sum});
    check_values(loss, {}, {std::log(2.0)});
    tape.backward(loss);
    check_values(x.grad(), {1, 3}, {-0.5, 0, 0.5});
}

TEST_CASE("cross_entropy: other shapes are rows of examples") {
    Rng rng(3);
    const Tensor weight = tensor({1, 2, 0.5, 3});
    for (const Reduction reduction : {Reduction::none, Reduction::sum, Reduction::mean}) {
        const CrossEntropyOptions options{weight, 1, reduction, 0.2};
        for (const Shape& shape :
             {Shape{2, 4, 1}, Shape{3, 4, 5}, Shape{2, 4, 3, 2}, Shape{2, 4, 0}, Shape{0, 4, 3}}) {
            CAPTURE(shape.str());
            const Index inner = shape.slice(2, shape.rank()).numel(), rows = shape[0] * inner;
            const Tensor x = leaf(randn(shape, rng));
            const IntTensor labels(shape.without(1), labels_for(rows, 4).values);
            Tape tape;
            const Tensor loss = cross_entropy(x, labels, options);
            tape.backward(sum(loss * loss));
            const Tensor grad = x.grad();
            x.set_grad({});

            Tape second;
            const Tensor flat =
                reshape(transpose(reshape(x, {shape[0], 4, inner}), 1, 2), {rows, 4});
            const Tensor same = cross_entropy(flat, labels.values, options);
            CHECK(loss.shape() == (reduction == Reduction::none ? labels.shape : Shape{}));
            const auto equal = [](Real a, Real b) {
                return a == b || (std::isnan(a) && std::isnan(b));
            };
            CHECK(std::ranges::equal(loss.values(), same.values(), equal));
            second.backward(sum(same * same));
            CHECK(std::ranges::equal(grad.values(), x.grad().values(), equal));
        }
        // One example without a batch
        const Tensor x = randn({4}, rng);
        const Tensor one = cross_entropy(x, IntTensor(Shape{}, {2}), options);
        const Tensor batch = cross_entropy(reshape(x, {1, 4}), {2}, options);
        CHECK(one.shape() == Shape{});
        CHECK(one.item() == batch.item());
    }
}

TEST_CASE("cross_entropy: gradients with weights, ignored labels and other shapes") {
    Rng rng(4);
    const Tensor weight = tensor({1, 2, 0.5});
    for (const Reduction reduction : {Reduction::none, Reduction::sum, Reduction::mean}) {
        for (const double s : {0.0, 0.2, 1.0}) {
            for (const Tensor& w : {Tensor(), weight}) {
                const CrossEntropyOptions options{w, 0, reduction, s};
                const auto check_case = [&](const Shape& shape, const IntTensor& labels) {
                    CAPTURE(shape.str());
                    check_gradients(
                        [&](const Inputs& in) { return cross_entropy(in[0], labels, options); },
                        {randn(shape, rng)});
                };
                check_case({4, 3}, {2, 0, 1, 1});
                check_case({2, 3, 2}, IntTensor({2, 2}, {2, 0, 1, 1}));
                check_case({1, 3, 2, 2}, IntTensor({1, 2, 2}, {1, 0, 2, 2}));
                check_case({3}, IntTensor(Shape{}, {2}));
            }
        }
    }
}

TEST_CASE("cross_entropy: probabilities, by hand") {
    const Tensor x = two_rows(), t = tensor({0.5, 0, 0.5, 0.2, 0.3, 0.5}, {2, 3});
    const auto [c0, c1, c2, ln3] = kCosts;
    const double first = (c0 + c2) / 2;
    check_values(cross_entropy(x, t), {}, {(first + ln3) / 2});
    check_values(cross_entropy(x, t, {.reduction = Reduction::sum}), {}, {first + ln3});
    check_values(cross_entropy(x, t, {.reduction = Reduction::none}), {2}, {first, ln3});
    const Tensor weight = tensor({2, 1, 4});
    check_values(cross_entropy(x, t, {.weight = weight}), {},
                 {(c0 + 2 * c2 + (0.4 + 0.3 + 2) * ln3) / 2});
    // s = 0.3: the targets of the first row are 0.45, 0.1, 0.45.
    check_values(cross_entropy(x, t, {.reduction = Reduction::none, .label_smoothing = 0.3}), {2},
                 {0.45 * (c0 + c2) + 0.1 * c1, ln3});
    // One label's probability is 1.
    check_values(cross_entropy(x, tensor({0, 0, 1, 1, 0, 0}, {2, 3})), {}, {(c2 + ln3) / 2});
    // An example without a batch; classes in the middle.
    const Tensor one = slice(x, 0, 1), of_one = slice(t, 0, 1);
    check_values(cross_entropy(reshape(one, {3}), reshape(of_one, {3})), {}, {first});
    check_values(cross_entropy(reshape(transpose(x, 0, 1), {1, 3, 2}),
                               reshape(transpose(t, 0, 1), {1, 3, 2}),
                               {.weight = weight, .reduction = Reduction::none}),
                 {1, 2}, {c0 + 2 * c2, 2.7 * ln3});
    check_values(cross_entropy(zeros({0, 3}), zeros({0, 3})), {}, {NAN});

    leaf(x), leaf(t);
    Tape tape;
    tape.backward(cross_entropy(x, t, {.reduction = Reduction::sum}));
    check_values(t.grad(), {2, 3}, {c0, c1, c2, ln3, ln3, ln3});
    const double third = 1.0 / 3;
    check_values(x.grad(), {2, 3},
                 {0.125 - 0.5, 0.25, 0.625 - 0.5, third - 0.2, third - 0.3, third - 0.5});
}

TEST_CASE("cross_entropy: gradients of logits and probabilities") {
    Rng rng(5);
    for (const Reduction reduction : {Reduction::none, Reduction::sum, Reduction::mean}) {
        for (const double s : {0.0, 0.2, 1.0}) {
            for (const Tensor& weight : {Tensor(), tensor({1, 2, 0.5})}) {
                for (const Shape& shape : {Shape{3}, Shape{2, 3}, Shape{2, 3, 2}}) {
                    CAPTURE(shape.str());
                    check_gradients(
                        [&](const Inputs& in) {
                            return cross_entropy(
                                in[0], in[1],
                                {.weight = weight, .reduction = reduction, .label_smoothing = s});
                        },
                        {randn(shape, rng), rand(shape, rng)});
                }
            }
        }
    }
}

TEST_CASE("cross_entropy: probabilities that do not fit") {
    const Tensor x = zeros({2, 3});
    check_error(
        [&] { cross_entropy(x, zeros({2})); },
        {"cross_entropy: expected target probabilities of the logits' shape [2, 3]", "got [2]"});
    check_error([&] { cross_entropy(x, x, {.weight = ones({2})}); },
                {"cross_entropy: expected a weight [3], one for each class, got [2]"});
    check_error([&] { cross_entropy(x, x, {.ignore_index = 1}); },
                {"ignore_index is for labels, not for probabilities; got 1"});
    check_error([&] { cross_entropy(x, x, {.label_smoothing = 2}); }, {"label_smoothing"});
    check_error([&] { cross_entropy(x, x, {.reduction = Reduction::batchmean}); }, {"kl_div only"});
    check_error([&] { cross_entropy(zeros({}), zeros({})); }, {"got []"});
}

// --- mse_loss -----------------------------------------------------------------------------------

TEST_CASE("mse_loss: worked out by hand") {
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2}), t = tensor({0, 4, 3, 1}, {2, 2});
    // 1 + 4 + 0 + 9
    check_values(mse_loss(x, t), {}, {3.5});
    check_values(mse_loss(x, t, Reduction::mean), {}, {3.5});
    check_values(mse_loss(x, t, Reduction::sum), {}, {14});
    check_values(mse_loss(x, t, Reduction::none), {2, 2}, {1, 4, 0, 9});
    check_values(mse_loss(Tensor(5), Tensor(2)), {}, {9});
    check_values(mse_loss(zeros({0}), zeros({0}), Reduction::sum), {}, {0});
    check_values(mse_loss(zeros({0}), zeros({0})), {}, {NAN});
}

TEST_CASE("losses: the reduction is an option of every one") {
    const Tensor x = tensor({{0.25, 0.75}}), t = tensor({{0.5, 1}});
    const auto summed = [](const Tensor& all, const Tensor& sum_of_all) {
        CHECK(all.shape() == Shape{1, 2});
        CHECK(sum_of_all.item() == doctest::Approx(sum(all).item()));
    };
    const auto none = Reduction::none;
    summed(mse_loss(x, t, {.reduction = none}), mse_loss(x, t, {.reduction = Reduction::sum}));
    summed(mse_loss(x, t, none), mse_loss(x, t, Reduction::sum));
    summed(l1_loss(x, t, {.reduction = none}), l1_loss(x, t, {.reduction = Reduction::sum}));
    summed(l1_loss(x, t, none), l1_loss(x, t, Reduction::sum));
    summed(smooth_l1_loss(x, t, {.reduction = none}),
           smooth_l1_loss(x, t, {.reduction = Reduction::sum}));
    summed(huber_loss(x, t, {.reduction = none}), huber_loss(x, t, {.reduction = Reduction::sum}));
    summed(kl_div(x, t, {.reduction = none}), kl_div(x, t, {.reduction = Reduction::sum}));
    summed(binary_cross_entropy(x, t, {.reduction = none}),
           binary_cross_entropy(x, t, {.reduction = Reduction::sum}));
    summed(binary_cross_entropy_with_logits(x, t, {.reduction = none}),
           binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::sum}));
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
    for (Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
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

TEST_CASE("mse_loss: shapes must be equal, because broadcasting would hide a mistake") {
    check_error(
        [] {
            mse_loss(zeros({4, 1}), zeros({4}));
        },
        {"mse_loss: expected two tensors of one shape, got [4, 1] and [4]"});
    check_error([] { mse_loss(zeros({4}), 0); }, {"got [4] and []"});
    check_error([] { mse_loss(Tensor(), zeros({4})); }, {"undefined"});
    check_error([] { mse_loss(zeros({4}), zeros({4}), Reduction::batchmean); },
                {"mse_loss: Reduction::batchmean is for kl_div only; use mean, sum or none"});
}

// --- nll_loss -----------------------------------------------------------------------------------

TEST_CASE("nll_loss: by hand") {
    const Tensor x = leaf(tensor({-0.5, -1, -2,  //
                                  -3, -0.25, -4},
                                 {2, 3}));
    Tape tape;
    const Tensor loss = nll_loss(x, {2, 1});  // (2 + 0.25) / 2
    check_values(loss, {}, {1.125});
    tape.backward(loss);
    check_values(x.grad(), {2, 3}, {0, 0, -0.5, 0, -0.5, 0});
    check_values(nll_loss(x, {2, 1}, {.reduction = Reduction::sum}), {}, {2.25});
    check_values(nll_loss(x, {0, 0}, {.reduction = Reduction::sum}), {}, {3.5});
    check_values(
        nll_loss(zeros({0, 3}), IntTensor(std::vector<Index>{}), {.reduction = Reduction::sum}), {},
        {0});
}

TEST_CASE("nll_loss: of log_softmax it is cross_entropy") {
    Rng rng(1);
    const Tensor x = randn({7, 5}, rng);
    const IntTensor labels{0, 4, 2, 2, 1, 3, 0};
    CHECK(value(nll_loss(log_softmax(x, 1), labels)) ==
          doctest::Approx(value(cross_entropy(x, labels))).epsilon(kTolerance));
}

TEST_CASE("nll_loss: weights, ignored labels and other shapes, by hand") {
    const Tensor x = leaf(tensor({-0.5, -1, -2,  //
                                  -3, -0.25, -4},
                                 {2, 3}));
    const Tensor weight = tensor({2, 8, 0.5});
    check_values(nll_loss(x, {2, 1}, {.reduction = Reduction::none}), {2}, {2, 0.25});
    check_values(nll_loss(x, {2, 1}, {.weight = weight, .reduction = Reduction::none}), {2},
                 {1, 2});
    check_values(nll_loss(x, {2, 1}, {.weight = weight}), {}, {3 / 8.5});
    check_values(nll_loss(x, {2, -100}), {}, {2});
    check_values(nll_loss(x, {2, 0}, {.ignore_index = 0, .reduction = Reduction::none}), {2},
                 {2, 0});
    check_values(nll_loss(x, {-100, -100}), {}, {NAN});
    check_values(nll_loss(x, {-100, -100}, {.reduction = Reduction::sum}), {}, {0});
    check_values(nll_loss(reshape(slice(x, 0, 1), {3}), IntTensor(Shape{}, {1})), {}, {1});
    // [1, 3, 2]: the examples are (-0.5, -2, -0.25) and (-1, -3, -4).
    check_values(nll_loss(reshape(x, {1, 3, 2}), IntTensor({1, 2}, {2, 1}), Reduction::none),
                 {1, 2}, {0.25, 3});
    Tape tape;
    tape.backward(nll_loss(x, {2, 0}, {weight, 0, Reduction::sum}) * 3);
    check_values(x.grad(), {2, 3}, {0, 0, -1.5, 0, 0, 0});
    // As PyTorch: the weight of a label that is -infinity matters, that of another class does not.
    const Tensor none = tensor({-inf, -1}, {1, 2});
    check_values(nll_loss(none, {0}, {.weight = tensor({0, 1}), .reduction = Reduction::sum}), {},
                 {NAN});
    check_values(nll_loss(none, {1}, {.weight = tensor({inf, 1}), .reduction = Reduction::sum}), {},
                 {1});
}

TEST_CASE("nll_loss: gradients") {
    Rng rng(2);
    const Tensor x = randn({4, 3}, rng);
    for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
        check_gradients(
            [&](const Inputs& in) {
                return nll_loss(in[0], {1, 0, 2, 1}, {.reduction = reduction}) * 3;
            },
            {x});
    }
    for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        const NllLossOptions options{tensor({2, 8, 0.5}), 1, reduction};
        check_gradients(
            [&](const Inputs& in) {
                return nll_loss(in[0], {1, 0, 2, 1}, options);
            },
            {x});
        check_gradients(
            [&](const Inputs& in) {
                return nll_loss(in[0], IntTensor({2, 2}, {1, 0, 2, 1}), options);
            },
            {randn({2, 3, 2}, rng)});
    }
}

TEST_CASE("nll_loss: bad arguments") {
    const Tensor x = zeros({2, 3});
    check_error([&] { nll_loss(zeros({3}), {0}); },
                {"nll_loss: expected labels of shape [] for log_probabilities [3], got [1]"});
    check_error([&] { nll_loss(zeros({3, 0}), {0, 0, 0}); }, {"nll_loss: expected", "[3, 0]"});
    check_error(
        [&] {
            nll_loss(x, {0, 1, 2});
        },
        {"nll_loss: expected labels of shape [2] for log_probabilities [2, 3], got [3]"});
    check_error(
        [&] {
            nll_loss(x, {0, 3});
        },
        {"nll_loss: label 3 of example 1 is outside 0 ... 2 for log_probabilities [2, 3]"});
    check_error([&] { nll_loss(x, {-1, 0}); }, {"nll_loss: label -1 of example 0"});
    check_error(
        [&] {
            nll_loss(x, {0, 0}, {.weight = ones({2})});
        },
        {"nll_loss: expected a weight [3], one for each class, got [2]"});
    check_error(
        [&] {
            nll_loss(x, {0, 0}, {.reduction = Reduction::batchmean});
        },
        {"nll_loss: Reduction::batchmean is for kl_div only"});
}

// --- l1_loss, smooth_l1_loss --------------------------------------------------------------------

TEST_CASE("l1_loss: by hand") {
    const Tensor x = leaf(tensor({1, -2, 5, 4})), target = leaf(tensor({3, -2, 4, 4.5}));
    Tape tape;
    const Tensor loss = l1_loss(x, target);  // (2 + 0 + 1 + 0.5) / 4
    check_values(loss, {}, {0.875});
    tape.backward(loss * 8);
    check_values(x.grad(), {4}, {-2, 0, 2, -2});
    check_values(target.grad(), {4}, {2, 0, -2, 2});
    check_values(l1_loss(x, target, Reduction::sum), {}, {3.5});
    check_values(l1_loss(x, target, Reduction::none), {4}, {2, 0, 1, 0.5});
    check_values(l1_loss(Tensor(2), Tensor(-1)), {}, {3});
}

// As torch.nn.functional.smooth_l1_loss of torch 2.13 has them: 0 0.5 1 1 3 4 for |x|, and for
// beta = 2: 0 + 1/16 + 1/4 + 1/4 + 2 + 3.
TEST_CASE("smooth_l1_loss: by hand") {
    const Tensor x = leaf(tensor({0, 0.5, 1, -1, 3, -4})), zero = zeros({6});
    const auto check_case = [&](double beta, double loss, std::initializer_list<double> grad) {
        CAPTURE(beta);
        x.set_grad({});
        Tape tape;
        const Tensor l = smooth_l1_loss(x, zero, {.reduction = Reduction::sum, .beta = beta});
        check_values(l, {}, {loss});
        tape.backward(l);
        check_values(x.grad(), {6}, grad);
    };
    check_case(0, 9.5, {0, 1, 1, -1, 1, -1});
    check_case(0.5, 8.25, {0, 1, 1, -1, 1, -1});
    check_case(1, 7.125, {0, 0.5, 1, -1, 1, -1});
    check_case(2, 5.5625, {0, 0.25, 0.5, -0.5, 1, -1});

    check_values(smooth_l1_loss(x, zero), {}, {7.125 / 6});  // beta 1, the mean
    check_values(smooth_l1_loss(x + 5, zero + 5), {}, {7.125 / 6});
    check_values(smooth_l1_loss(x, zero, {.reduction = Reduction::none}), {6},
                 {0, 0.125, 0.5, 0.5, 2.5, 3.5});
}

TEST_CASE("huber_loss: by hand") {
    const Tensor x = leaf(tensor({0, 0.5, 2, -2, 3, -4})), zero = zeros({6});
    check_values(huber_loss(x, zero, {.reduction = Reduction::none}), {6},
                 {0, 0.125, 1.5, 1.5, 2.5, 3.5});
    // delta = 2: a square up to there, then 2 (d - 1).
    check_values(huber_loss(x, zero, {Reduction::none, 2}), {6}, {0, 0.125, 2, 2, 4, 6});
    check_values(huber_loss(x, zero, {Reduction::sum, 2}), {}, {14.125});
    check_values(huber_loss(x, zero), {}, {9.125 / 6});  // delta 1, the mean
    Tape tape;
    tape.backward(huber_loss(x, zero, {Reduction::sum, 2}) * 3);
    check_values(x.grad(), {6}, {0, 1.5, 6, -6, 6, -6});
    // It is delta smooth_l1_loss with beta = delta, but does not overflow or underflow on the way.
    check_values(huber_loss(tensor({1e-3}), zeros({1}), {.delta = 1e30}), {}, {5e-7}, 1e-12);
}

TEST_CASE("smooth_l1_loss: a NaN stays a NaN, in backward too") {
    const Tensor x = leaf(tensor({NAN, 1}));
    for (const double beta : {0.0, 2.0}) {
        x.set_grad({});
        Tape tape;
        const Tensor loss = smooth_l1_loss(x, zeros({2}), {.beta = beta});
        CHECK(std::isnan(value(loss)));
        tape.backward(loss);
        CHECK(std::isnan(x.grad().data()[0]));
        CHECK(x.grad().data()[1] > 0);
    }
}

TEST_CASE("l1_loss, smooth_l1_loss, huber_loss: gradients") {
    // No difference is 0 or beta, where the derivative or its slope jumps.
    const Tensor x = tensor({1, -2, 5, 4, 0.3, 0.6}, {2, 3});
    const Tensor target = tensor({3, -2.2, 4.2, 4.9, 0.4, -9}, {2, 3});
    for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        check_gradients([&](const Inputs& in) { return l1_loss(in[0], in[1], reduction) * 3; },
                        {x, target});
        for (const double beta : {0.0, 0.5, 1.0, 3.0}) {
            check_gradients(
                [&](const Inputs& in) {
                    return smooth_l1_loss(in[0], in[1], {.reduction = reduction, .beta = beta}) * 3;
                },
                {x, target});
        }
        for (const double delta : {0.5, 1.0, 3.0}) {
            check_gradients(
                [&](const Inputs& in) {
                    return huber_loss(in[0], in[1], {.reduction = reduction, .delta = delta}) * 3;
                },
                {x, target});
        }
    }
    check_gradients([&](const Inputs& in) { return smooth_l1_loss(x, in[0]); }, {target});
}

TEST_CASE("l1_loss, smooth_l1_loss, huber_loss: bad arguments") {
    check_error(
        [] {
            l1_loss(zeros({2, 3}), zeros({3}));
        },
        {"l1_loss: expected two tensors of one shape, got [2, 3] and [3]"});
    check_error(
        [] {
            smooth_l1_loss(zeros({2}), zeros({2, 1}));
        },
        {"smooth_l1_loss: expected two tensors of one shape, got [2] and [2, 1]"});
    check_error([] { smooth_l1_loss(zeros({2}), zeros({2}), {.beta = -1}); },
                {"smooth_l1_loss: expected beta >= 0, got -1"});
    check_error([] { smooth_l1_loss(zeros({2}), zeros({2}), {.beta = NAN}); }, {"got nan"});
    check_error([] { smooth_l1_loss(zeros({2}), zeros({2}), {.beta = inf}); },
                {"smooth_l1_loss: expected beta to be finite", "got inf"});
    check_error(
        [] {
            huber_loss(zeros({2}), zeros({2, 1}));
        },
        {"huber_loss: expected two tensors of one shape, got [2] and [2, 1]"});
    for (const double delta : {0.0, -1.0, static_cast<double>(NAN)}) {
        check_error([=] { huber_loss(zeros({2}), zeros({2}), {.delta = delta}); },
                    {"huber_loss: expected delta > 0, got "});
    }
    check_error([] { huber_loss(zeros({2}), zeros({2}), {.delta = inf}); },
                {"huber_loss: expected delta to be finite", "got inf"});
}

// --- binary_cross_entropy -----------------------------------------------------------------------

TEST_CASE("binary_cross_entropy: by hand") {
    const double ln2 = std::log(2), ln3 = std::log(3);
    const Tensor x = leaf(tensor({0.5, 0.75, 0.75, 0.25})), t = leaf(tensor({0.3, 1, 0, 0.5}));
    const double costs[] = {ln2, 2 * ln2 - ln3, 2 * ln2, (4 * ln2 - ln3) / 2};
    check_values(binary_cross_entropy(x, t), {}, {(7 * ln2 - 1.5 * ln3) / 4});
    check_values(binary_cross_entropy(x, t, {.reduction = Reduction::none}), {4},
                 {costs[0], costs[1], costs[2], costs[3]});
    check_values(binary_cross_entropy(x, t, {tensor({1, 2, 0, 4}), Reduction::sum}), {},
                 {costs[0] + 2 * costs[1] + 4 * costs[3]});
    check_values(binary_cross_entropy(x, t, {2, Reduction::sum}), {}, {14 * ln2 - 3 * ln3});
    Tape tape;
    tape.backward(binary_cross_entropy(x, t, {tensor({1, 2, 0, 4}), Reduction::sum}));
    // (x - t) / (x (1 - x)) and log(1 - x) - log x, times the weights
    check_values(x.grad(), {4}, {0.8, -8.0 / 3, 0, -16.0 / 3});
    check_values(t.grad(), {4}, {0, -2 * ln3, 0, 4 * ln3});
}

// As torch.nn.functional.binary_cross_entropy of torch 2.13 has them.
TEST_CASE("binary_cross_entropy: at 0 and 1") {
    const Tensor x = leaf(tensor({0, 0, 1, 1, 0})), t = leaf(tensor({0, 1, 0, 1, 0.5}));
    Tape tape;
    const Tensor loss = binary_cross_entropy(x, t, {.reduction = Reduction::none});
    check_values(loss, {5}, {0, 100, 100, 0, 50});
    tape.backward(sum(loss));
    check_values(x.grad(), {5}, {0, -1e12, 1e12, 0, -5e11});
    check_values(t.grad(), {5}, {inf, inf, -inf, -inf, inf});
}

TEST_CASE("binary_cross_entropy: gradients") {
    Rng rng(6);
    const Tensor x = rand({3, 4}, rng) * 0.8 + 0.1, t = rand({3, 4}, rng) * 0.8 + 0.1;
    for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        for (const Tensor& weight : {Tensor(), Tensor(2.5), rand({3, 1}, rng)}) {
            check_gradients(
                [&](const Inputs& in) {
                    return binary_cross_entropy(in[0], in[1], {weight, reduction}) * 3;
                },
                {x, t});
        }
    }
    check_gradients([&](const Inputs& in) { return binary_cross_entropy(x, in[0]); }, {t});
    check_gradients([&](const Inputs& in) { return binary_cross_entropy(in[0], t); }, {x});
}

TEST_CASE("binary_cross_entropy: bad arguments") {
    const Tensor half = full({2}, Real(0.5));
    check_error(
        [&] {
            binary_cross_entropy(half, zeros({2, 1}));
        },
        {"binary_cross_entropy: expected two tensors of one shape, got [2] and [2, 1]"});
    check_error(
        [&] {
            binary_cross_entropy(tensor({0, 2}), half);
        },
        {"binary_cross_entropy: expected probabilities from 0 to 1, got 2",
         "for logits there is binary_cross_entropy_with_logits"});
    check_error(
        [&] {
            binary_cross_entropy(tensor({0, NAN}), half);
        },
        {"probabilities", "got nan"});
    check_error(
        [&] {
            binary_cross_entropy(half, tensor({0, -1}));
        },
        {"binary_cross_entropy: expected targets from 0 to 1, got -1"});
    check_error(
        [&] {
            binary_cross_entropy(half, half, {.weight = ones({2, 1})});
        },
        {"binary_cross_entropy: the weight [2, 1] does not broadcast to x [2]"});
}

// --- binary_cross_entropy_with_logits -----------------------------------------------------------

TEST_CASE("binary_cross_entropy_with_logits: by hand") {
    // At x = 0 both classes have 1/2: ln 2 for any target. At ln 3 they have 3/4 and 1/4.
    const double ln2 = std::log(2), ln3 = std::log(3);
    const Tensor x = leaf(tensor({0, ln3, ln3, -ln3})), t = tensor({0.3, 1, 0, 0.5});
    Tape tape;
    const Tensor loss = binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::sum});
    // -ln 3/4, -ln 1/4, -(ln 1/4 + ln 3/4) / 2
    check_values(loss, {}, {ln2 + (2 * ln2 - ln3) + 2 * ln2 + (4 * ln2 - ln3) / 2});
    tape.backward(loss);
    check_values(x.grad(), {4}, {0.2, -0.25, 0.75, -0.25});  // 1 / (1 + e^-x) - t
    check_values(binary_cross_entropy_with_logits(x, t), {}, {(7 * ln2 - 1.5 * ln3) / 4});
    check_values(binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::none}), {4},
                 {ln2, 2 * ln2 - ln3, 2 * ln2, (4 * ln2 - ln3) / 2});
    // weight times pos_weight
    check_values(binary_cross_entropy_with_logits(x, t, {tensor({2, 1, 4, 0}), Reduction::none, 3}),
                 {4}, {2 * (0.3 * 3 + 0.7) * ln2, 3 * (2 * ln2 - ln3), 8 * ln2, 0});
}

// As torch.nn.functional.binary_cross_entropy_with_logits of torch 2.13 computes it in float64.
TEST_CASE("binary_cross_entropy_with_logits: pos_weight, as PyTorch") {
    const Tensor x = leaf(tensor({-2, -0.5, 0.25, 0, 1.5, 40}, {2, 3}));
    const Tensor t = leaf(tensor({0, 1, 0.25, 1, 0.5, 0}, {2, 3}));
    const double tolerance = kDouble ? 1e-10 : 1e-5;
    const auto check_case = [&](const Tensor& pos_weight, Reduction reduction, double loss,
                                std::initializer_list<double> dx,
                                std::initializer_list<double> dt) {
        x.set_grad({});
        t.set_grad({});
        Tape tape;
        const Tensor l = binary_cross_entropy_with_logits(
            x, t, {.reduction = reduction, .pos_weight = pos_weight});
        check_values(l, {}, {loss}, tolerance);
        tape.backward(l);
        check_values(x.grad(), {2, 3}, dx, tolerance);
        check_values(t.grad(), {2, 3}, dt, tolerance);
    };
    check_case({}, Reduction::mean, 7.25150081227,
               {0.0198671536704, -0.103743221867, 0.0520294168143, -0.0833333333333,
                0.0529290793656, 0.166666666667},
               {0.333333333333, 0.0833333333333, -0.0416666666667, 0, -0.25, -6.66666666667});
    check_case(
        3, Reduction::mean, 7.88880603184,
        {0.0198671536704, -0.311229665601, 0.0155441252214, -0.25, 0.0225248253979, 0.166666666667},
        {1.04230933701, 0.408025661393, 0.15031313996, 0.231049060187, -0.182862240672,
         -6.66666666667});
    check_case(tensor({0.5, 2, 4}), Reduction::sum, 44.6691694714,
               {0.119202922022, -1.2449186624, -0.0161911234499, -0.25, 0.22636171429, 1},
               {0.936535994479, 1.47407698418, 1.47781825964, -0.34657359028, -1.29858672202, -40});
}

TEST_CASE("binary_cross_entropy_with_logits: far out it is neither infinite nor NaN") {
    const Tensor x = leaf(tensor({1e4, 1e4, -1e4, -1e4})), t = tensor({1, 0, 1, 0});
    Tape tape;
    const Tensor loss = binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::sum});
    check_values(loss, {}, {2e4});  // 0, 1e4, 1e4, 0
    tape.backward(loss);
    check_values(x.grad(), {4}, {0, 1, -1, 0});

    // Where 1 + e^x would round to 1, the loss and its gradient are e^x.
    const Tensor small = leaf(tensor({-40}));
    Tape second;
    const Tensor tiny = binary_cross_entropy_with_logits(small, zeros({1}));
    CHECK(value(tiny) == doctest::Approx(std::exp(-40)).epsilon(1e-5));
    second.backward(tiny);
    CHECK(value(small.grad()) == doctest::Approx(std::exp(-40)).epsilon(1e-5));
}

namespace {

// The largest difference between the losses and the formula in double, relative to the formula.
template <class F>
double worst_of(const Tensor& losses, const F& formula) {
    double worst = 0;
    for (Index i = 0; i < losses.numel(); ++i) {
        const double want = formula(static_cast<std::size_t>(i));
        const double got = static_cast<double>(losses.values()[static_cast<std::size_t>(i)]);
        if (got != want) worst = std::max(worst, std::abs(got - want) / std::abs(want));
    }
    return worst;
}

}  // namespace

TEST_CASE("losses with logarithms keep the digits of a float, at every size") {
    std::vector<Real> logits, probabilities, targets;
    for (int i = -1200; i <= 1200; ++i) {
        logits.push_back(static_cast<Real>(i) / 16);
        probabilities.push_back(static_cast<Real>(1 / (1 + std::exp(-i / 60.0))));
        targets.push_back(static_cast<Real>((i + 1200) % 5) / 4);
    }
    const Tensor x = tensor(logits), p = tensor(probabilities), t = tensor(targets);
    const auto wide = [](const std::vector<Real>& of, std::size_t i) {
        return static_cast<double>(of[i]);
    };
    constexpr double limit = 5 * 0x1p-23;
    CHECK(worst_of(binary_cross_entropy_with_logits(x, t, {.reduction = Reduction::none}),
                   [&](std::size_t i) {
                       const double v = wide(logits, i), target = wide(targets, i);
                       return (1 - target) * std::log1p(std::exp(v)) +
                              target * std::log1p(std::exp(-v));
                   }) < limit);
    CHECK(worst_of(binary_cross_entropy(p, t, {.reduction = Reduction::none}), [&](std::size_t i) {
              const double v = wide(probabilities, i), target = wide(targets, i);
              return -(target * std::log(v) + (1 - target) * std::max(std::log1p(-v), -100.0));
          }) < limit);
    CHECK(worst_of(kl_div(x, t, {.reduction = Reduction::none}), [&](std::size_t i) {
              const double target = wide(targets, i);
              return (target > 0 ? target * std::log(target) : 0) - target * wide(logits, i);
          }) < limit);
}

TEST_CASE("binary_cross_entropy_with_logits: gradients") {
    Rng rng(3);
    const Tensor x = randn({3, 4}, rng) * 3, t = rand({3, 4}, rng) * 0.8 + 0.1;
    const Tensor per_class = rand({4}, rng) * 3;
    const Tensor weight = rand({3, 1}, rng);
    for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
        for (const Tensor& pos_weight : {Tensor(), Tensor(2.5), per_class}) {
            const Tensor w = reduction == Reduction::sum ? Tensor() : weight;
            const auto f = [&](const Tensor& logits, const Tensor& target) {
                return 3 *
                       binary_cross_entropy_with_logits(logits, target, {w, reduction, pos_weight});
            };
            check_gradients([&](const Inputs& in) { return f(in[0], in[1]); }, {x, t});
            check_gradients([&](const Inputs& in) { return f(in[0], t); }, {x});
            check_gradients([&](const Inputs& in) { return f(x, in[0]); }, {t});
        }
    }
}

TEST_CASE("binary_cross_entropy_with_logits: bad arguments") {
    const auto bce = [](const Tensor& x, const Tensor& t, const Tensor& pos_weight = {}) {
        binary_cross_entropy_with_logits(x, t, {.pos_weight = pos_weight});
    };
    check_error(
        [&] {
            bce(zeros({4, 1}), zeros({4}));
        },
        {"binary_cross_entropy_with_logits: expected two tensors of one shape, got [4, 1] "
         "and [4]"});
    check_error(
        [&] {
            bce(zeros({2}), tensor({0, 3}));
        },
        {"binary_cross_entropy_with_logits: expected targets from 0 to 1, got 3",
         "there is cross_entropy"});
    check_error([&] { bce(zeros({2}), tensor({-0.5, 0})); }, {"got -0.5"});
    try {
        bce(zeros({2}), tensor({NAN, 0}));
        FAIL("a target that is no number passes");
    } catch (const Error& error) {  // cross_entropy would be the wrong remedy
        CHECK(std::string(error.what()).ends_with("expected targets from 0 to 1, got nan"));
    }
    check_error([&] { bce(zeros({2}), tensor({0, NAN})); }, {"got nan"});
    check_error(
        [&] {
            bce(zeros({2, 3}), zeros({2, 3}), ones({2}));
        },
        {"binary_cross_entropy_with_logits", "[2]", "[2, 3]"});
    check_error(
        [&] {
            bce(zeros({3}), zeros({3}), ones({2, 3}));
        },
        {"binary_cross_entropy_with_logits: the pos_weight [2, 3] does not broadcast to x "
         "[3]"});
}

// --- kl_div -------------------------------------------------------------------------------------

TEST_CASE("kl_div: by hand") {
    const double ln2 = std::log(2), ln3 = std::log(3);
    // Log-probabilities of 1/2, 1/2, 1/4, 3/4; the third target costs nothing.
    const Tensor x = leaf(tensor({-ln2, -ln2, -2 * ln2, ln3 - 2 * ln2}, {2, 2}));
    const Tensor t = leaf(tensor({0.25, 0.75, 0, 1}, {2, 2}));
    const double costs[] = {-0.25 * ln2, 0.75 * (ln3 - ln2), 0, 2 * ln2 - ln3};
    const double all = costs[0] + costs[1] + costs[3];
    check_values(kl_div(x, t, {.reduction = Reduction::none}), {2, 2},
                 {costs[0], costs[1], 0, costs[3]});
    check_values(kl_div(x, t, {.reduction = Reduction::sum}), {}, {all});
    check_values(kl_div(x, t), {}, {all / 4});
    check_values(kl_div(x, t, {.reduction = Reduction::batchmean}), {}, {all / 2});
    check_values(kl_div(Tensor(-1), Tensor(1), {.reduction = Reduction::batchmean}), {}, {1});
    check_values(kl_div(x, log(t), {Reduction::none, true}), {2, 2},
                 {costs[0], costs[1], NAN, costs[3]});  // as PyTorch: 0 times infinity
    {
        Tape tape;
        tape.backward(kl_div(x, t, {.reduction = Reduction::sum}));
    }
    check_values(x.grad(), {2, 2}, {-0.25, -0.75, 0, -1});
    check_values(t.grad(), {2, 2}, {1 - ln2, 1 + ln3 - ln2, -inf, 1 + 2 * ln2 - ln3});
    const Tensor logs = leaf(tensor({-2 * ln2, 0}));
    Tape tape;
    tape.backward(kl_div(tensor({-ln2, -1}), logs, {Reduction::sum, true}));
    check_values(logs.grad(), {2}, {0.25 * (1 - ln2), 2});
}

TEST_CASE("kl_div: gradients") {
    Rng rng(7);
    const Tensor x = randn({3, 4}, rng), t = rand({3, 4}, rng) + 0.1;
    for (const Reduction reduction :
         {Reduction::mean, Reduction::sum, Reduction::none, Reduction::batchmean}) {
        for (const bool log_target : {false, true}) {
            const auto f = [&](const Tensor& logs, const Tensor& target) {
                return kl_div(logs, target, {reduction, log_target}) * 3;
            };
            check_gradients([&](const Inputs& in) { return f(in[0], in[1]); }, {x, t});
            check_gradients([&](const Inputs& in) { return f(in[0], t); }, {x});
            check_gradients([&](const Inputs& in) { return f(x, in[0]); }, {t});
        }
    }
}

TEST_CASE("kl_div: bad arguments") {
    check_error(
        [] {
            kl_div(zeros({2, 3}), zeros({3}));
        },
        {"kl_div: expected two tensors of one shape, got [2, 3] and [3]"});
}

// --- l1_penalty ---------------------------------------------------------------------------------

TEST_CASE("l1_penalty: by hand") {
    const Parameter a(tensor({1, -2, 0, 4}, {2, 2})), b(tensor({-0.5}));
    const std::vector<Parameter> parameters{a, b};
    check_values(l1_penalty(parameters), {}, {7.5});
    Tape tape;
    const Tensor loss = sum(b * 3) + 0.5 * l1_penalty(parameters);
    check_values(loss, {}, {-1.5 + 3.75});
    tape.backward(loss);
    check_values(a.grad(), {2, 2}, {0.5, -0.5, 0, 0.5});
    check_values(b.grad(), {1}, {3 - 0.5});

    // A temporary list works; the penalty of no parameters is 0; a frozen one still counts.
    check_values(l1_penalty(std::vector<Parameter>{b}), {}, {0.5});
    check_values(l1_penalty({}), {}, {0});
    a.set_grad({});
    a.requires_grad_(false);
    Tape second;
    second.backward(l1_penalty(parameters));
    CHECK_FALSE(a.grad().defined());
    check_error(
        [&] {
            l1_penalty(std::vector<Parameter>{b, Parameter()});
        },
        {"this tensor is undefined"});
}

TEST_CASE("l1_penalty: gradients") {
    const Parameter a(tensor({1, -2, 0.5, 4}, {2, 2})), b(tensor({-0.5}));
    check_gradients(
        [&](const Inputs&) {
            return l1_penalty(std::vector<Parameter>{a, b}) * 3;
        },
        {a, b});
}

// --- kernels ------------------------------------------------------------------------------------

TEST_CASE("losses: the same bits for any number of threads, over several chunks") {
    Rng rng(4);
    const Tensor start = randn({3, 5001}, rng), t = rand({3, 5001}, rng);
    const IntTensor labels(rng.permutation(3));
    const int before = num_threads();
    const auto all = [&](int threads) {
        set_num_threads(threads);
        const Tensor x = leaf(start.clone());
        Tape tape;
        const Tensor loss = binary_cross_entropy_with_logits(x, t) + l1_loss(x, t) +
                            smooth_l1_loss(x, t) + nll_loss(x, labels) + huber_loss(x, t) +
                            binary_cross_entropy(t, t) + kl_div(x, t) + cross_entropy(x, labels) +
                            mean(l1_loss(x, t, Reduction::none));
        tape.backward(loss);
        set_num_threads(before);
        return std::pair(loss.item(), x.grad());
    };
    const auto [loss, grad] = all(1);
    for (const int threads : {2, 3, 8}) {
        const auto [more_loss, more_grad] = all(threads);
        CHECK(more_loss == loss);
        CHECK(std::ranges::equal(more_grad.values(), grad.values()));
    }
    // The sum is that of the parts.
    double by_hand = 0;
    for (Index i = 0; i < start.numel(); ++i) {
        by_hand +=
            std::abs(static_cast<double>(start.data()[i]) - static_cast<double>(t.data()[i]));
    }
    CHECK(value(l1_loss(start, t, Reduction::sum)) == doctest::Approx(by_hand).epsilon(kTolerance));
}

// As one class of three is ignored, this many positions are in several chunks of work, some of
// which begin in the middle of a picture; and a chunk of few classes is worked on in several
// blocks.
TEST_CASE("cross_entropy, nll_loss: every position of many, with weights and ignored labels") {
    Rng rng(6);
    const int before = num_threads();
    for (const Shape& shape : {Shape{1500, 3}, Shape{5000, 2}, Shape{2, 3, 5001}}) {
        const Index classes = shape[1], inner = shape.rank() == 3 ? shape[2] : 1;
        const Tensor x = log_softmax(randn(shape, rng), 1);
        const IntTensor labels = randint(classes + 1, shape.without(1), rng);  // the last: ignored
        for (const Tensor& weight : {Tensor(), rand({classes}, rng)}) {
            CAPTURE(shape.str());
            CAPTURE(weight.defined());
            double sum = 0;
            std::vector<double> want;
            for (Index i = 0; i < labels.numel(); ++i) {
                const Index c = labels.values[static_cast<std::size_t>(i)];
                const double w = weight.defined() && c < classes ? value(weight[c]) : 1;
                const Index at = (i / inner * classes + c) * inner + i % inner;
                want.push_back(c == classes ? 0 : -w * static_cast<double>(x.data()[at]));
                sum += want.back();
            }
            for (const int threads : {1, 3}) {
                set_num_threads(threads);
                const auto close = [&](const Tensor& losses) {
                    REQUIRE(losses.shape() == labels.shape);
                    Index wrong = 0;
                    for (Index i = 0; i < losses.numel(); ++i) {
                        const double got = static_cast<double>(losses.data()[i]);
                        wrong += !(std::abs(got - want[static_cast<std::size_t>(i)]) < kTolerance);
                    }
                    return wrong == 0;
                };
                CHECK(close(nll_loss(
                    x, labels,
                    {.weight = weight, .ignore_index = classes, .reduction = Reduction::none})));
                CHECK(close(cross_entropy(
                    x, labels,
                    {.weight = weight, .ignore_index = classes, .reduction = Reduction::none})));
                CHECK(value(nll_loss(x, labels,
                                     {.weight = weight,
                                      .ignore_index = classes,
                                      .reduction = Reduction::sum})) ==
                      doctest::Approx(sum).epsilon(kTolerance));
                CHECK(value(cross_entropy(x, labels,
                                          {.weight = weight,
                                           .ignore_index = classes,
                                           .reduction = Reduction::sum})) ==
                      doctest::Approx(sum).epsilon(kTolerance));
            }
            set_num_threads(before);
        }
    }
}

TEST_CASE("losses: every one takes a reduction by itself") {
    Rng rng(5);
    const Tensor x = rand({3, 4}, rng), y = rand({3, 4}, rng);
    const IntTensor labels{1, 0, 3};
    const auto same = [](const Tensor& a, const Tensor& b) {
        REQUIRE(a.shape() == b.shape());
        CHECK(mean(a == b).item() == 1);
    };
    for (const Reduction r : {Reduction::mean, Reduction::sum, Reduction::none}) {
        same(mse_loss(x, y, r), mse_loss(x, y, {.reduction = r}));
        same(l1_loss(x, y, r), l1_loss(x, y, {.reduction = r}));
        same(smooth_l1_loss(x, y, r), smooth_l1_loss(x, y, {.reduction = r}));
        same(huber_loss(x, y, r), huber_loss(x, y, {.reduction = r}));
        same(binary_cross_entropy(x, y, r), binary_cross_entropy(x, y, {.reduction = r}));
        same(binary_cross_entropy_with_logits(x, y, r),
             binary_cross_entropy_with_logits(x, y, {.reduction = r}));
        same(kl_div(x, y, r), kl_div(x, y, {.reduction = r}));
        same(cross_entropy(x, labels, r), cross_entropy(x, labels, {.reduction = r}));
        same(cross_entropy(x, {1, 0, 3}, r), cross_entropy(x, labels, r));
        same(cross_entropy(x, y, r), cross_entropy(x, y, {.reduction = r}));
        same(nll_loss(x, labels, r), nll_loss(x, labels, {.reduction = r}));
    }
    same(kl_div(x, y, Reduction::batchmean), kl_div(x, y, {.reduction = Reduction::batchmean}));
    same(huber_loss(x, y, {}), huber_loss(x, y));  // no options: the default
    same(cross_entropy(x, labels, {}), cross_entropy(x, labels));
    same(cross_entropy(x, labels, {ones({4})}), cross_entropy(x, labels));
}

}  // namespace primer
// SPDX-License-Identifier: MIT
