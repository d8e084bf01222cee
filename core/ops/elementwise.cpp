#include "../kernels/elementwise.h"

#include "../ops.h"
#include "../tape.h"

// The gradients of y = f(a, b) are dy times the partial derivatives, in the broadcast shape of y.
// Where a or b was repeated to reach that shape, the tape sums its gradient over the repetitions.

namespace primer {

// dy/da = 1, dy/db = 1
Tensor add(const Tensor& a, const Tensor& b) {
    const kernels::Broadcast loop(a.shape(), b.shape(), "add");
    Tensor y = empty(loop.shape);
    kernels::add(loop, a.data(), b.data(), y.mutable_data());
    return record("add", y, {a, b}, [](const Tensor& dy, std::span<Grad> d) {
        Grad &da = d[0], &db = d[1];
        da.add(dy);
        db.add(dy);
    });
}

// dy/da = 1, dy/db = -1
Tensor sub(const Tensor& a, const Tensor& b) {
    const kernels::Broadcast loop(a.shape(), b.shape(), "sub");
    Tensor y = empty(loop.shape);
    kernels::sub(loop, a.data(), b.data(), y.mutable_data());
    return record("sub", y, {a, b}, [](const Tensor& dy, std::span<Grad> d) {
        Grad &da = d[0], &db = d[1];
        da.add(dy);
        if (db.wanted()) db.add(neg(dy));
    });
}

// dy/da = b, dy/db = a
Tensor mul(const Tensor& a, const Tensor& b) {
    const kernels::Broadcast loop(a.shape(), b.shape(), "mul");
    Tensor y = empty(loop.shape);
    kernels::mul(loop, a.data(), b.data(), y.mutable_data());
    return record("mul", y, {a, b},
                  [a = Saved(a, b.requires_grad()), b = Saved(b, a.requires_grad())](
                      const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(mul(dy, b));
                      if (db.wanted()) db.add(mul(dy, a));
                  });
}

// dy/da = 1/b, dy/db = -a/b^2
Tensor div(const Tensor& a, const Tensor& b) {
    const kernels::Broadcast loop(a.shape(), b.shape(), "div");
    Tensor y = empty(loop.shape);
    kernels::div(loop, a.data(), b.data(), y.mutable_data());
    return record(
        "div", y, {a, b},
        [a = Saved(a, b.requires_grad()), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
            Grad &da = d[0], &db = d[1];
            if (da.wanted()) da.add(div(dy, b));
            if (db.wanted()) db.add(neg(div(mul(dy, div(a, b)), b)));
        });
}

// dy/da = b a^(b-1), dy/db = a^b ln a
Tensor pow(const Tensor& a, const Tensor& b) {
    const kernels::Broadcast loop(a.shape(), b.shape(), "pow");
    Tensor y = empty(loop.shape);
    kernels::pow(loop, a.data(), b.data(), y.mutable_data());
    return record(
        "pow", y, {a, b}, [loop, a = Saved(a), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
            Grad &da = d[0], &db = d[1];
            if (da.wanted()) {
                const Tensor grad = dy.clone();
                kernels::pow_grad_base(loop, a->data(), b->data(), grad.mutable_data());
                da.add(grad);
            }
            if (db.wanted()) {
                const Tensor grad = dy.clone();
                kernels::pow_grad_exponent(loop, a->data(), b->data(), grad.mutable_data());
                db.add(grad);
            }
        });
}

// dy/dx = -1
Tensor neg(const Tensor& x) {
    Tensor y = empty(x.shape());
    kernels::neg(x.numel(), x.data(), y.mutable_data());
    return record("neg", y, {x}, [](const Tensor& dy, std::span<Grad> dx) { dx[0].add(neg(dy)); });
}

// dy/dx = e^x = y
Tensor exp(const Tensor& x) {
    Tensor y = empty(x.shape());
    kernels::exp(x.numel(), x.data(), y.mutable_data());
    return record("exp", y, {x},
                  [y = Saved(y)](const Tensor& dy, std::span<Grad> dx) { dx[0].add(mul(dy, y)); });
}

// dy/dx = 1/x
Tensor log(const Tensor& x) {
    Tensor y = empty(x.shape());
    kernels::log(x.numel(), x.data(), y.mutable_data());
    return record("log", y, {x},
                  [x = Saved(x)](const Tensor& dy, std::span<Grad> dx) { dx[0].add(div(dy, x)); });
}

// dy/dx = 1 / (2 x^(1/2)) = 1 / (2 y)
Tensor sqrt(const Tensor& x) {
    Tensor y = empty(x.shape());
    kernels::sqrt(x.numel(), x.data(), y.mutable_data());
    return record("sqrt", y, {x}, [y = Saved(y)](const Tensor& dy, std::span<Grad> dx) {
        dx[0].add(div(dy, mul(y, 2)));  // half of the smallest dy would be 0
    });
}

}  // namespace primer
