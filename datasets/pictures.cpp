#include "pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "../core/creation.h"
#include "../core/error.h"

namespace primer {
namespace {

// --- sizes -------------------------------------------------------------------------------------

// The weights of the pixels of a row (or column), from `first` on, for one pixel of the result.
struct Taps {
    Index first;
    std::vector<Real> weights;
};

std::vector<Taps> taps(Index from, Index to) {
    const double step = static_cast<double>(from) / static_cast<double>(to);
    const double reach = std::max(1.0, step);
    std::vector<Taps> all;
    for (Index i = 0; i < to; ++i) {
        const double centre = (static_cast<double>(i) + 0.5) * step - 0.5;
        const Index first = std::max<Index>(0, static_cast<Index>(std::ceil(centre - reach)));
        const Index last = std::min(from - 1, static_cast<Index>(std::floor(centre + reach)));
        std::vector<double> weights;
        double sum = 0;
        for (Index j = first; j <= last; ++j) {
            weights.push_back(std::max(0.0, 1 - std::abs(static_cast<double>(j) - centre) / reach));
            sum += weights.back();
        }
        Taps& out = all.emplace_back(Taps{first, {}});
        for (double w : weights) out.weights.push_back(static_cast<Real>(w / sum));
    }
    return all;
}

struct Box {
    Index left = 0, top = 0, right = 0, bottom = 0;  // right and bottom are outside
    Index width() const { return right - left; }
    Index height() const { return bottom - top; }
};

Tensor crop(const Tensor& x, const Box& box) {
    const Index channels = x.shape()[0], height = x.shape()[1], width = x.shape()[2];
    Tensor y = empty({channels, box.height(), box.width()});
    Real* to = y.mutable_data();
    for (Index c = 0; c < channels; ++c) {
        for (Index row = box.top; row < box.bottom; ++row) {
            to = std::copy_n(x.data() + (c * height + row) * width + box.left, box.width(), to);
        }
    }
    return y;
}

// Shrinks x to at most `longest` pixels a side.
Tensor shrunk(const Tensor& x, Index longest) {
    const Index height = x.shape()[1], width = x.shape()[2], side = std::max(height, width);
    if (side <= longest) return x;
    const auto fitted = [&](Index size) { return std::max<Index>(1, size * longest / side); };
    return resize(x, fitted(height), fitted(width));
}

Tensor channels_first(const Image& image) {
    const Index pixels = image.width * image.height;
    Tensor x = empty({image.channels, image.height, image.width});
    Real* const to = x.mutable_data();
    for (Index c = 0; c < image.channels; ++c) {
        for (Index i = 0; i < pixels; ++i) {
            to[c * pixels + i] = image.pixels[static_cast<std::size_t>(i * image.channels + c)];
        }
    }
    return x;
}

// --- ink and paper -----------------------------------------------------------------------------

// Each channel's median over the pixels at the border.
std::vector<Real> paper_of(const Tensor& x) {
    const Index channels = x.shape()[0], height = x.shape()[1], width = x.shape()[2];
    std::vector<Real> paper;
    for (Index c = 0; c < channels; ++c) {
        std::vector<Real> border;
        for (Index row = 0; row < height; ++row) {
            const bool inner = row > 0 && row < height - 1;
            for (Index column = 0; column < width;
                 column += inner ? std::max<Index>(1, width - 1) : 1) {
                border.push_back(x.data()[(c * height + row) * width + column]);
            }
        }
        const auto middle = border.begin() + std::ssize(border) / 2;
        std::nth_element(border.begin(), middle, border.end());
        paper.push_back(*middle);
    }
    return paper;
}

// The distance of each pixel's colour from the paper's: [1, H, W].
Tensor distance_to(const std::vector<Real>& paper, const Tensor& x) {
    const Index pixels = x.shape()[1] * x.shape()[2];
    Tensor distance = zeros({1, x.shape()[1], x.shape()[2]});
    Real* const d = distance.mutable_data();
    for (std::size_t c = 0; c < paper.size(); ++c) {
        const Real* const values = x.data() + static_cast<Index>(c) * pixels;
        for (Index i = 0; i < pixels; ++i) {
            d[i] += (values[i] - paper[c]) * (values[i] - paper[c]);
        }
    }
    for (Index i = 0; i < pixels; ++i) d[i] = std::sqrt(d[i] / static_cast<Real>(paper.size()));
    return distance;
}

// The threshold between the distances of paper and those of ink, and the means of both.
struct Parting {
    double threshold, paper, ink;
};

// The threshold that maximises n0 n1 (m0 - m1)^2, the variance between the two classes. (Otsu, "A
// Threshold Selection Method from Gray-Level Histograms", 1979.)
Parting part(const Tensor& distance) {
    std::array<double, 256> count{}, sum{};
    double all = 0, total = 0;
    for (Real d : distance.values()) {
        const auto value = static_cast<double>(d);
        const auto bin = static_cast<std::size_t>(std::clamp(value, 0.0, 255.0));
        ++count[bin];
        sum[bin] += value;
        ++all;
        total += value;
    }
    Parting best{0, 0, 0};
    double most = 0, below = 0, below_sum = 0;
    for (std::size_t bin = 0; bin + 1 < count.size(); ++bin) {
        below += count[bin];
        below_sum += sum[bin];
        if (below == 0 || below == all) continue;
        const double paper = below_sum / below, ink = (total - below_sum) / (all - below);
        const double score = below * (all - below) * (ink - paper) * (ink - paper);
        if (score > most) best = {static_cast<double>(bin + 1), paper, ink};
        most = std::max(most, score);
    }
    return best;
}

// --- the digit ---------------------------------------------------------------------------------

// Removes from `open` the pixels that are connected with `start`, also diagonally, and returns
// them.
std::vector<Index> take_component(std::vector<char>& open, Index width, Index start) {
    const Index height = std::ssize(open) / width;
    std::vector<Index> component{start};
    open[static_cast<std::size_t>(start)] = 0;
    for (std::size_t next = 0; next < component.size(); ++next) {
        const Index x = component[next] % width, y = component[next] / width;
        for (Index row = std::max<Index>(0, y - 1); row <= std::min(height - 1, y + 1); ++row) {
            for (Index column = std::max<Index>(0, x - 1); column <= std::min(width - 1, x + 1);
                 ++column) {
                char& there = open[static_cast<std::size_t>(row * width + column)];
                if (there) component.push_back(row * width + column);
                there = 0;
            }
        }
    }
    return component;
}

struct Ink {
    Tensor amount;  // [1, H, W], 0 ... 1
    Box box;        // around all ink; empty if there is none
};

constexpr double kLeastContrast = 6;  // of 255: compression makes plain paper vary by less
constexpr std::size_t kSpeck = 25;    // a speck is this many times smaller than the largest piece

Ink ink_in(const Tensor& x, const std::vector<Real>& paper) {
    const Tensor distance = distance_to(paper, x);
    const Parting parting = part(distance);
    const Index width = x.shape()[2];
    Ink ink{zeros(distance.shape()), {}};
    if (parting.ink - parting.paper < kLeastContrast) return ink;

    std::vector<char> open;
    for (Real d : distance.values()) open.push_back(static_cast<double>(d) >= parting.threshold);
    std::vector<std::vector<Index>> pieces;
    std::size_t largest = 0;
    for (Index i = 0; i < std::ssize(open); ++i) {
        if (!open[static_cast<std::size_t>(i)]) continue;
        pieces.push_back(take_component(open, width, i));
        largest = std::max(largest, pieces.back().size());
    }

    // Below half way from paper to the threshold is noise; from there to the mean of the ink are
    // the pixels at its edges.
    const double low = (parting.paper + parting.threshold) / 2;
    Real* const amount = ink.amount.mutable_data();
    for (Index i = 0; i < distance.numel(); ++i) {
        const double part = (static_cast<double>(distance.data()[i]) - low) / (parting.ink - low);
        amount[i] = static_cast<Real>(std::clamp(part, 0.0, 1.0));
    }
    ink.box = {width, x.shape()[1], 0, 0};
    for (const std::vector<Index>& piece : pieces) {
        const bool speck = piece.size() * kSpeck < largest;
        for (Index i : piece) {
            if (speck) {
                amount[i] = 0;
                continue;
            }
            Box& box = ink.box;
            box = {std::min(box.left, i % width), std::min(box.top, i / width),
                   std::max(box.right, i % width + 1), std::max(box.bottom, i / width + 1)};
        }
    }
    return ink;
}

// Scales a box from the size of `small` to that of `x`, with a margin, because one pixel there is
// several here.
Box enlarged(const Box& box, const Tensor& small, const Tensor& x) {
    const auto to = [](Index at, Index from, Index size) {
        return std::clamp<Index>(at * size / from, 0, size);
    };
    const Index height = small.shape()[1], width = small.shape()[2];
    const Index full_height = x.shape()[1], full_width = x.shape()[2];
    return {to(box.left - 1, width, full_width), to(box.top - 1, height, full_height),
            to(box.right + 1, width, full_width), to(box.bottom + 1, height, full_height)};
}

constexpr Index kSide = 28, kDigit = 20;

// Places the digit so that its centre of mass is as close to the picture's middle as possible.
Tensor centred(const Tensor& digit) {
    const Index height = digit.shape()[1], width = digit.shape()[2];
    double mass = 0, x = 0, y = 0;
    for (Index i = 0; i < digit.numel(); ++i) {
        const auto value = static_cast<double>(digit.data()[i]);
        mass += value;
        x += value * (static_cast<double>(i % width) + 0.5);
        y += value * (static_cast<double>(i / width) + 0.5);
    }
    const auto offset = [&](double moment, Index size) {
        const auto at = static_cast<Index>(std::lround(kSide / 2 - moment / mass));
        return std::clamp<Index>(at, 0, kSide - size);
    };
    const Index left = offset(x, width), top = offset(y, height);
    Tensor picture = zeros({1, kSide, kSide});
    for (Index row = 0; row < height; ++row) {
        std::copy_n(digit.data() + row * width, width,
                    picture.mutable_data() + (top + row) * kSide + left);
    }
    return picture;
}

}  // namespace

Tensor resize(const Tensor& x, Only<Index> height, Only<Index> width) {
    check(x.rank() == 3 && x.numel() > 0 && height >= 1 && width >= 1,
          "resize: expected [C, H, W] and a size of at least 1, got ", x.shape(), " and ", height,
          " x ", width);
    const Index planes = x.shape()[0], rows = x.shape()[1], columns = x.shape()[2];
    Tensor narrow = zeros({planes, rows, width});
    Real* to = narrow.mutable_data();
    const std::vector<Taps> across = taps(columns, width);
    for (Index row = 0; row < planes * rows; ++row) {
        const Real* const from = x.data() + row * columns;
        for (const auto& [first, weights] : across) {
            for (Index j = 0; j < std::ssize(weights); ++j) {
                *to += weights[static_cast<std::size_t>(j)] * from[first + j];
            }
            ++to;
        }
    }
    Tensor y = zeros({planes, height, width});
    to = y.mutable_data();
    const std::vector<Taps> down = taps(rows, height);
    for (Index plane = 0; plane < planes; ++plane) {
        for (const auto& [first, weights] : down) {
            for (Index j = 0; j < std::ssize(weights); ++j) {
                const Real* const from = narrow.data() + (plane * rows + first + j) * width;
                const Real weight = weights[static_cast<std::size_t>(j)];
                for (Index i = 0; i < width; ++i) to[i] += weight * from[i];
            }
            to += width;
        }
    }
    return y;
}

Tensor mnist_picture(const Image& image) {
    // Enough pixels to see the digit, but few enough to average noise away. A digit that is small
    // in its picture gets a second, closer look.
    constexpr Index kLook = 112;
    image.check_whole("mnist_picture");
    const Tensor picture = channels_first(image);
    const Tensor small = shrunk(picture, kLook);
    const std::vector<Real> paper = paper_of(small);
    const Ink found = ink_in(small, paper);
    check(found.box.width() > 0, "expected a digit, got a picture of one colour, ", image.width,
          " x ", image.height);
    const Tensor close = shrunk(crop(picture, enlarged(found.box, small, picture)), kLook);
    Ink ink = ink_in(close, paper);
    if (ink.box.width() == 0) ink = found;

    const Tensor digit = crop(ink.amount, ink.box);
    const Index longest = std::max(ink.box.width(), ink.box.height());
    const auto fitted = [&](Index size) {
        return std::max<Index>(1, (size * kDigit + longest / 2) / longest);
    };
    const Tensor fit = resize(digit, fitted(ink.box.height()), fitted(ink.box.width()));
    // Thin lines turn pale when they shrink, but MNIST's are white.
    const Real palest = *std::ranges::max_element(fit.values());
    for (Real& value : std::span(fit.mutable_data(), fit.values().size())) value *= 255 / palest;
    return centred(fit);
}

Tensor fitted_picture(const Image& image, Only<Index> channels, Only<Index> height,
                      Only<Index> width) {
    image.check_whole("fitted_picture");
    check((channels == 1 || channels == 3) && height >= 1 && width >= 1,
          "fitted_picture: expected 1 or 3 channels and a size of at least 1 x 1, got ", channels,
          " channels and ", height, " x ", width);
    // Either side may be the one that fits.
    const double scale = std::min(static_cast<double>(image.height) / static_cast<double>(height),
                                  static_cast<double>(image.width) / static_cast<double>(width));
    const auto part = [&](Index size, Index most) {
        return std::clamp<Index>(std::lround(scale * static_cast<double>(size)), 1, most);
    };
    const Index rows = part(height, image.height), columns = part(width, image.width);
    const Index left = (image.width - columns) / 2, top = (image.height - rows) / 2;
    const Tensor x =
        resize(crop(channels_first(image), {left, top, left + columns, top + rows}), height, width);
    if (channels == image.channels) return x;

    const Index pixels = height * width;
    Tensor picture = empty({channels, height, width});
    Real* const to = picture.mutable_data();
    const Real* const from = x.data();
    if (channels == 1) {
        for (Index i = 0; i < pixels; ++i) {
            to[i] = Real(0.299) * from[i] + Real(0.587) * from[i + pixels] +
                    Real(0.114) * from[i + 2 * pixels];
        }
    } else {
        for (Index c = 0; c < channels; ++c) std::copy_n(from, pixels, to + c * pixels);
    }
    return picture;
}

Tensor cifar_picture(const Image& image) {
    image.check_whole("cifar_picture");
    return fitted_picture(image, 3, 32, 32);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
