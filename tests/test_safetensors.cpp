#include <primer/core/io/safetensors.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <sstream>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// `count` bytes of `bits`, the lowest first.
std::string little_endian(std::uint64_t bits, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(bits >> (8 * i) & 0xff);
    return bytes;
}

std::string numbers(std::initializer_list<std::uint64_t> bits, int count) {
    std::string bytes;
    for (std::uint64_t b : bits) bytes += little_endian(b, count);
    return bytes;
}

std::string file_of(const std::string& header, const std::string& data) {
    return little_endian(header.size(), 8) + header + data;
}

SafetensorsFile parse(const std::string& bytes) {
    std::istringstream in(bytes);
    return SafetensorsFile::read(in, "/the/file");
}

SafetensorsFile parse(const std::string& header, const std::string& data) {
    return parse(file_of(header, data));
}

// A file with the one tensor x.
SafetensorsFile one(const std::string& dtype, const std::string& shape, const std::string& data) {
    return parse("{\"x\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
                     ",\"data_offsets\":[0," + std::to_string(data.size()) + "]}}",
                 data);
}

TEST_CASE("safetensors: tensors, metadata and names of a file") {
    // The header's order is not the data's, there is whitespace, and padding follows.
    const SafetensorsFile file = parse(
        R"({"fc.weight": {"data_offsets": [8, 32], "shape": [2, 3], "dtype": "F32"},
            "__metadata__": {"format": "pt", "": "a\nb"},
            "labels":{"dtype":"U8","shape":[2],"data_offsets":[32,34]},
            "scalar":{"dtype":"F64","shape":[],"data_offsets":[0,8]},
            "none":{"dtype":"F32","shape":[3,0],"data_offsets":[8,8]}}    )",
        numbers({0xC004000000000000}, 8) +  // -2.5
            numbers({0x3F800000, 0x40000000, 0x40400000, 0x40800000, 0x40A00000, 0xBF000000}, 4) +
            "\x07\xFF");
    CHECK(file.names() == std::vector<std::string>{"fc.weight", "labels", "none", "scalar"});
    CHECK(file.source() == "/the/file");
    CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"", "a\nb"}});
    check_values(file.tensor("fc.weight"), {2, 3}, {1, 2, 3, 4, 5, -0.5});
    check_values(file.tensor("scalar"), {}, {-2.5});
    check_values(file.tensor("none"), {3, 0}, {});
    CHECK(file.int_tensor("labels").shape == Shape{2});
    CHECK(file.int_tensor("labels").values == std::vector<Index>{7, 255});
    CHECK(file.raw("fc.weight").dtype == "F32");
    CHECK(file.raw("fc.weight").shape == Shape{2, 3});
    CHECK(file.raw("labels").bytes == std::vector<std::byte>{std::byte{7}, std::byte{255}});
    CHECK(file.contains("none"));
    CHECK_FALSE(file.contains("fc"));
    CHECK_FALSE(file.contains("__metadata__"));
}

TEST_CASE("safetensors: a file without tensors") {
    CHECK(parse("{}", "").names().empty());
    CHECK(parse("{}      ", "").metadata().empty());
    CHECK(parse(R"({"__metadata__":{}})", "").metadata().empty());
}

TEST_CASE("safetensors: names in any script, with escapes, and empty") {
    const SafetensorsFile file = parse(
        "{\"\xC3\xA9\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
        "\"\\u20ac\\n\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
        "\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
        "abc");
    CHECK(file.names() == std::vector<std::string>{"", "\xC3\xA9", "\xE2\x82\xAC\n"});
    CHECK(file.int_tensor("\xE2\x82\xAC\n").values == std::vector<Index>{'b'});
}

