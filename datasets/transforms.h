#pragma once

#include <functional>
#include <span>
#include <vector>

#include "../core/real.h"
#include "../core/rng.h"
#include "../core/shape.h"
#include "../core/size2.h"

// Changes to pictures between the dataset and the network. Usual for training on CIFAR:
//
//     .transforms = {RandomCrop(32, 4), RandomHorizontalFlip(), ToTensor(),
//                    Normalize(kCifar10Mean, kCifar10Stddev)}
//
// This is torchvision's order: transforms that move pixels come first. RandomCrop fills in zeros,
// which are black only before Normalize. Cutout belongs after Normalize, where its zeros are the
// mean colour, as its authors intend.

namespace primer {

/// Changes one picture in place. `image` holds its values in row-major order, `shape` is [channels,
/// height, width]. A random transform draws from `rng`, which belongs to this picture alone, so
/// that it does not matter when and on which thread the picture is prepared. For the same reason a
/// transform must keep no state between calls; several threads call it at once. A lambda of this
/// form will do.
using Transform = std::function<void(std::span<Real> image, const Shape& shape, Rng& rng)>;

/// Shifts the picture: adds `padding` rows and columns of zeros on each side and takes a window of
/// the picture's size, at a uniformly random place. So each direction shifts by -padding ...
/// padding pixels, and pixels that leave the window are lost. It has the name and parameters of
/// torchvision's, but a crop cannot change the size of pictures.
class RandomCrop {
  public:
    /// `size` is the size of the pictures. Throws Error unless 1 <= size and 0 <= padding < size;
    /// otherwise a window may miss the picture.
    RandomCrop(Size2 size, Size2 padding);

    /// Throws Error for a picture of another size.
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    Size2 size_, padding_;
};

/// Exchanges left and right with probability p.
class RandomHorizontalFlip {
  public:
    /// Throws Error unless 0 <= p <= 1.
    explicit RandomHorizontalFlip(Only<double> p = 0.5);

    /// Changes the picture, or leaves it as it is.
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    double p_;
};

/// Sets a square of size x size pixels to zero in all channels. Its middle is a uniformly random
/// pixel, so at the border only a part of the square lies in the picture. DeVries and Taylor,
/// "Improved Regularization of Convolutional Neural Networks with Cutout", 2017, use a size of 16
/// for CIFAR-10 and 8 for CIFAR-100.
class Cutout {
  public:
    /// Throws Error unless size >= 1.
    explicit Cutout(Only<Index> size);

    /// Changes the picture.
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;

  private:
    Index size_;
};

/// Bytes to numbers from 0 to 1: x / 255.
struct ToTensor {
    /// Changes the picture.
    void operator()(std::span<Real> image, const Shape& shape, Rng& rng) const;
};

/// (x - mean) / stddev, with a mean and a standard deviation for each channel. With those of the
/// training pictures the values have mean 0 and variance 1, as initialisation assumes.
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
// SPDX-License-Identifier: MIT
