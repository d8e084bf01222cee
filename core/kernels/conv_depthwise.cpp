// Only speed: the definition is in reference.cpp.

#include "correlation.h"
#include "isa/table.h"
#include "parallel.h"
#include "storage.h"

// Where each channel has its own kernels, every value of x is used only once per cell of the
// kernel, so a matrix product would spend more time on packing than on multiplying. Instead a plane
// is padded (see Frame), and all taps pass over it while it is in the cache.

namespace primer::kernels {
namespace {

// Calls body(plane, loops, x) for each plane of x [batch, channels, h.in, w.in], padded.
template <class Body>
void for_each_plane(Index planes, const Direction& h, const Direction& w, const Real* x,
                    const Body& body) {
    const Frame frame(h, w, 0, h.out);
    const std::vector<Index> offsets = frame.offsets(h, w, 1);
    const DepthwiseLoops loops{.rows = h.out,
                               .columns = w.out,
                               .x_step = h.stride * frame.row_size,
                               .taps = std::ssize(offsets),
                               .offsets = offsets.data()};
    const Index work = h.out * w.out * loops.taps;
    reserve_storage(std::min(planes, Index{num_threads()}), frame.plane);
    rows(planes, work, 100'000, [&](Index begin, Index end) {
        Storage padded(frame.plane);
        std::fill_n(padded.data(), frame.plane, Real(0));
        for (Index plane = begin; plane < end; ++plane) {
            frame.fill(h, w, 1, x + plane * h.in * w.in, padded.data());
            body(plane, loops, padded.data());
        }
    });
}

}  // namespace

void depthwise(const Correlation& c, const Real* x, const Real* weight, const Real* bias, Real* y) {
    for_each_plane(c.batch * c.groups, c.h, c.w, x,
                   [&](Index plane, const DepthwiseLoops& loops, const Real* padded) {
                       const Index channel = plane % c.groups;
                       table().depthwise.forward(loops, padded, weight + channel * loops.taps,
                                                 bias != nullptr ? bias[channel] : Real(0),
                                                 y + plane * c.outputs());
                   });
}

// Each plane has its own sums, which are then added in the order of the images.
void depthwise_weight_gradient(const ConvSizes& s, const Real* x, const Real* dy, Real* dweight) {
    const Index weights = s.groups * s.h.kernel * s.w.kernel;
    Storage sums(s.batch * weights);
    std::fill_n(sums.data(), sums.size(), Real(0));
    for_each_plane(s.batch * s.groups, forward_direction(s.h), forward_direction(s.w), x,
                   [&](Index plane, const DepthwiseLoops& loops, const Real* padded) {
                       table().depthwise.weight(loops, padded, dy + plane * s.h.out * s.w.out,
                                                sums.data() + plane * loops.taps);
                   });
    std::fill_n(dweight, weights, Real(0));
    for (Index n = 0; n < s.batch; ++n) {
        for (Index i = 0; i < weights; ++i) dweight[i] += sums.data()[n * weights + i];
    }
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT
