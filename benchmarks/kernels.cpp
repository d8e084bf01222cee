// Measures each kernel, against its reference and the processor's peak. Google Benchmark provides
// the flags and the table.

#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <primer/core/error.h>
#include <primer/core/kernels/batchnorm.h>
#include <primer/core/kernels/conv.h>
#include <primer/core/kernels/dropout.h>
#include <primer/core/kernels/elementwise.h>
#include <primer/core/kernels/gemm.h>
#include <primer/core/kernels/isa.h>
#include <primer/core/kernels/isa/table.h>
#include <primer/core/kernels/loss.h>
#include <primer/core/kernels/optimizer.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/pool.h>
#include <primer/core/kernels/reference.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include "../examples/support/program.h"
#include "flags.h"
#include "peak.h"

namespace primer::benchmarks {
namespace {

using kernels::ConvSizes;
using kernels::Trans;
using kernels::Window;

/// One call of a kernel, with the tensors that it works on.
using Call = std::function<void()>;

/// A line of the table.
struct Kernel {
    std::string name;
    /// The work of a call: operations, or bytes to read and write, each array counted once; the
    /// other is 0. Operations are those of the definition: Winograd's algorithm needs fewer, so its
    /// share of the peak may exceed 100 %.
    double flops, bytes;
    /// Makes the tensors.
    std::function<Call()> prepare;
};

Tensor random(const Shape& shape) {
    Rng rng(1);
    const Tensor x = rand(shape, rng);
    Real* const values = x.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) values[i] -= Real{0.5};
    return x;
}

std::vector<Index> random_labels(Index count, Index classes) {
    Rng rng(2);
    std::vector<Index> labels(static_cast<std::size_t>(count));
    for (Index& label : labels) label = rng.below(classes);
    return labels;
}

double bytes_of(Index reals) { return static_cast<double>(reals) * sizeof(Real); }

// --- Matrix products -----------------------------------------------------------------------------

Kernel gemm(std::string name, Trans trans_a, Trans trans_b, Index m, Index n, Index k,
            decltype(kernels::reference::gemm)* function) {
    const auto flops = static_cast<double>(2 * m * n * k);
    return {std::move(name), flops, 0, [=]() -> Call {
                return [=, a = random({m, k}), b = random({k, n}), c = random({m, n})] {
                    function(trans_a, trans_b, m, n, k, a.data(), b.data(), c.mutable_data(), {});
                };
            }};
}

void add_matrix_products(std::vector<Kernel>& all) {
    for (Index n : {64, 128, 256, 512, 1024, 2048}) {
        const std::string name = "gemm/" + std::to_string(n);
        all.push_back(gemm(name, Trans::no, Trans::no, n, n, n, kernels::gemm));
        if (n > 256) continue;
        all.push_back(
            gemm(name + "/reference", Trans::no, Trans::no, n, n, n, kernels::reference::gemm));
    }
    // The first layer of the perceptron: y = x W^T, dx = dy W, dW = dy^T x.
    const std::string linear = "linear/64x784->256";
    all.push_back(gemm(linear, Trans::no, Trans::yes, 64, 256, 784, kernels::gemm));
    all.push_back(
        gemm(linear + "/backward_input", Trans::no, Trans::no, 64, 784, 256, kernels::gemm));
    all.push_back(
        gemm(linear + "/backward_weight", Trans::yes, Trans::no, 256, 784, 64, kernels::gemm));
    all.push_back(gemm("linear/1x784->256", Trans::no, Trans::yes, 1, 256, 784, kernels::gemm));
}

// --- Convolutions --------------------------------------------------------------------------------

struct ConvTensors {
    Tensor x, weight, y;
};

ConvTensors conv_tensors(const ConvSizes& s) {
    return {
        .x = random({s.batch, s.in_channels, s.h.in, s.w.in}),
        .weight = random({s.out_channels, s.in_channels / s.groups, s.h.kernel, s.w.kernel}),
        .y = random({s.batch, s.out_channels, s.h.out, s.w.out}),
    };
}

/// The three kernels of one convolution; y also serves as dy, and so on.
void add_convolution(std::vector<Kernel>& all, const std::string& name, const ConvSizes& s,
                     decltype(kernels::reference::conv2d)* forward,
                     decltype(kernels::reference::conv2d_backward_input)* backward_input,
                     decltype(kernels::reference::conv2d_backward_weight)* backward_weight) {
    const auto flops = static_cast<double>(2 * s.batch * s.out_channels * s.h.out * s.w.out *
                                           (s.in_channels / s.groups) * s.h.kernel * s.w.kernel);
    all.push_back({"conv2d/" + name, flops, 0, [=]() -> Call {
                       return [=, t = conv_tensors(s)] {
                           forward(s, t.x.data(), t.weight.data(), nullptr, t.y.mutable_data());
                       };
                   }});
    all.push_back({"conv2d_backward_input/" + name, flops, 0, [=]() -> Call {
                       return [=, t = conv_tensors(s)] {
                           backward_input(s, t.weight.data(), t.y.data(), t.x.mutable_data());
                       };
                   }});
    all.push_back({"conv2d_backward_weight/" + name, flops, 0, [=]() -> Call {
                       return [=, t = conv_tensors(s)] {
                           backward_weight(s, t.x.data(), t.y.data(), t.weight.mutable_data());
                       };
                   }});
}

void add_convolutions(std::vector<Kernel>& all) {
    struct Layer {
        Index in, out, size;
    };
    const auto sizes = [](Index batch, const Layer& layer, Index kernel, Index groups) {
        const Window window(layer.size, kernel, 1, kernel / 2, 1);
        return ConvSizes{batch, layer.in, layer.out, groups, window, window};
    };
    const auto title = [](const char* kind, const Layer& layer) {
        return kind + std::to_string(layer.in) + "->" + std::to_string(layer.out) + "@" +
               std::to_string(layer.size);
    };
    const auto add = [&](const std::string& name, const ConvSizes& s) {
        add_convolution(all, name, s, kernels::conv2d, kernels::conv2d_backward_input,
                        kernels::conv2d_backward_weight);
    };
    const std::vector<Layer> cifar_cnn{{3, 32, 32},  {32, 32, 32}, {32, 64, 16},
                                       {64, 64, 16}, {64, 128, 8}, {128, 128, 8}};
    for (const Layer& layer : cifar_cnn) add(title("cifar_cnn:", layer), sizes(128, layer, 3, 1));
    const std::vector<Layer> resnet{{3, 64, 32},    {64, 64, 32},   {64, 128, 32},
                                    {128, 128, 16}, {128, 256, 16}, {256, 256, 8}};
    for (const Layer& layer : resnet) add(title("resnet:", layer), sizes(128, layer, 3, 1));
    add(title("one_image:", {32, 64, 16}), sizes(1, {32, 64, 16}, 3, 1));
    add(title("pointwise:", {64, 128, 16}), sizes(128, {64, 128, 16}, 1, 1));
    add(title("depthwise:", {64, 64, 32}), sizes(32, {64, 64, 32}, 3, 64));

    const auto add_both = [&](const std::string& name, const ConvSizes& s) {
        add(name, s);
        add_convolution(all, name + "/reference", s, kernels::reference::conv2d,
                        kernels::reference::conv2d_backward_input,
                        kernels::reference::conv2d_backward_weight);
    };
    add_both("small", sizes(1, {32, 32, 16}, 3, 1));  // by Winograd's algorithm
    add_both("small_5x5", sizes(1, {32, 32, 16}, 5, 1));
    add_both("small_pointwise", sizes(1, {32, 32, 16}, 1, 1));
    add_both("small_depthwise", sizes(1, {32, 32, 16}, 3, 32));
}

// --- Kernels that are limited by memory ----------------------------------------------------------

void add_batch_norm(std::vector<Kernel>& all, const std::string& suffix, bool relu,
                    decltype(kernels::reference::batch_norm_training)* training,
                    decltype(kernels::reference::batch_norm_backward)* backward) {
    const kernels::BatchNormSizes sizes{.batch = 128, .channels = 32, .inner = 32 * 32};
    const Shape shape{sizes.batch, sizes.channels, sizes.inner};
    const auto rule = [relu](const Tensor& w) {
        return kernels::BatchNormRule{
            .eps = 1e-5, .weight = w.data(), .bias = w.data(), .relu = relu};
    };
    const std::vector<kernels::Moments> given(32, {.mean = 0, .variance = 1});
    all.push_back({"batch_norm" + suffix, 0, bytes_of(2 * shape.numel()), [=]() -> Call {
                       return [=, moments = given, x = random(shape), w = random({32}),
                               y = random(shape)]() mutable {
                           training(sizes, rule(w), x.data(), moments.data(), y.mutable_data());
                       };
                   }});
    all.push_back({"batch_norm_backward" + suffix, 0, bytes_of(3 * shape.numel()), [=]() -> Call {
                       return [=, x = random(shape), dy = random(shape), w = random({32}),
                               dx = random(shape), dw = random({32}), db = random({32})] {
                           backward(sizes, rule(w),
                                    {.x = x.data(),
                                     .dy = dy.data(),
                                     .moments = given.data(),
                                     .moments_depend_on_x = true},
                                    dx.mutable_data(), dw.mutable_data(), db.mutable_data());
                       };
                   }});
}

void add_max_pool(std::vector<Kernel>& all) {
    const Window window(32, 2, 2, 0, 1);
    const kernels::MaxPoolSizes sizes{.planes = 128 * 32, .h = window, .w = window};
    const Shape in{sizes.planes, 32, 32}, out{sizes.planes, 16, 16};
    const std::vector<std::uint8_t> numbers(static_cast<std::size_t>(bytes_taken(sizes)), 0);
    const double bytes = bytes_of(in.numel() + out.numel()) + static_cast<double>(numbers.size());
    const auto forward = [=](const std::string& name, auto function) {
        return Kernel{name, 0, bytes, [=]() -> Call {
                          return [=, x = random(in), y = random(out), taken = numbers]() mutable {
                              function(sizes, x.data(), y.mutable_data(), taken.data());
                          };
                      }};
    };
    all.push_back(forward("max_pool2d", kernels::max_pool2d));
    all.push_back(forward("max_pool2d/reference", kernels::reference::max_pool2d));
    const auto backward = [=](const std::string& name, auto function) {
        return Kernel{name, 0, bytes, [=]() -> Call {
                          return [=, taken = numbers, dy = random(out), dx = random(in)] {
                              function(sizes, taken.data(), dy.data(), dx.mutable_data());
                          };
                      }};
    };
    all.push_back(backward("max_pool2d_backward", kernels::max_pool2d_backward));
    all.push_back(
        backward("max_pool2d_backward/reference", kernels::reference::max_pool2d_backward));
}

/// Kernels over n elements: an activation of cifar_cnn, or few enough for a cache.
void add_elementwise(std::vector<Kernel>& all, Index n, const std::string& suffix) {
    all.push_back({"add" + suffix, 0, bytes_of(3 * n), [=]() -> Call {
                       return [=, a = random({n}), b = random({n}), y = random({n})] {
                           kernels::add(n, a.data(), b.data(), y.mutable_data());
                       };
                   }});
    all.push_back({"relu" + suffix, 0, bytes_of(2 * n), [=]() -> Call {
                       return [=, x = random({n}), y = random({n})] {
                           kernels::in_chunks(n, 16384, kernels::table().activation.relu, x.data(),
                                              y.mutable_data());
                       };
                   }});
    all.push_back({"relu_backward" + suffix, 0, bytes_of(3 * n), [=]() -> Call {
                       return [=, y = random({n}), dy = random({n}), dx = random({n})] {
                           kernels::in_chunks(n, 16384, kernels::table().activation.relu_backward,
                                              y.data(), dy.data(), dx.mutable_data());
                       };
                   }});
    const std::vector<std::uint8_t> mask(static_cast<std::size_t>(n));
    all.push_back({"dropout" + suffix, 0, bytes_of(2 * n) + static_cast<double>(n), [=]() -> Call {
                       return [=, x = random({n}), y = random({n}), kept = mask]() mutable {
                           kernels::dropout(n, 0.5, 1, x.data(), y.mutable_data(), kept.data());
                       };
                   }});
    const kernels::SgdStep step{.lr = Real(1e-4),
                                .momentum = Real(0.9),
                                .gain = 1,
                                .weight_decay = 0,
                                .nesterov = false,
                                .maximize = false};
    all.push_back({"sgd_update" + suffix, 0, bytes_of(5 * n), [=]() -> Call {
                       return [=, grad = random({n}), velocity = random({n}), w = random({n})] {
                           kernels::sgd_update(n, step, grad.data(), velocity.mutable_data(),
                                               w.mutable_data());
                       };
                   }});
}

void add_cross_entropy(std::vector<Kernel>& all, Index rows, Index classes) {
    const std::string size = "/" + std::to_string(rows) + "x" + std::to_string(classes);
    const double bytes = bytes_of(2 * rows * classes);
    const std::vector<Index> labels = random_labels(rows, classes);
    all.push_back({"cross_entropy" + size, 0, bytes, [=]() -> Call {
                       return [=, x = random({rows, classes}), p = random({rows, classes})] {
                           benchmark::DoNotOptimize(
                               kernels::cross_entropy(rows, classes, x.data(), {labels.data()}, 0,
                                                      p.mutable_data(), nullptr));
                       };
                   }});
    all.push_back({"cross_entropy_backward" + size, 0, bytes, [=]() -> Call {
                       return [=, p = random({rows, classes}), dx = random({rows, classes})] {
                           const Real one = 1;
                           kernels::cross_entropy_backward(rows, classes, p.data(), {labels.data()},
                                                           0, {&one, 0, 1}, dx.mutable_data());
                       };
                   }});
}

std::vector<Kernel> all_kernels() {
    std::vector<Kernel> all;
    add_matrix_products(all);
    add_convolutions(all);
    add_batch_norm(all, "", false, kernels::batch_norm_training, kernels::batch_norm_backward);
    add_batch_norm(all, "/relu", true, kernels::batch_norm_training, kernels::batch_norm_backward);
    add_batch_norm(all, "/reference", false, kernels::reference::batch_norm_training,
                   kernels::reference::batch_norm_backward);
    add_max_pool(all);
    add_elementwise(all, 128 * 32 * 32 * 32, "");
    add_elementwise(all, 64 * 256, "/in_cache");
    add_cross_entropy(all, 64, 10);
    add_cross_entropy(all, 128, 1000);
    return all;
}

// --- The program ---------------------------------------------------------------------------------

double one_decimal(double x) { return std::round(10 * x) / 10; }

void measure(benchmark::State& state, const Kernel& kernel, int threads, double peak) {
    using Clock = std::chrono::steady_clock;
    set_num_threads(threads);
    const Call call = kernel.prepare();
    call();  // allocates the memory that later calls recycle
    const Clock::time_point start = Clock::now();
    for (auto _ : state) call();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const double calls_per_s = static_cast<double>(state.iterations()) / seconds;
    if (kernel.flops > 0) {
        state.counters["GFLOP/s"] = one_decimal(kernel.flops * calls_per_s / 1e9);
        state.counters["%peak"] = one_decimal(100 * kernel.flops * calls_per_s / peak);
    } else {
        state.counters["GB/s"] = one_decimal(kernel.bytes * calls_per_s / 1e9);
    }
}

void run(const std::vector<int>& thread_counts, const std::vector<std::string>& flags) {
    std::vector<std::string> words = flags;
    words.insert(words.begin(), "bench_kernels");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    auto count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    check(count == 1, "no flag '", arguments[1], "'; run with --help for the flags");

    benchmark::AddCustomContext("instruction set", kernels::name(kernels::isa()));
    const std::vector<Kernel> all = all_kernels();
    for (int threads : thread_counts) {
        const double peak = fma_peak(threads);
        const std::string suffix = "/threads:" + std::to_string(threads);
        benchmark::AddCustomContext("GFLOP/s at the most" + suffix,
                                    std::to_string(static_cast<int>(peak / 1e9)));
        for (const Kernel& kernel : all) {
            benchmark::RegisterBenchmark((kernel.name + suffix).c_str(),
                                         [&kernel, threads, peak](benchmark::State& state) {
                                             measure(state, kernel, threads, peak);
                                         })
                ->UseRealTime()
                ->Unit(benchmark::kMicrosecond);
        }
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}

}  // namespace
}  // namespace primer::benchmarks

int main(int argc, char** argv) {
    using namespace primer::benchmarks;
    CLI::App app("Measures the kernels one by one.");
    std::vector<int> threads;
    add_threads_flag(app, threads);
    app.allow_extras();
    app.footer(
        "All other flags are Google Benchmark's, such as --benchmark_filter=REGEX,\n"
        "--benchmark_list_tests, --benchmark_min_time=SECONDS, --benchmark_out=FILE.");
    return primer::examples::run(app, argc, argv,
                                 [&] { run(thread_counts(threads), app.remaining()); });
}
// SPDX-License-Identifier: MIT
