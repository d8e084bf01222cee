#include <iomanip>
#include <limits>
#include <map>
#include <sstream>
#include <string>

#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "parity.h"
#include "support.h"

namespace primer {

TEST_CASE("print: tensors print as PyTorch's do") {
    const SafetensorsFile file =
        SafetensorsFile::load(PRIMER_PARITY_DIR "/tensor_texts.safetensors");
    CHECK(file.metadata().at("made by").find("PyTorch 2.13.0") != std::string::npos);
    const std::map<std::string, std::string> texts = texts_of_pytorch("tensor_texts.txt");
    CHECK(texts.size() > 100);
    CHECK(texts.size() == file.names().size());
    for (const auto& named : texts) {
        const std::string &name = named.first, &expected = named.second;
        CAPTURE(name);
        if (file.raw(name).dtype == "I64") {
            CHECK(text(file.int_tensor(name)) == expected);
        } else {
            const Tensor x = file.tensor(name);
            if (name.ends_with("requires_grad")) x.requires_grad_();
            CHECK(text(x) == expected);
        }
    }
}

TEST_CASE("print: undefined tensors, IntTensors without elements") {
    CHECK(text(Tensor()) == "tensor(undefined)");
    CHECK(text(IntTensor()) == "tensor([])");
    CHECK(text(IntTensor(Shape{0, 3}, {})) == "tensor([], size=(0, 3))");
}

TEST_CASE("print: a view shows its own values") {
    CHECK(text(slice(reshape(arange(6), {3, 2}), 1, 2)) == "tensor([[2., 3.]])");
}

TEST_CASE("print: exponents of three digits") {
    if constexpr (kDouble) {
        CHECK(text(tensor({1e100, 1})) == "tensor([1.0000e+100,  1.0000e+00])");
        CHECK(text(tensor({1e-300, -1})) == "tensor([1.0000e-300, -1.0000e+00])");
    }
}

TEST_CASE("print: nan has no sign") { CHECK(text(tensor({NAN, -NAN})) == "tensor([nan, nan])"); }

TEST_CASE("print: a shape without elements prints at once, whatever its other sizes" *
          doctest::skip(sizeof(void*) < 8)) {
    constexpr Index huge = Index{1} << 50;
    CHECK(text(zeros({huge, 0})) == "tensor([], size=(1125899906842624, 0))");
}

TEST_CASE("print: ignores and keeps the stream's settings") {
    std::ostringstream out;
    out << std::hex << std::showpos << std::scientific << std::uppercase << std::setfill('*')
        << std::setprecision(17);
    const auto flags = out.flags();
    out << tensor({10, 0.5}) << IntTensor({10});
    CHECK(out.str() == "tensor([10.0000,  0.5000])tensor([10])");
    CHECK(out.flags() == flags);
    CHECK(out.precision() == 17);
    CHECK(out.fill() == '*');
}

TEST_CASE("print: only a leaf says that it requires a gradient; nothing is recorded or changed") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    Tape tape;
    const Tensor y = mul(x, x);
    const Index ops = tape.size();
    CHECK(text(x) == "tensor([1., 2.], requires_grad=True)");
    CHECK(text(y) == "tensor([1., 4.])");
    CHECK(text(y.detach()) == "tensor([1., 4.])");
    CHECK(text(Parameter(ones({1}))) == "tensor([1.], requires_grad=True)");
    CHECK(tape.size() == ops);
    CHECK_NOTHROW(tape.backward(sum(y)));
}

}  // namespace primer
// SPDX-License-Identifier: MIT
