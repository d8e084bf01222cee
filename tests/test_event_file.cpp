#include <primer/core/io/event_file.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <primer/core/io/crc32c.h>
#include <primer/core/io/histogram.h>
#include <primer/core/io/system.h>
#include <primer/core/kernels/system.h>
#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double at_two() { return 2; }

// --- A reader -----------------------------------------------------------------------------------

std::uint64_t little_endian(std::string_view bytes) {
    std::uint64_t number = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
    return number;
}

bool checksum_fits(std::string_view of, std::string_view stored) {
    const std::uint32_t crc = crc32c(of);
    return std::rotr(crc, 15) + 0xa282ead8U == little_endian(stored);
}

/// The messages of all records that are whole.
std::vector<std::string> records(std::string_view bytes) {
    std::vector<std::string> all;
    while (bytes.size() >= 12 && checksum_fits(bytes.substr(0, 8), bytes.substr(8, 4))) {
        const std::uint64_t length = little_endian(bytes.substr(0, 8));
        if (bytes.size() - 12 < length || bytes.size() - 12 - length < 4) break;
        const std::string_view event = bytes.substr(12, length);
        if (!checksum_fits(event, bytes.substr(12 + length, 4))) break;
        all.emplace_back(event);
        bytes.remove_prefix(16 + length);
    }
    return all;
}

/// A field of a protobuf message: its number and what it holds, however that is packed.
struct Field {
    std::uint64_t number = 0;
    std::uint64_t whole = 0;
    std::string bytes;
};

std::uint64_t take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        REQUIRE(!bytes.empty());
        const auto byte = static_cast<std::uint8_t>(bytes[0]);
        bytes.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
    }
}

std::vector<Field> fields(std::string_view bytes) {
    std::vector<Field> all;
    while (!bytes.empty()) {
        const std::uint64_t key = take_varint(bytes);
        Field field{key >> 3, 0, ""};
        std::uint64_t size = 0;
        switch (key & 7) {
            case 0:
                field.whole = take_varint(bytes);
                break;
            case 1:
                size = 8;
                break;
            case 2:
                size = take_varint(bytes);
                break;
            case 5:
                size = 4;
                break;
            default:
                FAIL("a field of unknown type");
        }
        REQUIRE(size <= bytes.size());
        field.bytes = bytes.substr(0, size);
        bytes.remove_prefix(size);
        all.push_back(field);
    }
    return all;
}

/// The only field of this number, following numbers from message to message.
template <class... Numbers>
Field only(const std::string& message, std::uint64_t number, Numbers... deeper) {
    Field found;
    int count = 0;
    for (const Field& field : fields(message)) {
        if (field.number != number) continue;
        found = field;
        ++count;
    }
    CAPTURE(number);
    REQUIRE(count == 1);
    if constexpr (sizeof...(deeper) > 0)
        return only(found.bytes, static_cast<std::uint64_t>(deeper)...);
    return found;
}

template <class T>
T number(const std::string& bytes) {
    REQUIRE(bytes.size() == sizeof(T));
    std::array<char, sizeof(T)> native;
    std::ranges::copy(bytes, native.begin());
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(native);
    return std::bit_cast<T>(native);
}

std::vector<double> doubles(const std::string& bytes) {
    std::vector<double> all;
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
        all.push_back(number<double>(bytes.substr(i, 8)));
    }
    return all;
}

struct Logged {
    double time = 0;
    Index step = 0;
    std::string tag;
    std::string value;  ///< the message Summary.Value
};

/// The contents of the file after its first record.
std::vector<Logged> logged(const fs::path& path) {
    const std::vector<std::string> events = records(contents(path));
    REQUIRE(!events.empty());
    CHECK(only(events[0], 3).bytes == "brain.Event:2");
    std::vector<Logged> all;
    for (std::size_t i = 1; i < events.size(); ++i) {
        const std::string value = only(events[i], 5, 1).bytes;
        all.push_back({number<double>(only(events[i], 1).bytes),
                       static_cast<Index>(only(events[i], 2).whole), only(value, 1).bytes, value});
    }
    return all;
}

float scalar(const Logged& record) { return number<float>(only(record.value, 2).bytes); }

// --- Tests --------------------------------------------------------------------------------------

// The bytes are worked out from the formats, the checksums by another program.
TEST_CASE("event_file: byte by byte") {
    const Folder folder;
    SummaryWriter log(folder.path(), {.clock = at_two});
    const std::string first =
        bytes_of({24,   0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22,  // 24 bytes
                  0x09, 0, 0, 0, 0, 0, 0, 0, 0x40,                    // field 1, double: 2
                  0x1a, 13}) +                                        // field 3: 13 bytes
        "brain.Event:2" +
        bytes_of({0xff, 0x2e, 0xe0, 0xe7});
    CHECK(contents(log.path()) == first);
    log.add_scalar("a", 1.5, 3);
    CHECK(contents(log.path()) ==
          first + bytes_of({23,   0,    0,    0,    0,    0, 0, 0, 0xe7, 0xce, 0xf8, 0x1e,  //
                            0x09, 0,    0,    0,    0,    0, 0, 0, 0x40,  // time: 2
                            0x10, 3,                                      // field 2, varint
                            0x2a, 10,                                     // field 5, summary:
                            0x0a, 8,                                      // its field 1, value:
                            0x0a, 1,    'a',                              // tag
                            0x15, 0,    0,    0xc0, 0x3f,                 // field 2, float: 1.5
                            0xed, 0x90, 0x6a, 0xf8}));
}

TEST_CASE("event_file: the name") {
    const Folder folder;
    const fs::path inside = folder.path() / "runs" / "first";
    const auto clock = [] { return 1234567890.75; };
    const SummaryWriter one(inside, {.clock = clock}), two(inside, {.clock = clock});
    const std::string name = "events.out.tfevents.1234567890." + host_name() + '.' +
                             std::to_string(process_number()) + '.';
    CHECK(one.path() == inside / (name + '0'));
    CHECK(two.path() == inside / (name + '1'));
    const Folder other;
    const SummaryWriter early(other.path(), {.clock = at_two});
    CHECK(early.path().filename().string().starts_with("events.out.tfevents.0000000002."));
}

TEST_CASE("event_file: the time is the clock's") {
    const Folder folder;
    SummaryWriter log(folder.path());
    const auto before = fs::file_time_type::clock::now();
    log.add_scalar("a", 1);
    using Seconds = std::chrono::duration<double>;
    const auto since_1970 = [](auto time) {
        return Seconds(fs::file_time_type::clock::to_sys(time).time_since_epoch()).count();
    };
    CHECK(logged(log.path()).at(0).time >= since_1970(before) - 0.001);
    CHECK(logged(log.path()).at(0).time <= since_1970(fs::file_time_type::clock::now()) + 0.001);
}

TEST_CASE("event_file: scalars, of any value, at any step") {
    const Folder folder;
    SummaryWriter log(folder.path());
    const std::vector<std::pair<double, Index>> points{
        {0.1, 0},  {-0.0, 1}, {1e300, 2}, {kInfinity, 3},      {-kInfinity, 4},
        {kNan, 5}, {5, -1},   {6, 300},   {7, Index{1} << 40}, {8, 300}};
    for (const auto& [value, step] : points) log.add_scalar("a/b \xc3\xa4", value, step);
    const std::vector<Logged> found = logged(log.path());
    REQUIRE(found.size() == points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto expected = static_cast<float>(points[i].first);
        CHECK(std::bit_cast<std::uint32_t>(scalar(found[i])) ==
              std::bit_cast<std::uint32_t>(expected));
        CHECK(found[i].step == points[i].second);
        CHECK(found[i].tag == "a/b \xc3\xa4");
    }
}

TEST_CASE("event_file: several curves in one chart") {
    const Folder folder;
    const fs::path runs = folder.path() / "run";
    {
        SummaryWriter log(runs);
        log.add_scalars("loss/all", {{"train", 1}, {"test", 2}}, 7);
        log.add_scalars("loss/all", {{"train", 3}}, 8);
        CHECK(logged(log.path()).empty());
    }
    const auto curve = [&](const char* name) {
        REQUIRE(std::distance(fs::directory_iterator(runs / name), {}) == 1);
        return logged(fs::directory_iterator(runs / name)->path());
    };
    const std::vector<Logged> train = curve("loss_all_train"), test = curve("loss_all_test");
    REQUIRE(train.size() == 2);
    CHECK(train[0].tag == "loss/all");
    CHECK(scalar(train[0]) == 1);
    CHECK(train[0].step == 7);
    CHECK(scalar(train[1]) == 3);
    CHECK(train[1].step == 8);
    REQUIRE(test.size() == 1);
    CHECK(scalar(test[0]) == 2);
}

