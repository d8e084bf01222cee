#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "int_tensor.h"
#include "tensor.h"

// Everything here looks only at the elements that it shows, so that a tensor of any size prints at
// once; and it writes text of its own making, so that neither the stream's settings nor the locale
// change a digit.

namespace primer {
namespace {

constexpr Index kAbridged = 1000;     // a tensor of more elements than this is shown in part:
constexpr Index kEdge = 3;            // this many at both ends of each dimension
constexpr Index kGap = -1;            // in place of the positions that are left out
constexpr std::size_t kFraction = 4;  // digits after the point, at most
constexpr std::size_t kLine = 75;     // columns

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

// 1.25e-05 in three parts: "1", "25", "e-05"; without an exponent that is empty.
struct Decimal {
    std::string whole, fraction, exponent;
};

Decimal split(std::string_view text) {
    const std::size_t e = std::min(text.find('e'), text.size());
    const std::size_t point = std::min(text.find('.'), e);
    const std::size_t fraction = std::min(point + 1, e);
    return {std::string(text.substr(0, point)), std::string(text.substr(fraction, e - fraction)),
            std::string(text.substr(e))};
}

// The shortest text that reads back as this value or, if that is too long, the nearest.
Decimal to_decimal(Real value, std::chars_format format) {
    std::array<char, 64> buffer{};  // enough: fixed notation is for values below 10^8 only
    char* const begin = buffer.data();
    char* const end = begin + buffer.size();
    Decimal d = split({begin, std::to_chars(begin, end, value, format).ptr});
    if (d.fraction.size() > kFraction) {
        d = split({begin, std::to_chars(begin, end, value, format, int{kFraction}).ptr});
        d.fraction.erase(d.fraction.find_last_not_of('0') + 1);
    }
    return d;
}

// NumPy's rule: an exponent as soon as fixed notation would take many digits or lose many.
bool needs_exponent(const std::vector<Real>& values) {
    Real smallest = INFINITY, largest = 0;
    for (Real v : values) {
        if (!std::isfinite(v) || v == 0) continue;
        smallest = std::min(smallest, std::abs(v));
        largest = std::max(largest, std::abs(v));
    }
    if (largest == 0) return false;
    return largest >= Real(1e8) || smallest < Real(1e-4) || largest / smallest > 1000;
}

std::string not_finite(Real value) {
    return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

std::vector<std::string> right_aligned(std::vector<std::string> words) {
    std::size_t width = 0;
    for (const std::string& word : words) width = std::max(width, word.size());
    for (std::string& word : words) word.insert(0, width - word.size(), ' ');
    return words;
}

// All with the same number of columns, the points one below the other.
std::vector<std::string> to_words(const std::vector<Real>& values) {
    const bool exponent = needs_exponent(values);
    std::vector<Decimal> decimals;
    std::size_t fraction = 0, power = 0;
    for (Real v : values) {
        if (!std::isfinite(v)) continue;
        decimals.push_back(
            to_decimal(v, exponent ? std::chars_format::scientific : std::chars_format::fixed));
        fraction = std::max(fraction, decimals.back().fraction.size());
        power = std::max(power, decimals.back().exponent.size());
    }
    std::vector<std::string> words;
    auto next = decimals.begin();
    for (Real v : values) {
        if (!std::isfinite(v)) {
            words.push_back(not_finite(v));
            continue;
        }
        auto& [whole, digits, e] = *next++;
        digits.resize(fraction, exponent ? '0' : ' ');
        if (exponent) e.insert(2, power - e.size(), '0');  // after "e+"
        words.push_back(whole + '.' + digits + e);
    }
    return right_aligned(std::move(words));
}

std::vector<std::string> to_words(const std::vector<Index>& values) {
    std::vector<std::string> words;
    for (Index v : values) words.push_back(std::to_string(v));
    return right_aligned(std::move(words));
}

// --- Words as a nest of brackets ----------------------------------------------------------------

class Nest {
  public:
    Nest(const Shape& shape, bool abridged, std::vector<std::string> words)
        : shape_(shape), abridged_(abridged), words_(std::move(words)) {}

    std::string text() {
        dimension(0);
        return std::move(text_);
    }

  private:
    // Dimension d at one position of those before it: "[a, b, c]" with what separates a from b.
    void dimension(int d) {
        if (d == shape_.rank()) {  // an element
            text_ += words_[next_++];
            return;
        }
        if (d == shape_.rank() - 1) return row();
        const auto rows_apart = static_cast<std::size_t>(shape_.rank() - 1 - d);
        text_ += '[';
        bool first = true;
        for (Index i : shown(shape_[d], abridged_)) {
            if (!first) {
                text_.append(rows_apart, '\n').append(static_cast<std::size_t>(d + 1), ' ');
            }
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
        const auto indent = static_cast<std::size_t>(shape_.rank());
        std::size_t column = indent;
        text_ += '[';
        for (Index i : shown(shape_[-1], abridged_)) {
            const std::string& word = i == kGap ? gap_ : words_[next_++];
            // The closing brackets must fit in as well.
            if (column > indent && column + word.size() > kLine - indent) {
                text_.erase(text_.find_last_not_of(' ') + 1);
                text_.append(1, '\n').append(indent, ' ');
                column = indent;
            }
            text_ += word;
            text_ += ' ';
            column += word.size() + 1;
        }
        text_.back() = ']';
    }

    const Shape& shape_;
    const bool abridged_;
    const std::vector<std::string> words_;
    const std::string gap_ = "...";
    std::size_t next_ = 0;  // of words_
    std::string text_;
};

template <class T>
std::string print(const char* kind, const Shape& shape, const T* values) {
    const std::string title = std::string(kind) + ' ' + shape.str() + '\n';
    if (shape.numel() == 0) return title + "[]";
    const bool abridged = shape.numel() > kAbridged;
    std::vector<T> elements;
    for (Index offset : shown_offsets(shape, abridged)) elements.push_back(values[offset]);
    return title + Nest(shape, abridged, to_words(elements)).text();
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& x) {
    if (!x.defined()) return out << "Tensor (undefined)";
    return out << print("Tensor", x.shape(), x.data());
}

std::ostream& operator<<(std::ostream& out, const IntTensor& x) {
    x.check_whole("printing");
    return out << print("IntTensor", x.shape, x.values.data());
}

}  // namespace primer
