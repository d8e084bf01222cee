#pragma once

#include <iosfwd>
#include <vector>

#include "int_tensor.h"
#include "tensor.h"

// How good a classifier is, from its outputs [N, classes] and the N true labels. None of this is
// recorded on a tape. All throw Error, naming the shapes, if they do not fit.

namespace primer {

/// The value of a loss of one element, for a training loop to log. Throws Error if it is NaN or
/// infinite, because then training has diverged, and each further step would only spoil the
/// weights. Call it before the step.
double loss_value(const Tensor& loss);

/// How many of the N examples have their label among the k classes with the largest outputs; of
/// equal outputs the class with the lower number counts as larger, and a NaN as the largest of all.
/// Throws Error unless 1 <= k <= classes.
Index count_correct(const Tensor& outputs, const IntTensor& labels, Only<Index> k = 1);

/// count_correct as a share of N, from 0 to 1; NaN for N = 0.
double top_k_accuracy(const Tensor& outputs, const IntTensor& labels, Only<Index> k = 1);

/// How often each class was predicted for each label. Print it with <<.
class ConfusionMatrix {
  public:
    /// Throws Error unless classes >= 1.
    explicit ConfusionMatrix(Only<Index> classes);

    /// Counts a batch: outputs [N, classes] and N labels.
    void add(const Tensor& outputs, const IntTensor& labels);
    /// Counts one example of class `label` that was classified as `guess`.
    void add(Only<Index> label, Only<Index> guess);

    /// The number of classes.
    Index classes() const { return classes_; }
    /// How many examples of class `label` were classified as `guess`.
    Index at(Only<Index> label, Only<Index> guess) const;
    /// Share of all examples that were classified right; NaN if there were none.
    double accuracy() const;
    /// Share of the examples of class `label` that were classified right (its recall).
    double accuracy_of(Only<Index> label) const;

  private:
    std::size_t place(Index label, Index guess) const;  // in counts_

    Index classes_;
    std::vector<Index> counts_;  // [label, guess]
};

/// A row for each label, a column for each guess.
std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& matrix);

}  // namespace primer
// SPDX-License-Identifier: MIT
