#include <limits>

#include "../error.h"
#include "../kernels/pool.h"
#include "../ops.h"
#include "../tape.h"

namespace primer {
namespace {

void check_images(const char* op, const Shape& x) {
    check(x.rank() == 4 || x.rank() == 3, op, ": expected x [N, C, H, W] or [C, H, W], got ", x);
    check(x[-2] >= 1 && x[-1] >= 1, op,
          ": expected x [N, C, H, W] with H and W of at least 1, got ", x);
    check(x[-2] <= kMaxSize && x[-1] <= kMaxSize, op, ": expected a size of the images of at most ",
          kMaxSize, " either way, got ", Size2(x[-2], x[-1]));
}

// [N, C], or [C] for one image: each channel of each image is a plane.
Shape planes_of(const Shape& x) { return x.slice(0, x.rank() - 2); }

// The kernels keep tables, with an entry for each cell of the window or for each row and each
// column of the output. With much padding, or without images, they can be large although no tensor
// is.
constexpr Index kLongestTable = Index{1} << 24;

void check_output(const char* op, Size2 size) {
    check(size.h <= kLongestTable && size.w <= kLongestTable, op,
          ": expected a size of the output of at most ", kLongestTable, " either way, got ", size);
}

struct Windows {
    kernels::Window h, w;
};

Windows windows_over(const char* op, const Shape& x, Size2 kernel, Size2 stride, Size2 padding,
                     Size2 dilation, bool ceil_mode) {
    check_images(op, x);
    if (stride == 0) stride = kernel;
    check_window(op, kernel, stride, padding, dilation);
    check(2 * padding.h <= kernel.h && 2 * padding.w <= kernel.w, op,
          ": expected a padding of at most half the kernel ", kernel, ", got ", padding);
    const Windows windows{{x[-2], kernel.h, stride.h, padding.h, dilation.h, ceil_mode},
                          {x[-1], kernel.w, stride.w, padding.w, dilation.w, ceil_mode}};
    check(windows.h.out >= 1 && windows.w.out >= 1, op, ": x ", x, " padded by ", padding,
          " is smaller than the window, which covers ", Size2(windows.h.reach(), windows.w.reach()),
          "; is the network too deep for images of this size?");
    check_output(op, Size2(windows.h.out, windows.w.out));
    return windows;
}

void check_adaptive(const char* op, const Shape& x, Size2 output) {
    check_images(op, x);
    check_at_least(1, output, op, "size of the output");
    check_output(op, output);
}

// A position in a plane is kept as 32 bits.
void check_positions(const char* op, const Shape& x) {
    check(x[-2] <= std::numeric_limits<std::int32_t>::max() / x[-1], op,
          ": expected fewer than 2^31 elements in a plane, got x ", x);
}

Tensor average(const char* op, const Tensor& x, const kernels::AvgPoolSizes& sizes) {
    Tensor y = empty(planes_of(x.shape()).concat({std::ssize(sizes.h), std::ssize(sizes.w)}));
    kernels::avg_pool2d(sizes, x.data(), y.mutable_data());
    return record({op, 0}, y, {x}, [sizes, from = x.shape()](const Tensor& dy, std::span<Grad> d) {
        Grad& dx = d[0];
        Tensor grad = empty(from);
        kernels::avg_pool2d_backward(sizes, dy.data(), grad.mutable_data());
        dx.add(grad);
    });
}

// y[o] is a copy of the x that was taken: dx[i] is the sum of dy[o] over the outputs o that took
// x[i], which are several where windows overlap. Backward needs to know which x each output took:
// `taken`, in the form that the kernels have chosen.
template <class Sizes>
Tensor record_taken(const char* op, const Tensor& x, const Tensor& y, const Sizes& sizes,
                    const SavedBytes& taken,
                    void (*backward)(const Sizes&, const void*, const Real*, Real*)) {
    return record({op, 0}, y, {x},
                  [sizes, taken, backward, from = x.shape()](const Tensor& dy, std::span<Grad> d) {
                      Grad& dx = d[0];
                      Tensor grad = empty(from);
                      backward(sizes, taken.data(), dy.data(), grad.mutable_data());
                      dx.add(grad);
                  });
}

}  // namespace

// Keeps the cell that each window has taken: one byte for each output.
Tensor max_pool2d(const Tensor& x, const MaxPool2dOptions& options) {
    const Shape& shape = x.shape();
    const auto [h, w] = windows_over("max_pool2d", shape, options.kernel_size, options.stride,
                                     options.padding, options.dilation, options.ceil_mode);
    check(h.kernel <= kLongestTable / w.kernel, "max_pool2d: expected a kernel of at most ",
          kLongestTable, " cells, got ", options.kernel_size);
    check_positions("max_pool2d", shape);
    const kernels::MaxPoolSizes sizes{.planes = planes_of(shape).numel(), .h = h, .w = w};

    Tensor y = empty(planes_of(shape).concat({h.out, w.out}));
    const SavedBytes taken(kernels::bytes_taken(sizes));
    kernels::max_pool2d(sizes, x.data(), y.mutable_data(), taken.data());
    return record_taken("max_pool2d", x, y, sizes, taken, kernels::max_pool2d_backward);
}

// y[o] = sum of x[i] / count[o] over the window: dx[i] is the sum of dy[o] / count[o] over the
// outputs whose window i is in. The count is that of the rows times that of the columns.
Tensor avg_pool2d(const Tensor& x, const AvgPool2dOptions& options) {
    const auto [h, w] = windows_over("avg_pool2d", x.shape(), options.kernel_size, options.stride,
                                     options.padding, 1, options.ceil_mode);
    kernels::AvgPoolSizes sizes{.planes = planes_of(x.shape()).numel(),
                                .in_h = h.in,
                                .in_w = w.in,
                                .h = kernels::sliding_averages(h, options.count_include_pad),
                                .w = kernels::sliding_averages(w, options.count_include_pad)};
    if (options.divisor_override) {
        const Index divisor = *options.divisor_override;
        check(divisor != 0, "avg_pool2d: expected a divisor_override other than 0");
        for (kernels::Average& rows : sizes.h) rows.count = divisor;
        for (kernels::Average& columns : sizes.w) columns.count = 1;
    }
    return average("avg_pool2d", x, sizes);
}

Tensor adaptive_avg_pool2d(const Tensor& x, Size2 output) {
    check_adaptive("adaptive_avg_pool2d", x.shape(), output);
    const Index h = x.shape()[-2], w = x.shape()[-1];
    return average("adaptive_avg_pool2d", x,
                   {.planes = planes_of(x.shape()).numel(),
                    .in_h = h,
                    .in_w = w,
                    .h = kernels::adaptive_averages(h, output.h),
                    .w = kernels::adaptive_averages(w, output.w)});
}

// Keeps the position in the plane of the x that each output took, as the windows differ in size.
Tensor adaptive_max_pool2d(const Tensor& x, Size2 output) {
    const char* const op = "adaptive_max_pool2d";
    const Shape& shape = x.shape();
    check_adaptive(op, shape, output);
    check_positions(op, shape);
    const kernels::AdaptiveMaxPoolSizes sizes{.planes = planes_of(shape).numel(),
                                              .in_h = shape[-2],
                                              .in_w = shape[-1],
                                              .h = kernels::adaptive_cells(shape[-2], output.h),
                                              .w = kernels::adaptive_cells(shape[-1], output.w)};

    Tensor y = empty(planes_of(shape).concat({output.h, output.w}));
    const SavedBytes taken(y.numel() * Index{sizeof(std::int32_t)});
    kernels::adaptive_max_pool2d(sizes, x.data(), y.mutable_data(), taken.data());
    return record_taken(op, x, y, sizes, taken, kernels::adaptive_max_pool2d_backward);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
