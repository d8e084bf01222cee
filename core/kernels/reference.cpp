// The plain loops. The tops of gemm.cpp, conv.cpp and conv_winograd.cpp explain how the fast
// kernels compute the same; core/ops derives the gradients.

#include "reference.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "taken.h"

namespace primer::kernels::reference {

// --- Matrix products -----------------------------------------------------------------------------

void gemm(Trans trans_a, Trans trans_b, Index m, Index n, Index k, const Real* a, const Real* b,
          Real* c, const GemmOptions& options) {
    for (Index i = 0; i < m; ++i) {
        for (Index j = 0; j < n; ++j) {
            Real sum = options.accumulate ? c[i * n + j] : Real(0);
            if (options.bias != nullptr) sum += options.bias[j];
            for (Index p = 0; p < k; ++p) {
                sum += (trans_a == Trans::no ? a[i * k + p] : a[p * m + i]) *
                       (trans_b == Trans::no ? b[p * n + j] : b[j * k + p]);
            }
            c[i * n + j] = options.relu && sum < 0 ? Real(0) : sum;
        }
    }
}

// --- Lines ---------------------------------------------------------------------------------------

double sum(Index n, Index stride, const Real* x) {
    double sum = 0;
    for (Index j = 0; j < n; ++j) sum += static_cast<double>(x[j * stride]);
    return sum;
}

namespace {

double max_of_line(Index n, Index stride, const Real* x) {
    double largest = -INFINITY;
    for (Index j = 0; j < n; ++j) {
        largest = std::max(largest, static_cast<double>(x[j * stride]));
    }
    return largest;
}

}  // namespace

// y_j = e^(x_j) / sum_i e^(x_i). Subtracting the largest x first divides both by the same factor,
// and then nothing overflows.
void softmax(Index n, Index stride, const Real* x, Real* y) {
    const double largest = max_of_line(n, stride, x);
    double sum = 0;
    for (Index j = 0; j < n * stride; j += stride) {
        const double e = std::exp(static_cast<double>(x[j]) - largest);
        y[j] = static_cast<Real>(e);
        sum += e;
    }
    for (Index j = 0; j < n * stride; j += stride) {
        y[j] = static_cast<Real>(static_cast<double>(y[j]) / sum);
    }
}

// dx_j = y_j (dy_j - sum_i y_i dy_i / sum_i y_i). The y add up to 1 only up to rounding; dividing
// by their sum lets what all dy share cancel.
void softmax_backward(Index n, Index stride, const Real* y, const Real* dy, Real* dx) {
    double weighted = 0, sum = 0;
    for (Index j = 0; j < n * stride; j += stride) {
        weighted += static_cast<double>(y[j]) * static_cast<double>(dy[j]);
        sum += static_cast<double>(y[j]);
    }
    const double mean = weighted / sum;
    for (Index j = 0; j < n * stride; j += stride) {
        dx[j] = static_cast<Real>(static_cast<double>(y[j]) * (static_cast<double>(dy[j]) - mean));
    }
}

// y_j = x_j - ln sum_i e^(x_i), again with the largest x subtracted first.
void log_softmax(Index n, Index stride, const Real* x, Real* y) {
    const double largest = max_of_line(n, stride, x);
    double sum = 0;
    for (Index j = 0; j < n * stride; j += stride) {
        sum += std::exp(static_cast<double>(x[j]) - largest);
    }
    const double log_sum = std::log(sum);
    for (Index j = 0; j < n * stride; j += stride) {
        y[j] = static_cast<Real>((static_cast<double>(x[j]) - largest) - log_sum);
    }
}

// dx_j = dy_j - e^(y_j) sum_i dy_i
void log_softmax_backward(Index n, Index stride, const Real* y, const Real* dy, Real* dx) {
    const auto total = static_cast<Real>(reference::sum(n, stride, dy));
    for (Index j = 0; j < n * stride; j += stride) dx[j] = dy[j] - std::exp(y[j]) * total;
}

// --- Convolution ---------------------------------------------------------------------------------

namespace {

// Calls f(i, j, o) for each product x[i] * weight[j] that a convolution adds to y[o].
template <class F>
void for_each_product(const ConvSizes& s, const F& f) {
    const Index in_per_group = s.in_channels / s.groups, out_per_group = s.out_channels / s.groups;
    for (Index n = 0; n < s.batch; ++n) {
        for (Index co = 0; co < s.out_channels; ++co) {
            for (Index c = 0; c < in_per_group; ++c) {
                const Index ci = co / out_per_group * in_per_group + c;
                for (Index oh = 0; oh < s.h.out; ++oh) {
                    for (Index ow = 0; ow < s.w.out; ++ow) {
                        for (Index kh = 0; kh < s.h.kernel; ++kh) {
                            for (Index kw = 0; kw < s.w.kernel; ++kw) {
                                const Index ih = s.h.at(oh, kh), iw = s.w.at(ow, kw);
                                if (!s.h.inside(ih) || !s.w.inside(iw)) continue;
                                f(((n * s.in_channels + ci) * s.h.in + ih) * s.w.in + iw,
                                  ((co * in_per_group + c) * s.h.kernel + kh) * s.w.kernel + kw,
                                  ((n * s.out_channels + co) * s.h.out + oh) * s.w.out + ow);
                            }
                        }
                    }
                }
            }
        }
    }
}

}  // namespace

void conv2d(const ConvSizes& s, const Real* x, const Real* weight, const Real* bias, Real* y) {
    const Index plane = s.h.out * s.w.out;
    for (Index i = 0; i < s.batch * s.out_channels; ++i) {
        std::fill_n(y + i * plane, plane, bias == nullptr ? Real(0) : bias[i % s.out_channels]);
    }
    for_each_product(s, [&](Index i, Index j, Index o) { y[o] += x[i] * weight[j]; });
}

void conv2d_backward_input(const ConvSizes& s, const Real* weight, const Real* dy, Real* dx) {
    std::fill_n(dx, s.batch * s.in_channels * s.h.in * s.w.in, Real(0));
    for_each_product(s, [&](Index i, Index j, Index o) { dx[i] += dy[o] * weight[j]; });
}

void conv2d_backward_weight(const ConvSizes& s, const Real* x, const Real* dy, Real* dweight) {
    std::fill_n(dweight, s.out_channels * (s.in_channels / s.groups) * s.h.kernel * s.w.kernel,
                Real(0));
    for_each_product(s, [&](Index i, Index j, Index o) { dweight[j] += x[i] * dy[o]; });
}

// --- Pooling -------------------------------------------------------------------------------------

// `taken` holds the number of the cell that each window has taken. taken.h explains with_numbers,
// which calls its argument with `taken` as `numbers`, and better and kNone.

void max_pool2d(const MaxPoolSizes& s, const Real* x, Real* y, void* taken) {
    with_numbers(s, taken, [&, x, y]<class Number>(Number* numbers) {
        const Real* plane = x;
        Real* out = y;
        for (Index p = 0; p < s.planes; ++p, plane += s.h.in * s.w.in) {
            for (Index oh = 0; oh < s.h.out; ++oh) {
                for (Index ow = 0; ow < s.w.out; ++ow, ++out, ++numbers) {
                    *out = kMinusInfinity;
                    *numbers = kNone<Number>;
                    for (Index kh = 0; kh < s.h.kernel; ++kh) {
                        for (Index kw = 0; kw < s.w.kernel; ++kw) {
                            const Index ih = s.h.at(oh, kh), iw = s.w.at(ow, kw);
                            if (!s.h.inside(ih) || !s.w.inside(iw)) continue;
                            const Real v = plane[ih * s.w.in + iw];
                            if (!better(v, *out, *numbers == kNone<Number>)) continue;
                            *out = v;
                            *numbers = static_cast<Number>(kh * s.w.kernel + kw);
                        }
                    }
                }
            }
        }
    });
}

void max_pool2d_backward(const MaxPoolSizes& s, const void* taken, const Real* dy, Real* dx) {
    const Index in = s.h.in * s.w.in;
    std::fill_n(dx, s.planes * in, Real(0));
    with_numbers(s, taken, [&]<class Number>(const Number* numbers) {
        const Real* gradient = dy;
        for (Index p = 0; p < s.planes; ++p) {
            for (Index oh = 0; oh < s.h.out; ++oh) {
                for (Index ow = 0; ow < s.w.out; ++ow, ++numbers, ++gradient) {
                    if (*numbers == kNone<Number>) continue;
                    const Index ih = s.h.at(oh, *numbers / s.w.kernel);
                    const Index iw = s.w.at(ow, *numbers % s.w.kernel);
                    dx[p * in + ih * s.w.in + iw] += *gradient;
                }
            }
        }
    });
}

void avg_pool2d(const AvgPoolSizes& s, const Real* x, Real* y) {
    for (Index p = 0; p < s.planes; ++p, x += s.in_h * s.in_w) {
        for (const Average& h : s.h) {
            for (const Average& w : s.w) {
                double sum = 0;
                for (Index ih = h.cells.begin; ih < h.cells.end; ++ih) {
                    for (Index iw = w.cells.begin; iw < w.cells.end; ++iw) {
                        sum += static_cast<double>(x[ih * s.in_w + iw]);
                    }
                }
                *y++ = static_cast<Real>(sum / static_cast<double>(h.count * w.count));
            }
        }
    }
}

void avg_pool2d_backward(const AvgPoolSizes& s, const Real* dy, Real* dx) {
    std::fill_n(dx, s.planes * s.in_h * s.in_w, Real(0));
    for (Index p = 0; p < s.planes; ++p, dx += s.in_h * s.in_w) {
        for (const Average& h : s.h) {
            for (const Average& w : s.w) {
                const Real share = *dy++ / static_cast<Real>(h.count * w.count);
                for (Index ih = h.cells.begin; ih < h.cells.end; ++ih) {
                    for (Index iw = w.cells.begin; iw < w.cells.end; ++iw) {
                        dx[ih * s.in_w + iw] += share;
                    }
                }
            }
        }
    }
}

void adaptive_max_pool2d(const AdaptiveMaxPoolSizes& s, const Real* x, Real* y, void* taken) {
    auto* position = static_cast<std::int32_t*>(taken);
    for (Index p = 0; p < s.planes; ++p, x += s.in_h * s.in_w) {
        for (const Range& h : s.h) {
            for (const Range& w : s.w) {
                Index best = h.begin * s.in_w + w.begin;
                for (Index ih = h.begin; ih < h.end; ++ih) {
                    for (Index iw = w.begin; iw < w.end; ++iw) {
                        const Index i = ih * s.in_w + iw;
                        if (better(x[i], x[best], false)) best = i;
                    }
                }
                *y++ = x[best];
                *position++ = static_cast<std::int32_t>(best);
            }
        }
    }
}

void adaptive_max_pool2d_backward(const AdaptiveMaxPoolSizes& s, const void* taken, const Real* dy,
                                  Real* dx) {
    const Index in = s.in_h * s.in_w, out = std::ssize(s.h) * std::ssize(s.w);
    const auto* const position = static_cast<const std::int32_t*>(taken);
    std::fill_n(dx, s.planes * in, Real(0));
    for (Index i = 0; i < s.planes * out; ++i) dx[i / out * in + position[i]] += dy[i];
}

// --- Batch normalisation -------------------------------------------------------------------------

Normalization::Normalization(const BatchNormRule& rule, const Moments& moments, Index c)
    : mean_(moments.mean),
      scale_(or_else(1, rule.weight, c) / std::sqrt(moments.variance + rule.eps)),
      bias_(or_else(0, rule.bias, c)) {}

// Two passes, in double: the mean, then the variance.
Moments moments_of(const BatchNormSizes& s, const Real* x, Index c) {
    const auto count = static_cast<double>(s.count());
    const auto at = [&](Index n, Index i) { return (n * s.channels + c) * s.inner + i; };
    double sum = 0, squares = 0;
    for (Index n = 0; n < s.batch; ++n) {
        for (Index i = 0; i < s.inner; ++i) sum += static_cast<double>(x[at(n, i)]);
    }
    const double mean = sum / count;
    for (Index n = 0; n < s.batch; ++n) {
        for (Index i = 0; i < s.inner; ++i) {
            squares += std::pow(static_cast<double>(x[at(n, i)]) - mean, 2);
        }
    }
    return {mean, squares / count};
}

void batch_norm(const BatchNormSizes& s, const BatchNormRule& rule, const Real* x,
                const Moments* moments, Real* y) {
    for (Index n = 0; n < s.batch; ++n) {
        for (Index c = 0; c < s.channels; ++c) {
            const Normalization normalize(rule, moments[c], c);
            for (Index i = 0; i < s.inner; ++i, ++x, ++y) {
                const Real v = normalize(*x);
                *y = rule.relu && v < 0 ? Real(0) : v;
            }
        }
    }
}

void batch_norm_training(const BatchNormSizes& s, const BatchNormRule& rule, const Real* x,
                         Moments* moments, Real* y) {
    for (Index c = 0; c < s.channels; ++c) moments[c] = moments_of(s, x, c);
    reference::batch_norm(s, rule, x, moments, y);
}

// As core/ops/batchnorm.cpp derives, dw = sum dy z, db = sum dy, and dx = weight rstd dy or, if the
// moments depend on x, weight rstd (dy - (db + z dw) / count).
void batch_norm_backward(const BatchNormSizes& s, const BatchNormRule& rule,
                         const BatchNormBackward& from, Real* dx, Real* dweight, Real* dbias) {
    const auto count = static_cast<double>(s.count());
    for (Index c = 0; c < s.channels; ++c) {
        const auto at = [&](Index n, Index i) { return (n * s.channels + c) * s.inner + i; };
        const Normalization normalize(rule, from.moments[c], c);
        const double rstd = 1 / std::sqrt(from.moments[c].variance + rule.eps);
        const auto z = [&](Index n, Index i) {
            // Without x only dx is wanted, and it does not depend on z.
            const double x = from.x != nullptr ? static_cast<double>(from.x[at(n, i)]) : 0;
            return (x - from.moments[c].mean) * rstd;
        };
        const auto gradient = [&](Index n, Index i) {
            const bool blocked = rule.relu && normalize(from.x[at(n, i)]) <= 0;
            return blocked ? 0 : static_cast<double>(from.dy[at(n, i)]);
        };
        double dw = 0, db = 0;
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                dw += gradient(n, i) * z(n, i);
                db += gradient(n, i);
            }
        }
        if (dweight != nullptr) dweight[c] = static_cast<Real>(dw);
        if (dbias != nullptr) dbias[c] = static_cast<Real>(db);
        if (dx == nullptr) continue;
        for (Index n = 0; n < s.batch; ++n) {
            for (Index i = 0; i < s.inner; ++i) {
                double d = gradient(n, i);
                if (from.moments_depend_on_x) d -= (db + z(n, i) * dw) / count;
                dx[at(n, i)] = static_cast<Real>(or_else(1, rule.weight, c) * rstd * d);
            }
        }
    }
}