TEST_CASE("safetensors: the four kinds of real numbers") {
    const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
    check_values(
        one("F64", "[3]", numbers({0x3FF8000000000000, 0xFFF0000000000000, 0}, 8)).tensor("x"), {3},
        {1.5, -inf, 0});
    check_values(one("F32", "[3]", numbers({0x3FC00000, 0x7F800000, 0x7FC00000}, 4)).tensor("x"),
                 {3}, {1.5, inf, nan});
    check_values(one("BF16", "[4]", numbers({0x3F80, 0xC020, 0x7F80, 0x7FC0}, 2)).tensor("x"), {4},
                 {1, -2.5, inf, nan});
    // 0x0001 is the smallest number of all, 2^-24; 0x03ff the largest with exponent 0; 0x0400 the
    // first beyond it, 2^-14; 0x7bff the largest of all.
    check_values(
        one("F16", "[9]",
            numbers({0x3C00, 0xC100, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x7E00}, 2))
            .tensor("x"),
        {9}, {1, -2.5, 0x1p-24, 1023 * 0x1p-24, 0x1p-14, 65504, inf, -inf, nan}, 0);
    CHECK(std::signbit(one("F16", "[]", numbers({0x8000}, 2)).tensor("x").item()));
}

TEST_CASE("safetensors: a value that Real cannot hold needs Rounding::nearest") {
    const SafetensorsFile file =
        one("F64", "[2]", numbers({0x3FF0000000000000, 0x3FB999999999999A}, 8));  // 1, 0.1
    check_values(file.tensor("x", Rounding::nearest), {2}, {1, 0.1});
    if constexpr (kDouble) {
        CHECK(file.tensor("x").at({1}) == 0.1);
    } else {
        check_error([&] { file.tensor("x"); },
                    {"/the/file: tensor \"x\": expected values that float can hold, got another at "
                     "element 1; is Rounding::nearest good enough?"});
        const SafetensorsFile large = one("F64", "[]", numbers({0x7FEFFFFFFFFFFFFF}, 8));
        check_error([&] { large.tensor("x"); }, {"element 0"});
        CHECK(std::isinf(large.tensor("x", Rounding::nearest).item()));
    }
}

TEST_CASE("safetensors: the kinds of whole numbers") {
    const auto read = [](const char* dtype, const std::string& data) {
        return one(dtype, "[2]", data).int_tensor("x").values;
    };
    CHECK(read("I8", "\x7F\x80") == std::vector<Index>{127, -128});
    CHECK(read("U8", "\x7F\x80") == std::vector<Index>{127, 128});
    CHECK(read("BOOL", std::string("\x00\x01", 2)) == std::vector<Index>{0, 1});
    CHECK(read("I16", numbers({0x1234, 0xFFFF}, 2)) == std::vector<Index>{0x1234, -1});
    CHECK(read("U16", numbers({0x1234, 0xFFFF}, 2)) == std::vector<Index>{0x1234, 0xFFFF});
    CHECK(read("I32", numbers({0x12345678, 0x80000000}, 4)) ==
          std::vector<Index>{0x12345678, -0x80000000LL});
    CHECK(read("U32", numbers({1, 0x80000000}, 4)) == std::vector<Index>{1, 0x80000000LL});
    CHECK(read("I64", numbers({0x123456789ABCDEF0, 0xFFFFFFFFFFFFFFFE}, 8)) ==
          std::vector<Index>{0x123456789ABCDEF0, -2});
    CHECK(read("U64", numbers({5, 0x7FFFFFFFFFFFFFFF}, 8)) ==
          std::vector<Index>{5, std::numeric_limits<Index>::max()});
    check_error(
        [&] {
            read("U64", numbers({5, 0x8000000000000000}, 8));
        },
        {"tensor \"x\": expected numbers up to 2^63 - 1, got a larger one at element 1"});
}

