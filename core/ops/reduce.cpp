#include "../kernels/reduce.h"

#include <algorithm>
#include <cmath>

#include "../error.h"
#include "../internal.h"
#include "../ops.h"
#include "../tape.h"

// A reduction of x [outer, n, inner] gives y [outer, inner]. The backward gives dy the shape that
// it would have with keepdim, which broadcasts to x's.

namespace primer {
namespace {

// y = factor * sum of x over `axis`: dy/dx = factor for every element.
Tensor scaled_sum(const char* op, const Tensor& x, const kernels::Axis& axis, const Shape& kept,
                  const Shape& shape, double factor) {
    Tensor y = empty(shape);
    kernels::sum(axis, x.data(), y.mutable_data(), factor);
    return record({op, 0}, y, {x},
                  [kept, from = x.shape(), factor](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      dx.add(expand(mul(internal::alias(dy, kept), factor), from));
                  });
}

// One dimension of a shape, over which an op reduces. A scalar stays one.
struct Along {
    int dim;
    kernels::Axis axis;
    Shape kept;   // the shape with size 1 there
    Shape shape;  // of the result

    Along(const char* op, const Shape& x, int d, bool keepdim)
        : dim(at_least_1d(x).normalize(d, op)),
          axis(at_least_1d(x), dim),
          kept(x.rank() == 0 ? x : x.with(dim, 1)),
          shape(keepdim || x.rank() == 0 ? kept : x.without(dim)) {}
};

// All dimensions, each of size 1.
Shape all_ones(const Shape& shape) {
    const std::vector<Index> dims(static_cast<std::size_t>(shape.rank()), 1);
    return Shape(dims);
}

double one_over(Index n) { return 1 / static_cast<double>(n); }

struct Largest {
    Tensor values;
    IntTensor positions;
};

Largest largest(const char* op, const Tensor& x, const kernels::Axis& axis, const Shape& shape) {
    check(axis.n >= 1 || shape.numel() == 0, op, ": shape ", x.shape(),
          " has no element to be the largest");
    Largest found{empty(shape), {}};
    found.positions.shape = shape;
    found.positions.values.resize(static_cast<std::size_t>(shape.numel()));
    if (shape.numel() > 0) {
        kernels::max(axis, x.data(), found.values.mutable_data(), found.positions.values.data());
    }
    return found;
}

}  // namespace

Tensor sum(const Tensor& x) {
    return scaled_sum("sum", x, kernels::Axis(x.shape()), all_ones(x.shape()), {}, 1);
}

Tensor sum(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    const Along along("sum", x.shape(), dim, keepdim);
    return scaled_sum("sum", x, along.axis, along.kept, along.shape, 1);
}

Tensor mean(const Tensor& x) {
    return scaled_sum("mean", x, kernels::Axis(x.shape()), all_ones(x.shape()), {},
                      one_over(x.numel()));
}

Tensor mean(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    const Along along("mean", x.shape(), dim, keepdim);
    return scaled_sum("mean", x, along.axis, along.kept, along.shape, one_over(along.axis.n));
}

// With c elements that are all the largest, moving any one of them up moves the maximum, moving one
// down does not; dy / c for each is the mean of the one-sided derivatives' choices.
Tensor max(const Tensor& x) {
    const Tensor y = largest("max", x, kernels::Axis(x.shape()), {}).values;
    return record({"max", 0}, y, {x},
                  [x = Saved(x), y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      const Real top = y->item();
                      const auto is_top = [top](Real v) {
                          return v == top || (std::isnan(v) && std::isnan(top));
                      };
                      const auto count = std::ranges::count_if(x->values(), is_top);
                      const Real share = dy.item() / static_cast<Real>(count);
                      Tensor grad = empty(x->shape());
                      std::ranges::transform(x->values(), grad.mutable_data(),
                                             [&](Real v) { return is_top(v) ? share : Real(0); });
                      dx.add(grad);
                  });
}

// dy goes to the element that was taken; all others have gradient 0.
Tensor max(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    const Along along("max", x.shape(), dim, keepdim);
    const Largest found = largest("max", x, along.axis, along.shape);
    return record(
        {"max", 0}, found.values, {x},
        [axis = along.axis, from = x.shape(), positions = SavedList(found.positions.values)](
            const Tensor& dy, std::span<Grad> d) {
            Grad& dx = d[0];
            Tensor grad = zeros(from);
            Real* out = grad.mutable_data();
            for (Index line = 0; line < dy.numel(); ++line) {
                const Index o = line / axis.inner, i = line % axis.inner;
                const Index j = (*positions)[static_cast<std::size_t>(line)];
                out[(o * axis.n + j) * axis.inner + i] = dy.data()[line];
            }
            dx.add(grad);
        });
}

IntTensor argmax(const Tensor& x) {
    return largest("argmax", x, kernels::Axis(x.shape()), {}).positions;
}

IntTensor argmax(const Tensor& x, Only<int> dim, Only<bool> keepdim) {
    const Along along("argmax", x.shape(), dim, keepdim);
    return largest("argmax", x, along.axis, along.shape).positions;
}

}  // namespace primer
