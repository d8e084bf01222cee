#include <primer/core/io/json.h>

#include <map>
#include <string>
#include <vector>

#include "support.h"

namespace primer {
namespace {

std::string read_string(const std::string& text) {
    JsonReader json(text, "f");
    const std::string value = json.string();
    json.end();
    return value;
}

Index read_number(const std::string& text) {
    JsonReader json(text, "f");
    const Index value = json.whole_number();
    json.end();
    return value;
}

TEST_CASE("json: objects, arrays, texts and numbers, with any whitespace between them") {
    std::map<std::string, std::vector<Index>> got;
    JsonReader json("{ \"a\" : [1,\t23\r\n], \"\" :[ ] ,\"b\":[0] }  ", "f");
    json.object([&](const std::string& key) {
        std::vector<Index>& values = got[key];
        json.array([&] { values.push_back(json.whole_number()); });
    });
    json.end();
    CHECK(got == std::map<std::string, std::vector<Index>>{{"", {}}, {"a", {1, 23}}, {"b", {0}}});

    JsonReader empty("{}", "f");
    empty.object([](const std::string&) { FAIL("there is no member"); });
    empty.end();
}

TEST_CASE("json: texts") {
    CHECK(read_string(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
    CHECK(read_string(R"("\u0041\u00e9\u20AC\ud83d\uDE00")") ==
          "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
    CHECK(read_string("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"") ==
          "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F");
    CHECK(read_string(R"("\u0000")") == std::string(1, '\0'));

    check_error([] { read_string("\"abc"); },
                {"f: byte 4: expected the rest of a text", "got the end"});
    check_error([] { read_string("\"a\nb\""); },
                {"byte 2: expected the rest", "got the byte 0x0a"});
    check_error([] { read_string("\"a\\x\""); },
                {"byte 3: expected one of \"\\/bfnrtu", "got 'x'"});
    check_error([] { read_string("\"\\u12g4\""); },
                {"byte 5: expected a hexadecimal digit", "'g'"});
    check_error([] { read_string("\"\\u123"); }, {"expected a hexadecimal digit, got the end"});
    check_error([] { read_string("\"\\"); }, {"got the end"});
    // Halves of a surrogate pair are no characters.
    for (const char* half : {R"("\udc00")", R"("\ud800")", R"("\ud800x")", R"("\ud800\n")",
                             R"("\ud800\u0041")", R"("\ud800\ud800")", R"("\udc00\udc00")"}) {
        CAPTURE(half);
        check_error([&] { read_string(half); }, {"expected a surrogate pair"});
    }
}

TEST_CASE("json: what is not UTF-8 is rejected") {
    // A tail without a lead, a lead without its tails, "/" in two bytes and in three, a surrogate,
    // a code beyond 0x10ffff, and leads that UTF-8 does not have.
    for (const char* bytes :
         {"\x80", "\xC3", "\xC3(", "\xE2\x82", "\xF0\x9F\x98", "\xC0\xAF", "\xE0\x80\xAF",
          "\xF0\x80\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"}) {
        check_error([&] { read_string(std::string("\"") + bytes + "\""); },
                    {"f: byte 1: expected UTF-8, got the byte 0x"});
    }
}

TEST_CASE("json: only whole numbers from 0 to 2^63 - 1") {
    CHECK(read_number("0") == 0);
    CHECK(read_number(" 1234567890 ") == 1234567890);
    CHECK(read_number("9223372036854775807") == 9223372036854775807);
    for (const char* large : {"9223372036854775808", "9223372036854775810", "18446744073709551616",
                              "100000000000000000000000000000000"}) {
        check_error([&] { read_number(large); }, {"expected a number up to 2^63 - 1"});
    }
    check_error([] { read_number("-0"); }, {"byte 0: expected a whole number, got '-'"});
    check_error([] { read_number("+1"); }, {"expected a whole number, got '+'"});
    check_error([] { read_number("1e3"); }, {"byte 1: expected a whole number, got 'e'"});
    check_error([] { read_number("1E3"); }, {"expected a whole number, got 'E'"});
    check_error([] { read_number("1.0"); }, {"expected a whole number, got '.'"});
    check_error([] { read_number("00"); }, {"byte 1: expected a number without leading zeros"});
    check_error([] { read_number("012"); }, {"expected a number without leading zeros"});
    check_error([] { read_number(""); }, {"expected a whole number, got the end"});
    check_error([] { read_number("true"); }, {"expected a whole number, got 't'"});
    check_error([] { read_number("1 2"); },
                {"byte 2: expected the end or spaces up to it, got '2'"});
    check_error([] { read_number("1\n"); }, {"byte 1: expected the end or spaces", "byte 0x0a"});
}

TEST_CASE("json: objects and arrays that are not well-formed") {
    const auto read = [](const std::string& text) {
        JsonReader json(text, "f", 8);  // positions count from 8
        json.object([&](const std::string&) { json.array([&] { json.whole_number(); }); });
        json.end();
    };
    read(R"({"a":[1,2],"b":[]})");
    check_error([&] { read(""); }, {"f: byte 8: expected '{', got the end"});
    check_error([&] { read("[]"); }, {"byte 8: expected '{', got '['"});
    check_error([&] { read("{a:[]}"); }, {"byte 9: expected '\"', got 'a'"});
    check_error([&] { read(R"({"a"})"); }, {"byte 12: expected ':', got '}'"});
    check_error([&] { read(R"({"a":1})"); }, {"expected '[', got '1'"});
    check_error([&] { read(R"({"a":[1,]})"); }, {"expected a whole number, got ']'"});
    check_error([&] { read(R"({"a":[1 2]})"); }, {"expected ',' or ']', got '2'"});
    check_error([&] { read(R"({"a":[]"b":[]})"); }, {"expected ',' or '}', got '\"'"});
    check_error([&] { read(R"({"a":[],})"); }, {"expected '\"', got '}'"});
    check_error([&] { read(R"({"a":[])"); }, {"expected ',' or '}', got the end"});
    check_error([&] { read(R"({"a":[]}})"); }, {"expected the end or spaces up to it, got '}'"});
    check_error([&] { read(R"({"a":[],"b":[],"\u0061":[]})"); },
                {"f: byte 31: expected every name once, got \"a\" again"});
    // Neither can a text make the reader go deeper than its caller's calls.
    check_error([&] { read("{\"a\":" + std::string(1'000'000, '[')); }, {"got '['"});
}

TEST_CASE("json: at most 64 levels, also for a caller that follows the text wherever it goes") {
    const std::function<void(JsonReader&)> dive = [&](JsonReader& json) {
        json.array([&] { dive(json); });
    };
    const auto read = [&](std::size_t levels) {
        const std::string text = std::string(levels, '[') + std::string(levels, ']');
        JsonReader json(text, "f");
        dive(json);
        json.end();
    };
    read(64);
    for (const std::size_t levels : {65u, 60'000u, 10'000'000u}) {
        check_error([&] { read(levels); }, {"f: byte 65: expected at most 64 objects and arrays"});
    }
    // One behind the other are as many as there are.
    std::string flat = "[[]";
    for (int i = 0; i < 1000; ++i) flat += ",[]";
    flat += ']';
    JsonReader json(flat, "f");
    dive(json);
    json.end();
}

TEST_CASE("json: in_quotes keeps any text in one short line") {
    CHECK(in_quotes("fc.weight") == "\"fc.weight\"");
    CHECK(in_quotes("a\"b\\") == "\"a\\\"b\\\\\"");
    CHECK(in_quotes("a\nb\x7F") == "\"a\\x0ab\\x7f\"");
    CHECK(in_quotes("\xC3\xA9") == "\"\xC3\xA9\"");
    CHECK(in_quotes("\xC3") == "\"\\xc3\"");
    CHECK(in_quotes(std::string(1000, 'x')) == "\"" + std::string(80, 'x') + "...\"");
}

}  // namespace
}  // namespace primer