TEST_CASE("safetensors: asking for tensors that do not exist") {
    const SafetensorsFile file =
        parse(R"({"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
              R"("b":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
              R"("c":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[12,13]}})",
              std::string(13, '\0'));
    check_error([&] { file.raw("d"); },
                {"/the/file: expected a tensor \"d\", got 3 tensors without it"});
    check_error([&] { file.tensor("d"); }, {"expected a tensor \"d\""});
    check_error([&] { file.int_tensor("d\n"); }, {"expected a tensor \"d\\x0a\""});
    check_error([&] { file.int_tensor("b"); },
                {"/the/file: tensor \"b\": expected whole numbers", "got F32"});
    check_error([&] { file.tensor("c"); }, {"got F8_E4M3"});
    check_error([&] { file.int_tensor("c"); }, {"got F8_E4M3"});
    CHECK(file.raw("c").bytes.size() == 1);
}

// --- files that break a rule -------------------------------------------------------------------

TEST_CASE("safetensors: a header length that cannot be") {
    check_error([] { parse(""); },
                {"/the/file: expected a safetensors file, of 8 bytes at least, got 0 bytes"});
    check_error([] { parse("1234567"); }, {"got 7 bytes"});
    check_error([] { parse(little_endian(3, 8) + "{}"); },
                {"/the/file: expected a header of at most 2 bytes, got a length of 3; is it"});
    // Nothing of this size may be allocated.
    check_error([] { parse(little_endian(~std::uint64_t{0}, 8) + "{}"); },
                {"got a length of 18446744073709551615"});
    check_error([] { parse(little_endian(std::uint64_t{1} << 63, 8) + "{}"); },
                {"got a length of 9223372036854775808"});
    check_error([] { parse(little_endian(0, 8)); },
                {"expected a header that begins with '{', got \"\""});
    check_error([] { parse(" {}", ""); }, {"expected a header that begins with '{', got \" {}\""});
    check_error([] { parse("[]", ""); }, {"expected a header that begins with '{'"});
    check_error([] { parse("{}\n", ""); }, {"byte 10: expected the end or spaces", "0x0a"});
}

TEST_CASE("safetensors: a header beyond 100 MB is not read") {
    // A sparse file of that size, which takes no room.
    const Folder folder;
    folder.write("large", little_endian(100'000'001, 8) + "{}");
    const fs::path path = folder.path() / "large";
    fs::resize_file(path, 100'000'100);
    check_error([&] { SafetensorsFile::load(path); },
                {"expected a header of at most 100000000 bytes, got a length of 100000001"});
}

// A file with a header and then only holes: it is read up to the holes, and claims its full size.
class Holes : public std::streambuf {
  public:
    Holes(std::string header, Index data_size) : header_(std::move(header)), size_(data_size) {
        setg(header_.data(), header_.data(), header_.data() + header_.size());
    }

  private:
    pos_type seekoff(off_type offset, std::ios::seekdir from, std::ios::openmode) override {
        if (from != std::ios::cur) at_ = from == std::ios::end ? std::ssize(header_) + size_ : 0;
        return at_ + offset;
    }
    pos_type seekpos(pos_type to, std::ios::openmode mode) override {
        return seekoff(to, std::ios::beg, mode);
    }

    std::string header_;
    Index size_, at_ = 0;
};

TEST_CASE("safetensors: tensors larger than memory are an Error") {
    constexpr Index size = Index{1} << 59;
    const std::string count = std::to_string(size);
    Holes holes(file_of("{\"x\":{\"dtype\":\"U8\",\"shape\":[" + count + "],\"data_offsets\":[0," +
                            count + "]}}",
                        ""),
                size);
    std::istream in(&holes);
    check_error([&] { SafetensorsFile::read(in, "/the/file"); },
                {"/the/file: expected tensors that fit into memory, got 576460752303423488 bytes"});
}

// {"0": value, "1": value, ...}, with `count` members.
std::string members(int count, const std::string& value) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + value;
    }
    return '{' + text + '}';
}

