#include "evaluate.h"

#include <utility>
#include <vector>

#include "../../core/error.h"
#include "../../core/metrics.h"
#include "../../core/ops.h"
#include "../../core/tape.h"

namespace primer {
namespace {

/// While one lives, the model is in eval mode; then each of its modules is back in its own.
class EvalMode {
  public:
    explicit EvalMode(Module& model) {
        for (Module* module : model.modules()) modes_.emplace_back(module, module->training());
        model.eval();
    }
    ~EvalMode() {
        // train() switches the modules inside, too, which may be in another mode: they follow.
        for (bool changed = true; changed;) {
            changed = false;
            for (const auto& [module, training] : modes_) {
                if (module->training() == training) continue;
                module->train(training);
                changed = true;
            }
        }
    }
    EvalMode(const EvalMode&) = delete;
    EvalMode& operator=(const EvalMode&) = delete;

  private:
    std::vector<std::pair<Module*, bool>> modes_;
};

}  // namespace

Evaluation evaluate(Module& model, DataLoader& loader, const BatchWatcher& watch) {
    const NoGrad unrecorded;
    const EvalMode mode(model);
    double loss = 0;
    Index correct = 0, examples = 0;
    for (const Batch& batch : loader) {
        const Tensor logits = model(batch.images);
        const Index size = batch.labels.shape[0];
        check(logits.rank() == 2 && logits.shape()[0] == size, "evaluate: expected logits [", size,
              ", classes] from the model, got ", logits.shape());
        loss += static_cast<double>(
            cross_entropy(logits, batch.labels, {.reduction = Reduction::sum}).item());
        correct += count_correct(logits, batch.labels);
        examples += size;
        if (watch && !watch(batch, logits)) break;
    }
    const auto all = static_cast<double>(examples);
    return {loss / all, static_cast<double>(correct) / all};
}

}  // namespace primer