// --- Layer and group normalisation ---------------------------------------------------------------

// z = (x - mean) rstd with the moments of the row; y = z weight + bias.
void row_norm(const RowNormSizes& s, const RowNormRule& rule, const Real* x, Moments* moments,
              Real* y) {
    for (Index r = 0; r < s.rows(); ++r, x += s.row(), y += s.row()) {
        moments[r] = moments_of({1, 1, s.row()}, x, 0);
        const double rstd = 1 / std::sqrt(moments[r].variance + rule.eps);
        for (Index i = 0; i < s.row(); ++i) {
            const Index c = s.weight_of(r, i);
            const double z = (static_cast<double>(x[i]) - moments[r].mean) * rstd;
            y[i] = static_cast<Real>(z * or_else(1, rule.weight, c) + or_else(0, rule.bias, c));
        }
    }
}

// As core/ops/normalization.cpp derives, with g = dy weight, the gradient of z, and n values in a
// row:
//     dw = sum dy z,  db = sum dy,  dx = rstd (g - (sum g + z sum g z) / n)
void row_norm_backward(const RowNormSizes& s, const RowNormRule& rule, const RowNormBackward& from,
                       Real* dx, Real* dweight, Real* dbias) {
    std::vector<double> dw(static_cast<std::size_t>(s.weights())), db(dw.size());
    for (Index r = 0; r < s.rows(); ++r) {
        const Real *x = from.x + r * s.row(), *dy = from.dy + r * s.row();
        const double rstd = 1 / std::sqrt(from.moments[r].variance + rule.eps);
        const auto z = [&](Index i) {
            return (static_cast<double>(x[i]) - from.moments[r].mean) * rstd;
        };
        const auto gradient = [&](Index i) {
            return static_cast<double>(dy[i]) * or_else(1, rule.weight, s.weight_of(r, i));
        };
        double sum = 0, product = 0;
        for (Index i = 0; i < s.row(); ++i) {
            sum += gradient(i);
            product += gradient(i) * z(i);
            const auto c = static_cast<std::size_t>(s.weight_of(r, i));
            dw[c] += static_cast<double>(dy[i]) * z(i);
            db[c] += static_cast<double>(dy[i]);
        }
        for (Index i = 0; dx != nullptr && i < s.row(); ++i) {
            const double shared = (sum + z(i) * product) / static_cast<double>(s.row());
            dx[r * s.row() + i] = static_cast<Real>(rstd * (gradient(i) - shared));
        }
    }
    const auto to_real = [](double v) { return static_cast<Real>(v); };
    if (dweight != nullptr) std::ranges::transform(dw, dweight, to_real);
    if (dbias != nullptr) std::ranges::transform(db, dbias, to_real);
}

}  // namespace primer::kernels::reference
// SPDX-License-Identifier: MIT