void check_picture(const Logged& record, const Image& expected, const Folder& folder) {
    CHECK(static_cast<Index>(only(record.value, 4, 1).whole) == expected.height);
    CHECK(static_cast<Index>(only(record.value, 4, 2).whole) == expected.width);
    CHECK(static_cast<Index>(only(record.value, 4, 3).whole) == expected.channels);
    folder.write("picture", only(record.value, 4, 4).bytes);
    const Image image = load_image(folder.path() / "picture");
    CHECK(image.width == expected.width);
    CHECK(image.height == expected.height);
    CHECK(image.pixels == expected.pixels);
}

TEST_CASE("event_file: a batch without options is laid out and rounded as PyTorch does") {
    // Ten pictures of one pixel: eight in a row, no space between, bytes rounded down. 0.1 is
    // 25.5, and 0.29 x 255 = 73.95.
    const Folder folder;
    SummaryWriter log(folder.path() / "log");
    log.add_images("batch",
                   tensor({0, 0.1, 0.29, 0.999, 1, 2, -1, 0.5, 0.25, 0.75}, {10, 1, 1, 1}));
    Image expected(8, 2, 1);
    expected.pixels = {0, 25, 73, 254, 255, 255, 0, 127, 63, 191, 0, 0, 0, 0, 0, 0};
    check_picture(logged(log.path()).at(0), expected, folder);
}

TEST_CASE("event_file: close, and what is added afterwards") {
    const Folder folder;
    SummaryWriter log(folder.path() / "log");
    const std::filesystem::path first = log.path();
    log.add_scalar("a", 1, 1);
    log.add_scalars("both", {{"x", 1}}, 1);
    log.close();
    log.close();  // does nothing
    CHECK(log.path() == first);
    CHECK(logged(first).size() == 1);
    log.flush();
    CHECK(log.path() == first);
    log.add_scalar("a", 2, 2);
    log.add_scalars("both", {{"x", 2}}, 2);
    CHECK(log.path() != first);
    CHECK(logged(log.path()).size() == 1);
    CHECK(logged(first).size() == 1);
    CHECK(log.good());
}

TEST_CASE("event_file: pictures") {
    const Folder folder;
    SummaryWriter log(folder.path() / "log");
    Image image(3, 2, 3, 9);
    image.at(2, 1, 0) = 200;
    log.add_image("image", image, 1);
    const Tensor one = tensor({0, 0.2, 0.4, 0.6, 0.8, 1}, {3, 1, 2});
    log.add_image("tensor", one, 2);
    Tensor batch = empty({10, 1, 4, 5});
    for (Index i = 0; i < batch.numel(); ++i) {
        batch.mutable_data()[i] = static_cast<Real>(i % 37) - 9;
    }
    const GridOptions options{.nrow = 4, .padding = 1, .normalize = true, .round = false};
    log.add_images("batch", batch, 3, options);
    const std::vector<Logged> found = logged(log.path());
    REQUIRE(found.size() == 3);
    check_picture(found[0], image, folder);
    check_picture(found[1], make_grid(one, {.round = false}), folder);
    check_picture(found[2], make_grid(batch, options), folder);

    check_error([&] { log.add_image("a", batch); },
                {"add_image: expected [C, H, W] or [H, W], got [10, 1, 4, 5]; use add_images "
                 "for a batch"});
    check_error([&] { log.add_images("a", one); },
                {"add_images: expected [N, C, H, W], got [3, 1, 2]"});
    check_error([&] { log.add_images("a", zeros({2, 16, 3, 3})); }, {"1 or 3 channels"});
    CHECK(log.good());
    CHECK(logged(log.path()).size() == 3);
}

TEST_CASE("event_file: histograms") {
    const Folder folder;
    SummaryWriter log(folder.path());
    log.add_histogram("a", tensor({1.5, -2, kNan, 0.25, 0, kInfinity}), 4);
    log.add_histogram("a", tensor({kNan}), 5);
    log.add_histogram("a", zeros({0}), 6);
    const std::vector<Logged> found = logged(log.path());
    REQUIRE(found.size() == 3);
    const std::string histo = only(found[0].value, 5).bytes;
    const auto value = [&](std::uint64_t field) {
        return number<double>(only(histo, field).bytes);
    };
    CHECK(value(1) == -2);                 // min
    CHECK(value(2) == 1.5);                // max
    CHECK(value(3) == 4);                  // num
    CHECK(value(4) == -0.25);              // sum
    CHECK(value(5) == 2.25 + 4 + 0.0625);  // of the squares
    const std::vector<double> limits = doubles(only(histo, 6).bytes);
    const std::vector<double> buckets = doubles(only(histo, 7).bytes);
    const Histogram expected = make_histogram(tensor({1.5, -2, 0.25, 0}));
    CHECK(limits == expected.limits);
    CHECK(buckets == std::vector<double>(expected.buckets.begin(), expected.buckets.end()));
    for (std::size_t i : {1U, 2U}) {
        CHECK(number<double>(only(found[i].value, 5, 3).bytes) == 0);
        CHECK(doubles(only(found[i].value, 5, 7).bytes) == std::vector<double>{0});
    }
}

