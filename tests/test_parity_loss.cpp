// The losses compared with PyTorch's; the inputs are in tests/parity/cases/loss.py.

#include <vector>

#include <primer/core/ops.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: loss") {
    constexpr Reduction mean = Reduction::mean, sum = Reduction::sum;
    const auto cross_entropy_ = [](const CrossEntropyOptions& options) {
        return [=](const In& in) { return cross_entropy(in["x"], in.ints("labels"), options); };
    };
    const auto mse = [](Reduction reduction) {
        return [=](const In& in) { return mse_loss(in["x"], in["target"], reduction); };
    };
    const auto nll = [](Reduction reduction) {
        return [=](const In& in) { return nll_loss(in["x"], in.ints("labels"), reduction); };
    };
    const auto l1 = [](Reduction reduction) {
        return [=](const In& in) { return l1_loss(in["x"], in["target"], reduction); };
    };
    const auto smooth_l1 = [](const SmoothL1Options& options) {
        return [=](const In& in) { return smooth_l1_loss(in["x"], in["target"], options); };
    };
    const auto bce = [](Reduction reduction) {
        return [=](const In& in) {
            return binary_cross_entropy_with_logits(in["x"], in["target"], {reduction, {}});
        };
    };
    const auto weighted_bce = [](const In& in) {
        return binary_cross_entropy_with_logits(in["x"], in["target"],
                                                {.pos_weight = in["pos_weight"]});
    };
    check_parity(
        "loss",
        {
            {"cross_entropy: mean, smoothing 0", cross_entropy_({})},
            {"cross_entropy: mean, smoothing 0.1", cross_entropy_({.label_smoothing = 0.1})},
            {"cross_entropy: mean, smoothing 1", cross_entropy_({.label_smoothing = 1})},
            {"cross_entropy: sum, smoothing 0", cross_entropy_({.reduction = sum})},
            {"cross_entropy: sum, smoothing 0.1", cross_entropy_({sum, 0.1})},
            {"cross_entropy: sum, smoothing 1", cross_entropy_({sum, 1})},
            {"cross_entropy: one example", cross_entropy_({})},
            {"cross_entropy: one class", cross_entropy_({})},
            {"cross_entropy: large", cross_entropy_({.label_smoothing = 0.1})},
            {"nll_loss: mean", nll(mean)},
            {"nll_loss: sum", nll(sum)},
            {"nll_loss, one example: mean", nll(mean)},
            {"nll_loss, one example: sum", nll(sum)},
            {"mse_loss: mean", mse(mean)},
            {"mse_loss: sum", mse(sum)},
            {"mse_loss, one example: mean", mse(mean)},
            {"mse_loss, one example: sum", mse(sum)},
            {"l1_loss: mean", l1(mean)},
            {"l1_loss: sum", l1(sum)},
            {"l1_loss, one example: mean", l1(mean)},
            {"l1_loss, one example: sum", l1(sum)},
            {"l1_loss, at the bends: mean", l1(mean)},
            {"l1_loss, at the bends: sum", l1(sum)},
            {"smooth_l1_loss, one example: mean", smooth_l1({})},
            {"smooth_l1_loss, one example: sum", smooth_l1({sum, 1})},
            {"smooth_l1_loss, beta 1: mean", smooth_l1({})},
            {"smooth_l1_loss, beta 1: sum", smooth_l1({sum, 1})},
            {"smooth_l1_loss, beta 1, at the bends: mean", smooth_l1({})},
            {"smooth_l1_loss, beta 1, at the bends: sum", smooth_l1({sum, 1})},
            {"smooth_l1_loss, beta 0.5: mean", smooth_l1({mean, 0.5})},
            {"smooth_l1_loss, beta 0.5: sum", smooth_l1({sum, 0.5})},
            {"smooth_l1_loss, beta 0.5, at the bends: mean", smooth_l1({mean, 0.5})},
            {"smooth_l1_loss, beta 0.5, at the bends: sum", smooth_l1({sum, 0.5})},
            {"smooth_l1_loss, beta 2: mean", smooth_l1({mean, 2})},
            {"smooth_l1_loss, beta 2: sum", smooth_l1({sum, 2})},
            {"smooth_l1_loss, beta 2, at the bends: mean", smooth_l1({mean, 2})},
            {"smooth_l1_loss, beta 2, at the bends: sum", smooth_l1({sum, 2})},
            {"smooth_l1_loss, beta 0: mean", smooth_l1({mean, 0})},
            {"smooth_l1_loss, beta 0: sum", smooth_l1({sum, 0})},
            {"smooth_l1_loss, beta 0, at the bends: mean", smooth_l1({mean, 0})},
            {"smooth_l1_loss, beta 0, at the bends: sum", smooth_l1({sum, 0})},
            {"binary_cross_entropy_with_logits: mean", bce(mean)},
            {"binary_cross_entropy_with_logits: sum", bce(sum)},
            {"binary_cross_entropy_with_logits, one example: mean", bce(mean)},
            {"binary_cross_entropy_with_logits, one example: sum", bce(sum)},
            {"binary_cross_entropy_with_logits, large, all true: mean", bce(mean)},
            {"binary_cross_entropy_with_logits, large, all true: sum", bce(sum)},
            {"binary_cross_entropy_with_logits, large, all false: mean", bce(mean)},
            {"binary_cross_entropy_with_logits, large, all false: sum", bce(sum)},
            {"binary_cross_entropy_with_logits, pos_weight: one", weighted_bce},
            {"binary_cross_entropy_with_logits, pos_weight: for each column", weighted_bce},
            {"l1_penalty",
             [](const In& in) {
                 return l1_penalty(std::vector{Parameter(in["a"]), Parameter(in["b"])});
             }},
        });
}

}  // namespace
}  // namespace primer
