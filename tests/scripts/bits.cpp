// Trains small networks for some steps and prints a hash of their weights: the same one for every
// compiler, operating system and number of threads, as long as the instruction set is the same.
// PRIMER_ISA chooses it. See bits_test.sh.

#include <primer/primer.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <exception>

#include <primer/core/kernels/isa.h>
#include "../../examples/networks.h"

using namespace primer;

namespace {

// FNV-1a of the values' bits, the lowest byte first.
std::uint64_t hash_of(Module& model) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const StateEntry& entry : model.state_dict()) {
        for (const Real x : entry.tensor.values()) {
            const auto bits = std::bit_cast<std::uint32_t>(x);
            for (int shift = 0; shift < 32; shift += 8) {
                hash = (hash ^ (bits >> shift & 255)) * 0x100000001b3;
            }
        }
    }
    return hash;
}

void train(const char* name, Module& model, Optimizer& optimizer, const ImageDataset& pictures) {
    Rng rng(2);
    DataLoader loader(pictures, {.batch_size = 8, .shuffle = true, .transforms = {ToTensor()}},
                      rng);
    for (const Batch& batch : loader) {
        Tape tape;
        const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
        optimizer.zero_grad();
        tape.backward(loss);
        optimizer.step();
    }
    std::printf("%s %s %016llx\n", kernels::name(kernels::isa()), name,
                static_cast<unsigned long long>(hash_of(model)));
    std::fflush(stdout);
}

// What the networks above lack: other convolutions, normalisations, activations, dropout.
Sequential other_layers(Rng& rng) {
    return Sequential{Conv2d(3, 8, {.kernel_size = 3, .stride = 2, .padding = 1}, rng),
                      GroupNorm(2, 8),
                      GELU(),
                      Conv2d(8, 8, {.kernel_size = 3, .padding = 1, .groups = 8}, rng),
                      SiLU(),
                      Conv2d(8, 12, {.kernel_size = 1}, rng),
                      BatchNorm2d(12),
                      LeakyReLU(),
                      AvgPool2d({.kernel_size = 2}),
                      ConvTranspose2d(12, 6, {.kernel_size = 2, .stride = 2}, rng),
                      Tanh(),
                      Flatten(),
                      LayerNorm({6 * 16 * 16}),
                      Linear(6 * 16 * 16, 32, rng),
                      PReLU(),
                      Dropout(0.25, rng),
                      Linear(32, 10, rng)};
}

}  // namespace

int main() {
    try {
        const ImageDataset digits = synthetic_digits(32, 1), shapes = synthetic_shapes(16, 1);
        Rng rng(1);
        Sequential mlp = examples::mnist_mlp(rng), small = examples::mnist_cnn(16, rng),
                   large = examples::cifar_cnn(rng), other = other_layers(rng);
        SGD with_momentum(mlp.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4});
        Adam adam(small.parameters(), {.lr = 1e-3});
        SGD nesterov(large.parameters(), {.lr = 0.02, .momentum = 0.9, .nesterov = true});
        AdamW decoupled(other.parameters(), {.lr = 1e-3});
        train("mnist_mlp", mlp, with_momentum, digits);
        train("mnist_cnn", small, adam, digits);
        train("cifar_cnn", large, nesterov, shapes);
        train("others", other, decoupled, shapes);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
// SPDX-License-Identifier: MIT
