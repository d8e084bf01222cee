#include "crc32c.h"

#include <array>
#include <cstddef>

namespace primer {
namespace {

// kTables[k][byte]: the remainder of dividing the byte followed by k zero bytes. So eight bytes can
// be looked up at once, each in the table for the number of bytes after it (Kounavis and Berry, "A
// Systematic Approach to Building High Performance Software-Based CRC Generators", 2005).
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr Tables kTables = [] {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        // The polynomial is 0x1EDC6F41, here with its bits reversed, because the lowest bit of a
        // byte comes first.
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? 0x82F63B78 : 0);
        tables[0][byte] = rest;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[k - 1][byte];
            tables[k][byte] = before >> 8 ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far) {
    std::uint32_t rest = ~so_far;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        std::uint32_t next = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            const std::uint32_t ahead = i < 4 ? rest >> 8 * i & 0xFF : 0;
            next ^= kTables[7 - i][byte_at(bytes, i) ^ ahead];
        }
        rest = next;
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        rest = rest >> 8 ^ kTables[0][(rest ^ byte_at(bytes, i)) & 0xFF];
    }
    return ~rest;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
