// A model's weights in a file: PyTorch's names, and back.

#include <primer/core/state_dict.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include <primer/layers/activations.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/conv2d.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/pooling.h>
#include <primer/layers/sequential.h>
#include "folder.h"
#include "parity/exchange_network.h"
#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// A module that is no Sequential.
class Net : public Module {
  public:
    explicit Net(Rng& rng) : conv1(1, 2, {.kernel_size = 3}, rng), bn(2), body(Linear(2, 2, rng)) {}
    Tensor forward(const Tensor& x) override { return bn(conv1(x)); }
    void visit(Visitor& visitor) override {
        visitor("conv1", conv1);
        visitor("bn", bn);
        visitor("body", body);
    }
    std::string describe() const override { return "Net"; }

    Conv2d conv1;
    BatchNorm2d bn;
    Sequential body;
};

TEST_CASE("state_dict: PyTorch's names") {
    Rng rng(1);
    Net net(rng);
    std::vector<std::string> names, whole;
    for (const StateEntry& entry : net.state_dict()) {
        names.push_back(entry.name);
        if (entry.whole) whole.push_back(entry.name);
    }
    CHECK(names == std::vector<std::string>{"conv1.weight", "conv1.bias", "bn.weight", "bn.bias",
                                            "body.0.weight", "body.0.bias", "bn.running_mean",
                                            "bn.running_var", "bn.num_batches_tracked"});
    CHECK(whole == std::vector<std::string>{"bn.num_batches_tracked"});
}

TEST_CASE("state_dict: handles, so that loading changes the model") {
    const Folder folder;
    const fs::path path = folder.path() / "net.safetensors";
    Rng rng(1), other_rng(2);
    Net net(rng), other(other_rng);
    net(rand({4, 1, 5, 5}, rng));  // moves the running statistics
    save_safetensors(path, net.state_dict());
    CHECK(SafetensorsFile::load(path).int_tensor("bn.num_batches_tracked").values ==
          std::vector<Index>{1});
    load_safetensors(path, other.state_dict());
    const StateDict a = net.state_dict(), b = other.state_dict();
    for (std::size_t i = 0; i < a.size(); ++i) {
        CAPTURE(a[i].name);
        CHECK(std::ranges::equal(a[i].tensor.values(), b[i].tensor.values()));
    }
    CHECK(other.bn.num_batches_tracked.item() == 1);
    CHECK(other.conv1.weight.requires_grad());
}

// The layer that predicts a word shares the weight that reads it.
class Tied : public Module {
  public:
    explicit Tied(Rng& rng) : tok(2, 2, rng), head(2, 2, rng) { head.weight = tok.weight; }
    Tensor forward(const Tensor& x) override { return head(tok(x)); }
    void visit(Visitor& visitor) override {
        visitor("tok", tok);
        visitor("head", head);
    }
    std::string describe() const override { return "Tied"; }

    Linear tok, head;
};

TEST_CASE("state_dict: a shared tensor under each of its names, written and read as by PyTorch") {
    const Folder folder;
    const fs::path path = folder.path() / "tied.safetensors";
    Rng rng(1);
    Tied model(rng);
    std::vector<std::string> names;
    for (const StateEntry& entry : model.state_dict()) names.push_back(entry.name);
    CHECK(names == std::vector<std::string>{"tok.weight", "tok.bias", "head.weight", "head.bias"});
    CHECK(model.parameters().size() == 3);

    // load_state_dict of the same model in PyTorch asks for both.
    save_safetensors(path, model.state_dict());
    CHECK(SafetensorsFile::load(path).contains("head.weight"));
    CHECK(SafetensorsFile::load(path).contains("tok.weight"));
    load_safetensors(path, Tied(rng).state_dict());

    // safetensors' save_model keeps one name, and lists the other in the metadata.
    for (const std::string kept : {"head", "tok"}) {
        CAPTURE(kept);
        const std::string other = kept == "tok" ? "head" : "tok";
        const Tensor values = rand({2, 2}, rng);
        save_safetensors(
            path, {{kept + ".weight", values}, {"tok.bias", zeros({2})}, {"head.bias", zeros({2})}},
            {{other + ".weight", kept + ".weight"}});
        CHECK(load_safetensors(path, model.state_dict()).missing.empty());
        CHECK(std::ranges::equal(model.tok.weight.values(), values.values()));
        CHECK(model.head.weight.values().data() == model.tok.weight.values().data());
    }

    // One fault is reported once.
    save_safetensors(
        path,
        {{"head.weight", zeros({3, 2})}, {"tok.bias", zeros({2})}, {"head.bias", zeros({2})}});
    const LoadReport report = load_safetensors(path, model.state_dict(), {.strict = false});
    CHECK(report.misshapen == std::vector<std::string>{"head.weight"});
    CHECK(report.missing.empty());
}

TEST_CASE("state_dict: another model's file is an Error that names both sides") {
    const Folder folder;
    const fs::path path = folder.path() / "net.safetensors";
    Rng rng(1);
    Net net(rng);
    save_safetensors(path, net.state_dict());
    Sequential linear(Linear(2, 2, rng));
    check_error([&] { load_safetensors(path, linear.state_dict()); },
                {"missing: \"0.weight\", \"0.bias\"; unexpected: \"bn.bias\""});
}

TEST_CASE("state_dict: PyTorch's file, and what PyTorch says with it") {
    const fs::path folder = PRIMER_PARITY_DIR;
    Rng rng(1);
    Sequential model = exchanged_network(rng);
    load_safetensors(folder / "exchange_model.safetensors", model.state_dict());
    model.eval();
    const SafetensorsFile says = SafetensorsFile::load(folder / "exchange_says.safetensors");
    const Tensor expected = says.tensor("predictions");
    const Tensor got = softmax(model(says.tensor("images")), 1);
    REQUIRE(got.shape() == expected.shape());
    for (Index i = 0; i < got.numel(); ++i) {
        CHECK(std::abs(got.data()[i] - expected.data()[i]) <= Real(1e-5));
    }
    if (!kDouble) {  // which would write F64
        const Folder own;
        save_safetensors(own.path() / "again", model.state_dict());
        CHECK(contents(own.path() / "again") == contents(folder / "exchange_model.safetensors"));
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
