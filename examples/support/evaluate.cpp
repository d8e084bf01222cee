#include "evaluate.h"

#include <primer/core/metrics.h>
#include <primer/core/ops.h>
#include "interrupt.h"

namespace primer::examples {
namespace {

void add_predictions(const Tensor& logits, const IntTensor& labels,
                     std::vector<Prediction>& predictions) {
    const Tensor probabilities = softmax(logits, 1);
    const IntTensor guesses = argmax(logits, 1);
    const Index classes = logits.shape()[1];
    for (std::size_t i = 0; i < labels.values.size(); ++i) {
        const Real* row = probabilities.data() + static_cast<Index>(i) * classes;
        const Index guess = guesses.values[i];
        predictions.push_back({labels.values[i], guess, static_cast<double>(row[guess])});
    }
}

}  // namespace

Evaluation evaluate(Module& model, DataLoader& loader) {
    Evaluation result;
    Index correct = 0;
    model.eval();
    result.dead_units = dead_units(model, [&] {
        for (const Batch& batch : loader) {
            const Tensor logits = model(batch.images);
            result.loss += static_cast<double>(
                cross_entropy(logits, batch.labels, {.reduction = Reduction::sum}).item());
            correct += count_correct(logits, batch.labels);
            add_predictions(logits, batch.labels, result.predictions);
            if (interrupt() != 0) break;
        }
    });
    model.train();
    const auto all = static_cast<double>(loader.size());
    result.loss /= all;
    result.accuracy = static_cast<double>(correct) / all;
    return result;
}

}  // namespace primer::examples
