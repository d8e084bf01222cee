// The losses compared with PyTorch's; the inputs are in tests/parity/cases/loss.py.

#include <vector>

#include <primer/core/ops.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: loss") {
    constexpr Reduction mean = Reduction::mean, sum = Reduction::sum, none = Reduction::none;
    const auto cross_entropy_ = [](const CrossEntropyOptions& options) {
        return [=](const In& in) { return cross_entropy(in["x"], in.ints("labels"), options); };
    };
    const auto mse = [](Reduction reduction) {
        return [=](const In& in) { return mse_loss(in["x"], in["target"], reduction); };
    };
    const auto nll = [](Reduction reduction) {
        return [=](const In& in) {
            return nll_loss(in["x"], in.ints("labels"), {.reduction = reduction});
        };
    };
    const auto l1 = [](Reduction reduction) {
        return [=](const In& in) { return l1_loss(in["x"], in["target"], reduction); };
    };
    const auto smooth_l1 = [](const SmoothL1Options& options) {
        return [=](const In& in) { return smooth_l1_loss(in["x"], in["target"], options); };
    };
    const auto bce = [](Reduction reduction) {
        return [=](const In& in) {
            return binary_cross_entropy_with_logits(in["x"], in["target"],
                                                    {.reduction = reduction});
        };
    };
    const auto weighted_bce = [](const In& in) {
        return binary_cross_entropy_with_logits(in["x"], in["target"],
                                                {.pos_weight = in["pos_weight"]});
    };
    const auto bce_of = [](Reduction reduction) {
        return [=](const In& in) {
            return binary_cross_entropy(in["x"], in["target"], {.reduction = reduction});
        };
    };
    const auto huber = [](const HuberLossOptions& options) {
        return [=](const In& in) { return huber_loss(in["x"], in["target"], options); };
    };
    const auto kl = [](const KlDivOptions& options) {
        return [=](const In& in) { return kl_div(in["x"], in["target"], options); };
    };
    const auto soft = [](const CrossEntropyOptions& options) {
        return [=](const In& in) { return cross_entropy(in["x"], in["target"], options); };
    };
    // With the case's weights
    const auto weighted = [](Reduction reduction, double smoothing, Index ignore = -100) {
        return [=](const In& in) {
            return cross_entropy(in["x"], in.ints("labels"),
                                 {in["weight"], ignore, reduction, smoothing});
        };
    };
    const auto weighted_nll = [](Reduction reduction, Index ignore) {
        return [=](const In& in) {
            return nll_loss(in["x"], in.ints("labels"), {in["weight"], ignore, reduction});
        };
    };
    const auto weighted_soft = [](Reduction reduction, double smoothing) {
        return [=](const In& in) {
            return cross_entropy(
                in["x"], in["target"],
                {.weight = in["weight"], .reduction = reduction, .label_smoothing = smoothing});
        };
    };
    check_parity(
        "loss",
        {
            {"cross_entropy: mean, smoothing 0", cross_entropy_({})},
            {"cross_entropy: mean, smoothing 0.1", cross_entropy_({.label_smoothing = 0.1})},
            {"cross_entropy: mean, smoothing 1", cross_entropy_({.label_smoothing = 1})},
            {"cross_entropy: sum, smoothing 0", cross_entropy_({.reduction = sum})},
            {"cross_entropy: sum, smoothing 0.1",
             cross_entropy_({.reduction = sum, .label_smoothing = 0.1})},
            {"cross_entropy: sum, smoothing 1",
             cross_entropy_({.reduction = sum, .label_smoothing = 1})},
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
            {"smooth_l1_loss, one example: sum", smooth_l1({.reduction = sum, .beta = 1})},
            {"smooth_l1_loss, beta 1: mean", smooth_l1({})},
            {"smooth_l1_loss, beta 1: sum", smooth_l1({.reduction = sum, .beta = 1})},
            {"smooth_l1_loss, beta 1, at the bends: mean", smooth_l1({})},
            {"smooth_l1_loss, beta 1, at the bends: sum", smooth_l1({.reduction = sum, .beta = 1})},
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
            {"cross_entropy, weights, ignored labels: mean, smoothing 0", weighted(mean, 0)},
            {"cross_entropy, probabilities, weights: mean, smoothing 0", weighted_soft(mean, 0)},
            {"cross_entropy, weights, ignored labels: mean, smoothing 0.1", weighted(mean, 0.1)},
            {"cross_entropy, probabilities, weights: mean, smoothing 0.1",
             weighted_soft(mean, 0.1)},
            {"cross_entropy, images, weights, ignored labels: mean", weighted(mean, 0.1, 2)},
            {"cross_entropy, probabilities of images: mean",
             soft({.reduction = mean, .label_smoothing = 0.1})},
            {"cross_entropy, images: mean", cross_entropy_({.reduction = mean})},
            {"cross_entropy, no batch: mean", cross_entropy_({.reduction = mean})},
            {"cross_entropy, ignored labels: mean", cross_entropy_({.reduction = mean})},
            {"cross_entropy, probabilities, no batch: mean", soft({.reduction = mean})},
            {"nll_loss, weights, ignored labels: mean", weighted_nll(mean, -100)},
            {"nll_loss, images, weights, ignored labels: mean", weighted_nll(mean, 2)},
            {"nll_loss, no batch: mean", nll(mean)},
            {"huber_loss, delta 0.5: mean", huber({mean, 0.5})},
            {"huber_loss, delta 2: mean", huber({mean, 2})},
            {"huber_loss, at the bends: mean", huber({.reduction = mean})},
            {"binary_cross_entropy: mean", bce_of(mean)},
            {"kl_div: mean", kl({.reduction = mean})},
            {"kl_div, log_target: mean", kl({mean, true})},
            {"cross_entropy, weights, ignored labels: none, smoothing 0", weighted(none, 0)},
            {"cross_entropy, probabilities, weights: none, smoothing 0", weighted_soft(none, 0)},
            {"cross_entropy, weights, ignored labels: none, smoothing 0.1", weighted(none, 0.1)},
            {"cross_entropy, probabilities, weights: none, smoothing 0.1",
             weighted_soft(none, 0.1)},
            {"cross_entropy, images, weights, ignored labels: none", weighted(none, 0.1, 2)},
            {"cross_entropy, probabilities of images: none",
             soft({.reduction = none, .label_smoothing = 0.1})},
            {"cross_entropy, images: none", cross_entropy_({.reduction = none})},
            {"cross_entropy, no batch: none", cross_entropy_({.reduction = none})},
            {"cross_entropy, ignored labels: none", cross_entropy_({.reduction = none})},
            {"cross_entropy, probabilities, no batch: none", soft({.reduction = none})},
            {"nll_loss, weights, ignored labels: none", weighted_nll(none, -100)},
            {"nll_loss, images, weights, ignored labels: none", weighted_nll(none, 2)},
            {"nll_loss, no batch: none", nll(none)},
            {"huber_loss, delta 0.5: none", huber({none, 0.5})},
            {"huber_loss, delta 2: none", huber({none, 2})},
            {"huber_loss, at the bends: none", huber({.reduction = none})},
            {"binary_cross_entropy: none", bce_of(none)},
            {"kl_div: none", kl({.reduction = none})},
            {"kl_div, log_target: none", kl({none, true})},
            {"kl_div: batchmean", kl({.reduction = Reduction::batchmean})},
            {"kl_div, log_target: batchmean", kl({Reduction::batchmean, true})},
            {"binary_cross_entropy, weight",
             [](const In& in) {
                 return binary_cross_entropy(in["x"], in["target"], {.weight = in["weight"]});
             }},
            {"binary_cross_entropy_with_logits, both weights",
             [](const In& in) {
                 return binary_cross_entropy_with_logits(in["x"], in["target"],
                                                         {.weight = in["weight"],
                                                          .reduction = Reduction::none,
                                                          .pos_weight = in["pos_weight"]});
             }},
            {"mse_loss: none", mse(none)},
            {"l1_loss: none", l1(none)},
            {"smooth_l1_loss, beta 0.5: none", smooth_l1({none, 0.5})},
            {"binary_cross_entropy_with_logits: none", bce(none)},
            {"l1_penalty",
             [](const In& in) {
                 return l1_penalty(std::vector{Parameter(in["a"]), Parameter(in["b"])});
             }},
        });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
