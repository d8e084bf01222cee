// Files, descriptions and messages are the same whatever the program's global locale is.

#include <functional>
#include <locale>
#include <sstream>
#include <string>

#include <primer/core/io/checkpoint.h>
#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include <primer/core/tape.h>
#include <primer/datasets/mnist.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/dropout.h>
#include <primer/layers/inspect/graph.h>
#include <primer/layers/inspect/summary.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include "folder.h"
#include "support.h"

namespace primer {
namespace {

// 1234.5 is "1.234,5", as German is written.
struct German : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
};

// While it lives, the global locale is German.
class InGerman {
  public:
    InGerman() : before_(std::locale::global(std::locale(std::locale::classic(), new German))) {}
    ~InGerman() { std::locale::global(before_); }
    InGerman(const InGerman&) = delete;
    InGerman& operator=(const InGerman&) = delete;

  private:
    std::locale before_;
};

template <class F>
void check_same(const F& text) {
    const std::string plain = text();
    const InGerman german;
    std::ostringstream control;
    control << 1234.5;
    REQUIRE(control.str() == "1.234,5");
    CHECK(text() == plain);
}

Sequential network() {
    Rng rng(1);
    return Sequential{Conv2d(1, 1200, {.kernel_size = 3}, rng),
                      BatchNorm2d(1200, {.eps = 0.25, .momentum = 0.125}),
                      MaxPool2d({.kernel_size = 2}),
                      Dropout(0.25, rng),
                      Dropout2d(0.0625, rng),
                      LeakyReLU(0.375),
                      ELU(0.625),
                      PReLU(1200)};
}

std::string message_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "(no Error was thrown)";
}

TEST_CASE("locale: descriptions and summaries") {
    Sequential model = network();
    check_same([&] {
        TextStream out;
        out << model << summary(model, {1, 1, 64, 64}) << tensor({1234.5, 0.25}) << Size2{1234, 5};
        return out.str();
    });
    std::ostringstream plain, german;
    plain << model;
    const InGerman locale;
    german.imbue(std::locale());
    german << model;
    CHECK(german.str() == plain.str());
}

TEST_CASE("locale: messages") {
    check_same([] {
        return message_of([] {
                   matmul(zeros({1000, 2000}), zeros({3000, 4}));
               }) +
               message_of([] { fail("got ", 1234567, ", ", 1234.5); }) + message_of([] {
                   Rng rng(1);
                   Dropout(1234.5, rng);
               });
    });
    CHECK(message_of([] { fail("got ", 1234567, ", ", 1234.5); }) == "got 1234567, 1234.5");
}

TEST_CASE("locale: safetensors are written and read") {
    Sequential model = network();
    const Folder folder;
    save_safetensors(folder.path() / "a", model.state_dict());
    const InGerman german;
    save_safetensors(folder.path() / "b", model.state_dict());
    CHECK(contents(folder.path() / "a") == contents(folder.path() / "b"));
    CHECK_NOTHROW(load_safetensors(folder.path() / "b", model.state_dict()));
}

TEST_CASE("locale: a checkpoint fits the model that it is of") {
    Sequential model = network();
    const auto state = [&] {
        ModelState here;
        std::ostringstream text;
        text << model;
        here.description = text.str();
        for (const StateEntry& entry : model.state_dict()) {
            here.tensors.emplace_back(entry.name, entry.tensor);
        }
        return here;
    };
    Checkpoint checkpoint;
    checkpoint.take(state());
    const InGerman german;
    CHECK_NOTHROW(checkpoint.restore(state(), "the file"));
}

TEST_CASE("locale: graphs") {
    Tape tape;
    const Tensor x = ones({1234, 4321}).requires_grad_();
    const Tensor y = sum(x * x);
    check_same([&] { return to_dot(graph_of(tape)) + to_mermaid(graph_of(tape)); });
}

TEST_CASE("locale: readers of datasets") {
    const Folder folder;
    folder.write("train-images-idx3-ubyte", std::string(1234, '\x7f'));
    folder.write("train-labels-idx1-ubyte", std::string(1234, '\x7f'));
    check_same([&] { return message_of([&] { mnist(folder.path(), Split::train); }); });
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
