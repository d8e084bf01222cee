// Files of weights as other programs write them.

#include <string>

#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "folder.h"
#include "support.h"

namespace primer {
namespace {

LoadReport load(const StateDict& file, const StateDict& model, const LoadOptions& options = {}) {
    const Folder folder;
    save_safetensors(folder.path() / "a", file);
    return load_safetensors(folder.path() / "a", model, options);
}

TEST_CASE("load_safetensors: prefixes of PyTorch's wrappers are left out, with a note") {
    for (const char* name :
         {"module.0.w", "_orig_mod.0.w", "module._orig_mod.0.w", "_orig_mod.module.0.w",
          "0._orig_mod.w", "0.module.w", "_fsdp_wrapped_module.0._fsdp_wrapped_module.w",
          "model.0.w", "model._orig_mod.0._checkpoint_wrapped_module.w"}) {
        CAPTURE(name);
        const Tensor w = zeros({2});
        const LoadReport report = load({{name, tensor({1, 2})}}, {{"0.w", w}});
        check_values(w, {2}, {1, 2});
        CHECK_FALSE(report.notes.empty());
    }
    const Tensor own = zeros({2});  // a model's own child of that name
    CHECK(load({{"module.w", tensor({1, 2})}}, {{"module.w", own}}).notes.empty());
    check_values(own, {2}, {1, 2});
    check_error(
        [&] {
            load({{"module.w", own}, {"w", own}}, {{"w", own}});
        },
        {"unexpected: \"module.w\""});
}

TEST_CASE("load_safetensors: AveragedModel's count is left out, with a note") {
    const Tensor w = zeros({2});
    const StateEntry count{"n_averaged", full({}, 3), true};
    CHECK(load({{"module.w", tensor({1, 2})}, count}, {{"w", w}}).notes.size() == 2);
    check_values(w, {2}, {1, 2});
    check_error([&] { load({{"w", w}, count}, {{"w", w}}); }, {"unexpected: \"n_averaged\""});
}

TEST_CASE("load_safetensors: a name of a million wrappers takes no time") {
    std::string name;
    for (int i = 0; i < 1'000'000; ++i) name += "module.";
    const Tensor w = zeros({2});
    check_error([&] { load({{name + "w", w}}, {{"w", w}}); }, {"missing: \"w\""});
}

TEST_CASE("SafetensorsFile: find takes a tensor by the model's name") {
    const Folder folder;
    save_safetensors(folder.path() / "a", {{"0._orig_mod.w", ones({2})}, {"10.w", ones({3})}});
    const auto file = SafetensorsFile::load(folder.path() / "a");
    CHECK(file.find("0.w").shape == Shape{2});
    CHECK(file.find("10.w").shape == Shape{3});
    check_error([&] { file.find("1.w"); }, {"1.w"});
}

TEST_CASE("load_safetensors: num_batches_tracked may be missing, nothing else") {
    const Tensor count = full({}, 7), w = zeros({2});
    const StateDict model{{"w", w}, {"1.num_batches_tracked", count, true}};
    CHECK(load({{"w", tensor({1, 2})}}, model).notes.size() == 1);
    CHECK(count.item() == 7);
    check_error([&] { load({{"1.num_batches_tracked", count, true}}, model); }, {"missing: \"w\""});
}

TEST_CASE("load_safetensors: one tensor under two names needs one of them in the file") {
    const Tensor w = zeros({2});
    const StateDict model{{"head.w", w}, {"tok.w", w}};
    load({{"head.w", tensor({1, 2})}}, model);
    check_values(w, {2}, {1, 2});
    load({{"tok.w", tensor({3, 4})}}, model);
    check_values(w, {2}, {3, 4});
    load({{"tok.w", tensor({5, 6})}, {"head.w", tensor({5, 6})}}, model);
    check_values(w, {2}, {5, 6});
    check_error(
        [&] {
            load({{"tok.w", tensor({5, 6})}, {"head.w", tensor({5, 7})}}, model);
        },
        {"which are one tensor in this model, got different ones"});
    check_values(w, {2}, {5, 6});
}

TEST_CASE("load_safetensors: all or nothing, also under a recording tape") {
    const Tensor a = zeros({2}), x = ones({2}).requires_grad_();
    Tape tape;
    const Tensor recorded = x * 2;
    const StateDict file{{"a", tensor({1, 2})}, {"b", tensor({3, 4})}};
    check_error([&] { load(file, {{"a", a}, {"b", recorded}}); }, {"running Tape has recorded"});
    check_values(a, {2}, {0, 0});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
