#include "primer/core/kernels/elementwise.h"
#include "primer/core/kernels/reduce.h"
#include "primer/core/ops.h"
#include "primer/core/tape.h"

namespace primer {

// dy/dx = 1 where x > 0, else 0; and y > 0 exactly where x > 0, so y, which the next layer keeps
// anyway, is all that the backward needs.
Tensor relu(const Tensor& x) {
    Tensor y = empty(x.shape());
    kernels::relu(x.numel(), x.data(), y.mutable_data());
    return record("relu", y, {x}, [y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
        Tensor dx = empty(dy.shape());
        kernels::relu_backward(dy.numel(), y->data(), dy.data(), dx.mutable_data());
        d[0].add(dx);
    });
}

// y_i = e^(x_i) / S with S = sum_j e^(x_j), so dy_i/dx_j = y_i ([i = j] - y_j), and
// dx_j = sum_i dy_i y_i ([i = j] - y_j) = y_j (dy_j - sum_i dy_i y_i).
Tensor softmax(const Tensor& x, int dim) {
    const kernels::Axis axis(x.shape(), x.shape().normalize(dim, "softmax"));
    Tensor y = empty(x.shape());
    kernels::softmax(axis, x.data(), y.mutable_data());
    return record("softmax", y, {x}, [axis, y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
        Tensor dx = empty(dy.shape());
        kernels::softmax_backward(axis, y->data(), dy.data(), dx.mutable_data());
        d[0].add(dx);
    });
}

// y_i = x_i - ln S with S = sum_j e^(x_j), so dy_i/dx_j = [i = j] - e^(x_j)/S = [i = j] - e^(y_j),
// and dx_j = dy_j - e^(y_j) sum_i dy_i.
Tensor log_softmax(const Tensor& x, int dim) {
    const kernels::Axis axis(x.shape(), x.shape().normalize(dim, "log_softmax"));
    Tensor y = empty(x.shape());
    kernels::log_softmax(axis, x.data(), y.mutable_data());
    return record("log_softmax", y, {x}, [axis, y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
        Tensor dx = empty(dy.shape());
        kernels::log_softmax_backward(axis, y->data(), dy.data(), dx.mutable_data());
        d[0].add(dx);
    });
}

}  // namespace primer
