#include "synthetic_digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "../core/error.h"
#include "../core/rng.h"
#include "synthetic.h"

namespace primer {
namespace {

using synthetic::angle;
using synthetic::around_zero;
using synthetic::uniform;

constexpr int kSide = 28;  // in the units of the pen's movements; pixels may be smaller

struct Point {
    double x, y;
};

/// A point that the pen passes, in a smooth curve unless it is a corner.
struct Knot {
    double x, y;  ///< right and down, in a box of 20 x 20 with its middle at (10, 10)
    bool corner = false;
};

/// The pen's way from where it is put down to where it is lifted.
using Stroke = std::vector<Knot>;
/// One way to write a digit.
using Glyph = std::vector<Stroke>;

constexpr bool corner = true;

// clang-format off
const std::array<std::vector<Glyph>, 10>& glyphs() {
    // Never destroyed, because destructors of static objects may still draw digits.
    static const auto& table = *new std::array<std::vector<Glyph>, 10>{{
        {  // 0
            {{{11, 1}, {5, 5}, {4.5, 14}, {10, 19}, {15, 14.5}, {15, 5}, {10, 1}, {6.5, 3}}},
            {{{13.5, 4}, {9, 1}, {4.5, 9}, {8, 18.5}, {14, 16.5}, {15.5, 7}, {11.5, 2}, {8.5, 3}}},
        },
        {  // 1: a bare stroke; with a nose; with a nose and a foot
            {{{10, 1, corner}, {10, 19, corner}}},
            {{{6.5, 5, corner}, {10.5, 1, corner}, {10.5, 19, corner}}},
            {{{6.5, 5, corner}, {10.5, 1, corner}, {10.5, 19, corner}},
             {{6.5, 19, corner}, {14.5, 19, corner}}},
        },
        {  // 2: with a corner below; with a loop
            {{{4.5, 5}, {7, 1.8}, {11, 1}, {14.5, 4}, {13.5, 8.5}, {9, 13.5},
              {4.5, 18.5, corner}, {16, 18.5}}},
            {{{4.5, 4}, {10, 1}, {14.5, 4.5}, {12.5, 10.5}, {8, 17}, {5, 18.5}, {4, 16.5},
              {7, 15.5}, {11, 18}, {16, 18}}},
        },
        {  // 3: round; with a flat top
            {{{4.5, 3.5}, {9.5, 1}, {14.5, 4}, {13, 8}, {8.5, 9.5, corner},
              {13.5, 10.8}, {15.5, 15}, {11, 19}, {4.5, 17}}},
            {{{5, 1.5, corner}, {14.5, 1.5, corner}, {9, 8, corner},
              {14, 10}, {15.5, 14.5}, {11, 19}, {4.5, 17}}},
        },
        {  // 4: open; open and round; closed, in one stroke
            {{{6.5, 1, corner}, {4, 11, corner}, {16, 11, corner}},
             {{13, 4, corner}, {12, 19, corner}}},
            {{{6, 2, corner}, {5.5, 8}, {8, 10.5}, {14, 9.5, corner}},
             {{14.5, 1, corner}, {13, 19, corner}}},
            {{{12, 19, corner}, {12.5, 1, corner}, {3.5, 13, corner}, {16.5, 13, corner}}},
        },
        {  // 5: in one stroke; with the bar set on afterwards
            {{{15, 1.5, corner}, {6.5, 1.5, corner}, {5.5, 8.5, corner},
              {10.5, 7.5}, {15, 12.5}, {11, 18.5}, {4.5, 17.5}}},
            {{{6.5, 2, corner}, {5, 9.5, corner}, {11, 8.5}, {14.5, 13.5}, {10, 19}, {4, 17}},
             {{6.5, 2, corner}, {15.5, 1, corner}}},
        },
        {  // 6
            {{{13.5, 1}, {8, 5.5}, {4.7, 12.5}, {6.5, 18}, {11, 19}, {15, 15.5}, {13, 11},
              {8.5, 11.5}, {5, 15}}},
            {{{9.5, 1}, {6, 7}, {5, 14}, {8.5, 19}, {13.5, 18}, {14.5, 13.5}, {10.5, 11.5},
              {6, 14.5}}},
        },
        {  // 7: straight; with a hook and a bent stem; with a bar
            {{{4, 2, corner}, {15.5, 2, corner}, {9, 19, corner}}},
            {{{4, 4, corner}, {4.5, 2, corner}, {10, 2.2}, {15.5, 1.5, corner}, {10.5, 9},
              {8.5, 19}}},
            {{{4, 2, corner}, {15.5, 2, corner}, {9, 19, corner}},
             {{7.5, 10, corner}, {15, 10, corner}}},
        },
        {  // 8: in one stroke; one ring on the other
            {{{14, 3.5}, {10, 1}, {6, 4}, {9, 8.8}, {14, 13}, {13, 18}, {8, 18.8}, {5.5, 15},
              {9.5, 10}, {14, 6}, {14, 3}}},
            {{{10, 1}, {6, 4.8}, {10, 9.2}, {14, 4.8}, {10, 1}},
             {{10, 9.2}, {5, 14}, {10, 19}, {15, 14}, {10, 9.2}}},
        },
        {  // 9: with a straight stem; with a tail
            {{{14.5, 4}, {10, 1}, {5.5, 5}, {8, 9.5}, {13, 8}, {14.5, 4}, {14, 11}, {12.5, 19}}},
            {{{14, 3.5}, {9.5, 1.3}, {5.5, 5.5}, {9, 9.8}, {13.5, 7}, {14.5, 3, corner},
              {14.5, 12}, {11.5, 18.5}, {6, 18}}},
        },
    }};
    return table;
}
// clang-format on

/// One hand's way to write: maps a glyph's box to the picture. It bends the plane, not single
/// strokes, so that strokes that meet in the glyph meet in the picture.
class Hand {
  public:
    explicit Hand(Rng& rng) {
        // In units of half a box: how far the middle is from the line between the ends, and how
        // much wider one end is than the other.
        bend_x_ = around_zero(rng, 0.35);
        bend_y_ = around_zero(rng, 0.3);
        taper_x_ = around_zero(rng, 0.4);
        taper_y_ = around_zero(rng, 0.3);
        // Half the size of the box, in pixels; MNIST's digits are 20 pixels high.
        const double width = uniform(rng, 5.5, 11), height = uniform(rng, 7.5, 10.5);
        const double slant = around_zero(rng, 0.5);
        const auto [cosine, sine] = angle(around_zero(rng, 0.2));
        xx_ = cosine * width;
        xy_ = -cosine * slant * width - sine * height;
        yx_ = sine * width;
        yy_ = cosine * height - sine * slant * width;
        x_ = 14 + around_zero(rng, 3);
        y_ = 14 + around_zero(rng, 2.5);
    }

