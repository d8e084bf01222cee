#include <primer/core/text.h>

#include <filesystem>
#include <string>

#include <primer/core/full_name.h>
#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

TEST_CASE("text: characters that a terminal would obey are escaped") {
    CHECK(printable("plain, caf\xC3\xA9, \xF0\x9F\x98\x80, back\\slash") ==
          "plain, caf\xC3\xA9, \xF0\x9F\x98\x80, back\\slash");
    CHECK(printable("\x1b[2J\a\n\x7f") == "\\x1b[2J\\x07\\x0a\\x7f");
    CHECK(printable("\xC2\x9b"
                    "31m") == "\\u009b31m");  // CSI, in one character
    CHECK(printable("\xC2\x80\xC2\x9F\xC2\xA0") == "\\u0080\\u009f\xC2\xA0");
    CHECK(printable("a\x9b"
                    "b\xff") == "a\\x9bb\\xff");  // not UTF-8
    CHECK(printable("\xE2\x80\xAE"
                    "gpj") == "\\u202egpj");  // right to left from here on
    CHECK(printable(std::string("\0", 1)) == "\\x00");
    CHECK(printable("\xC0\x9b\xED\xA0\x80") == "\\xc0\\x9b\\xed\\xa0\\x80");
    CHECK(printable_lines("a\n\tb\x1b") == "a\n\tb\\x1b");
}

TEST_CASE("text: an Error never carries raw control characters") {
    check_error(
        [] {
            fail(
                "/tmp/\x1b]0;title\a: got \xC2\x9b"
                "2J and \xff");
        },
        {"/tmp/\\x1b]0;title\\x07: got \\u009b2J and \\xff"});
    CHECK(std::string(Error("\x1b").what()) == "\\x1b");
    CHECK(std::string(Error(Error("a\x1b").what()).what()) == "a\\x1b");
}

TEST_CASE("text: quotes") {
    CHECK(in_quotes("a\"\\\x1b\xC2\x9b\xff\n") == "\"a\\\"\\\\\\x1b\\u009b\\xff\\x0a\"");
    CHECK(in_quotes(std::string(5000, 'x')).size() < 100);
}

TEST_CASE("text: the full name of a path is one line, even without a current folder" *
          needs_posix()) {
    CHECK(full_name("/a/./b\n\x1b/../c") == "/a/c");
    CHECK(full_name("/a/b\nc") == "/a/b\\x0ac");
    const std::filesystem::path before = std::filesystem::current_path();
    {
        const Folder folder;
        std::filesystem::current_path(folder.path());
    }
    const std::string name = full_name("x");
    std::filesystem::current_path(before);
    CHECK(name == "x");
}

}  // namespace
TEST_CASE("text: a number is the whole text, or there is none") {
    CHECK(read_number("1.5") == 1.5);
    CHECK(read_number("-2e3") == -2000);
    CHECK(read_number("0") == 0);
    for (const char* text :
         {"", " 1", "1 ", "1,5", "nan", "inf", "0x10", "1e999", "1.5x", "--1", "e"}) {
        CHECK_MESSAGE(!read_number(text).has_value(), text);
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT
