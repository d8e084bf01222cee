#include <primer/core/io/crc32c.h>

#include <string>

#include "support.h"

namespace primer {
namespace {

TEST_CASE("crc32c: the published values") {
    CHECK(crc32c("123456789") == 0xE3069283);
    CHECK(crc32c("") == 0);
    // RFC 3720, appendix B.4, which lists the bytes of the checksum, lowest first.
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62A8AB43);
    std::string rising, falling;
    for (char c = 0; c < 32; ++c) {
        rising += c;
        falling.insert(falling.begin(), c);
    }
    CHECK(crc32c(rising) == 0x46DD794E);
    CHECK(crc32c(falling) == 0x113FDB5C);
}

TEST_CASE("crc32c: in pieces as at once") {
    // Eight bytes at a time, with any number before and after, give the same as one at a time.
    std::string text;
    std::uint32_t so_far = 0;
    for (int i = 0; i < 40; ++i) {
        text += static_cast<char>(37 * i);
        so_far = crc32c(text.substr(text.size() - 1), so_far);
        CHECK(crc32c(text) == so_far);
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            CHECK(crc32c(text.substr(cut), crc32c(text.substr(0, cut))) == so_far);
        }
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