TEST_CASE("safetensors: so many entries that they would need much more memory than the file") {
    const std::string empty = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    CHECK(parse(members(100'000, empty), "").names().size() == 100'000);
    check_error([&] { parse(members(100'001, empty), ""); },
                {"/the/file: expected at most 100000 tensors, got more"});
    const auto metadata = [](int count) {
        return parse("{\"__metadata__\":" + members(count, "\"\"") + '}', "").metadata().size();
    };
    CHECK(metadata(100'000) == 100'000);
    check_error([&] { metadata(100'001); },
                {"/the/file: expected at most 100000 texts of metadata, got more"});
}

TEST_CASE("safetensors: reading takes at most four times the file, and 64 MB" * needs_posix()) {
    const auto takes_at_most = [](const std::string& file) {
        return within_memory(4 * file.size() + (64 << 20), [&] { parse(file); });
    };
    const std::string empty = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    const std::string many = members(100'000, empty);
    CHECK(takes_at_most(file_of(many, "")) == "");
    const std::string texts = "{\"__metadata__\":" + members(100'000, "\"\"");
    CHECK(takes_at_most(file_of(texts + ',' + many.substr(1), "")) == "");
    // Long names and texts, the longest made of escapes; and much data.
    std::string escapes;
    for (int i = 0; i < 2'000'000; ++i) escapes += "\\u00e9";
    CHECK(takes_at_most(
              file_of("{\"__metadata__\":{\"" + escapes + "\":\"" + escapes + "\"}}", "")) == "");
    const std::string megabytes(64 << 20, '\0');
    CHECK(takes_at_most(
              file_of(R"({"x":{"dtype":"U8","shape":[67108864],"data_offsets":[0,67108864]}})",
                      megabytes)) == "");
    // Refused, and within the same bound.
    CHECK(takes_at_most(file_of(members(2'000'000, "{}"), "")) != "out of memory");
}

// A header around one tensor's object.
std::string with(const std::string& members) { return "{\"x\":{" + members + "}}"; }

TEST_CASE("safetensors: an entry that cannot be") {
    const std::string data(8, '\0');
    const auto rejected = [&](const std::string& members, const char* message) {
        CAPTURE(members);
        check_error([&] { parse(with(members), data); }, {message});
    };
    CHECK(parse(with(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), data).contains("x"));

    rejected("",
             "/the/file: tensor \"x\": expected a dtype, a shape and 2 data_offsets, got fewer");
    rejected(R"("shape":[2],"data_offsets":[0,8])", "got fewer");
    rejected(R"("dtype":"F32","data_offsets":[0,8])", "got fewer");
    rejected(R"("dtype":"F32","shape":[2])", "got fewer");
    rejected(R"("dtype":"F32","shape":[2],"data_offsets":[0])", "got fewer");
    rejected(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,9])",
             "tensor \"x\": expected 2 data_offsets, got more");
    rejected(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1)",
             "tensor \"x\": expected dtype, shape and data_offsets, got \"extra\"");
    rejected(R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])",
             "expected every name once, got \"dtype\" again");
    rejected(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])",
             "tensor \"x\": expected a dtype such as F32, got \"F31\"");
    rejected(R"("dtype":"f32","shape":[2],"data_offsets":[0,8])", "expected a dtype");
    rejected(R"("dtype":"","shape":[2],"data_offsets":[0,8])", "expected a dtype");
    rejected(R"("dtype":4,"shape":[2],"data_offsets":[0,8])", "expected '\"', got '4'");
    rejected(R"("dtype":"F32","shape":2,"data_offsets":[0,8])", "expected '[', got '2'");
    rejected(R"("dtype":"F32","shape":[[2]],"data_offsets":[0,8])", "expected a whole number");
    rejected(R"("dtype":"F32","shape":[1,1,1,1,1,1,2],"data_offsets":[0,8])",
             "tensor \"x\": expected at most 6 dimensions, got more");
    // Numbers that other readers would accept.
    for (const char* two : {"2.0", "2e0", "02", "-2", "+2", "\"2\"", "true", "null"}) {
        rejected("\"dtype\":\"F32\",\"shape\":[" + std::string(two) + "],\"data_offsets\":[0,8]",
                 "/the/file: byte ");
    }
    rejected(R"("dtype":"F32","shape":[2],"data_offsets":[-0,8])",
             "expected a whole number, got '-'");
    rejected(R"("dtype":"F32","shape":[2],"data_offsets":[0,8e0])", "expected a whole number");
    rejected(R"("dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775808])",
             "expected a number up to 2^63 - 1");
}

TEST_CASE("safetensors: offsets that do not fit the data") {
    const auto rejected = [](const std::string& shape, const std::string& offsets,
                             const std::string& message) {
        CAPTURE(shape);
        CAPTURE(offsets);
        check_error(
            [&] {
                parse(with("\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets),
                      std::string(8, '\0'));
            },
            {message.c_str()});
    };
    rejected("[2]", "[8,0]",
             "tensor \"x\": expected data_offsets in order and up to 8, the size of the file's "
             "data, got [8, 0]");
    rejected("[3]", "[0,12]", "up to 8, the size of the file's data, got [0, 12]");
    rejected("[2]", "[0,9223372036854775807]", "up to 8");
    rejected("[1]", "[0,8]",
             "tensor \"x\": expected data_offsets that span the bytes of F32 [1], got [0, 8]");
    rejected("[2]", "[0,7]", "span the bytes of F32 [2], got [0, 7]");
    rejected("[0]", "[0,8]", "span the bytes of F32 [0]");
    rejected("[2]", "[1,8]", "span the bytes");
    // Products that would be 8 bytes if they overflowed: 2^62 + 2 elements of 4 bytes, in one
    // dimension and in two; and 2^59 + 2, where only the number of bits overflows.
    rejected("[4611686018427387906]", "[0,8]", "has more elements than memory");
    rejected("[2,2305843009213693953]", "[0,8]", "has more elements than memory");
    rejected("[576460752303423490]", "[0,8]", "span the bytes of F32 [576460752303423490]");
    rejected(
        "[0,9223372036854775807,9223372036854775807]", "[0,0]",
        "tensor \"x\": Shape: [0, 9223372036854775807, 9223372036854775807] has more elements");
}

TEST_CASE("safetensors: data must be covered once, from the first byte to the last") {
    const auto two = [](const char* a, const char* b) {
        return "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":" + std::string(a) +
               "},\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":" + b + "}}";
    };
    CHECK(parse(two("[0,2]", "[2,5]"), "12345").int_tensor("b").values[0] == '3');
    CHECK(parse(two("[3,5]", "[0,3]"), "12345").int_tensor("b").values[0] == '1');
    check_error([&] { parse(two("[0,2]", "[3,6]"), "123456"); },
                {"/the/file: expected the data of \"b\" to begin at 2, where the data before it "
                 "end, got 3"});
    check_error([&] { parse(two("[0,2]", "[1,4]"), "1234"); }, {"\"b\" to begin at 2", "got 1"});
    check_error([&] { parse(two("[0,2]", "[0,3]"), "123"); }, {"\"b\" to begin at 2", "got 0"});
    check_error([&] { parse(two("[1,3]", "[3,6]"), "123456"); }, {"\"a\" to begin at 0", "got 1"});
    check_error([&] { parse(two("[0,2]", "[2,5]"), "123456"); },
                {"/the/file: expected tensors that cover all 6 bytes of data, got an end at 5"});
    check_error([] { parse("{}", "1"); }, {"expected tensors that cover all 1 bytes", "end at 0"});
    // An empty tensor in the middle of another's data is a hole, too.
    check_error(
        [] {
            parse(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                  R"("b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
                  "12");
        },
        {"\"b\" to begin at 2", "got 1"});
}

