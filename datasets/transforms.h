#pragma once

#include <functional>
#include <span>
#include <vector>

#include "../core/real.h"
#include "../core/rng.h"
#include "../core/shape.h"
#include "../core/size2.h"

// What is done to pictures between the dataset and the network. For training on CIFAR, the usual:
//
//     .transforms = {RandomCrop(32, 4), RandomHorizontalFlip(), ToTensor(),
//                    Normalize(kCifar10Mean, kCifar10Stddev)}
//
// This is torchvision's order: what moves pixels comes first. RandomCrop fills in zeros, which are
// black only before Normalize; Cutout's are the mean colour, as its authors want it, only after.

namespace primer {

/// Changes one picture in place. `image` holds its values in row-major order, `shape` is
/// [channels, height, width]. A transform that leaves something to chance draws it from `rng`,
/// which belongs to this picture alone, so that it does not matter on which thread, or when, the
/// picture is prepared. For the same reason it must keep nothing from one call for the next; it is
/// called from several threads at once. A lambda of this form will do.
using Transform = std::function<void(std::span<Real> image, const Shape& shape, Rng& rng)>;

/// Moves the picture about: adds `padding` rows and columns of zeros on each side and takes from
/// that a window as large as the picture was, all of its places equally likely. So each direction
/// moves by -padding ... padding pixels, and what leaves on one side is lost. Has the name and the
/// parameters of torchvision's; that a crop changes the size of pictures is not supported.
class RandomCrop {
  public:
    /// `size` is that of the pictures. Throws Error unless 1 <= size and 0 <= padding < size:
    /// otherwise there are windows with nothing of the picture in them.
    RandomCrop(Size2 size, Size2 padding);

    /// Throws Error for a picture of another size.
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    Size2 size_, padding_;
};

/// Exchanges left and right, with probability p.
class RandomHorizontalFlip {
  public:
    /// Throws Error unless 0 <= p <= 1.
    explicit RandomHorizontalFlip(Only<double> p = 0.5);

    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    double p_;
};

/// Sets a square of size x size pixels to zero in all channels. Its middle is any of the pixels,
/// all equally likely, so that at the border only a part of the square lies in the picture. DeVries
/// and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017: 16 for
/// CIFAR-10, 8 for CIFAR-100.
class Cutout {
  public:
    /// Throws Error unless size >= 1.
    explicit Cutout(Only<Index> size);

    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    Index size_;
};

/// Bytes to numbers from 0 to 1: x / 255.
struct ToTensor {
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;
};

/// (x - mean) / stddev, with a mean and a standard deviation for each channel. With those of the
/// training pictures, the values come to have mean 0 and variance 1: what initialisation reckons
/// with.
class Normalize {
  public:
    /// Throws Error unless there are as many means as standard deviations, at least one of each,
    /// all finite and the standard deviations above 0.
    Normalize(std::vector<Real> mean, std::vector<Real> stddev);

    /// Throws Error for a picture with another number of channels.
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    std::vector<Real> mean_;
    std::vector<Real> stddev_;
};

}  // namespace primer
