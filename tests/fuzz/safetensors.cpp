// safetensors: a file, each of its tensors, and loading it into a model
// covers: core/io/safetensors.cpp core/io/json.cpp
// longest: 300
#include <primer/core/creation.h>
#include <primer/core/io/safetensors.h>

#include "target.h"

using namespace primer;

FUZZ(input) {
    fuzz::expect_error_at_most([&] {
        std::istringstream in = fuzz::stream_of(input);
        const SafetensorsFile file = SafetensorsFile::read(in, "input");
        for (const std::string& name : file.names()) {
            fuzz::expect_error_at_most([&] { file.tensor(name, Rounding::nearest); });
            fuzz::expect_error_at_most([&] { file.int_tensor(name); });
        }
        static const StateDict model{{"w", zeros({2, 2}), false}, {"n", zeros({}), true}};
        file.load_into(model, {.strict = input.size() % 2 == 0});
    });
}
// SPDX-License-Identifier: MIT
