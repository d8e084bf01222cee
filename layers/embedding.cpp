#include "embedding.h"

#include <cmath>
#include <limits>

#include "../core/error.h"
#include "../core/init.h"

namespace primer {
namespace {

// Up to here a Real can hold every whole number.
constexpr Index kLargestExact = Index{1} << std::numeric_limits<Real>::digits;

IntTensor indices_of(const Tensor& x) {
    std::vector<Index> indices;
    for (const Real value : x.values()) {
        const auto index = static_cast<double>(value);
        check(std::abs(index) < 0x1p62 && index == std::trunc(index),
              "embedding: expected whole numbers, the indices, got ", value, " at position ",
              indices.size(), " of x ", x.shape(), x.rank() > 1 ? " flattened" : "");
        indices.push_back(static_cast<Index>(index));
    }
    return {x.shape(), indices};
}

}  // namespace

Embedding::Embedding(Only<Index> num_embeddings, Only<Index> embedding_dim,
                     const EmbeddingOptions& options, Rng& rng)
    : padding_idx_(options.padding_idx) {
    const Index rows = num_embeddings;
    check(rows >= 1 && embedding_dim >= 1, "Embedding(", rows, ", ", embedding_dim,
          "): expected at least one row and one column");
    check(rows <= kLargestExact, "Embedding(", rows, ", ", embedding_dim, "): expected at most ",
          kLargestExact, " rows, as an index is a Real");
    const Tensor values = randn({rows, embedding_dim}, rng);
    if (padding_idx_) {
        check(-rows <= *padding_idx_ && *padding_idx_ < rows, "Embedding(", rows, ", ",
              embedding_dim, "): expected a padding_idx from ", -rows, " to ", rows - 1, ", got ",
              *padding_idx_);
        if (*padding_idx_ < 0) padding_idx_ = *padding_idx_ + rows;
        values[*padding_idx_].fill_(0);
    }
    weight = Parameter(values);
}

Tensor Embedding::operator()(const IntTensor& indices) { return (*this)(tensor(indices)); }

Tensor Embedding::forward(const Tensor& x) {
    return embedding(indices_of(x), weight, {.padding_idx = padding_idx_});
}

void Embedding::visit(Visitor& visitor) { visitor("weight", weight); }

void Embedding::reset_parameters(Rng& rng) {
    normal_(weight, 0, 1, rng);
    if (padding_idx_) weight.detach()[*padding_idx_].fill_(0);
}

std::string Embedding::describe() const {
    std::string text =
        "Embedding(" + std::to_string(weight.shape()[0]) + ", " + std::to_string(weight.shape()[1]);
    if (padding_idx_) text += ", padding_idx=" + std::to_string(*padding_idx_);
    return text + ")";
}

}  // namespace primer
// SPDX-License-Identifier: MIT
