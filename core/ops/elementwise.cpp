#include "../ops.h"
#include "../tape.h"
#include "map.h"

// The gradients of y = f(a, b) are dy times the partial derivatives, in the broadcast shape of y.
// Where a or b was repeated to reach that shape, the tape sums its gradient over the repetitions.

namespace primer {

using internal::map, internal::map_into;

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
    return record({"pow", 0}, y, {a, b},
                  [a = Saved(a), b = Saved(b)](const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(map_into(dy.clone(), a, b, kernels::pow_grad_base));
                      if (db.wanted())
                          db.add(map_into(dy.clone(), a, b, kernels::pow_grad_exponent));
                  });
}

}  // namespace primer
// SPDX-License-Identifier: MIT
