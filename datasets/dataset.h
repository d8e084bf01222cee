#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "../core/int_tensor.h"
#include "../core/real.h"
#include "../core/rng.h"
#include "../core/shape.h"
#include "../core/tensor.h"

namespace primer {

/// The part of a dataset for training and the part for testing.
enum class Split { train, test };

/// A member that lets others detect the end of its object: a DataLoader uses it to notice that its
/// dataset is gone. A copy of the object has its own.
class Lifetime {
  public:
    Lifetime() = default;
    /// A copy has an end of its own.
    Lifetime(const Lifetime&) {}
    /// Assigning to the object is not its end.
    Lifetime& operator=(const Lifetime&) { return *this; }
    /// Expired when the object is gone.
    std::weak_ptr<const char> watch() const { return token_; }

  private:
    std::shared_ptr<const char> token_ = std::make_shared<const char>();
};

/// Examples, all of one shape, numbered from 0, and what a network should answer to each: the
/// number of a class or, in a regression, a tensor of values. Reading one changes nothing, so
/// several threads may read at once.
///
/// A dataset of your own overrides the first three functions, and classes and label for classes, or
/// target_shape and load_target for values.
class Dataset {
  public:
    virtual ~Dataset() = default;

    /// How many examples there are.
    virtual Index size() const = 0;
    /// The shape of one example; for a picture [channels, height, width].
    virtual Shape shape() const = 0;
    /// Writes the values of example i to `out`, row-major and as they are stored: 0 ... 255 for a
    /// picture; transforms prepare them for a network. Throws Error unless 0 <= i < size() and
    /// `out` has as many elements as shape().
    virtual void load(Index i, std::span<Real> out) const = 0;

    /// Labels are 0, 1, ..., classes() - 1; 0 for a dataset whose targets are values.
    virtual Index classes() const { return 0; }
    /// The label of example i. Throws Error unless 0 <= i < size(), and if there are no labels.
    virtual Index label(Index i) const;

    /// The shape of the target of one example, [] for a single number. Throws Error for a dataset
    /// with labels.
    virtual Shape target_shape() const;
    /// Writes the target of example i to `out`. Throws Error unless 0 <= i < size() and `out` has
    /// as many elements as target_shape(), and for a dataset with labels.
    virtual void load_target(Index i, std::span<Real> out) const;

    /// Tells when the dataset ends, to those who must notice it.
    const Lifetime& lifetime() const { return lifetime_; }

  private:
    Lifetime lifetime_;
};

/// Pictures and their labels in memory, one byte per value.
class ImageDataset : public Dataset {
  public:
    /// `shape` is the shape of one picture, [channels, height, width]; `pixels` holds one picture
    /// after another, each row-major. Throws Error if a size is 0, if the numbers of pictures and
    /// labels differ, or if a label is not below `classes` (1 to 256).
    ImageDataset(const Shape& shape, Index classes, std::vector<std::uint8_t> pixels,
                 std::vector<std::uint8_t> labels);

    Index size() const override { return static_cast<Index>(labels_.size()); }
    Shape shape() const override { return shape_; }
    Index classes() const override { return classes_; }
    Index label(Index i) const override;
    void load(Index i, std::span<Real> out) const override;

    /// The bytes of picture i.
    std::span<const std::uint8_t> pixels(Index i) const;

  private:
    void check_index(Index i) const;

    Shape shape_;
    Index classes_;
    std::vector<std::uint8_t> pixels_;
    std::vector<std::uint8_t> labels_;
};

/// Examples in memory, in a tensor.
class TensorDataset : public Dataset {
  public:
    /// A dataset for classification, from examples [N, ...] and N labels below `classes`. Throws
    /// Error if they do not fit. (The tensors are not copied, so do not change them while this
    /// exists.)
    TensorDataset(const Tensor& examples, IntTensor labels, Only<Index> classes);
    /// The same, with the largest label plus 1 as the number of classes: state it where some class
    /// might have no example.
    TensorDataset(const Tensor& examples, const IntTensor& labels);
    /// A dataset for regression, from targets [N, ...], where N numbers are [N].
    TensorDataset(const Tensor& examples, const Tensor& targets);

    Index size() const override { return examples_.shape()[0]; }
    Shape shape() const override;
    void load(Index i, std::span<Real> out) const override;
    Index classes() const override { return classes_; }
    Index label(Index i) const override;
    Shape target_shape() const override;
    void load_target(Index i, std::span<Real> out) const override;

  private:
    Tensor examples_, targets_;
    IntTensor labels_;
    Index classes_ = 0;
};

/// Some of the examples of a dataset, in an order of their own.
class Subset : public Dataset {
  public:
    /// Keeps a reference to `dataset`, which must outlive it. Throws Error for an index that
    /// dataset does not have.
    Subset(const Dataset& dataset, std::vector<Index> indices);
    Subset(const Dataset&& dataset, std::vector<Index> indices) = delete;

    Index size() const override { return std::ssize(indices_); }
    Shape shape() const override { return whole().shape(); }
    void load(Index i, std::span<Real> out) const override { whole().load(at(i), out); }
    Index classes() const override { return whole().classes(); }
    Index label(Index i) const override { return whole().label(at(i)); }
    Shape target_shape() const override { return whole().target_shape(); }
    void load_target(Index i, std::span<Real> out) const override {
        whole().load_target(at(i), out);
    }

    /// Which examples of the dataset these are.
    const std::vector<Index>& indices() const { return indices_; }

  private:
    /// Throws Error if the dataset is gone.
    const Dataset& whole() const;
    /// The number there of example i.
    Index at(Index i) const;

    const Dataset* dataset_;
    std::weak_ptr<const char> alive_;
    std::vector<Index> indices_;
};

/// Deals the examples out at random, each to one part: random_split(data, {0.9, 0.1}, rng) gives 90
/// % of them for training and the others for validation. As in PyTorch, a part has its fraction of
/// the examples, rounded down, and those left over go to the first parts, one each; and the lengths
/// may be the parts' sizes instead: random_split(data, {900, 100}, rng). Throws Error unless the
/// lengths are above 0 and add up to 1 or, as whole numbers, to the size of the dataset; and if a
/// part would be empty.
std::vector<Subset> random_split(const Dataset& dataset, const std::vector<double>& lengths,
                                 Rng& rng = default_rng());
std::vector<Subset> random_split(const Dataset&& dataset, const std::vector<double>& lengths,
                                 Rng& rng = default_rng()) = delete;

/// The mean and the standard deviation of each channel, over all pixels of all pictures, each
/// divided by 255, as ToTensor does.
struct ChannelStatistics {
    std::vector<Real> mean, stddev;
};

/// Computes them, for Normalize, from the training pictures. Throws Error unless the examples are
/// pictures, [channels, height, width], and for a dataset without examples.
ChannelStatistics channel_statistics(const Dataset& pictures);

}  // namespace primer
// SPDX-License-Identifier: MIT
