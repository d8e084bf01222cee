#include <algorithm>
#include <array>

#include "../error.h"
#include "../internal.h"
#include "../kernels/gemm.h"
#include "../kernels/parallel.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../tape.h"
#include "gradients.h"

namespace primer {
namespace {

using kernels::Trans;

// All dimensions of a batch of matrices but those of one matrix.
Shape batch_of(const Shape& matrices) { return matrices.slice(0, matrices.rank() - 2); }

// One operand: a batch of matrices, repeated by broadcasting to the batch of the products.
struct Matrices {
    Index size = 0;                                // elements of one matrix
    Shape batch;                                   // of the products
    std::array<Index, Shape::kMaxRank> strides{};  // along its dimensions, counted in matrices
    bool repeated = false;                         // a matrix has a part in several products

    Matrices(const Shape& shape, const Shape& products)
        : size(shape[-2] * shape[-1]),
          batch(products),
          strides(broadcast_strides(batch_of(shape), products)),
          repeated(batch_of(shape).numel() != products.numel()) {}

    // Where the matrix of product i begins.
    Index offset(Index i) const {
        Index matrix = 0;
        for (int d = batch.rank(); d-- > 0; i /= batch[d]) {
            matrix += i % batch[d] * strides[static_cast<std::size_t>(d)];
        }
        return matrix * size;
    }
};

// The shape of the products, for operands of at least two dimensions.
Shape products_of(const Shape& a, const Shape& b) {
    for (int i = 3; i <= std::min(a.rank(), b.rank()); ++i) {
        check(a[-i] == b[-i] || a[-i] == 1 || b[-i] == 1, "matmul: ", a, " x ", b,
              ": the batch sizes must be equal or one of them 1, but they are ", a[-i], " and ",
              b[-i]);
    }
    return broadcast(batch_of(a), batch_of(b), "matmul");
}

// The sizes of a matmul, and the work on each of its products.
struct Product {
    Index m, k, n, count;  // `count` products of [m, k] and [k, n]
    Matrices a, b;
    Shape shape;  // of the result

    static Product of(const Shape& a, const Shape& b) {
        check(a.rank() >= 1 && b.rank() >= 1, "matmul: expected at least one dimension on each ",
              "side, got ", a, " and ", b, "; to multiply by a number, write *");
        const Index k = a[-1], k_of_b = b[b.rank() == 1 ? 0 : -2];
        check(k == k_of_b, "matmul: ", a, " x ", b,
              ": the last dimension of the first must be the ",
              b.rank() == 1 ? "only one" : "last but one", " of the second, but ", k, " is not ",
              k_of_b, "; did you forget transpose()?");
        Shape rows = a.rank() == 1 ? Shape{1, k} : a, columns = b.rank() == 1 ? Shape{k, 1} : b;
        Shape batch = products_of(rows, columns);
        Shape shape = a.rank() == 1 ? batch : batch.concat({rows[-2]});
        if (b.rank() > 1) shape = shape.concat({columns[-1]});
        if (batch_of(columns).numel() == 1) {  // the rows of all of a's matrices meet the same b
            rows = {batch.numel() * rows[-2], k};
            columns = {k, columns[-1]};
            batch = {};
        }
        // Products without elements need no work, however many there are.
        const Index count = shape.numel() > 0 ? batch.numel() : 0;
        return {rows[-2], k, columns[-1], count, Matrices(rows, batch), Matrices(columns, batch),
                shape};
    }

