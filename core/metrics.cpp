#include "metrics.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <ostream>
#include <string>

#include "error.h"
#include "ops.h"

namespace primer {
namespace {

void check_fit(const char* who, const Tensor& outputs, const IntTensor& labels) {
    labels.check_whole(who);
    check(outputs.rank() == 2, who, ": expected outputs [N, classes], got ", outputs.shape());
    check(outputs.shape()[1] >= 1, who,
          ": expected outputs [N, classes] with at least one class, got ", outputs.shape());
    const Index rows = outputs.shape()[0], classes = outputs.shape()[1];
    check(labels.shape == Shape{rows}, who, ": expected ", rows, " labels for outputs ",
          outputs.shape(), ", got labels of shape ", labels.shape);
    for (Index label : labels.values) {
        if (label < 0 || label >= classes) {
            fail(who, ": label ", label, " is outside 0 ... ", classes - 1,
                 label < 0 ? "; leave examples without a class out of outputs and labels" : "");
        }
    }
}

// Whether class c with value v comes before class d with value w.
bool ahead(Real v, Index c, Real w, Index d) {
    if (std::isnan(v) != std::isnan(w)) return std::isnan(v);
    if (v == w || std::isnan(v)) return c < d;
    return v > w;
}

}  // namespace

double loss_value(const Tensor& loss) {
    check(loss.numel() == 1, "loss_value: expected a loss of one element, got shape ", loss.shape(),
          "; did you forget mean() or sum()?");
    const auto value = static_cast<double>(loss.item());
    check(std::isfinite(value), "the loss is not finite (", value,
          "): training has diverged; try a smaller learning rate, clip_grad_norm_, or look for "
          "values in the data that are not finite");
    return value;
}

Index count_correct(const Tensor& outputs, const IntTensor& labels, Only<Index> k) {
    check_fit("count_correct", outputs, labels);
    const Index rows = outputs.shape()[0], classes = outputs.shape()[1];
    check(k >= 1 && k <= classes, "count_correct: expected k from 1 to ", classes, ", got ", k);
    Index correct = 0;
    for (Index r = 0; r < rows; ++r) {
        const Real* row = outputs.data() + r * classes;
        const Index label = labels.values[static_cast<std::size_t>(r)];
        Index better = 0;
        for (Index c = 0; c < classes; ++c) better += ahead(row[c], c, row[label], label) ? 1 : 0;
        correct += better < k ? 1 : 0;
    }
    return correct;
}

double top_k_accuracy(const Tensor& outputs, const IntTensor& labels, Only<Index> k) {
    return static_cast<double>(count_correct(outputs, labels, k)) /
           static_cast<double>(outputs.shape()[0]);
}

ConfusionMatrix::ConfusionMatrix(Only<Index> classes) : classes_(classes) {
    check(classes >= 1, "ConfusionMatrix: expected at least one class, got ", classes);
    try {
        counts_.resize(static_cast<std::size_t>(Shape{classes, classes}.numel()));
    } catch (const std::exception&) {  // bad_alloc or length_error
        fail("ConfusionMatrix: there is not enough memory for ", classes, " x ", classes,
             " counts");
    }
}

void ConfusionMatrix::add(const Tensor& outputs, const IntTensor& labels) {
    check_fit("ConfusionMatrix", outputs, labels);
    check(outputs.shape()[1] == classes_, "ConfusionMatrix: expected outputs [N, ", classes_,
          "], got ", outputs.shape());
    const IntTensor guesses = argmax(outputs, 1);
    for (std::size_t i = 0; i < labels.values.size(); ++i) {
        add(labels.values[i], guesses.values[i]);
    }
}

void ConfusionMatrix::add(Only<Index> label, Only<Index> guess) { ++counts_[place(label, guess)]; }

Index ConfusionMatrix::at(Only<Index> label, Only<Index> guess) const {
    return counts_[place(label, guess)];
}

std::size_t ConfusionMatrix::place(Index label, Index guess) const {
    check(label >= 0 && label < classes_ && guess >= 0 && guess < classes_,
          "ConfusionMatrix: expected classes from 0 to ", classes_ - 1, ", got ", label, " and ",
          guess);
    return static_cast<std::size_t>(label * classes_ + guess);
}

double ConfusionMatrix::accuracy() const {
    Index right = 0, all = 0;
    for (Index label = 0; label < classes_; ++label) {
        right += at(label, label);
        for (Index guess = 0; guess < classes_; ++guess) all += at(label, guess);
    }
    return static_cast<double>(right) / static_cast<double>(all);
}

double ConfusionMatrix::accuracy_of(Only<Index> label) const {
    Index all = 0;
    for (Index guess = 0; guess < classes_; ++guess) all += at(label, guess);
    return static_cast<double>(at(label, label)) / static_cast<double>(all);
}

std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& matrix) {
    std::size_t width = std::to_string(matrix.classes() - 1).size();
    for (Index label = 0; label < matrix.classes(); ++label) {
        for (Index guess = 0; guess < matrix.classes(); ++guess) {
            width = std::max(width, std::to_string(matrix.at(label, guess)).size());
        }
    }
    const auto cell = [width](const std::string& text) {
        return std::string(width + 1 - std::min(width, text.size()), ' ') + text;
    };
    out << "label \\ guess";
    for (Index guess = 0; guess < matrix.classes(); ++guess) out << cell(std::to_string(guess));
    for (Index label = 0; label < matrix.classes(); ++label) {
        const std::string name = std::to_string(label);
        out << '\n' << std::string(13 - std::min(std::size_t{13}, name.size()), ' ') << name;
        for (Index guess = 0; guess < matrix.classes(); ++guess) {
            out << cell(std::to_string(matrix.at(label, guess)));
        }
    }
    return out << '\n';
}

}  // namespace primer
// SPDX-License-Identifier: MIT
