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

// --- mse_loss -----------------------------------------------------------------------------------

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

TEST_CASE("mse_loss: shapes must be equal, because broadcasting would hide a mistake") {
    check_error(
        [] {
            mse_loss(zeros({4, 1}), zeros({4}));
        },
        {"mse_loss: expected two tensors of one shape, got [4, 1] and [4]"});
    check_error([] { mse_loss(zeros({4}), 0); }, {"got [4] and []"});
    check_error([] { mse_loss(Tensor(), zeros({4})); }, {"undefined"});
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
    check_values(nll_loss(x, {2, 1}, Reduction::sum), {}, {2.25});
    check_values(nll_loss(x, {0, 0}, Reduction::sum), {}, {3.5});
    check_values(nll_loss(zeros({0, 3}), IntTensor(std::vector<Index>{}), Reduction::sum), {}, {0});
}

TEST_CASE("nll_loss: of log_softmax it is cross_entropy") {
    Rng rng(1);
    const Tensor x = randn({7, 5}, rng);
    const IntTensor labels{0, 4, 2, 2, 1, 3, 0};
    CHECK(value(nll_loss(log_softmax(x, 1), labels)) ==
          doctest::Approx(value(cross_entropy(x, labels))).epsilon(kTolerance));
}

TEST_CASE("nll_loss: gradients") {
    Rng rng(2);
    const Tensor x = randn({4, 3}, rng);
    for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
        check_gradients(
            [&](const Inputs& in) {
                return nll_loss(in[0], {1, 0, 2, 1}, reduction) * 3;
            },
            {x});
    }
}

TEST_CASE("nll_loss: bad arguments") {
    const Tensor x = zeros({2, 3});
    check_error([&] { nll_loss(zeros({3}), {0}); },
                {"nll_loss: expected log_probabilities [N, classes], got [3]"});
    check_error([&] { nll_loss(zeros({3, 0}), {0, 0, 0}); }, {"nll_loss: expected", "[3, 0]"});
    check_error(
        [&] {
            nll_loss(x, {0, 1, 2});
        },
        {"nll_loss: expected 2 labels for log_probabilities [2, 3], got labels of shape "
         "[3]"});
    check_error(
        [&] {
            nll_loss(x, {0, 3});
        },
        {"nll_loss: label 3 of example 1 is outside 0 ... 2 for log_probabilities [2, 3]"});
    check_error([&] { nll_loss(x, {-1, 0}); }, {"nll_loss: label -1 of example 0"});
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

TEST_CASE("l1_loss, smooth_l1_loss: gradients") {
    // No difference is 0 or beta, where the derivative or its slope jumps.
    const Tensor x = tensor({1, -2, 5, 4, 0.3, 0.6}, {2, 3});
    const Tensor target = tensor({3, -2.2, 4.2, 4.9, 0.4, -9}, {2, 3});
    for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
        check_gradients([&](const Inputs& in) { return l1_loss(in[0], in[1], reduction) * 3; },
                        {x, target});
        for (const double beta : {0.0, 0.5, 1.0, 3.0}) {
            check_gradients(
                [&](const Inputs& in) {
                    return smooth_l1_loss(in[0], in[1], {.reduction = reduction, .beta = beta}) * 3;
                },
                {x, target});
        }
    }
    check_gradients([&](const Inputs& in) { return smooth_l1_loss(x, in[0]); }, {target});
}

TEST_CASE("l1_loss, smooth_l1_loss: bad arguments") {
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

TEST_CASE("binary_cross_entropy_with_logits: gradients") {
    Rng rng(3);
    const Tensor x = randn({3, 4}, rng) * 3, t = rand({3, 4}, rng) * 0.8 + 0.1;
    const Tensor per_class = rand({4}, rng) * 3;
    for (const Reduction reduction : {Reduction::mean, Reduction::sum}) {
        for (const Tensor& pos_weight : {Tensor(), Tensor(2.5), per_class}) {
            const auto f = [&](const Tensor& logits, const Tensor& target) {
                return 3 * binary_cross_entropy_with_logits(
                               logits, target, {.reduction = reduction, .pos_weight = pos_weight});
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
                            smooth_l1_loss(x, t) + nll_loss(x, labels);
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

}  // namespace primer