    // Calls f(i) for each product. Threads share out small products; large ones, gemm shares.
    template <class F>
    void each(const F& f) const {
        constexpr Index chunk = 500'000;  // multiply-adds that are worth a thread
        const Index work = std::max(Index{1}, m * k * n);
        parallel_for(count, work >= 4 * chunk ? count : std::max(Index{1}, chunk / work),
                     [&](Index begin, Index end) {
                         for (Index i = begin; i < end; ++i) f(i);
                     });
    }
};

// The gradient of an operand: multiply(i, to, options) computes the part of product i. A matrix
// that has a part in several products gets the sum, one after another.
template <class F>
Tensor gradient(const Product& p, const Matrices& operand, const Shape& shape, const F& multiply) {
    const Tensor grad = p.count == 0 || operand.repeated ? zeros(shape) : empty(shape);
    if (grad.numel() == 0) return grad;
    Real* to = grad.mutable_data();
    if (operand.repeated) {
        for (Index i = 0; i < p.count; ++i) {
            multiply(i, to + operand.offset(i), kernels::GemmOptions{.accumulate = true});
        }
    } else {
        p.each([&](Index i) { multiply(i, to + operand.offset(i), kernels::GemmOptions{}); });
    }
    return grad;
}

}  // namespace

// y_ij = sum_p a_ip b_pj, so dL/da_ip = sum_j dy_ij b_pj: da = dy b^T, and similarly db = a^T dy.
// If a matrix serves several products of the batch, its gradient is the sum over them.
Tensor matmul(const Tensor& a, const Tensor& b) {
    const Product p = Product::of(a.shape(), b.shape());
    Tensor y = empty(p.shape);
    Real* out = y.mutable_data();
    p.each([&, from_a = a.data(), from_b = b.data()](Index i) {
        kernels::gemm(Trans::no, Trans::no, p.m, p.n, p.k, from_a + p.a.offset(i),
                      from_b + p.b.offset(i), out + i * p.m * p.n);
    });
    return record(
        {"matmul", y.numel() * p.k, 2}, y, {a, b},
        [p, a_shape = a.shape(), b_shape = b.shape(), a = Saved(a, b.requires_grad()),
         b = Saved(b, a.requires_grad())](const Tensor& dy, std::span<Grad> d) {
            Grad &da = d[0], &db = d[1];
            const Real* up = dy.data();
            if (da.wanted()) {
                const Real* from = b->data();
                da.add(gradient(p, p.a, a_shape, [&](Index i, Real* to, const auto& options) {
                    kernels::gemm(Trans::no, Trans::yes, p.m, p.k, p.n, up + i * p.m * p.n,
                                  from + p.b.offset(i), to, options);
                }));
            }
            if (db.wanted()) {
                const Real* from = a->data();
                db.add(gradient(p, p.b, b_shape, [&](Index i, Real* to, const auto& options) {
                    kernels::gemm(Trans::yes, Trans::no, p.k, p.n, p.m, from + p.a.offset(i),
                                  up + i * p.m * p.n, to, options);
                }));
            }
        });
}

// With the leading dimensions of x taken as N rows: y = x W^T + b, so
// dx = dy W [N, in], dW = dy^T x [out, in], db = sum of dy over the rows [out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    check(weight.rank() == 2, "linear: expected a weight [out, in], got ", weight.shape());
    const Index in = weight.shape()[1], out = weight.shape()[0];
    check(x.rank() >= 1 && x.shape()[-1] == in, "linear: expected x [*, ", in, "] for the weight ",
          weight.shape(), ", got ", x.shape(), x.rank() > 2 ? "; did you forget Flatten?" : "");
    internal::check_bias("linear", bias, weight.shape());
    const Index rows = x.shape().slice(0, x.rank() - 1).numel();

    Tensor y = empty(x.shape().with(-1, out));
    kernels::gemm(Trans::no, Trans::yes, rows, out, in, x.data(), weight.data(), y.mutable_data(),
                  {.bias = internal::data_or_null(bias)});

    const Index products = in + (bias.defined() ? 1 : 0);
    return record(
        {"linear", y.numel() * products, 2}, y, {x, weight, bias},
        [rows, in, out, x_shape = x.shape(), x = Saved(x, weight.requires_grad()),
         w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
            const auto compute = [&](Real* dx, Real* dw, Real* db) {
                if (dx != nullptr) {
                    kernels::gemm(Trans::no, Trans::no, rows, in, out, dy.data(), w->data(), dx);
                }
                if (dw != nullptr) {
                    kernels::gemm(Trans::yes, Trans::no, out, in, rows, dy.data(), x->data(), dw);
                }
                if (db != nullptr) kernels::sum({Shape{rows, out}, 0}, dy.data(), db);
            };
            internal::add_gradients(d, {x_shape, {out, in}, {out}}, compute);
        });
}

}  // namespace primer
// SPDX-License-Identifier: MIT