TEST_CASE("event_file: a text") {
    const Folder folder;
    SummaryWriter log(folder.path());
    log.add_text("note", "# Title\n\xc3\xa4", 1);
    log.add_text("note", "", 2);
    const std::vector<Logged> found = logged(log.path());
    REQUIRE(found.size() == 2);
    CHECK(only(found[0].value, 9, 1, 1).bytes == "text");
    CHECK(only(found[0].value, 8, 1).whole == 7);        // DT_STRING
    CHECK(only(found[0].value, 8, 2, 2, 1).whole == 1);  // shape [1]
    CHECK(only(found[0].value, 8, 8).bytes == "# Title\n\xc3\xa4");
    CHECK(only(found[1].value, 8, 8).bytes.empty());
}

TEST_CASE("event_file: settings and results of a run") {
    const Folder folder;
    SummaryWriter log(folder.path(), {.clock = at_two});
    log.add_hparams({{"batch", 64}, {"flip", true}, {"lr", 0.5}, {"optimizer", "sgd"}},
                    {{"accuracy", 0.25}}, 9);
    const std::vector<Logged> found = logged(log.path());
    REQUIRE(found.size() == 4);
    CHECK(found[0].tag == "accuracy");
    CHECK(scalar(found[0]) == 0.25F);
    CHECK(found[0].step == 9);
    const auto content = [&](std::size_t i) {
        CHECK(only(found[i].value, 9, 1, 1).bytes == "hparams");
        return only(found[i].value, 9, 1, 2).bytes;
    };
    CHECK(found[1].tag == "_hparams_/experiment");
    CHECK(only(content(1), 2, 5, 1, 2).bytes == "accuracy");
    std::vector<std::uint64_t> types;
    for (const Field& field : fields(only(content(1), 2).bytes)) {
        if (field.number == 4) types.push_back(only(field.bytes, 4).whole);
    }
    CHECK(types == std::vector<std::uint64_t>{3, 2, 3, 1});  // numbers are 3, flags 2, texts 1

    CHECK(found[2].tag == "_hparams_/session_start_info");
    CHECK(number<double>(only(content(2), 3, 5).bytes) == 2);
    std::map<std::string, Field> settings;
    for (const Field& field : fields(only(content(2), 3).bytes)) {
        if (field.number == 1) {
            settings[only(field.bytes, 1).bytes] = fields(only(field.bytes, 2).bytes).at(0);
        }
    }
    REQUIRE(settings.size() == 4);
    CHECK(number<double>(settings["batch"].bytes) == 64);
    CHECK(number<double>(settings["lr"].bytes) == 0.5);
    CHECK(settings["lr"].number == 2);
    CHECK(settings["flip"].number == 4);
    CHECK(settings["flip"].whole == 1);
    CHECK(settings["optimizer"].number == 3);
    CHECK(settings["optimizer"].bytes == "sgd");

    CHECK(found[3].tag == "_hparams_/session_end_info");
    CHECK(only(content(3), 4, 1).whole == 1);  // success
    CHECK(number<double>(only(content(3), 4, 2).bytes) == 2);
}

TEST_CASE("event_file: a resumed run voids what was logged after that step") {
    const Folder folder;
    const SummaryWriter log(folder.path(), {.purge_step = 500});
    const std::vector<std::string> events = records(contents(log.path()));
    REQUIRE(events.size() == 2);
    CHECK(only(events[1], 2).whole == 500);
    CHECK(only(events[1], 7, 1).whole == 1);  // SessionLog.START
}

