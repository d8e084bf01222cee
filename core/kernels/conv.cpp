#include "primer/core/kernels/conv.h"

#include <algorithm>
#include <list>

#include "primer/core/kernels/elementwise.h"
#include "primer/core/kernels/gemm.h"
#include "primer/core/kernels/parallel.h"
#include "primer/core/kernels/storage.h"

namespace primer::kernels {
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

void reference::conv2d(const ConvSizes& s, const Real* x, const Real* weight, const Real* bias,
                       Real* y) {
    const Index plane = s.h.out * s.w.out;
    for (Index i = 0; i < s.batch * s.out_channels; ++i) {
        std::fill_n(y + i * plane, plane, bias == nullptr ? Real(0) : bias[i % s.out_channels]);
    }
    for_each_product(s, [&](Index i, Index j, Index o) { y[o] += x[i] * weight[j]; });
}

void reference::conv2d_backward_input(const ConvSizes& s, const Real* weight, const Real* dy,
                                      Real* dx) {
    std::fill_n(dx, s.batch * s.in_channels * s.h.in * s.w.in, Real(0));
    for_each_product(s, [&](Index i, Index j, Index o) { dx[i] += dy[o] * weight[j]; });
}

void reference::conv2d_backward_weight(const ConvSizes& s, const Real* x, const Real* dy,
                                       Real* dweight) {
    std::fill_n(dweight, s.out_channels * (s.in_channels / s.groups) * s.h.kernel * s.w.kernel,
                Real(0));
    for_each_product(s, [&](Index i, Index j, Index o) { dweight[j] += x[i] * dy[o]; });
}

namespace {

// One group of one image is a product of matrices: y [channels, outputs] = weight [channels, patch]
// columns [patch, outputs], where a column is the patch of x that the window sees at one output.
struct GroupSizes {
    Index channels;   // of the output
    Index outputs;    // h.out * w.out
    Index patch;      // input channels * kernel area
    Index in;         // elements of x
    bool is_columns;  // x is its own matrix of columns: a window of one cell that skips nothing

    explicit GroupSizes(const ConvSizes& s)
        : channels(s.out_channels / s.groups),
          outputs(s.h.out * s.w.out),
          patch(s.in_channels / s.groups * s.h.kernel * s.w.kernel),
          in(s.in_channels / s.groups * s.h.in * s.w.in),
          is_columns(is_one_to_one(s.h) && is_one_to_one(s.w)) {}

