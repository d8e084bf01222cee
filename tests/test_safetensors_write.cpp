// Writing safetensors files, and loading them into a model.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <primer/core/io/safetensors.h>
#include <primer/core/ops.h>
#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

SafetensorsFile parse(const std::string& bytes) {
    std::istringstream in(bytes);
    return SafetensorsFile::read(in, "/the/file");
}

// Where the data begins: after the length of the header and the header.
std::size_t data_begin(const std::string& bytes) {
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) {
        length = length << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    }
    return 8 + length;
}

StateDict sample() {
    return {{"b.weight", tensor({1, -2.5, 3, 0.125, 5, 6}, {2, 3})},
            {"count", tensor({7}, {}), true},
            {"a", tensor({-1, 1})},
            {"none", zeros({0, 4})}};
}

std::string saved(const Folder& folder, const StateDict& tensors,
                  const std::map<std::string, std::string>& metadata = {{"format", "pt"}}) {
    const fs::path path = folder.path() / "saved";
    save_safetensors(path, tensors, metadata);
    return contents(path);
}

TEST_CASE("save_safetensors: the bytes") {
    const Folder folder;
    const std::string bytes = saved(folder, sample());
    const std::string real = kDouble ? "F64" : "F32";
    const Index size = sizeof(Real);
    const auto offsets = [&](Index begin, Index end) {
        return ",\"data_offsets\":[" + std::to_string(8 + begin * size) + "," +
               std::to_string(8 + end * size) + "]}";
    };
    // The 8 bytes of I64 first, then the others in the order of their names.
    std::string header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"count\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"a\":{\"dtype\":\"" +
        real + "\",\"shape\":[2]" + offsets(0, 2) + ",\"b.weight\":{\"dtype\":\"" + real +
        "\",\"shape\":[2,3]" + offsets(2, 8) + ",\"none\":{\"dtype\":\"" + real +
        "\",\"shape\":[0,4]" + offsets(8, 8) + "}";
    while (header.size() % 8 != 0) header += ' ';
    REQUIRE(data_begin(bytes) == 8 + header.size());
    CHECK(bytes.substr(8, header.size()) == header);
    std::string data("\x07\0\0\0\0\0\0\0", 8);
    for (int eighths : {-8, 8, 8, -20, 24, 1, 40, 48}) {
        data += little_endian(static_cast<Real>(eighths) / 8);
    }
    CHECK(bytes.substr(8 + header.size()) == data);
}

TEST_CASE("save_safetensors: what is written is read again") {
    const Folder folder;
    const std::map<std::string, std::string> metadata{{"a\n\"b\"", "\xC3\xA9\x01"}, {"", ""}};
    StateDict tensors = sample();
    tensors.push_back({"\xC3\xA9\n", tensor({1e-40, -0.0, 1e30})});
    const SafetensorsFile file = parse(saved(folder, tensors, metadata));
    CHECK(file.metadata() == metadata);
    CHECK(file.names().size() == 5);
    for (const auto& [name, x, whole] : tensors) {
        CHECK(file.raw(name).dtype == (whole ? "I64" : kDouble ? "F64" : "F32"));
        const Tensor y = file.tensor(name);
        REQUIRE(y.shape() == x.shape());
        if (x.numel() == 0) continue;
        CHECK(std::memcmp(x.data(), y.data(), x.values().size_bytes()) == 0);
    }
    CHECK(parse(saved(folder, {}, {})).names().empty());
    CHECK(parse(saved(folder, {}, {{"a", "b"}})).metadata().at("a") == "b");
    CHECK(parse(saved(folder, {{"x", ones({2})}}, {})).metadata().empty());
}

TEST_CASE("save_safetensors: the order of tensors and metadata does not matter") {
    const Folder folder;
    StateDict backwards = sample();
    std::ranges::reverse(backwards);
    CHECK(saved(folder, sample()) == saved(folder, backwards));
}

TEST_CASE("save_safetensors: what cannot be saved; the old file stays") {
    const Folder folder;
    const fs::path path = folder.path() / "a";
    folder.write("a", "old");
    const auto rejected = [&](const StateDict& tensors,
                              const std::map<std::string, std::string>& metadata,
                              std::initializer_list<const char*> parts) {
        check_error([&] { save_safetensors(path, tensors, metadata); }, parts);
    };
    rejected({{"x", ones({1})}, {"x", ones({1})}}, {},
             {"save_safetensors: expected every name once, got \"x\" again"});
    rejected({{"__metadata__", ones({1})}}, {}, {"expected the name of a tensor", "__metadata__"});
    rejected({{"\xC3", ones({1})}}, {}, {"in UTF-8", "\"\\xc3\""});
    rejected({{"x", Tensor()}}, {}, {"expected values for \"x\", got an undefined tensor"});
    rejected({{"x", tensor({1, 2.5}), true}}, {}, {"expected whole numbers in \"x\", got 2.5"});
    rejected({{"x", tensor({std::nan("")}), true}}, {}, {"expected whole numbers in \"x\""});
    rejected({{"x", tensor({0x1p63}), true}}, {}, {"expected whole numbers in \"x\""});
    rejected({}, {{"a", "\xFF"}}, {"expected metadata in UTF-8, got \"a\": \"\\xff\""});
    const StateDict many(100'001, {"x", ones({1})});
    rejected(StateDict(many), {}, {"expected every name once"});
    StateDict numbered = many;
    for (std::size_t i = 0; i < many.size(); ++i) numbered[i].name = std::to_string(i);
    rejected(numbered, {}, {"expected at most 100000 tensors and texts of metadata, got 100001"});
    CHECK(contents(path) == "old");
    check_error([&] { save_safetensors(folder.path(), {}); },
                {folder.path().string().c_str(), "to save a safetensors file to, got a folder"});
}

TEST_CASE("save_safetensors: a disk that gets full anywhere leaves the old file, which loads" *
          needs_posix()) {
    const Folder folder;
    const fs::path path = folder.path() / "a";
    save_safetensors(path, {{"x", tensor({1, 2})}});
    const std::string before = contents(path);
    // No room at all, in the header, and in the data.
    for (const int room : {0, 5, 100, 300}) {
        std::string message;
        try {
            const FileSizeLimit limit(static_cast<std::uint64_t>(room));
            save_safetensors(path, {{"x", zeros({100})}});
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK(message == fs::canonical(path).string() +
                             ": failed to write the file when saving a safetensors file: File too "
                             "large; what was there before, if anything, is untouched");
        CHECK(contents(path) == before);
        CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
    }
    const StateDict into{{"x", zeros({2})}};
    load_safetensors(path, into);
    check_values(into[0].tensor, {2}, {1, 2});
}

TEST_CASE("save_safetensors: without permission, the old file stays whole" * needs_posix()) {
    const Folder folder;
    folder.write("a", std::string("\x02\0\0\0\0\0\0\0{}", 10));
    fs::permissions(folder.path(), fs::perms(0755));
    {
        const AsNobody nobody;
        check_error([&] { save_safetensors(folder.path() / "a", sample()); },
                    {"/a: failed to create a file in its folder when saving a safetensors file: "
                     "Permission denied"});
    }
    CHECK(contents(folder.path() / "a") == std::string("\x02\0\0\0\0\0\0\0{}", 10));
}

// --- what a model takes --------------------------------------------------------------------------

TEST_CASE("load_safetensors: values go to the tensors of the same names") {
    const Folder folder;
    const fs::path path = folder.path() / "a";
    save_safetensors(path, sample());
    StateDict into{{"a", zeros({2})},
                   {"b.weight", zeros({2, 3})},
                   {"none", zeros({0, 4})},
                   {"count", zeros({}), true}};
    into[0].tensor.requires_grad_();
    const LoadReport report = load_safetensors(path, into);
    check_values(into[0].tensor, {2}, {-1, 1});
    check_values(into[1].tensor, {2, 3}, {1, -2.5, 3, 0.125, 5, 6});
    check_values(into[3].tensor, {}, {7});
    CHECK(report.missing.empty());
    CHECK(report.unexpected.empty());
    CHECK(report.misshapen.empty());
}

TEST_CASE("load_safetensors: all differences are named at once, and nothing is changed") {
    const Folder folder;
    const fs::path path = folder.path() / "a";
    save_safetensors(path, sample());
    const StateDict into{{"a", zeros({2})},
                         {"b.weight", zeros({3, 2})},
                         {"count", zeros({1}), true},
                         {"c\n", zeros({1})},
                         {"d", zeros({1})}};
    const std::string message =
        path.string() +
        ": expected the tensors of this model, got those of another; missing: \"c\\x0a\", \"d\"; "
        "unexpected: \"none\"; misshapen: \"b.weight\" [2, 3] for [3, 2], \"count\" [] for [1]";
    check_error([&] { load_safetensors(path, into); }, {message.c_str()});
    check_values(into[0].tensor, {2}, {0, 0});

    const LoadReport report = load_safetensors(path, into, {.strict = false});
    CHECK(report.missing == std::vector<std::string>{"c\n", "d"});
    CHECK(report.unexpected == std::vector<std::string>{"none"});
    CHECK(report.misshapen == std::vector<std::string>{"b.weight", "count"});
    check_values(into[0].tensor, {2}, {-1, 1});
    check_values(into[1].tensor, {3, 2}, {0, 0, 0, 0, 0, 0});
}

TEST_CASE("load_into: a value that does not fit changes nothing, unless it may be rounded") {
    // b: 0.1 as F64, or a whole number with too many digits.
    const std::string header =
        R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":")" +
        std::string(kDouble ? "I64" : "F64") + R"(","shape":[1],"data_offsets":[2,10]}})";
    const std::string b = kDouble ? std::string("\x01\0\0\0\0\0\x20\0", 8)               // 2^53 + 1
                                  : std::string("\x9A\x99\x99\x99\x99\x99\xB9\x3F", 8);  // 0.1
    const SafetensorsFile file = parse(static_cast<char>(header.size()) + std::string(7, '\0') +
                                       header + std::string("\0\x3C", 2) + b);
    const StateDict into{{"a", zeros({1})}, {"b", zeros({1})}};
    check_error([&] { file.load_into(into); },
                {"/the/file: tensor \"b\": expected values that ", "at element 0"});
    CHECK(into[0].tensor.item() == 0);
    file.load_into(into, {.rounding = Rounding::nearest});
    CHECK(into[0].tensor.item() == 1);
    CHECK(into[1].tensor.item() == (kDouble ? Real(0x1p53) : Real(0.1)));
}

