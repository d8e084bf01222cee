#pragma once

#include <primer/core/io/image.h>
#include "target.h"

namespace primer::fuzz {

// All readers of pictures lie behind one function; a target of its own for each format keeps the
// easy ones from taking the time of the others.

/// Decodes the input if it begins as the format does.
inline void decode(std::string_view input, std::string_view beginning) {
    if (!input.starts_with(beginning)) return;
    expect_error_at_most([&] {
        const Image image = decode_image(input, "input");
        const Index size = image.width * image.height * image.channels;
        if (std::ssize(image.pixels) != size) __builtin_trap();
    });
}

}  // namespace primer::fuzz
// SPDX-License-Identifier: MIT
