#pragma once

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <primer/core/error.h>

// What the fuzz targets share. A target is one file that defines
//
//     FUZZ(input) { ... }

namespace primer::fuzz {

/// Runs `read`, which may refuse its input with an Error of one line. Anything else is a finding:
/// other exceptions end the process, as do the sanitizers.
template <class Read>
void expect_error_at_most(Read read) {
    try {
        read();
    } catch (const Error& error) {
        if (std::string_view(error.what()).find('\n') != std::string_view::npos) __builtin_trap();
    }
}

/// The input as a stream.
inline std::istringstream stream_of(std::string_view input) {
    return std::istringstream(std::string(input));
}

/// The input's parts between the bytes 0xff 0x00, `count` of them; missing ones are empty.
inline std::vector<std::string> parts_of(std::string_view input, std::size_t count) {
    constexpr std::string_view separator("\xff\0", 2);
    std::vector<std::string> parts;
    while (parts.size() + 1 < count) {
        const std::size_t end = input.find(separator);
        parts.emplace_back(input.substr(0, end));
        input.remove_prefix(end == input.npos ? input.size() : end + separator.size());
    }
    parts.emplace_back(input);
    return parts;
}

}  // namespace primer::fuzz

/// Defines what libFuzzer calls for each input.
#define FUZZ(input)                                                                     \
    static void fuzz_one(std::string_view input);                                       \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
        fuzz_one({reinterpret_cast<const char*>(data), size});                          \
        return 0;                                                                       \
    }                                                                                   \
    static void fuzz_one(std::string_view input)
// SPDX-License-Identifier: MIT
