#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "int_tensor.h"
#include "tensor.h"

// Everything here looks only at the elements that it shows, so that a tensor of any size prints at
// once; and it writes text of its own making, so that neither the stream's settings nor the locale
// change a digit.

namespace primer {
namespace {

constexpr Index kAbridged = 1000;  // a tensor of more elements than this is shown in part:
constexpr Index kEdge = 3;         // this many at both ends of each dimension
constexpr Index kGap = -1;         // in place of the positions that are left out
constexpr int kFraction = 4;       // digits after the point
constexpr std::size_t kLine = 80;  // columns
constexpr char kPrefix[] = "tensor(";

// The positions along a dimension of `size` that are shown.
std::vector<Index> shown(Index size, bool abridged) {
    std::vector<Index> positions;
    for (Index i = 0; i < size; ++i) {
        if (abridged && i == kEdge && size > 2 * kEdge) {
            positions.push_back(kGap);
            i = size - kEdge;
        }
        positions.push_back(i);
    }
    return positions;
}

// Where the elements that are shown lie in row-major memory, in the order in which they are read.
std::vector<Index> shown_offsets(const Shape& shape, bool abridged) {
    std::vector<Index> offsets{0};
    for (Index size : shape.dims()) {
        std::vector<Index> inner;
        for (Index offset : offsets) {
            for (Index i : shown(size, abridged)) {
                if (i != kGap) inner.push_back(offset * size + i);
            }
        }
        offsets = std::move(inner);
    }
    return offsets;
}

// --- Numbers as words ---------------------------------------------------------------------------

// The elements that are shown, aligned at the right, and the columns that the layout allows each.
struct Words {
    std::vector<std::string> texts;
    std::size_t width = 1;
};

// How all numbers of a tensor are written.
struct Notation {
    std::chars_format format = std::chars_format::fixed;
    int fraction = 0;  // digits after the point
};

// Zeros, and what is not finite, count neither here nor for the width.
bool counts(double value) { return std::isfinite(value) && value != 0; }

// An exponent as soon as fixed notation would take many digits or lose many; else a fraction,
// unless all numbers are whole.
template <class T>
Notation notation_of(const std::vector<T>& values) {
    double smallest = INFINITY, largest = 0;
    bool whole = true;
    for (const T value : values) {
        const auto v = static_cast<double>(value);
        if (!counts(v)) continue;
        smallest = std::min(smallest, std::abs(v));
        largest = std::max(largest, std::abs(v));
        whole = whole && v == std::ceil(v);
    }
    if (largest == 0) return {};
    if (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4) {
        return {std::chars_format::scientific, kFraction};
    }
    return {std::chars_format::fixed, whole ? 0 : kFraction};
}

std::string to_text(double value, const Notation& notation) {
    if (std::isnan(value)) return "nan";
    std::array<char, 64> buffer{};  // enough: fixed notation is for numbers up to 10^8 only
    const auto [format, fraction] = notation;
    const std::to_chars_result end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, fraction);
    std::string text(buffer.data(), end.ptr);
    if (fraction == 0 && std::isfinite(value)) text += '.';  // a Real, not an Index
    return text;
}

std::string to_text(Index value, const Notation&) { return std::to_string(value); }

template <class T>
Words to_words(const std::vector<T>& values) {
    const Notation notation = notation_of(values);
    Words words;
    for (const T v : values) {
        words.texts.push_back(to_text(v, notation));
        const bool wide = counts(static_cast<double>(v));
        if (wide) words.width = std::max(words.width, words.texts.back().size());
    }
    for (std::string& text : words.texts) {
        if (text.size() < words.width) text.insert(0, words.width - text.size(), ' ');
    }
    return words;
}

// --- Words as a nest of brackets ----------------------------------------------------------------

class Nest {
  public:
    Nest(const Shape& shape, bool abridged, Words words)
        : shape_(shape), abridged_(abridged), words_(std::move(words)) {}

    std::string text() {
        dimension(0);
        return std::move(text_);
    }

  private:
    // Dimension d at one position of those before it: "[a, b, c]" with what separates a from b.
    void dimension(int d) {
        if (d == shape_.rank()) {  // an element
            text_ += words_.texts[next_++];
            return;
        }
        if (d == shape_.rank() - 1) return row();
        const int lines_apart = shape_.rank() - 1 - d;
        text_ += '[';
        bool first = true;
        for (Index i : shown(shape_[d], abridged_)) {
            if (!first) new_line(lines_apart, d);
            first = false;
            if (i == kGap) {
                text_ += "...";
            } else {
                dimension(d + 1);
            }
        }
        text_ += ']';
    }

    // The last dimension, in as many lines as it takes.
    void row() {
        const int d = shape_.rank() - 1;
        const std::size_t columns = kLine - indent(d);
        const std::size_t in_line = std::max<std::size_t>(1, columns / (words_.width + 2));
        text_ += '[';
        std::size_t position = 0;
        for (Index i : shown(shape_[d], abridged_)) {
            if (position > 0 && position % in_line == 0) {
                new_line(1, d);
            } else if (position > 0) {
                text_ += ", ";
            }
            ++position;
            text_ += i == kGap ? " ..." : words_.texts[next_++];
        }
        text_ += ']';
    }

    // The column in which the bracket of dimension d opens.
    static std::size_t indent(int d) {
        return std::size(kPrefix) - 1 + static_cast<std::size_t>(d);
    }

    void new_line(int lines, int d) {
        text_ += ',';
        text_.append(static_cast<std::size_t>(lines), '\n').append(indent(d) + 1, ' ');
    }

    const Shape& shape_;
    const bool abridged_;
    const Words words_;
    std::size_t next_ = 0;  // of words_
    std::string text_;
};

// Adds ", suffix", in a line of its own if it does not fit into the last one.
void add_suffix(std::string& text, const std::string& suffix) {
    const std::size_t column = text.size() - (text.rfind('\n') + 1);  // npos + 1 is 0
    // PyTorch counts two columns more than there are, besides the ", ".
    if (column + 2 + suffix.size() + 2 > kLine) {
        text += ",\n" + std::string(std::size(kPrefix) - 1, ' ') + suffix;
    } else {
        text += ", " + suffix;
    }
}

template <class T>
std::string print(const Shape& shape, const T* values, bool requires_grad) {
    std::string text = kPrefix;
    if (shape.numel() == 0) {
        text += "[]";
        const std::string dims = shape.str();
        if (shape.rank() != 1) add_suffix(text, "size=(" + dims.substr(1, dims.size() - 2) + ')');
    } else {
        const bool abridged = shape.numel() > kAbridged;
        std::vector<T> elements;
        for (Index offset : shown_offsets(shape, abridged)) elements.push_back(values[offset]);
        text += Nest(shape, abridged, to_words(elements)).text();
    }
    if (requires_grad) add_suffix(text, "requires_grad=True");
    return text + ')';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& x) {
    if (!x.defined()) return out << "tensor(undefined)";
    return out << print(x.shape(), x.data(), x.requires_grad() && x.impl().is_leaf);
}

std::ostream& operator<<(std::ostream& out, const IntTensor& x) {
    x.check_whole("printing");
    return out << print(x.shape, x.values.data(), false);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
