// checkpoint: a file as it is, and once more with its length and checksums repaired
// covers: core/io/checkpoint.cpp core/io/crc32c.cpp
// longest: 500
#include <primer/core/creation.h>
#include <primer/core/io/checkpoint.h>

#include <cstring>

#include <primer/core/io/crc32c.h>
#include "target.h"

using namespace primer;

namespace {

constexpr std::size_t kHeader = 36;  // see core/io/checkpoint.h

template <class Number>
void put(std::string& file, std::size_t at, Number number) {
    std::memcpy(file.data() + at, &number, sizeof number);
}

// No mutation would hit a checksum.
std::string repaired(std::string_view input) {
    std::string file(input);
    put(file, 20, crc32c(std::string_view(file).substr(kHeader)));
    put(file, 24, static_cast<std::uint64_t>(file.size() - kHeader));
    put(file, 32, crc32c(std::string_view(file).substr(0, 32)));
    return file;
}

void read(std::string_view file) {
    fuzz::expect_error_at_most([&] {
        std::istringstream in = fuzz::stream_of(file);
        const Checkpoint checkpoint = Checkpoint::read(in, "input");
        // What was taken is written as it was read.
        std::ostringstream out;
        checkpoint.write(out);
        if (out.str() != file) __builtin_trap();
        static Rng rng(1);
        static const ModelState model{"model", {{"w", zeros({2})}}, {{"rng", &rng}}};
        checkpoint.restore(model, "input");
    });
}

}  // namespace

FUZZ(input) {
    if (input.size() < kHeader) {
        read(input);
    } else {
        read(repaired(input));
    }
}
// SPDX-License-Identifier: MIT