// --- a file that has been damaged ----------------------------------------------------------------

StateDict model() {
    Rng rng(1);
    return {{"0.weight", randn({20, 9}, rng)},
            {"0.bias", randn({20}, rng)},
            {"1.num_batches_tracked", full({}, 12), true}};
}

// The values of all tensors of the file, in the order of their names.
std::string data_of(const SafetensorsFile& file) {
    std::string all;
    for (const char* name : {"1.num_batches_tracked", "0.bias", "0.weight"}) {
        for (std::byte b : file.raw(name).bytes) all += static_cast<char>(b);
    }
    return all;
}

// Whether a model accepts the file. If so, it must have the file's values; if not, the Error must
// be one line that names the file.
bool loads(const std::string& bytes) {
    const StateDict into{{"0.weight", zeros({20, 9})},
                         {"0.bias", zeros({20})},
                         {"1.num_batches_tracked", zeros({}), true}};
    try {
        const SafetensorsFile file = parse(bytes);
        file.load_into(into, {.rounding = Rounding::nearest});
        CHECK(data_of(file) == bytes.substr(data_begin(bytes)));
        return true;
    } catch (const Error& error) {
        const std::string message = error.what();
        CHECK(message.starts_with("/the/file: "));
        CHECK(message.find('\n') == std::string::npos);
        for (const StateEntry& entry : into) {
            for (Real x : entry.tensor.values()) REQUIRE(x == 0);
        }
        return false;
    }
}

TEST_CASE("safetensors: a model's file cut at any length is rejected") {
    const Folder folder;
    const std::string bytes = saved(folder, model());
    REQUIRE(loads(bytes));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        CHECK_FALSE(loads(bytes.substr(0, length)));
    }
}

TEST_CASE("safetensors: a model's file, any byte of its header changed, and 2000 of the rest") {
    const Folder folder;
    const std::string bytes = saved(folder, model());
    const std::size_t data = data_begin(bytes);
    std::mt19937 random(1);
    const auto changed = [&](std::size_t at) {
        std::string copy = bytes;
        copy[at] = static_cast<char>(copy[at] ^ static_cast<char>(1 + random() % 255));
        return copy;
    };
    int loaded = 0;
    for (std::size_t i = 0; i < data; ++i) {
        for (int time = 0; time < 8; ++time) loaded += loads(changed(i));
    }
    // Most changes make it another file; those of the metadata's one text do not.
    CHECK(loaded < static_cast<int>(8 * data / 10));
    for (int i = 0; i < 2000; ++i) {
        CHECK(loads(changed(data + random() % (bytes.size() - data))));
    }
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