    static bool is_one_to_one(const Window& w) {
        return w.kernel == 1 && w.stride == 1 && w.padding == 0;
    }
    Index scratch() const { return is_columns ? 0 : patch * outputs; }
    Index out() const { return channels * outputs; }
    Index weights() const { return channels * patch; }
    // How many groups are worth handing to another thread.
    Index grain() const { return std::max(Index{1}, 50000 / std::max(Index{1}, out() * patch)); }
};

// columns[(c, kh, kw), (oh, ow)] = x[c, h.at(oh, kh), w.at(ow, kw)], and 0 in the padding.
void image_to_columns(const ConvSizes& s, const Real* x, Real* columns) {
    const Index channels = s.in_channels / s.groups;
    for (Index c = 0; c < channels; ++c, x += s.h.in * s.w.in) {
        for (Index kh = 0; kh < s.h.kernel; ++kh) {
            const Range rows = s.h.outputs(kh);
            for (Index kw = 0; kw < s.w.kernel; ++kw, columns += s.h.out * s.w.out) {
                const Range outs = s.w.outputs(kw);
                std::fill_n(columns, rows.begin * s.w.out, Real(0));
                for (Index oh = rows.begin; oh < rows.end; ++oh) {
                    const Real* from = x + s.h.at(oh, kh) * s.w.in;
                    Real* to = columns + oh * s.w.out;
                    std::fill_n(to, outs.begin, Real(0));
                    for (Index ow = outs.begin; ow < outs.end; ++ow) to[ow] = from[s.w.at(ow, kw)];
                    std::fill(to + outs.end, to + s.w.out, Real(0));
                }
                std::fill(columns + rows.end * s.w.out, columns + s.h.out * s.w.out, Real(0));
            }
        }
    }
}

// The reverse: x[c, h.at(oh, kh), w.at(ow, kw)] += columns[(c, kh, kw), (oh, ow)].
void add_columns_to_image(const ConvSizes& s, const Real* columns, Real* x) {
    const Index channels = s.in_channels / s.groups;
    for (Index c = 0; c < channels; ++c, x += s.h.in * s.w.in) {
        for (Index kh = 0; kh < s.h.kernel; ++kh) {
            const Range rows = s.h.outputs(kh);
            for (Index kw = 0; kw < s.w.kernel; ++kw, columns += s.h.out * s.w.out) {
                const Range outs = s.w.outputs(kw);
                for (Index oh = rows.begin; oh < rows.end; ++oh) {
                    const Real* from = columns + oh * s.w.out;
                    Real* to = x + s.h.at(oh, kh) * s.w.in;
                    for (Index ow = outs.begin; ow < outs.end; ++ow) to[s.w.at(ow, kw)] += from[ow];
                }
            }
        }
    }
}

const Real* columns_of(const ConvSizes& s, const GroupSizes& group, const Real* x, Real* scratch) {
    if (group.is_columns) return x;
    image_to_columns(s, x, scratch);
    return scratch;
}

// Leaves blocks of these sizes for every thread in Storage's cache. Otherwise it would depend on
// how the threads happen to overlap whether the system is asked for memory.
void reserve(Index tasks, std::initializer_list<Index> sizes) {
    std::list<Storage> blocks;
    for (Index i = std::min(tasks, Index{num_threads()}); i > 0; --i) {
        for (Index size : sizes) {
            if (size > 0) blocks.emplace_back(size);
        }
    }
}

}  // namespace

void conv2d(const ConvSizes& s, const Real* x, const Real* weight, const Real* bias, Real* y) {
    const GroupSizes group(s);
    reserve(s.batch * s.groups,
            {group.scratch(), gemm_scratch(group.channels, group.outputs, group.patch)});
    parallel_for(s.batch * s.groups, group.grain(), [&](Index begin, Index end) {
        Storage scratch(group.scratch());
        for (Index i = begin; i < end; ++i) {  // group g of image n is block n * groups + g
            const Index g = i % s.groups;
            Real* out = y + i * group.out();
            if (bias != nullptr) {
                for (Index c = 0; c < group.channels; ++c) {
                    std::fill_n(out + c * group.outputs, group.outputs,
                                bias[g * group.channels + c]);
                }
            }
            gemm(Trans::no, Trans::no, group.channels, group.outputs, group.patch,
                 weight + g * group.weights(),
                 columns_of(s, group, x + i * group.in, scratch.data()), out, bias != nullptr);
        }
    });
}

void conv2d_backward_input(const ConvSizes& s, const Real* weight, const Real* dy, Real* dx) {
    const GroupSizes group(s);
    reserve(s.batch * s.groups,
            {group.scratch(), gemm_scratch(group.patch, group.outputs, group.channels)});
    parallel_for(s.batch * s.groups, group.grain(), [&](Index begin, Index end) {
        Storage scratch(group.scratch());
        for (Index i = begin; i < end; ++i) {
            Real* dx_i = dx + i * group.in;
            gemm(Trans::yes, Trans::no, group.patch, group.outputs, group.channels,
                 weight + i % s.groups * group.weights(), dy + i * group.out(),
                 group.is_columns ? dx_i : scratch.data());
            if (group.is_columns) continue;
            std::fill_n(dx_i, group.in, Real(0));
            add_columns_to_image(s, scratch.data(), dx_i);
        }
    });
}

// Each image adds to the same dweight. A chunk of images adds up its own, and these are added in
// order; the number of chunks depends on the batch alone, and so do the bits of the result.
void conv2d_backward_weight(const ConvSizes& s, const Real* x, const Real* dy, Real* dweight) {
    const GroupSizes group(s);
    const Index chunks = std::clamp(s.batch, Index{1}, Index{8});
    const Index weights = s.groups * group.weights();
    Storage sums(chunks * weights);
    reserve(chunks * s.groups,
            {group.scratch(), gemm_scratch(group.channels, group.patch, group.outputs)});
    parallel_for(chunks * s.groups, 1, [&](Index begin, Index end) {
        Storage scratch(group.scratch());
        for (Index task = begin; task < end; ++task) {
            const Index chunk = task / s.groups, g = task % s.groups;
            Real* sum = sums.data() + chunk * weights + g * group.weights();
            std::fill_n(sum, group.weights(), Real(0));
            for (Index n = s.batch * chunk / chunks; n < s.batch * (chunk + 1) / chunks; ++n) {
                const Index i = n * s.groups + g;
                gemm(Trans::no, Trans::yes, group.channels, group.patch, group.outputs,
                     dy + i * group.out(), columns_of(s, group, x + i * group.in, scratch.data()),
                     sum, true);
            }
        }
    });
    std::copy_n(sums.data(), weights, dweight);
    for (Index chunk = 1; chunk < chunks; ++chunk) {
        add(weights, dweight, sums.data() + chunk * weights, dweight);
    }
}

}  // namespace primer::kernels
