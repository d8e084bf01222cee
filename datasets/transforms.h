#pragma once

#include <functional>
#include <span>
#include <vector>

#include "primer/core/real.h"
#include "primer/core/rng.h"
#include "primer/core/shape.h"

namespace primer {

/// Changes one picture in place. `image` holds its values in row-major order, `shape` is
/// [channels, height, width]. A transform that leaves something to chance draws it from `rng`,
/// which belongs to this picture alone, so that it does not matter on which thread, or when, the
/// picture is prepared. For the same reason it must keep nothing from one call for the next; it is
/// called from several threads at once. A lambda of this form will do.
using Transform = std::function<void(std::span<Real> image, const Shape& shape, Rng& rng)>;

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
