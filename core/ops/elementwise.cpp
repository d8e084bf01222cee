#include "../kernels/elementwise.h"

#include "../ops.h"
#include "../tape.h"

// The gradients of y = f(a, b) are dy times the partial derivatives, in the broadcast shape of y.
// Where a or b was repeated to reach that shape, the tape sums its gradient over the repetitions.

namespace primer {
namespace {

// y_i = f(a_i, b_i), broadcast.
Tensor map(const char* op, const Tensor& a, const Tensor& b,
           void (*f)(const kernels::Broadcast& loop, const Real* a, const Real* b, Real* y)) {
    const kernels::Broadcast loop(a.shape(), b.shape(), op);
    Tensor y = empty(loop.shape);
    f(loop, a.data(), b.data(), y.mutable_data());
    return y;
}

// y_i = f(x_i).
Tensor map(const Tensor& x, void (*f)(Index n, const Real* x, Real* y)) {
    Tensor y = empty(x.shape());
    f(x.numel(), x.data(), y.mutable_data());
    return y;
}

}  // namespace

// dy/da = 1, dy/db = 1
Tensor add(const Tensor& a, const Tensor& b) {
    const Tensor y = map("add", a, b, kernels::add);
    return record({"add", 0}, y, {a, b}, [](const Tensor& dy, std::span<Grad> d) {
        Grad &da = d[0], &db = d[1];
        da.add(dy);
        db.add(dy);
    });
}

// dy/da = 1, dy/db = -1
Tensor sub(const Tensor& a, const Tensor& b) {
    const Tensor y = map("sub", a, b, kernels::sub);
    return record({"sub", 0}, y, {a, b}, [](const Tensor& dy, std::span<Grad> d) {
        Grad &da = d[0], &db = d[1];
        da.add(dy);
        if (db.wanted()) db.add(neg(dy));
    });
}

// dy/da = b, dy/db = a
Tensor mul(const Tensor& a, const Tensor& b) {
    const Tensor y = map("mul", a, b, kernels::mul);
    return record({"mul", 0}, y, {a, b},
                  [a = Saved(a, b.requires_grad()), b = Saved(b, a.requires_grad())](
                      const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(mul(dy, b));
                      if (db.wanted()) db.add(mul(dy, a));
                  });
}

// dy/da = 1/b, dy/db = -a/b^2
Tensor div(const Tensor& a, const Tensor& b) {
    const Tensor y = map("div", a, b, kernels::div);
    return record(
        {"div", 0}, y, {a, b},
        [a = Saved(a, b.requires_grad()), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
            Grad &da = d[0], &db = d[1];
            if (da.wanted()) da.add(div(dy, b));
            if (db.wanted()) db.add(neg(div(mul(dy, div(a, b)), b)));
        });
}

// dy/da = b a^(b-1), dy/db = a^b ln a
Tensor pow(const Tensor& a, const Tensor& b) {
    const Tensor y = map("pow", a, b, kernels::pow);
    return record(
        {"pow", 0}, y, {a, b}, [a = Saved(a), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
            Grad &da = d[0], &db = d[1];
            const kernels::Broadcast loop(a->shape(), b->shape(), "pow");
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
    return record({"neg", 0}, map(x, kernels::neg), {x}, [](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(neg(dy));
    });
}

// dy/dx = e^x = y
Tensor exp(const Tensor& x) {
    const Tensor y = map(x, kernels::exp);
    return record({"exp", 0}, y, {x}, [y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(mul(dy, y));
    });
}

// dy/dx = 1/x
Tensor log(const Tensor& x) {
    const Tensor y = map(x, kernels::log);
    return record({"log", 0}, y, {x}, [x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(div(dy, x));
    });
}

// dy/dx = 1 / (2 x^(1/2)) = 1 / (2 y)
Tensor sqrt(const Tensor& x) {
    const Tensor y = map(x, kernels::sqrt);
    return record({"sqrt", 0}, y, {x}, [y = Saved(y)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(div(dy, mul(y, 2)));  // dy / 2 would lose the smallest dy
    });
}

}  // namespace primer
