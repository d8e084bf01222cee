#include <algorithm>

#include "../error.h"
#include "../internal.h"
#include "../kernels/gemm.h"
#include "../kernels/reduce.h"
#include "../ops.h"
#include "../tape.h"

namespace primer {
namespace {

using kernels::Trans;

// The operands of one matmul, each as a batch of matrices.
struct Product {
    Index batch, m, k, n;
    Index stride_a, stride_b;  // from one matrix to the next
    bool shared_a;             // one matrix for the whole batch
    Shape shape;               // of the result

    Product(const Shape& a, const Shape& b) {
        check((a.rank() == 2 || a.rank() == 3) && (b.rank() == 2 || b.rank() == 3),
              "matmul: expected [m, k] or [b, m, k] and [k, n] or [b, k, n], got ", a, " and ", b);
        m = a[-2], k = a[-1], n = b[-1];
        check(b[-2] == k, "matmul: ", a, " x ", b,
              ": the last dimension of the first must be the last but one of the second, but ", k,
              " is not ", b[-2], "; did you forget transpose()?");
        const Index batch_a = a.rank() == 3 ? a[0] : 1, batch_b = b.rank() == 3 ? b[0] : 1;
        check(batch_a == batch_b || batch_a == 1 || batch_b == 1, "matmul: ", a, " x ", b,
              ": the batch sizes must be equal or one of them 1, but they are ", batch_a, " and ",
              batch_b);
        batch = batch_a == 1 ? batch_b : batch_a;
        shape = a.rank() == 2 && b.rank() == 2 ? Shape{m, n} : Shape{batch, m, n};
        if (batch_b == 1) {  // the rows of all of a's matrices meet the same b: one product
            m *= batch;
            batch = 1;
        }
        shared_a = batch_a == 1 && batch != 1;
        stride_a = shared_a ? 0 : m * k;
        stride_b = k * n;
    }

    // The number of empty products may be huge.
    Index count() const { return shape.numel() > 0 ? batch : 0; }
};

// da = dy b^T. It is summed if one a serves the whole batch, and 0 if there is no product.
Tensor gradient_of_a(const Product& p, const Shape& shape, const Tensor& dy, const Tensor& b) {
    const Tensor da = p.count() == 0 || p.shared_a ? zeros(shape) : empty(shape);
    Real* to = da.mutable_data();
    for (Index i = 0; i < (da.numel() > 0 ? p.count() : 0); ++i) {
        kernels::gemm(Trans::no, Trans::yes, p.m, p.k, p.n, dy.data() + i * p.m * p.n,
                      b.data() + i * p.stride_b, to + i * p.stride_a, {.accumulate = p.shared_a});
    }
    return da;
}

// db = a^T dy.
Tensor gradient_of_b(const Product& p, const Shape& shape, const Tensor& a, const Tensor& dy) {
    const Tensor db = p.count() == 0 ? zeros(shape) : empty(shape);
    Real* to = db.mutable_data();
    for (Index i = 0; i < (db.numel() > 0 ? p.count() : 0); ++i) {
        kernels::gemm(Trans::yes, Trans::no, p.k, p.n, p.m, a.data() + i * p.stride_a,
                      dy.data() + i * p.m * p.n, to + i * p.stride_b);
    }
    return db;
}

}  // namespace

// y_ij = sum_p a_ip b_pj, so dL/da_ip = sum_j dy_ij b_pj: da = dy b^T, and likewise db = a^T dy.
// An a that serves the whole batch has the sum of that over the batch.
Tensor matmul(const Tensor& a, const Tensor& b) {
    const Product p(a.shape(), b.shape());
    Tensor y = empty(p.shape);
    Real* out = y.mutable_data();
    for (Index i = 0; i < p.count(); ++i) {
        kernels::gemm(Trans::no, Trans::no, p.m, p.n, p.k, a.data() + i * p.stride_a,
                      b.data() + i * p.stride_b, out + i * p.m * p.n);
    }
    return record({"matmul", y.numel() * p.k}, y, {a, b},
                  [p, a_shape = a.shape(), b_shape = b.shape(), a = Saved(a, b.requires_grad()),
                   b = Saved(b, a.requires_grad())](const Tensor& dy, std::span<Grad> d) {
                      Grad &da = d[0], &db = d[1];
                      if (da.wanted()) da.add(gradient_of_a(p, a_shape, dy, b));
                      if (db.wanted()) db.add(gradient_of_b(p, b_shape, a, dy));
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
        {"linear", y.numel() * products}, y, {x, weight, bias},
        [rows, in, out, x_shape = x.shape(), x = Saved(x, weight.requires_grad()),
         w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
            Grad &dx = d[0], &dw = d[1], &db = d[2];
            if (dx.wanted()) {
                Tensor grad = empty(x_shape);
                kernels::gemm(Trans::no, Trans::no, rows, in, out, dy.data(), w->data(),
                              grad.mutable_data());
                dx.add(grad);
            }
            if (dw.wanted()) {
                Tensor grad = empty({out, in});
                kernels::gemm(Trans::yes, Trans::no, out, in, rows, dy.data(), x->data(),
                              grad.mutable_data());
                dw.add(grad);
            }
            if (db.wanted()) {
                Tensor grad = empty({out});
                kernels::sum(kernels::Axis(Shape{rows, out}, 0), dy.data(), grad.mutable_data());
                db.add(grad);
            }
        });
}

}  // namespace primer
