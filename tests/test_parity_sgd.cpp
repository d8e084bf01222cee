// SGD and clipping compared with PyTorch's; the inputs are in tests/parity/cases/.

#include <vector>

#include <primer/core/ops.h>
#include <primer/optim/clip_grad.h>
#include <primer/optim/sgd.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: SGD") {
    const auto sgd = [](const SGDOptions& options, const std::vector<double>& schedule = {}) {
        return [=](const In& in) {
            return trajectory(SGD({Parameter(in["w"])}, options), in, schedule);
        };
    };
    check_parity(
        "sgd",
        {
            {"plain", sgd({.lr = 0.1})},
            {"weight decay", sgd({.lr = 0.1, .weight_decay = 0.25})},
            {"maximize", sgd({.lr = 0.1, .maximize = true})},
            {"momentum", sgd({.lr = 0.1, .momentum = 0.9})},
            {"momentum, dampening", sgd({.lr = 0.1, .momentum = 0.9, .dampening = 0.5})},
            {"dampening without momentum", sgd({.lr = 0.1, .dampening = 0.5})},
            {"momentum, weight decay", sgd({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01})},
            {"momentum, weight decay, maximize",
             sgd({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .maximize = true})},
            {"nesterov", sgd({.lr = 0.1, .momentum = 0.9, .nesterov = true})},
            {"nesterov, weight decay",
             sgd({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true})},
            {"momentum, lr changes",
             sgd({.lr = 0.1, .momentum = 0.9}, {0.1, 0.2, 0.05, 0, 0.01, 1})},
            {"two groups",
             [](const In& in) {
                 const Parameter a(in["a"]), b(in["b"]);
                 SGD optimizer({{{a}, {.lr = 0.5, .weight_decay = 0.01}},
                                {{b}, {.lr = 0.1, .momentum = 0.5, .weight_decay = 0.01}}});
                 for (Index step = 0; step < 4; ++step) {
                     a.set_grad(flatten(slice(in["ga"], step, step + 1)));
                     b.set_grad(flatten(slice(in["gb"], step, step + 1)));
                     optimizer.step();
                 }
                 return concat({a, b});
             }},
        });
}

TEST_CASE("parity: clip_grad_norm_") {
    const auto clipped = [](double max_norm) {
        return [=](const In& in) {
            const std::vector<Parameter> p{Parameter(in["a"]), Parameter(in["b"])};
            for (const Parameter& x : p) x.set_grad(x.clone());
            const Tensor norm = static_cast<double>(clip_grad_norm_(p, max_norm));
            return concat({reshape(norm, {1}), flatten(p[0].grad()), flatten(p[1].grad())});
        };
    };
    check_parity("clip_grad", {
                                  {"cut to 1", clipped(1)},
                                  {"cut to nothing", clipped(0)},
                                  {"short enough", clipped(100)},
                              });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
