#include "evaluate.h"

#include "interrupt.h"
#include "primer/core/metrics.h"
#include "primer/core/ops.h"

namespace primer::examples {

Evaluation evaluate(Module& model, DataLoader& loader) {
    model.eval();
    double loss = 0;
    Index correct = 0;
    for (const Batch& batch : loader) {
        const Tensor logits = model(batch.images);
        loss += static_cast<double>(
            cross_entropy(logits, batch.labels, {.reduction = Reduction::sum}).item());
        correct += count_correct(logits, batch.labels);
        if (interrupt() != 0) break;
    }
    model.train();
    const auto all = static_cast<double>(loader.size());
    return {.loss = loss / all, .accuracy = static_cast<double>(correct) / all};
}

}  // namespace primer::examples
