#include <algorithm>
#include <vector>

#include "../error.h"
#include "../kernels/copy.h"
#include "../kernels/gather.h"
#include "../ops.h"
#include "../tape.h"

namespace primer {
namespace {

// What is added at each end of each dimension of x, outermost first. Negative: taken away.
struct Margins {
    std::vector<Index> before, after;

    Margins(const Shape& x, std::span<const Index> sizes)
        : before(static_cast<std::size_t>(x.rank())), after(before) {
        check(sizes.size() % 2 == 0 && std::ssize(sizes) <= 2 * x.rank(),
              "pad: expected two sizes for each dimension, the last dimension first, at most ",
              2 * x.rank(), " for x ", x, ", got ", sizes.size());
        for (std::size_t i = 0; i < sizes.size() / 2; ++i) {
            before[before.size() - 1 - i] = sizes[2 * i];
            after[after.size() - 1 - i] = sizes[2 * i + 1];
        }
    }

    Margins reversed() const {
        Margins r = *this;
        for (Index& size : r.before) size = -size;
        for (Index& size : r.after) size = -size;
        return r;
    }
};

[[noreturn]] void fail_margins(const Shape& x, int dim, Index before, Index after,
                               const char* expected) {
    fail("pad: expected ", expected, ", got ", before, " and ", after, " for dimension ", dim,
         " of x ", x);
}

// x within `value`s.
Tensor surround(const Tensor& x, const Margins& margins, Real value) {
    Shape kept = x.shape(), shape = kept;  // what is left of x; y
    for (int dim = 0; dim < x.rank(); ++dim) {
        const auto d = static_cast<std::size_t>(dim);
        const Index before = margins.before[d], after = margins.after[d];
        const Index rest = kept[dim] + std::min(before, Index{0}) + std::min(after, Index{0});
        if (rest < 0) {
            fail_margins(x.shape(), dim, before, after,
                         "negative sizes to take away no more than there is");
        }
        kept = kept.with(dim, rest);
        shape = shape.with(dim, rest + std::max(before, Index{0}) + std::max(after, Index{0}));
    }
    const Strides stride_x = row_major_strides(x.shape()), stride_y = row_major_strides(shape);
    const Tensor y = full(shape, value);
    const Real* from = x.data();
    Real* to = y.mutable_data();
    for (std::size_t d = 0; d < margins.before.size(); ++d) {
        from += std::max(-margins.before[d], Index{0}) * stride_x[d];
        to += std::max(margins.before[d], Index{0}) * stride_y[d];
    }
    kernels::copy_strided(kept, from, stride_x, to, stride_y);
    return y;
}

// One dimension padded by reflection: y[o, j, i] = x[o, source[j], i].
struct Reflection {
    kernels::Axis axis;
    std::vector<Index> source;
    Shape from, to;

    Reflection(const Shape& x, int dim, Index before, Index after) : axis(x, dim), from(x) {
        const Index size = x[dim];
        if (before >= size || after >= size || size + before + after < 1) {
            fail_margins(x, dim, before, after,
                         "sizes below that of the dimension, since reflection leaves out the edge "
                         "itself, and a result that is not empty");
        }
        for (Index j = -before; j < size + after; ++j) {
            const Index inside = j < 0 ? -j : j;
            source.push_back(inside < size ? inside : 2 * (size - 1) - inside);
        }
        to = x.with(dim, std::ssize(source));
    }
};

// One dimension after the other, as they are independent. The backward takes them in reverse, so
// each element of x gets the sum over its images.
Tensor reflect(const Tensor& x, const Margins& margins) {
    std::vector<Reflection> steps;
    Tensor y = x;
    for (int dim = 0; dim < x.rank(); ++dim) {
        const auto d = static_cast<std::size_t>(dim);
        if (margins.before[d] == 0 && margins.after[d] == 0) continue;
        steps.emplace_back(y.shape(), dim, margins.before[d], margins.after[d]);
        const Tensor padded = empty(steps.back().to);
        kernels::gather(steps.back().axis, steps.back().source, y.data(), padded.mutable_data());
        y = padded;
    }
    if (steps.empty()) y = tensor(x.values(), x.shape());
    return record({"pad", 0}, y, {x}, [steps](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        Tensor grad = dy;
        for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
            const Tensor inner = empty(step->from);
            kernels::scatter_sum(step->axis, step->source, grad.data(), inner.mutable_data());
            grad = inner;
        }
        dx.add(grad);
    });
}

}  // namespace

// With a constant, dx is the part of dy where x was copied to, and 0 for what was taken away: dy
// padded with the same sizes, negated.
Tensor pad(const Tensor& x, std::span<const Index> sizes, const PadOptions& options) {
    const Margins margins(x.shape(), sizes);
    if (options.mode == PadMode::reflect) return reflect(x, margins);
    return record({"pad", 0}, surround(x, margins, options.value), {x},
                  [back = margins.reversed()](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      dx.add(surround(dy, back, 0));
                  });
}

Tensor pad(const Tensor& x, std::initializer_list<Only<Index>> sizes, const PadOptions& options) {
    return pad(x, std::vector<Index>(sizes.begin(), sizes.end()), options);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