TEST_CASE("safetensors: elements smaller than a byte must fill bytes") {
    CHECK(one("F4", "[2,3]", "abc").raw("x").bytes.size() == 3);
    CHECK(one("F6_E2M3", "[4]", "abc").raw("x").bytes.size() == 3);
    check_error([] { one("F4", "[5]", "abc"); }, {"span the bytes of F4 [5]"});
    check_error([] { one("F4", "[5]", "ab"); }, {"span the bytes of F4 [5]"});
}

TEST_CASE("safetensors: names twice") {
    const std::string entry = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    check_error([&] { parse("{\"a\":" + entry + ",\"a\":" + entry + "}", ""); },
                {"/the/file: byte ", "expected every name once, got \"a\" again"});
    check_error([&] { parse("{\"a\":" + entry + ",\"\\u0061\":" + entry + "}", ""); },
                {"expected every name once, got \"a\" again"});
    check_error([] { parse(R"({"__metadata__":{"a":"1","a":"2"}})", ""); },
                {"expected every name once, got \"a\" again"});
    check_error([] { parse(R"({"__metadata__":{},"__metadata__":{}})", ""); },
                {"expected every name once, got \"__metadata__\" again"});
}

TEST_CASE("safetensors: metadata that is not text") {
    for (const char* value : {"1", "null", "true", "[\"a\"]", "{\"a\":\"b\"}", "{}"}) {
        CAPTURE(value);
        check_error([&] { parse("{\"__metadata__\":{\"k\":" + std::string(value) + "}}", ""); },
                    {"/the/file: byte 29: expected '\"'"});
    }
    check_error([] { parse(R"({"__metadata__":null})", ""); }, {"expected '{', got 'n'"});
    check_error([] { parse(R"({"__metadata__":"k"})", ""); }, {"expected '{', got '\"'"});
}

