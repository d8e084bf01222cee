#pragma once

#include <initializer_list>
#include <optional>

#include "../core/ops.h"
#include "module.h"

namespace primer {

/// The rows of the weight that the indices name: indices of any shape -> [*, embedding_dim].
class Embedding : public Module {
  public:
    /// The weight starts normal, with variance 1; the row padding_idx, if there is one, starts 0
    /// and stays so, since it gets no gradient. Throws Error for no rows or columns, and for a
    /// padding_idx that is not a row; a negative one counts from the end.
    Embedding(Only<Index> num_embeddings, Only<Index> embedding_dim,
              const EmbeddingOptions& options = {}, Rng& rng = default_rng());
    Embedding(Only<Index> num_embeddings, Only<Index> embedding_dim, Rng& rng)
        : Embedding(num_embeddings, embedding_dim, EmbeddingOptions(), rng) {}

    using Module::operator();
    /// Calls the module with the indices as a Tensor.
    Tensor operator()(const IntTensor& indices);
    Tensor operator()(std::initializer_list<Only<Index>> indices) {
        return (*this)(IntTensor(indices));
    }
    /// Called by a Sequential, which passes on Tensors; x holds the indices. Throws Error for
    /// numbers that are not whole.
    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override;
    void reset_parameters(Rng& rng = default_rng()) override;
    std::string describe() const override;

    Parameter weight;  ///< [num_embeddings, embedding_dim]

  private:
    std::optional<Only<Index>> padding_idx_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT
