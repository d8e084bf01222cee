#include <algorithm>

#include "../error.h"
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

    // There may be no end of empty products.
    Index count() const { return shape.numel() > 0 ? batch : 0; }
};

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
    auto backward = [p, a_shape = a.shape(), b_shape = b.shape(), a = Saved(a, b.requires_grad()),
                     b = Saved(b, a.requires_grad())](const Tensor& dy, std::span<Grad> d) {
        const bool nothing = p.count() == 0;  // but there may be a gradient, of 0
        if (d[0].wanted()) {
            Tensor da = nothing || p.shared_a ? zeros(a_shape) : empty(a_shape);
            Real* pa = da.mutable_data();
            for (Index i = 0; i < (da.numel() > 0 ? p.count() : 0); ++i) {
                kernels::gemm(Trans::no, Trans::yes, p.m, p.k, p.n, dy.data() + i * p.m * p.n,
                              b->data() + i * p.stride_b, pa + i * p.stride_a,
                              {.accumulate = p.shared_a});
            }
            d[0].add(da);
        }
        if (d[1].wanted()) {
            Tensor db = nothing ? zeros(b_shape) : empty(b_shape);
            Real* pb = db.mutable_data();
            for (Index i = 0; i < (db.numel() > 0 ? p.count() : 0); ++i) {
                kernels::gemm(Trans::yes, Trans::no, p.k, p.n, p.m, a->data() + i * p.stride_a,
                              dy.data() + i * p.m * p.n, pb + i * p.stride_b);
            }
            d[1].add(db);
        }
    };
    return record("matmul", y, {a, b}, std::move(backward));
}

// With the leading dimensions of x taken as N rows: y = x W^T + b, so
// dx = dy W [N, in], dW = dy^T x [out, in], db = sum of dy over the rows [out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    check(weight.rank() == 2, "linear: expected a weight [out, in], got ", weight.shape());
    const Index in = weight.shape()[1], out = weight.shape()[0];
    check(x.rank() >= 1 && x.shape()[-1] == in, "linear: expected x [*, ", in, "] for the weight ",
          weight.shape(), ", got ", x.shape(), "; did you forget flatten()?");
    check(!bias.defined() || bias.shape() == Shape{out}, "linear: expected a bias [", out,
          "] for the weight ", weight.shape(), ", got ", bias.defined() ? bias.shape() : Shape{});
    const Index rows = x.shape().slice(0, x.rank() - 1).numel();

    Tensor y = empty(x.shape().with(-1, out));
    kernels::gemm(Trans::no, Trans::yes, rows, out, in, x.data(), weight.data(), y.mutable_data(),
                  {.bias = bias.defined() ? bias.data() : nullptr});

    auto backward = [rows, in, out, x_shape = x.shape(), x = Saved(x, weight.requires_grad()),
                     w = Saved(weight, x.requires_grad())](const Tensor& dy, std::span<Grad> d) {
        if (d[0].wanted()) {
            Tensor dx = empty(x_shape);
            kernels::gemm(Trans::no, Trans::no, rows, in, out, dy.data(), w->data(),
                          dx.mutable_data());
            d[0].add(dx);
        }
        if (d[1].wanted()) {
            Tensor dw = empty({out, in});
            kernels::gemm(Trans::yes, Trans::no, out, in, rows, dy.data(), x->data(),
                          dw.mutable_data());
            d[1].add(dw);
        }
        if (d.size() == 3 && d[2].wanted()) {
            Tensor db = empty({out});
            kernels::sum(kernels::Axis(Shape{rows, out}, 0), dy.data(), db.mutable_data());
            d[2].add(db);
        }
    };
    return bias.defined() ? record("linear", y, {x, weight, bias}, std::move(backward))
                          : record("linear", y, {x, weight}, std::move(backward));
}

}  // namespace primer
