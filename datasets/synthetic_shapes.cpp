#include "synthetic_shapes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "../core/rng.h"
#include "synthetic.h"

namespace primer {
namespace {

using synthetic::angle;
using synthetic::Angle;
using synthetic::around_zero;
using synthetic::uniform;

constexpr int kSide = 32;
constexpr int kArea = kSide * kSide;

double square(double x) { return x * x; }

/// The number of sides of a regular polygon around (0, 0) on whose inner side the point (u, v)
/// lies. `normals` are the normals of the sides, which all have the distance `apothem`.
int sides_inside(std::span<const Angle> normals, double apothem, double u, double v) {
    int inside = 0;
    for (const auto& [cosine, sine] : normals) inside += u * cosine + v * sine < apothem ? 1 : 0;
    return inside;
}

// The normals of the sides of an equilateral triangle and of a regular pentagon.
constexpr std::array<Angle, 3> kThree{{{1, 0}, {-0.5, 0.8660254}, {-0.5, -0.8660254}}};
constexpr std::array<Angle, 5> kFive{{{1, 0},
                                      {0.3090170, 0.9510565},
                                      {-0.8090170, 0.5877853},
                                      {-0.8090170, -0.5877853},
                                      {0.3090170, -0.9510565}}};

/// Whether a point belongs to the shape, a figure of radius 1 or so around (0, 0) or a pattern.
bool belongs(std::size_t label, double u, double v) {
    const double r2 = u * u + v * v;
    const double a = std::abs(u), b = std::abs(v);
    switch (label) {
        case 0:  // disc
            return r2 < 1;
        case 1:  // square
            return std::max(a, b) < 0.87;
        case 2:  // triangle
            return sides_inside(kThree, 0.6, u, v) == 3;
        case 3:  // cross
            return std::min(a, b) < 0.3 && std::max(a, b) < 1.05;
        case 4:  // ring
            return r2 < square(1.05) && r2 > square(0.62);
        case 5:  // star: a pentagon and its tips, each beyond one of the sides
            return sides_inside(kFive, 0.38, u, v) >= 4;
        case 6:  // crescent: a disc minus another disc
            return r2 < square(1.1) && square(u - 0.55) + v * v > square(0.85);
        case 7:  // stripes
            return u - std::floor(u) < 0.5;
        case 8:  // checks
            return (u - std::floor(u) < 0.5) == (v - std::floor(v) < 0.5);
        default:  // dots
            return square(u - std::floor(u) - 0.5) + square(v - std::floor(v) - 0.5) < square(0.33);
    }
}
constexpr std::size_t kFirstPattern = 7;

/// Maps a point of the picture to the shape's own coordinates.
class Placement {
  public:
    Placement(bool pattern, Rng& rng) {
        // A pattern's unit is its period.
        const double unit = pattern ? uniform(rng, 6, 10) : uniform(rng, 7, 12);
        const double proportion = uniform(rng, 0.8, 1);
        Angle turn = angle(uniform(rng, -1, 1));  // a quarter of a turn to either side; the other
        if (rng.below(2) == 1) turn = {-turn.cosine, -turn.sine};  // half circle is opposite
        x_ = kSide / 2.0 + around_zero(rng, 6);
        y_ = kSide / 2.0 + around_zero(rng, 6);
        xx_ = turn.cosine / unit;
        xy_ = turn.sine / unit;
        yx_ = -turn.sine / (unit * proportion);
        yy_ = turn.cosine / (unit * proportion);
    }

    double u(double x, double y) const { return xx_ * (x - x_) + xy_ * (y - y_); }
    double v(double x, double y) const { return yx_ * (x - x_) + yy_ * (y - y_); }

  private:
    double x_, y_, xx_, xy_, yx_, yy_;
};

/// A colour with blotches: it varies around its mean from place to place.
class Paint {
  public:
    Paint(const std::array<double, 3>& colour, Rng& rng) {
        const double most = uniform(rng, 0, 40);
        for (std::size_t c = 0; c < 3; ++c) {
            for (double& value : grid_[c]) value = colour[c] + around_zero(rng, most);
        }
    }

    /// Interpolates between the four nearest points of a coarse grid.
    double operator()(std::size_t channel, int x, int y) const {
        const int left = x / kCell, top = y / kCell;
        const double s = (x % kCell + 0.5) / kCell, t = (y % kCell + 0.5) / kCell;
        const double* const at = &grid_[channel][static_cast<std::size_t>(top * kPoints + left)];
        return (1 - t) * ((1 - s) * at[0] + s * at[1]) +
               t * ((1 - s) * at[kPoints] + s * at[kPoints + 1]);
    }

  private:
    static constexpr int kCell = 8, kPoints = kSide / kCell + 1;
    std::array<std::array<double, kPoints * kPoints>, 3> grid_;
};

std::array<double, 3> any_colour(Rng& rng) {
    const double red = uniform(rng, 10, 245), green = uniform(rng, 10, 245);
    return {red, green, uniform(rng, 10, 245)};
}

/// A colour that clearly differs from `other`.
std::array<double, 3> another_colour(const std::array<double, 3>& other, Rng& rng) {
    while (true) {
        const std::array<double, 3> colour = any_colour(rng);
        double distance2 = 0;
        for (std::size_t c = 0; c < 3; ++c) distance2 += square(colour[c] - other[c]);
        if (distance2 > square(110)) return colour;
    }
}

/// The share of each pixel that the shape covers, estimated from a few points of the pixel.
std::array<double, kArea> covered(std::size_t label, const Placement& placement) {
    constexpr int kPoints = 3;
    std::array<double, kArea> share{};
    for (int i = 0; i < kArea * kPoints * kPoints; ++i) {
        const int pixel = i / (kPoints * kPoints), point = i % (kPoints * kPoints);
        const double x = pixel % kSide + (point % kPoints + 0.5) / kPoints;
        const double y = pixel / kSide + (point / kPoints + 0.5) / kPoints;
        if (belongs(label, placement.u(x, y), placement.v(x, y))) {
            share[static_cast<std::size_t>(pixel)] += 1.0 / (kPoints * kPoints);
        }
    }
    return share;
}

void draw_shape(std::size_t label, Rng& rng, std::span<std::uint8_t> pixels) {
    const Placement placement(label >= kFirstPattern, rng);
    const std::array<double, 3> ground_colour = any_colour(rng);
    const std::array<double, 3> shape_colour = another_colour(ground_colour, rng);
    const Paint ground(ground_colour, rng), shape(shape_colour, rng);
    const double noise = uniform(rng, 0, 30);

    const std::array<double, kArea> share = covered(label, placement);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const std::size_t channel = i / kArea, pixel = i % kArea;
        const int x = static_cast<int>(pixel) % kSide, y = static_cast<int>(pixel) / kSide;
        const double value = (1 - share[pixel]) * ground(channel, x, y) +
                             share[pixel] * shape(channel, x, y) + around_zero(rng, noise);
        pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5);
    }
}

}  // namespace

ImageDataset synthetic_shapes(Only<Index> count, Only<std::uint64_t> seed) {
    return synthetic::pictures("synthetic_shapes", count, seed, {3, kSide, kSide}, draw_shape);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
