#include "eval_mode.h"

namespace primer {

EvalMode::EvalMode(Module& model) {
    for (Module* module : model.modules()) modes_.emplace_back(module, module->training());
    model.eval();
}

EvalMode::~EvalMode() {
    // train() also switches the modules inside, which may have been in another mode, so repeat
    // until none changes.
    for (bool changed = true; changed;) {
        changed = false;
        for (const auto& [module, training] : modes_) {
            if (module->training() == training) continue;
            module->train(training);
            changed = true;
        }
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT
