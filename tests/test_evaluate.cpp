#include <primer/datasets/training/evaluate.h>

#include <cmath>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/synthetic_digits.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/dropout.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include "support.h"

namespace primer {
namespace {

constexpr Index kSide = 8, kPixels = kSide * kSide;

ImageDataset digits(Index count) { return synthetic_digits(count, 1, {.side = kSide}); }

DataLoader loader_of(const Dataset& data, Index batch_size) {
    Rng rng(1);
    return DataLoader(data, {.batch_size = batch_size, .transforms = {ToTensor()}}, rng);
}

/// The same logits for every picture.
class Constant : public Module {
  public:
    explicit Constant(Tensor logits) : logits_(std::move(logits)) {}
    Tensor forward(const Tensor& x) override {
        return zeros({x.shape()[0], logits_.numel()}) + logits_;
    }
    std::string describe() const override { return "Constant"; }

  private:
    Tensor logits_;
};

TEST_CASE("evaluate: mean loss and accuracy by hand, whatever the batch size") {
    const ImageDataset data = digits(20);  // each class twice
    Tensor logits = zeros({10});
    logits.mutable_data()[3] = 2;
    Constant model(logits);
    // The logarithm of the sum of exponentials, less the label's logit: 2 for two of twenty.
    const double loss = std::log(9 + std::exp(2.0)) - 2 * 2.0 / 20;
    for (Index batch_size : {1, 7, 20}) {
        DataLoader loader = loader_of(data, batch_size);
        const Evaluation result = evaluate(model, loader);
        CHECK(std::abs(result.loss - loss) < (kDouble ? 1e-12 : 1e-5));
        CHECK(result.accuracy == 0.1);
    }
}

TEST_CASE("evaluate: in eval mode; afterwards every module is in its own again") {
    const ImageDataset data = digits(20);
    DataLoader loader = loader_of(data, 6);
    Rng rng(2);
    Sequential model{Flatten(), Linear(kPixels, 10, rng), Dropout(0.9, rng), BatchNorm1d(10)};
    const std::vector<Module*> modules = model.modules();
    const auto modes = [&] {
        std::vector<bool> on;
        for (const Module* module : modules) on.push_back(module->training());
        return on;
    };
    model.train(false);
    const Evaluation in_eval = evaluate(model, loader);
    CHECK(modes() == std::vector<bool>(modules.size(), false));

    model.train();
    modules[4]->train(false);  // frozen statistics
    const std::vector<bool> before = modes();
    CHECK(evaluate(model, loader).loss == in_eval.loss);
    CHECK(modes() == before);

    // The other way round: all in eval mode except an inner one.
    model.eval();
    modules[3]->train();
    const std::vector<bool> mixed = modes();
    CHECK(evaluate(model, loader).loss == in_eval.loss);
    CHECK(modes() == mixed);
}

TEST_CASE("evaluate: the modes are restored after an Error, too") {
    const ImageDataset data = digits(20);
    DataLoader loader = loader_of(data, 6);
    Rng rng(2);
    Sequential model{Flatten(), Linear(kPixels + 1, 10, rng)};
    CHECK_THROWS_AS(evaluate(model, loader), Error);
    CHECK(model.training());
}

TEST_CASE("evaluate: records nothing, in the middle of a training step") {
    const ImageDataset data = digits(20);
    DataLoader loader = loader_of(data, 6);
    Rng rng(2);
    Sequential model{Flatten(), Linear(kPixels, 10, rng)};
    Tape tape;
    const Tensor loss = sum(model(zeros({1, 1, kSide, kSide})));
    const Index recorded = tape.size();
    evaluate(model, loader);
    CHECK(tape.size() == recorded);
    tape.backward(loss);
}

TEST_CASE("evaluate: a watcher sees each batch, and may end it early") {
    const ImageDataset data = digits(20);
    DataLoader loader = loader_of(data, 6);
    Rng rng(2);
    Sequential model{Flatten(), Linear(kPixels, 10, rng)};
    std::vector<Index> sizes;
    evaluate(model, loader, [&](const Batch& batch, const Tensor& logits) {
        CHECK(batch.labels.shape[0] == logits.shape()[0]);
        sizes.push_back(logits.shape()[0]);
        return true;
    });
    CHECK(sizes == std::vector<Index>{6, 6, 6, 2});
    Index calls = 0;
    evaluate(model, loader, [&](const Batch&, const Tensor&) { return ++calls < 2; });
    CHECK(calls == 2);
}

TEST_CASE("evaluate: logits that do not fit the labels") {
    const ImageDataset data = digits(20);
    DataLoader loader = loader_of(data, 6);
    Rng rng(2);
    Sequential flat{Flatten(0)};
    check_error([&] { evaluate(flat, loader); },
                {"evaluate: expected logits [6, classes] from the model, got [384]"});
    Sequential few{Flatten(), Linear(kPixels, 4, rng)};
    check_error([&] { evaluate(few, loader); }, {"label 4 of example", "is outside 0 ... 3"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
