#include "../ops.h"
#include "../tape.h"
#include "map.h"

namespace primer {

using internal::map;

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

// dy/dx = sign(x): 1 for x > 0, -1 for x < 0. At the kink, 0, the two average to 0.
Tensor abs(const Tensor& x) {
    const Tensor y = map(x, kernels::abs);
    return record({"abs", 0}, y, {x}, [x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(mul(dy, map(x, kernels::sign)));
    });
}

// dy/dx = cos x
Tensor sin(const Tensor& x) {
    const Tensor y = map(x, kernels::sin);
    return record({"sin", 0}, y, {x}, [x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(mul(dy, map(x, kernels::cos)));
    });
}

// dy/dx = -sin x
Tensor cos(const Tensor& x) {
    const Tensor y = map(x, kernels::cos);
    return record({"cos", 0}, y, {x}, [x = Saved(x)](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        dx.add(neg(mul(dy, map(x, kernels::sin))));
    });
}

}  // namespace primer
// SPDX-License-Identifier: MIT
