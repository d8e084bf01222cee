#include "../kernels/reduce.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "../error.h"
#include "../internal.h"
#include "../ops.h"
#include "../tape.h"

// A reduction divides x into lines, the elements that one element of the result is computed from.
// Below, n is the number of elements in a line, and a derivative is that of the line's result y
// with respect to one of its elements x_i. It is multiplied by dy of the line.

namespace primer {
namespace {

using kernels::Lines;

// What a reduction of x over `dims` needs to know of the shapes.
struct Over {
    Shape kept;   // x's shape with size 1 in the reduced dimensions
    Shape shape;  // of the result
    Lines lines;

    Over(const char* op, const Shape& x, const Dims& dims, bool keepdim) {
        std::array<bool, Shape::kMaxRank> reduced{};
        reduced.fill(dims.empty());
        for (const int d : dims) {
            const int dim = at_least_1d(x).normalize(d, op);
            bool& at = reduced[static_cast<std::size_t>(dim)];
            check(!at, op, ": dimension ", dim, " of ", x, " is named twice: reduce over it once");
            at = true;
        }
        std::vector<Index> all, rest;
        for (int d = 0; d < x.rank(); ++d) {
            const bool gone = reduced[static_cast<std::size_t>(d)];
            all.push_back(gone ? 1 : x[d]);
            if (!gone || keepdim) rest.push_back(all.back());
        }
        kept = Shape(all);
        shape = Shape(rest);
        lines = Lines(x, kept);
    }
};

// y = f(line) for every line.
template <class F>
Tensor of_lines(const Over& over, const F& f) {
    Tensor y = empty(over.shape);
    Real* to = y.mutable_data();
    kernels::for_each_line(over.lines, [&](Index line) { to[line] = static_cast<Real>(f(line)); });
    return y;
}

// dx_i = f(x_i) for the elements of every line, where f = of_line(line).
template <class F>
Tensor of_elements(const Lines& lines, const Tensor& x, const F& of_line) {
    Tensor dx = empty(x.shape());
    const Real* from = x.data();
    Real* to = dx.mutable_data();
    kernels::for_each_line(lines, [&](Index line) {
        const auto f = of_line(line);
        lines.each(line,
                   [&](Index i) { to[i] = static_cast<Real>(f(static_cast<double>(from[i]))); });
    });
    return dx;
}

// Goes through a line with result = f(result, x_i), for eight results side by side, because a
// processor computes them at the same time, while each step of one result waits for the step
// before.
template <class T, class F>
std::array<T, 8> fold_line(const Lines& lines, Index line, const Real* x, T start, const F& f) {
    std::array<T, 8> results;
    results.fill(start);
    lines.each_row(line, [&](Index first, Index n, Index stride) {
        const Real* at = x + first;
        Index i = 0;
        for (; i + 8 <= n; i += 8) {
            for (T& result : results) result = f(result, *at), at += stride;
        }
        for (; i < n; ++i, at += stride) results[0] = f(results[0], *at);
    });
    return results;
}

// The sum of f(x_i) over a line.
template <class F>
double sum_of_line(const Lines& lines, Index line, const Real* x, const F& f) {
    const std::array<double, 8> sums = fold_line(
        lines, line, x, 0.0, [&f](double sum, Real v) { return sum + f(static_cast<double>(v)); });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// y = factor * sum of x_i: dy/dx_i = factor.
Tensor scaled_sum(const char* op, const Tensor& x, const Over& over, double factor) {
    // An empty sum is 0, an empty mean NaN.
    Tensor y = full(over.shape, static_cast<Real>(over.lines.size() == 0 ? 0 * factor : 0));
    kernels::sum_to(x.shape(), x.data(), over.kept, y.mutable_data(), factor);
    return record(
        {op, 0}, y, {x},
        [kept = over.kept, from = x.shape(), factor](const Tensor& dy, std::span<Grad> d) {
            Grad& dx = d[0];
            dx.add(expand(mul(internal::alias(dy, kept), factor), from));
        });
}

double one_over(Index n) { return 1 / static_cast<double>(n); }

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, Only<bool> keepdim) {
    return scaled_sum("sum", x, Over("sum", x.shape(), dims, keepdim), 1);
}

Tensor mean(const Tensor& x, const Dims& dims, Only<bool> keepdim) {
    const Over over("mean", x.shape(), dims, keepdim);
    return scaled_sum("mean", x, over, one_over(over.lines.size()));
}

// --- The largest and the smallest ----------------------------------------------------------------

namespace {

enum class Extreme { largest, smallest };

void check_not_empty(const char* op, const Tensor& x, const Over& over, Extreme kind) {
    check(over.lines.size() >= 1 || over.shape.numel() == 0, op, ": shape ", x.shape(),
          " has no element to be the ", kind == Extreme::largest ? "largest" : "smallest");
}

// The positions in x of the first extreme element of each line. A NaN is more extreme than any
// number.
std::vector<Index> first_extremes(const char* op, const Tensor& x, const Over& over, Extreme kind) {
    check_not_empty(op, x, over, kind);
    const Real* from = x.data();
    const auto beats = [=](Real a, Real b) {
        return !std::isnan(b) && (std::isnan(a) || (kind == Extreme::largest ? a > b : a < b));
    };
    std::vector<Index> found(static_cast<std::size_t>(over.shape.numel()));
    kernels::for_each_line(over.lines, [&](Index line) {
        Index best = -1;
        over.lines.each(line, [&](Index i) {
            if (best < 0 || beats(from[i], from[best])) best = i;
        });
        found[static_cast<std::size_t>(line)] = best;
    });
    return found;
}

Tensor values_at(const Tensor& x, const std::vector<Index>& positions, const Shape& shape) {
    Tensor y = empty(shape);
    std::ranges::transform(positions, y.mutable_data(),
                           [from = x.data()](Index i) { return from[i]; });
    return y;
}

// The extreme value of each line, NaN if one is NaN.
Tensor extreme_values(const char* op, const Tensor& x, const Over& over, Extreme kind) {
    check_not_empty(op, x, over, kind);
    if (over.lines.are_fast_rows()) {
        Tensor y = empty(over.shape);
        kernels::row_extremes(over.lines.count(), over.lines.size(), kind == Extreme::largest,
                              x.data(), y.mutable_data());
        return y;
    }
    const auto fold = [&](Index line, double start, const auto& beats) {
        const auto better = [&beats](Real best, Real v) {
            return beats(v, best) || v != v ? v : best;  // NaN beats nothing and is not beaten
        };
        const auto best = fold_line(over.lines, line, x.data(), static_cast<Real>(start), better);
        return std::accumulate(best.begin(), best.end(), best[0], better);
    };
    return of_lines(over, [&](Index line) {
        return kind == Extreme::largest ? fold(line, -INFINITY, std::greater<Real>())
                                        : fold(line, INFINITY, std::less<Real>());
    });
}

// With c elements that are all the largest, moving any one of them up moves the maximum, moving one
// down does not; dy / c for each is the mean of the one-sided derivatives' choices.
Tensor shared_extreme(const char* op, const Tensor& x, const Dims& dims, bool keepdim,
                      Extreme kind) {
    const Over over(op, x.shape(), dims, keepdim);
    const Tensor y = extreme_values(op, x, over, kind);
    return record(
        {op, 0}, y, {x},
        [lines = over.lines, x = Saved(x), y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
            Grad& dx = d[0];
            dx.add(of_elements(lines, x, [&](Index line) {
                const auto top = static_cast<double>(y->data()[line]);
                const auto is_top = [top](double v) {
                    return v == top || (std::isnan(v) && std::isnan(top));
                };
                const double count = sum_of_line(lines, line, x->data(), is_top);
                const double share = static_cast<double>(dy.data()[line]) / count;
                return [=](double v) { return is_top(v) ? share : 0; };
            }));
        });
}

// dy goes to the element that was taken; all others have gradient 0.
Tensor taken_extreme(const char* op, const Tensor& x, int dim, bool keepdim, Extreme kind) {
    const Over over(op, x.shape(), dim, keepdim);
    const std::vector<Index> taken = first_extremes(op, x, over, kind);
    const Tensor y = values_at(x, taken, over.shape);
    return record(
        {op, 0}, y, {x},
        [from = x.shape(), taken = SavedList(taken)](const Tensor& dy, std::span<Grad> d) {
            Grad& dx = d[0];
            Tensor grad = zeros(from);
            Real* to = grad.mutable_data();
            const Real* up = dy.data();
            for (const Index i : *taken) to[i] = *up++;
            dx.add(grad);
        });
}

// The positions along `dim` of the first extremes.
IntTensor extreme_positions(const char* op, const Tensor& x, int dim, bool keepdim, Extreme kind) {
    const Over over(op, x.shape(), dim, keepdim);
    std::vector<Index> positions = first_extremes(op, x, over, kind);
    const kernels::Axis axis(at_least_1d(x.shape()), at_least_1d(x.shape()).normalize(dim, op));
    for (Index& i : positions) i = i / axis.inner % axis.n;
    return {over.shape, std::move(positions)};
}

IntTensor extreme_position(const char* op, const Tensor& x, Extreme kind) {
    const Over over(op, x.shape(), {}, false);
    return {over.shape, first_extremes(op, x, over, kind)};
}

}  // namespace

Tensor max(const Tensor& x) { return shared_extreme("max", x, {}, false, Extreme::largest); }

Tensor min(const Tensor& x) { return shared_extreme("min", x, {}, false, Extreme::smallest); }

Tensor amax(const Tensor& x, const Dims& dims, Only<bool> keepdim) {
    return shared_extreme("amax", x, dims, keepdim, Extreme::largest);
}

Tensor amin(const Tensor& x, const Dims& dims, Only<bool> keepdim) {
    return shared_extreme("amin", x, dims, keepdim, Extreme::smallest);
}

Tensor max(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    return taken_extreme("max", x, dim, keepdim, Extreme::largest);
}

Tensor min(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    return taken_extreme("min", x, dim, keepdim, Extreme::smallest);
}

IntTensor argmax(const Tensor& x) { return extreme_position("argmax", x, Extreme::largest); }

IntTensor argmin(const Tensor& x) { return extreme_position("argmin", x, Extreme::smallest); }

IntTensor argmax(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    return extreme_positions("argmax", x, dim, keepdim, Extreme::largest);
}

IntTensor argmin(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    return extreme_positions("argmin", x, dim, keepdim, Extreme::smallest);
}

// --- The variance --------------------------------------------------------------------------------

namespace {

double mean_of_line(const Lines& lines, Index line, const Real* x) {
    return sum_of_line(lines, line, x, [](double v) { return v; }) /
           static_cast<double>(lines.size());
}

// First the mean, then the squared distances from it, because the shorter formula, mean x^2 - (mean
// x)^2, loses all digits where the variance is small beside the mean.
double variance_of_line(const Lines& lines, Index line, const Real* x, double correction) {
    const double mean = mean_of_line(lines, line, x);
    const double squares =
        sum_of_line(lines, line, x, [=](double v) { return (v - mean) * (v - mean); });
    return squares / std::max(0.0, static_cast<double>(lines.size()) - correction);
}

// dvar/dx_i = 2 (x_i - mean) / (n - correction). The mean moves as well, but the sum of x_j - mean,
// by which its derivative is multiplied, is 0. dvar(line) is the gradient of a line's variance.
template <class F>
Tensor variance_gradient(const Lines& lines, const Tensor& x, double correction, const F& dvar) {
    return of_elements(lines, x, [&](Index line) {
        const double mean = mean_of_line(lines, line, x.data());
        const double factor = 2 / (static_cast<double>(lines.size()) - correction) * dvar(line);
        return [=](double v) { return factor * (v - mean); };
    });
}

}  // namespace

Tensor var(const Tensor& x, const Dims& dims, const VarOptions& options) {
    const Over over("var", x.shape(), dims, options.keepdim);
    const double correction = options.correction;
    const Tensor y = of_lines(
        over, [&](Index line) { return variance_of_line(over.lines, line, x.data(), correction); });
    return record(
        {"var", 0}, y, {x},
        [lines = over.lines, correction, x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
            Grad& dx = d[0];
            const auto dvar = [&](Index line) { return static_cast<double>(dy.data()[line]); };
            dx.add(variance_gradient(lines, x, correction, dvar));
        });
}

// y = var^(1/2), so dy/dvar = 1 / (2 y), taken as 0 at y = 0. Here y is computed again in double,
// because as a float it may have overflowed or be too small to have all its digits.
Tensor stddev(const Tensor& x, const Dims& dims, const VarOptions& options) {
    const Over over("stddev", x.shape(), dims, options.keepdim);
    const double correction = options.correction;
    const Tensor y = of_lines(over, [&](Index line) {
        return std::sqrt(variance_of_line(over.lines, line, x.data(), correction));
    });
    return record(
        {"stddev", 0}, y, {x},
        [lines = over.lines, correction, x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
            Grad& dx = d[0];
            const auto dvar = [&](Index line) {
                const double root = std::sqrt(variance_of_line(lines, line, x->data(), correction));
                return root == 0 ? 0 : static_cast<double>(dy.data()[line]) / (2 * root);
            };
            dx.add(variance_gradient(lines, x, correction, dvar));
        });
}

// --- logsumexp and norm --------------------------------------------------------------------------

namespace {

// ln sum_i e^(x_i) of a line is shift + log_sum, for any shift. The largest x_i as the shift keeps
// e^(x_i - shift) from overflowing.
struct LogSum {
    double shift = -INFINITY, log_sum;