TEST_CASE("event_file: tags and texts must be UTF-8, and a tag must be") {
    const Folder folder;
    SummaryWriter log(folder.path());
    check_error([&] { log.add_scalar("", 1); },
                {"SummaryWriter: expected a tag in UTF-8, got \"\""});
    check_error([&] { log.add_histogram("a\xff", zeros({1})); }, {"expected a tag in UTF-8, got"});
    check_error([&] { log.add_scalars("a\xff", {{"b", 1}}); }, {"expected a tag in UTF-8, got"});
    check_error([&] { log.add_text("a", "\xc3"); }, {"expected a text in UTF-8, got"});
    check_error([&] { log.add_hparams({{"a", "\xc3"}}, {}); }, {"expected settings in UTF-8, got"});
    check_error([&] { log.add_hparams({{"\xc3", 1}}, {}); }, {"expected settings in UTF-8, got"});
    CHECK(log.good());
    CHECK(logged(log.path()).empty());
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

/// A bit of everything.
void log_all(SummaryWriter& log) {
    log.add_scalar("scalar", 1, 1);
    log.add_image("image", Image(5, 4, 3, 77), 2);
    log.add_histogram("histogram", tensor({1, 2, 3}), 3);
    log.add_text("text", "hello", 4);
}

TEST_CASE("event_file: cut anywhere, it reads up to the last whole record") {
    const Folder folder;
    SummaryWriter log(folder.path());
    std::vector<std::size_t> ends{contents(log.path()).size()};
    for (int i = 0; i < 3; ++i) {
        log.add_scalar("scalar", i, i);
        ends.push_back(contents(log.path()).size());  // there as soon as it is added
        log_all(log);
    }
    const std::string bytes = contents(log.path());
    const std::vector<std::string> all = records(bytes);
    REQUIRE(all.size() == 1 + 3 * 5);
    std::size_t whole = 0, end = 0;
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        if (whole < all.size() && length == end + 16 + all[whole].size()) {
            end = length;
            ++whole;
        }
        const std::vector<std::string> some = records(bytes.substr(0, length));
        CHECK(some.size() == whole);
        CHECK(std::equal(some.begin(), some.end(), all.begin()));
    }
    CHECK(whole == all.size());
    for (std::size_t position : ends) {  // each was the end of a whole record
        CHECK(records(bytes.substr(0, position)).size() % 5 <= 2);
        std::size_t sum = 0;
        for (const std::string& event : records(bytes.substr(0, position)))
            sum += 16 + event.size();
        CHECK(sum == position);
    }
}

TEST_CASE("event_file: a full disk is reported, the file stays whole and grows again" *
          needs_posix()) {
    const Folder folder;
    for (int room = 1; room < 60; room += 7) {
        SummaryWriter log(folder.path());
        log_all(log);
        const std::string before = contents(log.path());
        {
            const FileSizeLimit full(before.size() + static_cast<std::size_t>(room));
            for (int i = 0; i < 2; ++i) {
                check_error(
                    [&] { log.add_text("text", std::string(500, 'x')); },
                    {log.path().string().c_str(), ": failed to write to the file: File too large"});
                CHECK_FALSE(log.good());
                CHECK(contents(log.path()) == before);
            }
        }
        log.add_scalar("later", 1);  // there is room again
        CHECK(log.good());
        const std::string after = contents(log.path());
        CHECK(after.starts_with(before));
        CHECK(records(after).size() == records(before).size() + 1);
    }
}

TEST_CASE("event_file: folders that cannot be written to" * needs_posix()) {
    const Folder folder;
    folder.write("file", "");
    check_error([&] { SummaryWriter(folder.path() / "file"); },
                {folder.path().string().c_str(), "/file: failed to make the folder: "});
    SummaryWriter log(folder.path());
    folder.write("loss_train", "");
    check_error(
        [&] {
            log.add_scalars("loss", {{"train", 1}});
        },
        {"/loss_train: failed to make the folder: "});
    CHECK_FALSE(log.good());
    log.flush();
    log.add_scalar("a", 1);
    CHECK(log.good());
    CHECK(logged(log.path()).size() == 1);
    fs::remove(folder.path() / "loss_train");
    log.add_scalars("loss", {{"train", 1}});
    CHECK(fs::is_directory(folder.path() / "loss_train"));
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                       fs::perms::others_read | fs::perms::others_exec);
    const AsNobody nobody;
    check_error([&] { SummaryWriter(folder.path()); },
                {"/events.out.tfevents.", ": failed to make the file: Permission denied"});
    check_error([&] { SummaryWriter(folder.path() / "new"); },
                {"/new: failed to make the folder: Permission denied"});
}

TEST_CASE("event_file: flushed with every record, or when asked to") {
    const Folder folder;
    SummaryWriter log(folder.path(), {.flush_seconds = 0});
    log_all(log);
    log.add_scalars("scalars", {{"a", 1}});
    log.flush();
    CHECK(log.good());
    CHECK(logged(log.path()).size() == 4);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
