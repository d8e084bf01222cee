// The MLP that mnist_mlp trains, compared with PyTorch's step by step: from the same weights and
// batches, the first 20 losses and the norms of the weights after them. tests/parity/mlp_losses.py
// makes the fixture and says how.

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/layers/activations.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include <primer/optim/sgd.h>
#include "support.h"

namespace primer {
namespace {

// `noise` of the script: the same operations, all of them exact.
std::vector<double> noise(std::uint64_t salt, Index count) {
    std::vector<double> values;
    for (Index i = 0; i < count; ++i) {
        std::uint64_t h = (static_cast<std::uint64_t>(i) * 2654435761 + salt * 40503 + 12345);
        h &= 0xFFFFFFFF;
        h ^= h >> 16;
        h = (h * 2246822519) & 0xFFFFFFFF;
        h ^= h >> 13;
        values.push_back(static_cast<double>(h) / 0x1p31 - 1);
    }
    return values;
}

void set_weight(Linear& layer, std::uint64_t salt, double bound) {
    const std::vector<double> values = noise(salt, layer.weight.numel());
    Real* out = layer.weight.mutable_data();
    for (double v : values) *out++ = static_cast<Real>(v * bound);
}

struct Fixture {
    std::vector<double> losses, norms;
};

Fixture read_fixture() {
    const std::string path = PRIMER_PARITY_DIR "/mlp_losses.txt";
    std::ifstream file(path);
    REQUIRE_MESSAGE(file.good(), path, " is missing: tests/parity/mlp_losses.py makes it");
    Fixture fixture;
    for (std::string line; std::getline(file, line);) {
        std::istringstream row(line);
        std::string what;
        int number = 0;
        double in_float = 0, in_double = 0;
        if (line.starts_with('#') || !(row >> what >> number >> in_float >> in_double)) continue;
        (what == "loss" ? fixture.losses : fixture.norms).push_back(kDouble ? in_double : in_float);
    }
    REQUIRE(fixture.losses.size() == 20);
    REQUIRE(fixture.norms.size() == 6);
    return fixture;
}

TEST_CASE("parity: 20 training steps of the MLP follow PyTorch's") {
    const Fixture expected = read_fixture();
    const double tolerance = kDouble ? 1e-10 : 1e-5;
    constexpr Index batch = 64, in = 784, classes = 10;

    Rng rng(0);
    Linear fc1(in, 256, rng), fc2(256, 128, rng), fc3(128, classes, rng);
    set_weight(fc1, 1, 0.0625);
    set_weight(fc2, 2, 0.125);
    set_weight(fc3, 3, 0.125);
    Sequential model{std::move(fc1), ReLU(), std::move(fc2), ReLU(), std::move(fc3)};
    SGD optimizer(model.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4});

    const std::vector<double> patterns = noise(99, classes * in);
    std::vector<Index> labels;
    for (Index n = 0; n < batch; ++n) labels.push_back(n % classes);
    for (std::size_t step = 0; step < expected.losses.size(); ++step) {
        const std::vector<double> jitter = noise(100 + step, batch * in);
        Tensor x = empty({batch, in});
        Real* out = x.mutable_data();
        for (Index i = 0; i < batch * in; ++i) {
            const Index pattern = i / in % classes * in + i % in;
            out[i] = static_cast<Real>(0.5 * jitter[static_cast<std::size_t>(i)] +
                                       0.25 * patterns[static_cast<std::size_t>(pattern)]);
        }
        Tape tape;
        const Tensor loss = cross_entropy(model(x), labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
        CAPTURE(step);
        CHECK(static_cast<double>(loss.item()) ==
              doctest::Approx(expected.losses[step]).epsilon(tolerance).scale(0));
    }
    const std::vector<Parameter> parameters = model.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const double norm =
            std::sqrt(static_cast<double>(sum(parameters[i] * parameters[i]).item()));
        CAPTURE(i);
        CHECK(norm == doctest::Approx(expected.norms[i]).epsilon(tolerance).scale(0));
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
