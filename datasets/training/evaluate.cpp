#include "evaluate.h"

#include "../../core/error.h"
#include "../../core/metrics.h"
#include "../../core/ops.h"
#include "../../core/tape.h"
#include "../../layers/eval_mode.h"
#include "../../layers/fuse.h"

namespace primer {

Evaluation evaluate(Module& model, DataLoader& loader, const BatchWatcher& watch) {
    const NoGrad unrecorded;
    const EvalMode mode(model);
    const FusedForPrediction fused(model);
    double loss = 0;
    Index correct = 0, examples = 0;
    for (const Batch& batch : loader) {
        const Tensor logits = model(batch.inputs);
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
// SPDX-License-Identifier: MIT