    Point operator()(Point p) const {
        const double u = (p.x - 10) / 10, v = (p.y - 10) / 10;
        // The constants are close to the mean squares, so that a bend does not move the digit.
        const double bent_u = u + bend_x_ * (v * v - 0.5) + taper_x_ * u * v;
        const double bent_v = v + bend_y_ * (u * u - 0.2) + taper_y_ * u * v;
        return {x_ + xx_ * bent_u + xy_ * bent_v, y_ + yx_ * bent_u + yy_ * bent_v};
    }

  private:
    double bend_x_, bend_y_, taper_x_, taper_y_;
    double xx_, xy_, yx_, yy_, x_, y_;
};

/// The squared distance from the middle of each pixel to the nearest stroke.
class Canvas {
  public:
    /// A pixel is `pixel` wide and high. Distances beyond `reach` do not matter.
    Canvas(Index side, double pixel, double reach)
        : side_(side),
          pixel_(pixel),
          reach_(reach),
          distance2_(static_cast<std::size_t>(side * side), reach * reach) {}

    void line(Point a, Point b) {
        const auto [left, right] = pixels(a.x, b.x);
        const auto [top, bottom] = pixels(a.y, b.y);
        const double dx = b.x - a.x, dy = b.y - a.y;
        const double per_length2 = 1 / std::max(dx * dx + dy * dy, 1e-12);
        for (Index row = top; row < bottom; ++row) {
            double* const d2 = &distance2_[static_cast<std::size_t>(row * side_)];
            const double y = middle(row) - a.y;
            for (Index column = left; column < right; ++column) {
                const double x = middle(column) - a.x;
                const double t = std::clamp((x * dx + y * dy) * per_length2, 0.0, 1.0);
                const double ex = x - t * dx, ey = y - t * dy;
                d2[column] = std::min(d2[column], ex * ex + ey * ey);
            }
        }
    }

    double distance2(std::size_t pixel) const { return distance2_[pixel]; }

