#include <primer/core/io/json.h>

#include <cmath>
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

TEST_CASE("json: malformed objects and arrays") {
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
    // A text cannot make the reader go deeper than its caller's calls.
    check_error([&] { read("{\"a\":" + std::string(1'000'000, '[')); }, {"got '['"});
}

TEST_CASE("json: at most 64 levels, even for a caller that follows the text wherever it leads") {
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
    // One after the other, any number is allowed.
    std::string flat = "[[]";
    for (int i = 0; i < 1000; ++i) flat += ",[]";
    flat += ']';
    JsonReader json(flat, "f");
    dive(json);
    json.end();
}

std::string read_value(const std::string& text) {
    JsonReader json(text, "f");
    const std::string_view value = json.value();
    json.end();
    return std::string(value);
}

TEST_CASE("json: a value of any kind is its text") {
    for (const char* text :
         {"0", "-0", "12", "-1.5", "0.25e+3", "1E-7", "5e08", "1e999", "true", "false", "null",
          R"("a\"é")", "[]", "{}", R"([1, [ ], {"a" : null}])", R"({"a":{"a":[-1]},"b":""})"}) {
        CAPTURE(text);
        CHECK(read_value(text) == text);
        CHECK(read_value("\r\n\t " + std::string(text) + "  ") == text);
    }
    check_error([] { read_value(""); }, {"f: byte 0: expected a value, got the end"});
    for (const char* word : {"nul", "True", "NaN", "Infinity", "'a'", "// a", "]", "+1", ".5"}) {
        CAPTURE(word);
        check_error([&] { read_value(word); }, {"f: byte 0: expected a value, got"});
    }
    for (const char* number : {"-", "1.", "1.e3", "1e", "1e+", "--1", "-a"}) {
        CAPTURE(number);
        check_error([&] { read_value(number); }, {"expected a digit, got"});
    }
    check_error([] { read_value("01"); }, {"byte 1: expected the end or spaces"});
    check_error([] { read_value("nullx"); }, {"byte 4: expected the end or spaces"});
    check_error([] { read_value("[1,]"); }, {"byte 3: expected a value, got ']'"});
    check_error([] { read_value("[1"); }, {"byte 2: expected ',' or ']', got the end"});
    check_error([] { read_value(R"([{"a":1,"a":2}])"); }, {"every name once, got \"a\" again"});
    check_error([] { read_value("[\"\xC3\"]"); }, {"byte 2: expected UTF-8"});
    check_error([] { read_value(std::string("{}\0 }", 5)); }, {"byte 2: expected the end", "0x00"});

    const auto nested = [](std::size_t levels) {
        return std::string(levels, '[') + std::string(levels, ']');
    };
    CHECK(read_value(nested(64)) == nested(64));
    check_error([&] { read_value(nested(10'000'000)); }, {"f: byte 65: expected at most 64"});
}

TEST_CASE("json: the members of an object, in their order") {
    const std::string text = "\n{\"b\": [1, 2], \"\\u0061\" : \"x\", \"c\":-1.5}\r\n";
    const JsonMembers members = json_members(text, "f", 10);
    CHECK(members == JsonMembers{{"b", "[1, 2]"}, {"a", "\"x\""}, {"c", "-1.5"}});
    CHECK(json_member(members, "c") == "-1.5");
    CHECK(json_member(members, "d") == "");
    CHECK(json_members(text, "f", 1) == JsonMembers{{"b", "[1, 2]"}});
    CHECK(json_members("{}", "f", 10).empty());
    check_error([] { json_members("", "f", 10); }, {"f: byte 0: expected '{', got the end"});
    check_error([] { json_members("[1]", "f", 10); }, {"f: byte 0: expected '{', got '['"});
    check_error([] { json_members("{} {}", "f", 10); }, {"byte 3: expected the end"});
    // Members that are left out are still checked.
    check_error([] { json_members(R"({"a": 1, "b": x})", "f", 1); }, {"byte 14: expected a value"});
    check_error([] { json_members(R"({"a": 1, "a": 2})", "f", 1); }, {"every name once"});
}

TEST_CASE("json: an object that is written has its members in order, and texts escaped") {
    CHECK(JsonObject().str() == "{}");
    CHECK(JsonObject().text("a", "x\"y\n").number("b", 0.5).value("c", "[1, 2]").str() ==
          R"({"a": "x\"y\n", "b": 0.5, "c": [1, 2]})");
    CHECK(JsonObject().value("o", JsonObject().number("n", 1).str()).str() == R"({"o": {"n": 1}})");
    CHECK(JsonObject(JsonSpaces::none).text("a", "b, c: d").number("n", 1).str() ==
          R"({"a":"b, c: d","n":1})");
}

TEST_CASE("json: numbers are written with eight digits, and as null if JSON has none for them") {
    CHECK(json_number(0) == "0");
    CHECK(json_number(-3) == "-3");
    CHECK(json_number(0.1) == "0.1");
    CHECK(json_number(0.123456789) == "0.12345679");
    CHECK(json_number(1e-7) == "1e-07");
    CHECK(json_number(1e300) == "1e+300");
    CHECK(json_number(std::nan("")) == "null");
    CHECK(json_number(-INFINITY) == "null");
}

TEST_CASE("json: an array that is written has its values side by side") {
    CHECK(json_array({}) == "[]");
    CHECK(json_array({"1", "\"a\""}) == "[1, \"a\"]");
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
// SPDX-License-Identifier: MIT