    LogSum(const Lines& lines, Index line, const Real* x) {
        lines.each(line, [&](Index i) { shift = std::max(shift, static_cast<double>(x[i])); });
        if (std::isinf(shift)) shift = 0;  // infinity - infinity is NaN
        log_sum =
            std::log(sum_of_line(lines, line, x, [this](double v) { return std::exp(v - shift); }));
    }
};

Tensor log_sums(const Over& over, const Tensor& x) {
    const auto plain = [&](Index line) {
        const LogSum of_line(over.lines, line, x.data());
        return of_line.shift + of_line.log_sum;
    };
    if (!over.lines.are_fast_rows()) return of_lines(over, plain);
    Tensor y = empty(over.shape);
    Real* to = y.mutable_data();
    kernels::row_logsumexp(over.lines.count(), over.lines.size(), x.data(), to);
    for (Index line = 0; line < over.lines.count(); ++line) {
        if (!std::isfinite(to[line])) to[line] = static_cast<Real>(plain(line));
    }
    return y;
}

}  // namespace

// y = ln sum_j e^(x_j): dy/dx_i = e^(x_i) / sum_j e^(x_j) = e^(x_i - y). Subtracting the two parts
// of y one by one keeps the digits of log_sum beside a large shift.
Tensor logsumexp(const Tensor& x, const Dims& dims, Only<bool> keepdim) {
    const Over over("logsumexp", x.shape(), dims, keepdim);
    const Tensor y = log_sums(over, x);
    return record(
        {"logsumexp", 0}, y, {x},
        [lines = over.lines, kept = over.kept, x = Saved(x), y = Saved(y)](const Tensor& dy,
                                                                           std::span<Grad> d) {
            Grad& dx = d[0];
            if (lines.are_fast_rows() && internal::all_finite(y)) {  // then it is dy softmax(x)
                Tensor grad = empty(x->shape());
                const kernels::Axis rows(Shape{lines.count(), lines.size()}, 1);
                kernels::softmax(rows, x->data(), grad.mutable_data());
                dx.add(mul(grad, internal::alias(dy, kept)));
                return;
            }
            dx.add(of_elements(lines, x, [&](Index line) {
                const LogSum of_line(lines, line, x->data());
                const auto up = static_cast<double>(dy.data()[line]);
                return
                    [=](double v) { return up * std::exp((v - of_line.shift) - of_line.log_sum); };
            }));
        });
}

namespace {

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }  // of NaN: NaN

double norm_of_line(const Lines& lines, Index line, const Real* x, double p) {
    if (std::isinf(p)) {  // the largest or the smallest |x_i|; once it is NaN, it stays NaN
        double best = p > 0 ? 0 : INFINITY;
        lines.each(line, [&](Index i) {
            const double size = std::abs(static_cast<double>(x[i]));
            if (std::isnan(size) || (p > 0 ? size > best : size < best)) best = size;
        });
        return best;
    }
    if (p == 2 && lines.are_fast_rows()) {
        return std::sqrt(kernels::sum_of_squares(lines.size(), x + line * lines.size()));
    }
    const double sum = sum_of_line(lines, line, x, [p](double v) {
        if (p == 0) return v != 0 ? 1.0 : 0.0;
        return p == 2 ? v * v : std::pow(std::abs(v), p);
    });
    return p == 0 ? sum : p == 2 ? std::sqrt(sum) : std::pow(sum, 1 / p);
}

// dy/dx_i for the x_i of a line: a function of x_i. For finite p other than 0,
//     dy/dx_i = (1/p) (sum_j |x_j|^p)^(1/p - 1) p |x_i|^(p-1) sign(x_i)
//             = sign(x_i) (|x_i| / y)^(p-1)
// Where p is infinite, the derivative is that of |x_i| for the extreme elements, which share it.
// As in stddev, y is computed again in double.
auto norm_derivative(const Lines& lines, Index line, const Real* x, double p) {
    const double y = norm_of_line(lines, line, x, p);
    const auto is_extreme = [y](double v) {
        return std::abs(v) == y || (std::isnan(v) && std::isnan(y));
    };
    const double count = std::isinf(p) ? sum_of_line(lines, line, x, is_extreme) : 0;
    return [=](double v) {
        if (p == 0) return 0.0;
        if (std::isinf(p)) return is_extreme(v) ? sign(v) / count : 0.0;
        if (y == 0 || (v == 0 && std::isfinite(y))) return 0.0;
        const double ratio = std::abs(v) / y;
        return sign(v) * (p == 2 ? ratio : std::pow(ratio, p - 1));
    };
}

}  // namespace

Tensor norm(const Tensor& x, Only<double> p, const Dims& dims, Only<bool> keepdim) {
    const double power = p;
    const Over over("norm", x.shape(), dims, keepdim);
    check(!std::isnan(power), "norm: expected a number p, got NaN");
    check(over.lines.size() >= 1 || over.shape.numel() == 0 || (power >= 0 && !std::isinf(power)),
          "norm: shape ", x.shape(), " has no element for a norm with p = ", power);
    const Tensor y =
        of_lines(over, [&](Index line) { return norm_of_line(over.lines, line, x.data(), power); });
    return record({"norm", 0}, y, {x},
                  [lines = over.lines, power, x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      dx.add(of_elements(lines, x, [&](Index line) {
                          const auto up = static_cast<double>(dy.data()[line]);
                          const auto f = norm_derivative(lines, line, x->data(), power);
                          return [=](double v) { return up * f(v); };
                      }));
                  });
}

}  // namespace primer
// SPDX-License-Identifier: MIT
