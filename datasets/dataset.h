#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "../core/real.h"
#include "../core/shape.h"

namespace primer {

/// The part of a dataset for training and the part for testing.
enum class Split { train, test };

/// A member that lets others detect the end of its object: a DataLoader uses it to notice that its
/// dataset is gone. A copy of the object has its own.
class Lifetime {
  public:
    Lifetime() = default;
    Lifetime(const Lifetime&) {}
    Lifetime& operator=(const Lifetime&) { return *this; }
    /// Expired when the object is gone.
    std::weak_ptr<const char> watch() const { return token_; }

  private:
    std::shared_ptr<const char> token_ = std::make_shared<const char>();
};

/// Labelled examples, all of one shape, numbered from 0. Reading one changes nothing, so several
/// threads may read at once.
class Dataset {
  public:
    virtual ~Dataset() = default;

    /// How many examples there are.
    virtual Index size() const = 0;
    /// The shape of one example; for a picture [channels, height, width].
    virtual Shape shape() const = 0;
    /// Labels are 0, 1, ..., classes() - 1.
    virtual Index classes() const = 0;

    /// The label of example i. Throws Error unless 0 <= i < size().
    virtual Index label(Index i) const = 0;
    /// Writes the values of example i to `out`, row-major and as they are stored: 0 ... 255 for a
    /// picture; transforms prepare them for a network. Throws Error unless 0 <= i < size() and
    /// `out` has as many elements as shape().
    virtual void load(Index i, std::span<Real> out) const = 0;

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

}  // namespace primer