TEST_CASE("safetensors: nesting without end is rejected at its second level") {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += "{\"a\":";
    check_error([&] { parse(text, ""); }, {"tensor \"a\": expected dtype, shape", "got \"a\""});
    check_error([] { parse("{\"a\":" + std::string(1'000'000, '['), ""); },
                {"expected '{', got '['"});
}

TEST_CASE("safetensors: messages are one line, whatever the names are") {
    try {
        parse("{\"a\\nb" + std::string(5000, 'x') + "\":{}}", "");
        FAIL("expected an Error");
    } catch (const Error& error) {
        const std::string message = error.what();
        CHECK(message.find('\n') == std::string::npos);
        CHECK(message.starts_with("/the/file: tensor \"a\\x0abxxx"));
        CHECK(message.size() < 200);
    }
}

// --- whatever happens to a file ----------------------------------------------------------------

// Two tensors and an empty one; their bytes ascend, as encode() below needs it.
std::string sample() {
    return file_of(R"({"__metadata__":{"format":"pt"},)"
                   R"("ab":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]},)"
                   "\"\xC3\xA9\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                   R"("w.0":{"dtype":"I16","shape":[1,2],"data_offsets":[3,7]}}  )",
                   "\x01\x02\x03\x04\x05\x06\x07");
}

// A text as sample() could have it.
std::string escaped(const std::string& text) {
    constexpr std::string_view codes = "\"\\/\b\f\n\r\t", letters = "\"\\/bfnrt";
    std::string out = "\"";
    for (char c : text) {
        const std::size_t at = codes.find(c);
        const bool escape = at != codes.npos && c != '/';
        out += escape ? std::string("\\") + letters[at] : std::string(1, c);
    }
    return out + "\"";
}

// The bytes of `file`, written again from what has been read.
std::string encode(const SafetensorsFile& file) {
    std::ostringstream header;
    std::string data;
    header << "{\"__metadata__\":{";
    for (const auto& [key, value] : file.metadata())
        header << escaped(key) << ":" << escaped(value);
    header << "}";
    std::vector<std::string> names = file.names();
    std::ranges::sort(names, {}, [&](const std::string& name) { return file.raw(name).bytes; });
    for (const std::string& name : names) {
        const SafeTensor& tensor = file.raw(name);
        std::string shape = tensor.shape.str();
        std::erase(shape, ' ');
        header << "," << escaped(name) << ":{\"dtype\":\"" << tensor.dtype
               << "\",\"shape\":" << shape << ",\"data_offsets\":[" << data.size();
        for (std::byte b : tensor.bytes) data += static_cast<char>(b);
        header << "," << data.size() << "]}";
    }
    header << "}  ";
    return file_of(header.str(), data);
}