  private:
    double middle(Index pixel) const { return (static_cast<double>(pixel) + 0.5) * pixel_; }

    /// The columns (or rows) that a stroke from a to b may reach.
    std::pair<Index, Index> pixels(double a, double b) const {
        const auto side = static_cast<double>(side_);
        const double low = (std::min(a, b) - reach_) / pixel_;
        const double high = (std::max(a, b) + reach_) / pixel_ + 1;
        return {static_cast<Index>(std::clamp(low, 0.0, side)),
                static_cast<Index>(std::clamp(high, 0.0, side))};
    }

    Index side_;
    double pixel_, reach_;
    std::vector<double> distance2_;
};

/// Draws the cubic Hermite curve from p to q that leaves p in direction dp and reaches q in
/// direction dq, as a chain of lines.
void curve(Canvas& canvas, const Hand& hand, Point p, Point dp, Point q, Point dq) {
    constexpr int kPieces = 5;
    Point from = hand(p);
    for (int i = 1; i <= kPieces; ++i) {
        const double t = static_cast<double>(i) / kPieces, s = 1 - t;
        const double wp = s * s * (1 + 2 * t), wq = t * t * (3 - 2 * t);
        const double wdp = s * s * t, wdq = -t * t * s;
        const Point to = hand({wp * p.x + wq * q.x + wdp * dp.x + wdq * dq.x,
                               wp * p.y + wq * q.y + wdp * dp.y + wdq * dq.y});
        canvas.line(from, to);
        from = to;
    }
}

void draw(Canvas& canvas, const Hand& hand, const Stroke& stroke, Rng& rng) {
    std::vector<Point> p;  // the knots, moved a little: no hand is steady
    for (const Knot& knot : stroke) {
        const double x = knot.x + around_zero(rng, 1.5);
        p.push_back({x, knot.y + around_zero(rng, 1.5)});
    }
    // At a smooth knot the curve's direction is that from its predecessor to its successor
    // (Catmull-Rom). At corners and ends the pen goes straight.
    const auto direction = [&](std::size_t at, std::size_t i) -> Point {
        const bool smooth = at > 0 && at + 1 < p.size() && !stroke[at].corner;
        const Point from = p[smooth ? at - 1 : i], to = p[smooth ? at + 1 : i + 1];
        const double scale = smooth ? 0.5 : 1;
        return {scale * (to.x - from.x), scale * (to.y - from.y)};
    };
    for (std::size_t i = 0; i + 1 < p.size(); ++i) {
        curve(canvas, hand, p[i], direction(i, i), p[i + 1], direction(i + 1, i));
    }
}

void draw_digit(const SyntheticDigitsOptions& options, std::size_t digit, Rng& rng,
                std::span<std::uint8_t> pixels) {
    const std::vector<Glyph>& ways = glyphs()[digit];
    const Glyph& glyph = ways[static_cast<std::size_t>(rng.below(static_cast<Index>(ways.size())))];
    const Hand hand(rng);
    const double radius = uniform(rng, 0.8, 1.7);
    const double softness = uniform(rng, 0.8, 1.6);  // the pixels over which white becomes black
    const double ink = uniform(rng, 200, 280);
    const double noise = uniform(rng, 0, options.noise);

    const double pixel = kSide / static_cast<double>(options.side);
    Canvas canvas(options.side, pixel, radius + softness / 2);
    for (const Stroke& stroke : glyph) draw(canvas, hand, stroke, rng);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const double distance = std::sqrt(canvas.distance2(i));
        const double cover = std::clamp((radius - distance) / softness + 0.5, 0.0, 1.0);
        const double value = ink * cover + around_zero(rng, noise);
        pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5);
    }
}

}  // namespace

ImageDataset synthetic_digits(Only<Index> count, Only<std::uint64_t> seed,
                              const SyntheticDigitsOptions& options) {
    const auto [side, noise] = options;
    check(side >= 8 && side <= 4096, "synthetic_digits: expected a side of 8 to 4096 pixels, got ",
          side);
    check(noise >= 0 && noise <= 255, "synthetic_digits: expected noise from 0 to 255, got ",
          noise);
    return synthetic::pictures("synthetic_digits", count, seed, {1, side, side},
                               [&](std::size_t digit, Rng& rng, std::span<std::uint8_t> pixels) {
                                   draw_digit(options, digit, rng, pixels);
                               });
}

}  // namespace primer
// SPDX-License-Identifier: MIT
