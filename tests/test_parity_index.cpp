// Indexing and padding compared with PyTorch's; the inputs are in tests/parity/cases/.

#include <primer/core/ops.h>
#include <primer/layers/embedding.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

using In = ParityInputs;

TEST_CASE("parity: index") {
    const auto selected = [](int dim) {
        return [dim](const In& in) { return index_select(in["x"], dim, in.ints("index")); };
    };
    const auto embedded = [](const EmbeddingOptions& options) {
        return [=](const In& in) { return embedding(in.ints("index"), in["weight"], options); };
    };
    const auto layer = [](const EmbeddingOptions& options) {
        return [=](const In& in) {
            Rng rng(0);
            Embedding module(6, 4, options, rng);
            module.weight = Parameter(in["weight"]);
            return module(in.ints("index"));
        };
    };
    check_parity("index", {
                              {"index_select: dim 0", selected(0)},
                              {"index_select: dim 1", selected(1)},
                              {"index_select: dim -1", selected(-1)},
                              {"index_select: of a scalar", selected(0)},
                              {"embedding", embedded({})},
                              {"embedding", layer({})},
                              {"embedding: padding 0", embedded({.padding_idx = 0})},
                              {"embedding: padding 0", layer({.padding_idx = 0})},
                              {"embedding: padding -3", embedded({.padding_idx = -3})},
                              {"embedding: padding -3", layer({.padding_idx = -3})},
                          });
}

TEST_CASE("parity: pad") {
    const auto padded = [](const std::vector<Index>& sizes, const PadOptions& options = {}) {
        return [=](const In& in) { return pad(in["x"], sizes, options); };
    };
    const PadOptions reflect{.mode = PadMode::reflect};
    check_parity("pad", {
                            {"pad: last dimension", padded({2, 1})},
                            {"pad: a value", padded({1, 0, 2, 1}, {.value = -1.5})},
                            {"pad: taking away", padded({-1, 2, 1, -2}, {.value = 3})},
                            {"pad: three dimensions", padded({0, 1, 1, 0, 1, 1})},
                            {"pad: reflected", padded({2, 3}, reflect)},
                            {"pad: images reflected", padded({3, 1, 0, 2}, reflect)},
                            {"pad: reflected and cut", padded({-1, 3}, reflect)},
                            {"pad: volumes reflected", padded({1, 1, 2, 0, 0, 1}, reflect)},
                        });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
