// The layers as PyTorch prints them; the texts are made by tests/parity/layer_texts.py.

#include <limits>
#include <map>
#include <sstream>
#include <string>

#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/conv_transpose2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/embedding.h>
#include <primer/layers/flatten.h>
#include <primer/layers/group_norm.h>
#include <primer/layers/identity.h>
#include <primer/layers/layer_norm.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/python_text.h>
#include <primer/layers/sequential.h>
#include "parity.h"
#include "support.h"

namespace primer {
namespace {

TEST_CASE("parity: layers print as PyTorch's do") {
    std::map<std::string, std::string> texts = texts_of_pytorch("layer_texts.txt");
    const auto same = [&](const std::string& name, const Module& module) {
        std::ostringstream out;
        out << module;
        const auto expected = texts.extract(name);
        REQUIRE_MESSAGE(!expected.empty(), "layer_texts.txt has no ", name);
        CHECK(out.str() == expected.mapped());
    };
    Rng rng(1);
    same("linear", Linear(784, 10, rng));
    same("linear without bias", Linear(1, 2, {.bias = false}, rng));
    same("conv", Conv2d(3, 8, {.kernel_size = 3}, rng));
    same("conv, all options", Conv2d(4, 8,
                                     {.kernel_size = {3, 2},
                                      .stride = {2, 1},
                                      .padding = {1, 0},
                                      .dilation = {1, 2},
                                      .groups = 2,
                                      .bias = false},
                                     rng));
    same("conv, square options",
         Conv2d(4, 4, {.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2, .groups = 4},
                rng));
    same("conv, same",
         Conv2d(3, 8, {.kernel_size = {3, 2}, .padding = "same", .dilation = 2}, rng));
    same("conv, valid", Conv2d(3, 8, {.kernel_size = 3, .padding = "valid"}, rng));
    same("transposed conv", ConvTranspose2d(3, 8, {.kernel_size = 3}, rng));
    same("transposed conv, all options", ConvTranspose2d(4, 8,
                                                         {.kernel_size = {3, 2},
                                                          .stride = {2, 3},
                                                          .padding = {1, 0},
                                                          .output_padding = {0, 2},
                                                          .groups = 2,
                                                          .bias = false,
                                                          .dilation = {1, 2}},
                                                         rng));
    same("batch norm 1d", BatchNorm1d(7));
    same("batch norm 2d", BatchNorm2d(64));
    same("batch norm, whole numbers", BatchNorm2d(3, {.eps = 1, .momentum = 1}));
    same("batch norm, small numbers", BatchNorm2d(3, {.eps = 1e-3, .momentum = 0}));
    same("batch norm, smaller numbers", BatchNorm1d(3, {.eps = 1.25e-7, .momentum = 0.00012}));
    same("batch norm, nothing learnt", BatchNorm1d(3, {.affine = false}));
    same("batch norm, an average", BatchNorm2d(3, {.momentum = std::nullopt}));
    same("batch norm, nothing kept",
         BatchNorm2d(3, {.affine = false, .track_running_stats = false}));
    same("layer norm", LayerNorm(10));
    same("layer norm, two dimensions", LayerNorm({3, 4}, {.eps = 1e-3}));
    same("layer norm, nothing learnt", LayerNorm(10, {.elementwise_affine = false}));
    same("layer norm, no bias", LayerNorm(Shape{2, 3, 4}, {.bias = false}));
    same("group norm", GroupNorm(2, 4));
    same("group norm, nothing learnt", GroupNorm(1, 3, {.eps = 1, .affine = false}));
    same("group norm, no bias", GroupNorm(3, 3, {.bias = false}));
    same("dropout", Dropout(rng));
    same("dropout of all", Dropout(1, rng));
    same("dropout of none", Dropout(0, rng));
    same("dropout of a third", Dropout(1.0 / 3, rng));
    same("dropout 2d", Dropout2d(0.25, rng));
    same("max pool", MaxPool2d({.kernel_size = 2}));
    same("max pool, all options", MaxPool2d({.kernel_size = {3, 2},
                                             .stride = {2, 1},
                                             .padding = {1, 0},
                                             .dilation = {1, 2},
                                             .ceil_mode = true}));
    same("max pool, square options",
         MaxPool2d({.kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2}));
    same("avg pool", AvgPool2d({.kernel_size = 2}));
    same("avg pool, all options", AvgPool2d({.kernel_size = {3, 2},
                                             .stride = {2, 1},
                                             .padding = {1, 0},
                                             .ceil_mode = true,
                                             .count_include_pad = false}));
    same("adaptive pool", AdaptiveAvgPool2d(1));
    same("adaptive pool, not square", AdaptiveAvgPool2d({3, 2}));
    same("adaptive max pool", AdaptiveMaxPool2d(1));
    same("adaptive max pool, not square", AdaptiveMaxPool2d({3, 2}));
    same("embedding", Embedding(10, 3, rng));
    same("embedding, padding", Embedding(10, 3, {.padding_idx = -1}, rng));
    same("flatten", Flatten());
    same("flatten some", Flatten(0, 2));
    same("identity", Identity());
    same("relu", ReLU());
    same("relu in place", ReLU({.inplace = true}));
    same("leaky relu", LeakyReLU());
    same("leaky relu in place", LeakyReLU(LeakyReLUOptions{.negative_slope = 1, .inplace = true}));
    same("prelu", PReLU());
    same("prelu of channels", PReLU(12));
    same("elu", ELU());
    same("elu, alpha", ELU(0.1));
    same("selu", SELU());
    same("gelu", GELU());
    same("gelu, tanh", GELU(Approximation::tanh));
    same("silu", SiLU());
    same("sigmoid", Sigmoid());
    same("tanh", Tanh());
    same("softplus", Softplus());
    same("softplus, options", Softplus({.beta = 1e-5, .threshold = 1e16}));
    same("hardswish", Hardswish());
    same("relu6", ReLU6());
    same("hardtanh", Hardtanh());
    same("hardtanh, options", Hardtanh({.min_val = -2.5, .max_val = 1e-5}));
    same("celu", CELU());
    same("celu, alpha", CELU(0.1));
    same("mish", Mish());
    same("log sigmoid", LogSigmoid());
    same("softsign", Softsign());
    same("hardsigmoid", Hardsigmoid());
    same("glu", GLU());
    same("glu, dim", GLU(1));
    same("softmax", Softmax(1));
    same("log softmax", LogSoftmax(-1));
    same("sequential of none", Sequential());
    same("sequential", Sequential{Conv2d(1, 4, {.kernel_size = 3, .padding = 1}, rng),
                                  Sequential{BatchNorm2d(4), ReLU()}, Sequential{}, Flatten(),
                                  Linear(4, 2, rng)});
    for (const auto& [name, text] : texts) FAIL_CHECK("no layer here is compared with ", name);
}

TEST_CASE("python_float: the shortest digits, always with a point or an exponent") {
    CHECK(python_float(0) == "0.0");
    CHECK(python_float(-0.0) == "-0.0");
    CHECK(python_float(1) == "1.0");
    CHECK(python_float(-2.5) == "-2.5");
    CHECK(python_float(0.1 + 0.2) == "0.30000000000000004");
    CHECK(python_float(1e-4) == "0.0001");
    CHECK(python_float(9.9e-5) == "9.9e-05");
    CHECK(python_float(123456789012345) == "123456789012345.0");
    CHECK(python_float(1e16) == "1e+16");
    CHECK(python_float(1.5e300) == "1.5e+300");
    CHECK(python_float(5e-324) == "5e-324");
    CHECK(python_float(std::numeric_limits<double>::infinity()) == "inf");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
