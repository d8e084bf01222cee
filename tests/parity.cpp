#include "parity.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <optional>
#include <set>
#include <sstream>

#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "support.h"

namespace primer {
namespace {

// How far a value may be from PyTorch's, relative to it. A small value that is left when large ones
// cancel has their rounding error: so it may also be off by this much of a hundredth of the
// tensor's largest value.
constexpr double kParity = kDouble ? 1e-9 : 1e-4;

constexpr const char* kPyTorch = "PyTorch 2.13.0";

std::string case_of(const std::string& name) { return name.substr(0, name.find('/')); }

std::string digits(Real value) {
    std::ostringstream text;
    text << std::setprecision(kDouble ? 15 : 8) << value;
    return text.str();
}

void compare(const Tensor& got, const Tensor& expected, const std::string& what) {
    if (!got.defined() || got.shape() != expected.shape()) {
        FAIL_CHECK(what, ": expected the shape ", expected.shape().str(), ", got ",
                   got.defined() ? got.shape().str() : "none");
        return;
    }
    double largest = 0;
    for (Real e : expected.values()) largest = std::max(largest, std::abs(static_cast<double>(e)));
    Index wrong = 0, first = 0;
    for (Index i = expected.numel() - 1; i >= 0; --i) {
        const auto a = static_cast<double>(got.data()[i]),
                   e = static_cast<double>(expected.data()[i]);
        if (std::abs(a - e) <= kParity * std::max(std::abs(e), largest / 100)) continue;
        ++wrong;
        first = i;
    }
    if (wrong == 0) return;
    FAIL_CHECK(what, ": ", wrong, " of ", expected.numel(), " elements differ from PyTorch's: [",
               first, "] is ", digits(got.data()[first]), ", PyTorch's ",
               digits(expected.data()[first]));
}

// What the fixture holds under "case/kind.", by the rest of the name.
std::map<std::string, std::string> entries(const SafetensorsFile& file, const std::string& prefix) {
    std::map<std::string, std::string> found;
    for (const std::string& name : file.names()) {
        if (name.starts_with(prefix)) found[name.substr(prefix.size())] = name;
    }
    return found;
}

Tensor stored(const SafetensorsFile& file, const std::string& name) {
    REQUIRE_MESSAGE(file.raw(name).dtype == "F64", name, " has lost digits");
    return file.tensor(name, Rounding::nearest);
}

ParityInputs read_inputs(const SafetensorsFile& file, const std::string& name) {
    ParityInputs in;
    for (const auto& [input, entry] : entries(file, name + "/in.")) {
        if (file.raw(entry).dtype == "I64") {
            in.int_tensors[input] = file.int_tensor(entry);
        } else {
            in.tensors[input] = file.tensor(entry);  // exact: both builds see what PyTorch saw
        }
    }
    return in;
}

// Runs a case with the gradients of these inputs wanted.
void run(const SafetensorsFile& file, const ParityCase& test,
         const std::map<std::string, std::string>& gradients) {
    const ParityInputs in = read_inputs(file, test.name);
    for (const auto& [input, entry] : gradients) in[input].requires_grad_();
    std::optional<Tape> tape;  // a case without gradients may make its own Tape
    if (!gradients.empty()) tape.emplace();
    const Tensor out = test.compute(in);
    compare(out, stored(file, test.name + "/out"), test.name + ": result");
    if (tape) tape->backward(sum(out * stored(file, test.name + "/dy")));
    for (const auto& [input, entry] : gradients) {
        compare(in[input].grad(), stored(file, entry), test.name + ": gradient of " + input);
    }
    for (const auto& [input, entry] : entries(file, test.name + "/after.")) {
        compare(in[input], stored(file, entry), test.name + ": afterwards, " + input);
    }
}

void run(const SafetensorsFile& file, const ParityCase& test) {
    const auto gradients = entries(file, test.name + "/grad.");
    run(file, test, gradients);
    if (gradients.size() < 2) return;
    for (const auto& gradient : gradients) run(file, test, {gradient});
}

}  // namespace

const Tensor& ParityInputs::operator[](const std::string& name) const {
    const auto found = tensors.find(name);
    check(found != tensors.end(), "the case has no input ", name);
    return found->second;
}

const IntTensor& ParityInputs::ints(const std::string& name) const {
    const auto found = int_tensors.find(name);
    check(found != int_tensors.end(), "the case has no whole numbers ", name);
    return found->second;
}

void check_parity(const std::string& fixture, const std::vector<ParityCase>& cases) {
    const SafetensorsFile file =
        SafetensorsFile::load(PRIMER_PARITY_DIR "/" + fixture + ".safetensors");
    CHECK(file.metadata().at("made by").find(kPyTorch) != std::string::npos);
    std::set<std::string> in_fixture, in_list;
    for (const std::string& name : file.names()) in_fixture.insert(case_of(name));
    for (const ParityCase& test : cases) in_list.insert(test.name);
    for (const std::string& name : in_fixture) {
        CHECK_MESSAGE(in_list.contains(name), "no line runs the case ", name, " of ", fixture);
    }
    for (const ParityCase& test : cases) {
        if (!in_fixture.contains(test.name)) {
            FAIL_CHECK(fixture, " has no case ", test.name,
                       "; tests/parity/make_fixtures.py adds it");
            continue;
        }
        try {
            run(file, test);
        } catch (const Error& error) {
            FAIL_CHECK(test.name, ": ", std::string(error.what()));
        }
    }
}

std::map<std::string, std::string> texts_of_pytorch(const std::string& file) {
    std::ifstream lines(PRIMER_PARITY_DIR "/" + file);
    std::map<std::string, std::string> texts;
    std::string name;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("== ")) {
            name = line.substr(3);
        } else {
            std::string& text = texts[name];
            text += (text.empty() ? "" : "\n") + line;
        }
    }
    return texts;
}

Tensor trajectory(Optimizer&& optimizer, const ParityInputs& in,
                  const std::vector<double>& schedule) {
    const Parameter& w = optimizer.parameters()[0];
    std::vector<Tensor> rows;
    for (Index step = 0; step < in["g"].shape()[0]; ++step) {
        const auto i = static_cast<std::size_t>(step);
        if (i < schedule.size()) optimizer.set_lr(schedule[i]);
        w.set_grad(reshape(slice(in["g"], step, step + 1), w.shape().dims()));
        optimizer.step();
        rows.push_back(reshape(w.clone(), Shape{1}.concat(w.shape()).dims()));
    }
    return concat(rows);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
