#pragma once

#include <cstdint>
#include <string_view>

namespace primer {

/// The CRC-32C checksum (Castagnoli's polynomial) of bytes, as RFC 3720, appendix B.4, defines it:
/// crc32c("123456789") is 0xE3069283. If the bytes come in pieces, pass the checksum of the pieces
/// so far: crc32c(b, crc32c(a)) is the checksum of a followed by b.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t so_far = 0);

}  // namespace primer
// SPDX-License-Identifier: MIT
