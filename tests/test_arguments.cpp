// What must not compile, and objects whose public members contradict one another.

#include <primer/primer.h>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support.h"

namespace primer {
namespace {

template <class To, class From>
concept Assigns = requires(To& to, From from) {
    to = std::move(from);
};

// --- A Tensor from a number, and from nothing else -----------------------------------------------

static_assert(std::is_convertible_v<int, Tensor>);
static_assert(std::is_convertible_v<Index, Tensor>);
static_assert(std::is_convertible_v<float, Tensor>);
static_assert(std::is_convertible_v<double, Tensor>);
static_assert(!std::is_constructible_v<Tensor, bool>);
static_assert(!std::is_constructible_v<Tensor, char>);
static_assert(!std::is_constructible_v<Tensor, char32_t>);
static_assert(!std::is_constructible_v<Tensor, int*>);
static_assert(!std::is_constructible_v<Tensor, const char*>);
static_assert(!std::is_convertible_v<std::nullptr_t, Tensor>);
static_assert(!std::is_constructible_v<Parameter, bool>);
// The members of options; and both betas, or none.
template <class Options, class... Values>
concept Takes = requires(Values... values) {
    Options{values...};
};
static_assert(Takes<SGDOptions, double, double>);
static_assert(!Takes<SGDOptions, double, double, bool>);
static_assert(!Takes<SGDOptions, bool>);
static_assert(!Takes<AdamOptions, double, double>);
static_assert(!std::is_constructible_v<Betas, double>);
static_assert(!Takes<BatchNormLayerOptions, double, bool>);
static_assert(!Takes<DataLoaderOptions, bool>);
static_assert(!Takes<DataLoaderOptions, double>);
static_assert(!Takes<StepDecayOptions, int>);  // lr and every are required
static_assert(Takes<CrossEntropyOptions, Tensor, int, Reduction, double>);  // PyTorch's order
static_assert(!Takes<CrossEntropyOptions, Tensor, bool>);
static_assert(Takes<NllLossOptions, Tensor, int, Reduction>);
static_assert(Takes<BinaryCrossEntropyOptions, Tensor, Reduction>);
static_assert(Takes<BinaryCrossEntropyWithLogitsOptions, Tensor, Reduction, Tensor>);
template <class Arg>
concept Switches = requires(Linear& layer, Arg arg) {
    layer.train(arg);
};
static_assert(Switches<bool> && !Switches<const char*> && !Switches<double>);
static_assert(!std::is_constructible_v<Parameter, bool>);
static_assert(!std::is_constructible_v<Buffer, bool>);
static_assert(std::is_convertible_v<int, Size2>);
static_assert(!std::is_constructible_v<Size2, bool>);
static_assert(!std::is_constructible_v<Size2, double>);
static_assert(!std::is_constructible_v<Size2, int, double>);
static_assert(std::is_constructible_v<Rng, int>);
static_assert(!std::is_constructible_v<Rng, double>);
static_assert(!std::is_constructible_v<Rng, bool>);
static_assert(!std::is_convertible_v<int, Shape>);
static_assert(!std::is_constructible_v<Parameter, int> && !std::is_constructible_v<Buffer, double>);
template <class... Sizes>
concept MakesShape = requires(Sizes... sizes) {
    zeros({sizes...});
};
template <class... Sizes>
concept MakesTensors = requires(Sizes... sizes) {
    zeros(sizes...);
    ones(sizes...);
    empty(sizes...);
    rand(sizes...);
    randn(sizes...);
    view(Tensor(), sizes...);
    reshape(Tensor(), sizes...);
    permute(Tensor(), sizes...);
    expand(Tensor(), sizes...);
};
template <class... A>
concept CanRandn = requires(A... a) {
    randn(a...);
    rand(a...);
};
static_assert(CanRandn<int, int> && CanRandn<Shape, Rng&> && !CanRandn<int, int, Rng&>);
static_assert(MakesTensors<int> && MakesTensors<Index, int, std::size_t>);
static_assert(!MakesTensors<double> && !MakesTensors<int, bool>);
static_assert(MakesShape<int, Index> && MakesShape<std::size_t>);
static_assert(!MakesShape<bool, int> && !MakesShape<char> && !MakesShape<double>);
template <class... Values>
concept MakesLabels = requires(Values... values) {
    IntTensor{values...};
};
static_assert(MakesLabels<int, Index> && !MakesLabels<bool, bool> && !MakesLabels<double>);
template <class I>
concept Indexes = requires(const Tensor& x, const Shape& shape, I i) {
    x.at({i, i});
    x[i];
    shape[i];
};
static_assert(Indexes<int> && Indexes<std::size_t> && !Indexes<bool> && !Indexes<double>);
static_assert(!Indexes<Tensor> && !Indexes<IntTensor>);  // where, index_select
template <class T>
concept Masks = requires(const T& a, const T& b) {
    a& b;
}
|| requires(const T& a, const T& b) { a | b; }
|| requires(const T& a) { ~a; }
|| requires(const T& a) { !a; };
static_assert(!Masks<Tensor>);  // arithmetic on numbers: a * b, maximum(a, b), 1 - a
static_assert(!Assigns<Parameter, Tensor> && Assigns<Parameter, Parameter>);  // copy_
static_assert(!std::is_convertible_v<bool, Shape>);
static_assert(!std::is_convertible_v<int, IntTensor>);
static_assert(!std::is_convertible_v<double, IntTensor>);

// --- Dimensions, counts and flags ----------------------------------------------------------------

template <class... A>
concept CanSum = requires(A... a) {
    sum(a...);
};
template <class... A>
concept CanMean = requires(A... a) {
    mean(a...);
};
template <class... A>
concept CanMax = requires(A... a) {
    max(a...);
};
template <class... A>
concept CanArgmax = requires(A... a) {
    argmax(a...);
};
template <class... A>
concept CanSoftmax = requires(A... a) {
    softmax(a...);
};
template <class... A>
concept CanFlatten = requires(A... a) {
    flatten(a...);
};
template <class... A>
concept CanSlice = requires(A... a) {
    slice(a...);
};
template <class... A>
concept CanSplit = requires(A... a) {
    split(a...);
    split(std::get<0>(std::tuple(a...)), {std::get<1>(std::tuple(a...))});
};
template <class... A>
concept CanElu = requires(A... a) {
    elu(a...);
};
template <class... A>
concept CanFull = requires(A... a) {
    full(a...);
};
template <class... A>
concept CanArange = requires(A... a) {
    arange(a...);
};

static_assert(CanSum<Tensor, int> && CanSum<Tensor, int, bool> && CanSum<Tensor, Index>);
static_assert(!CanSum<Tensor, bool> && !CanSum<Tensor, double>);
static_assert(!CanSum<Tensor, int, int>);  // not two dimensions
static_assert(!CanMean<Tensor, bool> && !CanMean<Tensor, float> && !CanMean<Tensor, int, int>);
static_assert(!CanMax<Tensor, double> && !CanMax<Tensor, bool> && !CanMax<Tensor, int, int>);
static_assert(!CanArgmax<Tensor, bool> && !CanArgmax<Tensor, double>);
static_assert(CanSoftmax<Tensor, int> && !CanSoftmax<Tensor, bool> && !CanSoftmax<Tensor, double>);
static_assert(!CanFlatten<Tensor, bool> && !CanSlice<Tensor, double, int>);
static_assert(CanSplit<Tensor, int> && !CanSplit<Tensor, double> && !CanSplit<Tensor, bool>);
static_assert(CanElu<Tensor, int> && CanElu<Tensor, double> && !CanElu<Tensor, bool>);
static_assert(CanFull<Shape, int> && CanFull<Shape, double> && !CanFull<Shape, bool>);
static_assert(!CanFull<int, int> && !CanFull<int, int, double>);  // full({2, 3}, 0.5)
static_assert(CanArange<int> && !CanArange<double> && !CanArange<bool>);
static_assert(CanArange<int, double> && CanArange<int, int, double> && !CanArange<int, bool>);

// The operand of a reduction is a tensor: max(0.5 - 2.0, 0) is not the larger of two numbers.
template <class... A>
concept CanMin = requires(A... a) {
    min(a...);
};
template <class... A>
concept CanNorm = requires(A... a) {
    norm(a...);
};
static_assert(CanMin<Tensor, int> && CanNorm<Parameter, int>);
static_assert(!CanMax<Tensor, Tensor> && !CanMin<Tensor, Parameter>);  // maximum, minimum
static_assert(!CanSum<double> && !CanMean<int> && !CanMax<double, int> && !CanMax<int>);
static_assert(!CanMin<double, int> && !CanMin<int, int> && !CanNorm<int, int>);

// --- Layers, optimizers, data --------------------------------------------------------------------

static_assert(!std::is_constructible_v<LeakyReLU, bool>);  // PyTorch's LeakyReLU(inplace=True)
static_assert(std::is_constructible_v<LeakyReLU, double, bool>);
static_assert(!std::is_constructible_v<ELU, bool>);
static_assert(std::is_constructible_v<ReLU, bool> && !std::is_constructible_v<ReLU, int>);
static_assert(!std::is_constructible_v<PReLU, double>);
static_assert(!std::is_constructible_v<Softmax, bool> && !std::is_constructible_v<Softmax, double>);
static_assert(!std::is_constructible_v<Dropout, bool, Rng&>);
static_assert(std::is_constructible_v<Dropout, int, Rng&>);
static_assert(!std::is_constructible_v<Dropout, bool> && !std::is_constructible_v<Dropout2d, bool>);
static_assert(!std::is_constructible_v<Dropout, double, bool>);  // PyTorch's inplace
static_assert(!std::is_constructible_v<Dropout2d, double, bool>);
static_assert(std::is_constructible_v<Conv2d, int, int, int>);
static_assert(std::is_constructible_v<Conv2d, int, int, int, int, int>);
static_assert(!std::is_constructible_v<Conv2d, int, int, bool>);
static_assert(!std::is_constructible_v<Conv2d, int, int, double>);
static_assert(std::is_constructible_v<ConvTranspose2d, int, int, int, int, int, int>);
static_assert(std::is_constructible_v<Conv2d, int, int, int, int, int, Rng&>);
static_assert(!std::is_constructible_v<Conv2d, int, int, int, int, int, int>);  // the dilation
static_assert(std::is_constructible_v<Conv2d, int, int, int, Rng&>);
static_assert(!std::is_constructible_v<ConvTranspose2d, int, int, bool>);
// The kernel size is one of the options, or stands before a stride and a padding.
template <class Layer>
concept TakesKernelAndOptions = requires {
    Layer(3, 32, 3, {.stride = 2});
}
|| requires { Layer(3, {.stride = 2}); };
static_assert(!TakesKernelAndOptions<Conv2d> && !TakesKernelAndOptions<ConvTranspose2d>);
static_assert(!TakesKernelAndOptions<MaxPool2d> && !TakesKernelAndOptions<AvgPool2d>);
template <class T>
concept PoolsByKernelAndOptions = requires(const T& x) {
    max_pool2d(x, 3, {.stride = 2});
}
|| requires(const T& x) { avg_pool2d(x, 3, {.stride = 2}); };
static_assert(!PoolsByKernelAndOptions<Tensor>);
static_assert(!std::is_constructible_v<Linear, int, int, bool>);  // PyTorch's bias
static_assert(!std::is_constructible_v<Linear, double, int, Rng&>);
static_assert(!std::is_constructible_v<Embedding, int, double, Rng&>);
static_assert(Takes<EmbeddingOptions, int> && !Takes<EmbeddingOptions, bool>);
static_assert(Takes<SliceOptions, int, Index> && !Takes<SliceOptions, bool>);
static_assert(Takes<PadOptions, PadMode, int> && !Takes<PadOptions, PadMode, bool>);
static_assert(!std::is_constructible_v<Linear, int, bool, Rng&>);
static_assert(!std::is_constructible_v<BatchNorm2d, bool>);
static_assert(!std::is_constructible_v<BatchNorm2d, double>);
static_assert(!std::is_constructible_v<LayerNorm, bool>);
static_assert(!std::is_constructible_v<GroupNorm, int, bool>);
static_assert(!std::is_constructible_v<Flatten, bool>);
static_assert(!std::is_constructible_v<AdaptiveAvgPool2d, double>);
static_assert(!std::is_constructible_v<Cutout, double>);
static_assert(!std::is_constructible_v<RandomHorizontalFlip, bool>);
static_assert(!std::is_constructible_v<ConfusionMatrix, double>);

// model[-1] = Linear(8, 5) would leave the members of the layer as they were.
static_assert(!Assigns<Module, Linear> && !Assigns<Module, Sequential>);
static_assert(Assigns<Linear, Linear> && Assigns<Sequential, Sequential>);
static_assert(!Assigns<Linear, Conv2d>);
// len(loader) is the number of batches, a dataset's that of examples: neither is the loader's size.
template <class T>
concept HasSize = requires(const T& x) {
    x.size();
};
static_assert(HasSize<Dataset> && HasSize<Sequential> && !HasSize<DataLoader>);

using Parameters = std::vector<Parameter>;
static_assert(std::is_constructible_v<SGD, Parameters, double>);
static_assert(std::is_constructible_v<Adam, Parameters, float>);
static_assert(std::is_constructible_v<AdamW, Parameters, int>);
static_assert(std::is_constructible_v<RMSprop, Parameters, double>);
static_assert(!std::is_constructible_v<SGD, Parameters, bool>);
static_assert(!std::is_constructible_v<SGD, Parameters, double, double>);  // {.momentum = 0.9}

template <class... A>
concept CanSetLr = requires(SGD& optimizer, A... a) {
    optimizer.set_lr(a...);
};
template <class... A>
concept CanGetLr = requires(SGD& optimizer, A... a) {
    optimizer.lr(a...);
};
template <class A>
concept CanStep = requires(A a) {
    cosine(a, {.lr = 1, .steps = 2});
};
static_assert(CanSetLr<double> && CanSetLr<double, int> && CanSetLr<int, Index>);
static_assert(!CanSetLr<int, double>);  // the group first
static_assert(CanGetLr<int> && !CanGetLr<double>);
static_assert(CanStep<int> && !CanStep<double>);

#ifndef PRIMER_WITHOUT_IO
template <class... A>
concept CanAddScalar = requires(SummaryWriter& log, A... a) {
    log.add_scalar("loss", a...);
};
static_assert(CanAddScalar<double, Index> && !CanAddScalar<Index, double>);
#endif

TEST_CASE("arguments: a number that the type cannot hold is refused") {
    const Tensor x = ones({2, 2});
    check_error([&] { sum(x, Index{1} << 32); }, {"out of range", "4294967296"});
    check_error([] { Rng rng(-1); }, {"out of range", "-1"});
    CHECK(Tensor(std::uint8_t{200}).item() == 200);
}

TEST_CASE("arguments: optimizers take the learning rate second") {
    Linear layer(2, 3);
    CHECK(SGD(layer.parameters(), 0.1).options().lr == 0.1);
    CHECK(Adam(layer.parameters(), 2e-3).options().lr == 2e-3);
    CHECK(AdamW(layer.parameters(), 2e-3).options().weight_decay == 1e-2);
    CHECK(RMSprop(layer.parameters(), 1).options().lr == 1);
    CHECK(SGD(layer.parameters(), {0.2, 0.9}).options().momentum == 0.9);
    CHECK(SGD(layer.parameters(), {0.2}).options().lr == 0.2);
    CHECK(Adam(layer.parameters(), {}).options().lr == 1e-3);
    check_error([&] { SGD(layer.parameters(), -1); }, {"SGD: expected lr >= 0, got -1"});
}

TEST_CASE("arguments: layers take what PyTorch's take first") {
    CHECK(text(ReLU(true)) == "ReLU(inplace=True)");
    CHECK(text(ReLU(false)) == "ReLU()");
    CHECK(text(LeakyReLU(0.25, true)) == "LeakyReLU(negative_slope=0.25, inplace=True)");
    CHECK(text(Conv2d(3, 32, 3)) == "Conv2d(3, 32, kernel_size=(3, 3), stride=(1, 1))");
    CHECK(text(Conv2d(3, 32, {3, 5}, 2, {0, 1})) ==
          "Conv2d(3, 32, kernel_size=(3, 5), stride=(2, 2), padding=(0, 1))");
    CHECK(text(Conv2d(3, 32, {3, 5})) == text(Conv2d(3, 32, {.kernel_size = {3, 5}})));
    CHECK(text(ConvTranspose2d(3, 32, {3, 5}, 2)) ==
          text(ConvTranspose2d(3, 32, {.kernel_size = {3, 5}, .stride = 2})));
    check_error([] { Conv2d(3, 32, {3, 1, 1}); }, {"Conv2d: expected a kernel", "got 3 numbers"});
    Rng a(1), b(1);
    CHECK(mean(Conv2d(3, 32, 3, 1, 1, a).weight ==
               Conv2d(3, 32, {.kernel_size = 3, .padding = 1}, b).weight)
              .item() == 1);
    CHECK(ConvTranspose2d(3, 4, 2, 1, 0, 0, a).weight.shape() == Shape{3, 4, 2, 2});
    CHECK(ConvTranspose2d(3, 4, {2, 3}, a).weight.shape() == Shape{3, 4, 2, 3});
    CHECK(ConvTranspose2d(3, 4, 2, a).weight.shape() == Shape{3, 4, 2, 2});
    CHECK(Conv2d(3, 4, 2, a).weight.shape() == Shape{4, 3, 2, 2});
    CHECK(Conv2d(3, 4, {2, 5}, a).weight.shape() == Shape{4, 3, 2, 5});
    CHECK(text(ConvTranspose2d(8, 4, 4, 2, 1)) ==
          "ConvTranspose2d(8, 4, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))");
    CHECK(text(ConvTranspose2d(8, 4, Size2{3, 5}, {2, 3}, {1, 0}, {1, 2})) ==
          text(ConvTranspose2d(8, 4,
                               {.kernel_size = {3, 5},
                                .stride = {2, 3},
                                .padding = {1, 0},
                                .output_padding = {1, 2}})));
    const Tensor x = tensor({-1, 2});
    check_error([&] { LeakyReLU(-1, true)(x); },
                {"LeakyReLU: leaky_relu_: expected negative_slope >= 0"});
    CHECK(ReLU(true)(x).data() == x.data());
}

// --- view ----------------------------------------------------------------------------------------

TEST_CASE("arguments: view is reshape, checked and recorded") {
    const Tensor x = arange(6).requires_grad_();
    {
        Tape tape;
        const Tensor y = view(x, {x.shape()[0] / 3, -1});
        CHECK(y.requires_grad());
        CHECK(y.shape() == Shape{2, 3});
        CHECK(y.data() == x.data());
        tape.backward(sum(y * view(arange(6), Shape{2, 3})));
    }
    check_values(x.grad(), {6}, {0, 1, 2, 3, 4, 5});
    check_error([&] { view(x, {100, 3}); }, {"shape [6] has 6 elements", "[100, 3]"});
    check_error([&] { view(x, Shape{7}); }, {"shape [6] has 6 elements"});
    check_error([&] { view(x, {-1, 4}); }, {"6 elements"});
    check_values(reshape(x, Shape{3, 2}), {3, 2}, {0, 1, 2, 3, 4, 5});
}

// --- An IntTensor that lies ----------------------------------------------------------------------

TEST_CASE("arguments: an IntTensor with fewer values than its shape is refused everywhere") {
    const Tensor logits = zeros({3, 4});
    IntTensor labels{0, 1, 2};
    labels.values.pop_back();
    const auto refused = [](auto f) { check_error(f, {"shape [3] needs 3 values, got 2"}); };
    refused([&] { cross_entropy(logits, labels); });
    refused([&] { nll_loss(logits, labels); });
    refused([&] { count_correct(logits, labels); });
    refused([&] { top_k_accuracy(logits, labels, 2); });
    refused([&] { ConfusionMatrix(4).add(logits, labels); });
    refused([&] { std::ostringstream() << labels; });
    IntTensor grown{0, 1};
    grown.shape = {2, 4000};
    check_error([&] { std::ostringstream() << grown; }, {"shape [2, 4000] needs 8000 values"});
}

// --- The rows of docs/from-pytorch.md that are programs ------------------------------------------

namespace torch = primer;
namespace nn = primer;
namespace F = primer;
namespace optim = primer;

class Stack : public nn::Module {
  public:
    Tensor forward(const Tensor& x) override {
        Tensor y = x;
        for (Module& layer : layers) y = F::relu(layer(y));
        return y;
    }
    void visit(Visitor& visitor) override { visitor("layers", layers); }
    std::string describe() const override { return "Stack"; }

    nn::Sequential layers{nn::Linear(2, 3), nn::Linear(3, 2)};
};

TEST_CASE("from PyTorch: aliases of the namespace, a list of modules, a copy of a state_dict") {
    Stack model;
    CHECK(model.named_parameters()[0].first == "layers.0.weight");
    StateDict best = model.state_dict();
    for (StateEntry& e : best) e.tensor = e.tensor.detach().clone();
    optim::SGD optimizer(model.parameters(), 0.1);
    const Tensor x = torch::ones({4, 2}), before = model(x);
    for (const Parameter& p : model.parameters()) p.copy_(p + 1);
    CHECK(max(abs(model(x) - before)).item() > 0);
    for (std::size_t i = 0; i < best.size(); ++i) {
        model.state_dict()[i].tensor.copy_(best[i].tensor);
    }
    CHECK(max(abs(model(x) - before)).item() == 0);
    optimizer.set_lr(0.01, 0);
    CHECK(optimizer.options(0).lr == 0.01);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
