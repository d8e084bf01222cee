#include <primer/datasets/training/resume.h>

#include <cstring>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/synthetic_digits.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/dropout.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include <primer/optim/adam.h>
#include <primer/optim/sgd.h>
#include "folder.h"
#include "support.h"

namespace primer {
namespace {

constexpr Index kSide = 8, kBatches = 5;

/// All that a training run has. Noise and dropout draw numbers in every step.
struct Run {
    explicit Run(std::uint64_t seed, Index hidden = 12)
        : rng(seed),
          model{Flatten(), Linear(kSide * kSide, hidden, rng), BatchNorm1d(hidden),
                Dropout(0.3, rng), Linear(hidden, 10, rng)},
          loader(data, {.batch_size = 8, .shuffle = true, .transforms = {ToTensor()}}, rng),
          optimizer(model.parameters(), {.lr = 0.01}) {}

    TrainingState state() { return {model, optimizer, &loader, &rng}; }

    void step_with(const Batch& batch) {
        Tape tape;
        const Tensor noise = randn(batch.inputs.shape(), rng) * 0.1;
        const Tensor loss = cross_entropy(model(batch.inputs + noise), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
        losses.push_back(loss.item());
        ++step;
    }

    /// The loop of a program: whole epochs, until `end` steps are done.
    void train_to(Index end) {
        while (step < end) {
            for (const Batch& batch : loader) {
                step_with(batch);
                if (step == end) break;
            }
        }
    }

    std::vector<Real> values() {
        std::vector<Real> all;
        for (const StateEntry& entry : model.state_dict()) {
            all.insert(all.end(), entry.tensor.values().begin(), entry.tensor.values().end());
        }
        return all;
    }

    ImageDataset data = synthetic_digits(8 * kBatches - 3, 1, {.side = kSide});
    Rng rng;
    Sequential model;
    DataLoader loader;
    Adam optimizer;
    std::vector<Real> losses;
    Index step = 0;
};

bool same_bits(const std::vector<Real>& a, const std::vector<Real>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Real)) == 0;
}

TEST_CASE("resume: continues with the same bits, from within an epoch and from its end") {
    const Folder folder;
    const auto file = folder.path() / "run.ckpt";
    const Index end = 3 * kBatches;
    Run whole(1);
    whole.train_to(end);
    for (const Index stop : {Index{0}, Index{1}, kBatches - 1, kBatches, kBatches + 2}) {
        CAPTURE(stop);
        Run stopped(1);
        stopped.train_to(stop);
        save_checkpoint(file, stopped.state(), stop);

        Run resumed(99);  // everything in it differs: all must come from the file
        resumed.step = load_checkpoint(file, resumed.state());
        CHECK(resumed.step == stop);
        resumed.train_to(end);
        CHECK(same_bits(resumed.values(), whole.values()));
        const std::vector<Real> rest(whole.losses.begin() + stop, whole.losses.end());
        CHECK(same_bits(resumed.losses, rest));
        CHECK(resumed.rng.state() == whole.rng.state());
    }
}

TEST_CASE("resume: a model and its optimizer alone") {
    const Folder folder;
    const auto file = folder.path() / "run.ckpt";
    const Tensor x = tensor({1, 2, 3, 4}, {2, 2});
    const auto train = [&](Module& model, Optimizer& optimizer) {
        Tape tape;
        optimizer.zero_grad();
        tape.backward(sum(pow(model(x), 2)));
        optimizer.step();
    };
    Rng rng(1);
    Linear model(2, 3, rng), other(2, 3, rng);
    SGD optimizer(model.parameters(), {.lr = 0.01, .momentum = 0.9});
    SGD others(other.parameters(), {.lr = 0.01, .momentum = 0.9});
    train(model, optimizer);
    save_checkpoint(file, {model, optimizer});
    CHECK(load_checkpoint(file, {other, others}) == 0);
    train(model, optimizer);
    train(other, others);
    CHECK(std::ranges::equal(model.weight.values(), other.weight.values()));
}

TEST_CASE("resume: a file that fits only a part changes nothing") {
    const Folder folder;
    const auto file = folder.path() / "run.ckpt";
    Run saved(1);
    saved.train_to(3);
    save_checkpoint(file, saved.state(), saved.step);

    // expect_refused(state of `run`, parts of the message)
    Run run(2);
    run.train_to(2);
    const std::vector<Real> values = run.values();
    const Rng::State loader = run.loader.rng_state(), rng = run.rng.state();
    const auto expect_refused = [&](const TrainingState& state,
                                    std::initializer_list<const char*> parts) {
        check_error([&] { load_checkpoint(file, state); }, parts);
        CHECK(same_bits(run.values(), values));
        CHECK(run.loader.rng_state() == loader);
        CHECK(run.rng.state() == rng);
    };
    SGD sgd(run.model.parameters(), {.lr = 0.1});
    expect_refused({run.model, sgd, &run.loader, &run.rng},
                   {"SGD::load_state: there is nothing called"});
    expect_refused({run.model, run.optimizer, &run.loader}, {"run.ckpt", "unexpected generators"});
    expect_refused({run.model, run.optimizer, nullptr, &run.rng},
                   {"run.ckpt: expected a checkpoint without a loader, got one with a loader"});
    DataLoader others(run.data, {.batch_size = 10}, run.rng);
    run.rng.set_state(rng);
    expect_refused({run.model, run.optimizer, &others, &run.rng},
                   {"run.ckpt: expected a checkpoint of epochs of 37 examples in 4 batches, got "
                    "one of 37 in 5; are the data and the batch size what they were?"});
    Run wider(3, 13);
    expect_refused({wider.model, wider.optimizer, &run.loader, &run.rng},
                   {"run.ckpt: expected a checkpoint of this model", "misshapen"});
    folder.write("run.ckpt", "something else");
    expect_refused(run.state(), {"run.ckpt: expected a checkpoint"});
}

TEST_CASE("resume: a checkpoint without a loader, and a step that cannot be") {
    const Folder folder;
    const auto file = folder.path() / "run.ckpt";
    Run run(1);
    save_checkpoint(file, {run.model, run.optimizer}, 7);
    CHECK(load_checkpoint(file, {run.model, run.optimizer}) == 7);
    check_error(
        [&] {
            load_checkpoint(file, {run.model, run.optimizer, &run.loader});
        },
        {"expected a checkpoint with a loader, got one without a loader"});
    check_error(
        [&] {
            save_checkpoint(file, {run.model, run.optimizer}, -1);
        },
        {"expected a step of at least 0, got -1"});
    check_error(
        [&] {
            save_checkpoint(folder.path() / "none/x", {run.model, run.optimizer});
        },
        {"none/x"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