// Whether the bytes can be read. If so, the result must match them; if not, the Error must be one
// line that names the file.
bool loads(const std::string& bytes) {
    try {
        const SafetensorsFile file = parse(bytes);
        CHECK(encode(file) == bytes);
        return true;
    } catch (const Error& error) {
        const std::string message = error.what();
        CHECK(message.starts_with("/the/file: "));
        CHECK(message.find('\n') == std::string::npos);
        return false;
    }
}

TEST_CASE("safetensors: a file cut short at any length, or with something appended, is rejected") {
    const std::string bytes = sample();
    REQUIRE(loads(bytes));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(loads(bytes.substr(0, length)));
    }
    CHECK_FALSE(loads(bytes + '\0'));
    CHECK_FALSE(loads(bytes + bytes));
}

TEST_CASE("safetensors: any byte changed: rejected, or read as it now stands") {
    const std::string bytes = sample();
    int read = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (int change = 1; change < 256; ++change) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ change);
            CAPTURE(i);
            CAPTURE(change);
            if (i >= bytes.size() - 7) {
                // In the data, any byte is valid; encode() would sort them differently.
                CHECK_NOTHROW(parse(changed));
            } else {
                read += loads(changed);
            }
        }
    }
    // A changed letter makes another name: some hundreds of changes are harmless.
    CHECK(read > 500);
}

TEST_CASE("safetensors: any byte of the header taken out or doubled") {
    const std::string bytes = sample();
    for (std::size_t i = 8; i < bytes.size() - 7; ++i) {
        CAPTURE(i);
        for (const bool taken : {true, false}) {
            std::string header = bytes.substr(8, bytes.size() - 15);
            if (taken) {
                header.erase(i - 8, 1);
            } else {
                header.insert(i - 8, 1, header[i - 8]);
            }
            const std::string whole = file_of(header, bytes.substr(bytes.size() - 7));
            // Padding may be longer or shorter, which encode() does not know.
            if (header.ends_with("}  ")) {
                loads(whole);
            } else {
                CHECK_NOTHROW(parse(whole));
            }
        }
    }
}

// --- files -------------------------------------------------------------------------------------

TEST_CASE("safetensors: load reads a file and names it by its absolute path" * needs_posix()) {
    const Folder folder;
    folder.write("a.safetensors", sample());
    const fs::path path = folder.path() / "a.safetensors";
    const SafetensorsFile file = SafetensorsFile::load(path);
    CHECK(encode(file) == sample());
    CHECK(file.source() == path.string());
    CHECK(SafetensorsFile::load(fs::relative(path)).source() == path.string());

    fs::resize_file(path, 100);
    check_error([&] { SafetensorsFile::load(path); },
                {path.string().c_str(), ": expected a header of at most 92"});
    fs::permissions(path, fs::perms::none);
    {
        const AsNobody nobody;
        check_error([&] { SafetensorsFile::load(path); },
                    {path.string().c_str(),
                     ": expected a file that can be read, got a failure to open it"});
    }
    fs::remove(path);
    check_error([&] { SafetensorsFile::load(path); },
                {path.string().c_str(), ": expected a safetensors file, got nothing there"});
    check_error([] { SafetensorsFile::load("no_such_file"); },
                {fs::absolute("no_such_file").string().c_str(), ": expected a safetensors file"});
    check_error([&] { SafetensorsFile::load(folder.path()); },
                {folder.path().string().c_str(),
                 ": expected a safetensors file, got something that is no file"});
    check_error([] { SafetensorsFile::load(""); },
                {"expected a safetensors file, got nothing there"});
}

TEST_CASE("safetensors: a file of torch.save is named, with what to do") {
    const std::string zip = std::string("PK\3\4\0\0\10\10", 8) + std::string(200, 'x');
    check_error([&] { parse(zip); },
                {"/the/file: expected a safetensors file, got a ZIP archive", "torch.save",
                 "safetensors.torch.save_file(model.state_dict(), path)"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
