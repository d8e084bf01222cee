// The lines that show a training run, in examples/support.

#include <limits>
#include <string>
#include <vector>

#include "../examples/support/progress_line.h"
#include "support.h"

namespace primer::examples {
namespace {

constexpr TerminalStyle kAscii{.live = true, .utf8 = false, .color = false};
constexpr TerminalStyle kUtf8{.live = true, .utf8 = true, .color = false};
constexpr TerminalStyle kColor{.live = true, .utf8 = true, .color = true};

Status some_status() {
    return {.epoch = 2,
            .epochs = 5,
            .batch = 469,
            .batches = 938,
            .loss = 0.08451,
            .accuracy = 0.9739,
            .lr = 0.0412,
            .images_per_s = 71140.4,
            .seconds_left = 64.2,
            .losses = {0.8, 0.4, 0.2, 0.1}};
}

TEST_CASE("columns: letters count, their bytes and colours do not") {
    CHECK(columns("") == 0);
    CHECK(columns("abc") == 3);
    CHECK(columns("|█▌|") == 4);
    CHECK(columns("\x1b[32m|█|\x1b[0m x") == 5);
}

// Ten columns have eight inside; half of them is 4. 0.3 of 8 is 2.4: two, and three eighths.
TEST_CASE("bar: whole columns and eighths of one") {
    CHECK(bar(0, 10, false) == "|        |");
    CHECK(bar(0.5, 10, false) == "|####    |");
    CHECK(bar(1, 10, false) == "|########|");
    CHECK(bar(0.3, 10, false) == "|##      |");
    CHECK(bar(0.3, 10, true) == "|██▍     |");
    CHECK(bar(1, 10, true) == "|████████|");
    CHECK(bar(-1, 4, false) == "|  |");
    CHECK(bar(7, 4, false) == "|##|");
}

// 0.8, 0.4, 0.2, 0.1: the same steps in the logarithm, so heights 7, 7 * 2/3 = 4.7, 2.3, 0.
TEST_CASE("sparkline: heights by the logarithm") {
    const std::vector<double> halves{0.8, 0.4, 0.2, 0.1};
    CHECK(sparkline(halves, 8, true) == "█▆▃▁");
    CHECK(sparkline(halves, 8, false) == "#+-_");
    // Two columns are the means of two each, again far apart.
    CHECK(sparkline(halves, 2, true) == "█▁");
    CHECK(sparkline(halves, 0, true).empty());
    CHECK(sparkline({}, 8, true).empty());
    CHECK(sparkline({0.5, 0.5}, 8, true) == "▁▁");
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(sparkline({nan, 0.8, 0, infinity, -1, 0.1}, 8, true) == "█▁");
}

// 64 means of one step each become 32 of two, (0 + 1) / 2 and so on; then come 0.5 of two.
TEST_CASE("LossHistory: any number of steps in at most 64 means") {
    LossHistory losses;
    CHECK(losses.values().empty());
    for (int i = 0; i < 63; ++i) losses.add(i);
    CHECK(losses.values().size() == 63);
    losses.add(63);
    REQUIRE(losses.values().size() == 32);
    CHECK(losses.values()[0] == 0.5);
    CHECK(losses.values()[31] == 62.5);
    losses.add(9);
    CHECK(losses.values().back() == 9);
    losses.add(10);
    CHECK(losses.values().size() == 33);
    CHECK(losses.values().back() == 9.5);
    for (int i = 0; i < 100000; ++i) losses.add(1);
    CHECK(losses.values().size() <= 64);
    CHECK(losses.values().size() >= 32);
}

// With short words all but the epochs' bar takes 75 columns, with it 82, and all with long words
// 123; the batch's bar of at least 5 has what is left, up to 48. Of the 7 columns inside a bar of
// 9, half are 3.5; of the 4 inside one of 6, 1.5 epochs of 5 are 1.2.
TEST_CASE("live_line: short words where long ones do not fit, then without the least important") {
    const Status status = some_status();
    CHECK(live_line(status, 19, kAscii) == "2/5 loss 0.0845");
    CHECK(live_line(status, 39, kAscii) == "2/5 |##   | loss 0.0845 acc 97.4%  1:04");
    CHECK(live_line(status, 79, kAscii) ==
          "2/5 469/938 |###    | loss 0.0845 #+-_     acc 97.4% lr 0.0412  71k img/s  1:04");
    CHECK(live_line(status, 79, kUtf8) ==
          "2/5 469/938 |███▌   | loss 0.0845 █▆▃▁     acc 97.4% lr 0.0412  71k img/s  1:04");
    CHECK(live_line(status, 99, kAscii) ==
          "2/5 |#   | 469/938 |##########          | loss 0.0845 #+-_     acc 97.4% lr 0.0412  71k "
          "img/s  1:04");
    CHECK(live_line(status, 122, kAscii).starts_with("2/5 |"));
    CHECK(live_line(status, 123, kAscii) ==
          "epoch 2/5  |#   |  batch 469/938  |#  |  loss 0.0845  #+-_      accuracy  97.39%  "
          "lr 0.0412      71140 images/s   1:04 left");
    // Of the 76 more, the batch's bar has 43, and the curve 22 up to 30; the epochs' has 11: of the
    // 15 inside, 1.5 epochs of 5 are 4.5.
    CHECK(live_line(status, 199, kAscii) ==
          "epoch 2/5  |####           |  batch 469/938  "
          "|#######################                       |  loss 0.0845  "
          "#+-_                            accuracy  97.39%  lr 0.0412      71140 images/s   1:04 "
          "left");
}

TEST_CASE("live_line: while the test set is evaluated, it says so") {
    Status status = some_status();
    status.batch = 938;
    status.testing = true;
    CHECK(live_line(status, 79, kAscii).starts_with("2/5 testing |#######| loss"));
    CHECK(live_line(status, 123, kAscii).find("|  testing        |###|  loss") !=
          std::string::npos);
}

TEST_CASE("live_line: numbers that gain or lose digits move nothing") {
    Status first = some_status();
    first.epochs = 10;
    std::vector<Status> others(6, first);
    others[0].epoch = 10;
    others[1].batch = 7;
    others[2].batch = others[2].batches;
    others[2].testing = true;
    others[3].loss = 12.345;
    others[3].accuracy = 1;
    others[4].accuracy = 0;
    others[4].images_per_s = 3;
    others[4].lr = 1;
    others[5].images_per_s = 1234567;
    others[5].seconds_left = 4000;
    others[5].lr = 0.000475;
    others[5].losses = {};
    for (const std::size_t width : {39u, 60u, 79u, 99u, 110u, 130u, 199u}) {
        const std::string line = live_line(first, width, kAscii);
        for (const Status& other : others) {
            const std::string changed = live_line(other, width, kAscii);
            CAPTURE(changed);
            CHECK(changed.size() == line.size());
            for (const char* const name : {"loss", "acc", "lr", "im", "left"})
                CHECK(changed.find(name) == line.find(name));
        }
    }
}

TEST_CASE("live_line: short numbers") {
    const auto shows = [](const Status& status, const char* text) {
        const std::string line = live_line(status, 79, kAscii);
        CAPTURE(line);
        CHECK(line.find(text) != std::string::npos);
    };
    Status status = some_status();
    const auto loss = [&](double value, const char* text) {
        status.loss = value;
        shows(status, text);
    };
    loss(12.3456, " loss 12.346 ");
    loss(123456.7, " loss 123457 ");
    loss(8.4512e7, " loss 8.5e7  ");
    loss(1.26e10, " loss 1.3e10 ");
    loss(1.26e100, " loss 1e100  ");
    loss(std::numeric_limits<double>::infinity(), " loss inf    ");
    const auto lr = [&](double value, const char* text) {
        status.lr = value;
        shows(status, text);
    };
    lr(0.1, " lr 0.1    ");
    lr(0.00475, " lr 0.0047 ");
    lr(0.000476, " lr 4.8e-4 ");
    lr(1e-5, " lr 1e-05  ");
    lr(1.26e-10, " lr 1e-10  ");
    lr(0, " lr 0      ");
    const auto speed = [&](double value, const char* text) {
        status.images_per_s = value;
        shows(status, text);
    };
    speed(3, "    3 img/s");
    speed(999.7, " 1.0k img/s");
    speed(9960, "  10k img/s");
    speed(289355, " 289k img/s");
    speed(1234567, " 1.2M img/s");
    const auto left = [&](double value, const char* text) {
        status.seconds_left = value;
        CHECK(live_line(status, 79, kAscii).ends_with(text));
    };
    left(3599, " 59:59");
    left(3723, " 1h02m");
    left(36000, "   10h");
    left(9.9e6, " 2750h");
    left(std::numeric_limits<double>::infinity(), "     ?");
    status.accuracy = 0.99951;
    shows(status, " acc  100% ");
    status.accuracy = 0.99949;
    shows(status, " acc 99.9% ");
}

TEST_CASE("live_line: no wider than it may be, at any width, in any style") {
    Status status = some_status();
    for (const Index scale : {1, 1000, 1000000}) {
        status.epochs = 5 * scale;
        status.batches = 938 * scale;
        status.seconds_left *= static_cast<double>(scale);
        status.loss *= static_cast<double>(scale);
        for (std::size_t width = 0; width <= 250; ++width) {
            CAPTURE(width);
            const std::string line = live_line(status, width, kAscii);
            CHECK(columns(line) <= width);
            CHECK(line.find_first_of("\n\r\x1b") == std::string::npos);
            CHECK(columns(live_line(status, width, kUtf8)) == columns(line));
            CHECK(columns(live_line(status, width, kColor)) == columns(line));
            CHECK(columns(plain_line(status, width)) <= width);
            CHECK(columns(epoch_line({.epoch = 2, .epochs = 5 * scale}, width)) <= width);
        }
    }
}

TEST_CASE("live_line: colours only where they are wanted") {
    CHECK(live_line(some_status(), 79, kUtf8).find('\x1b') == std::string::npos);
    CHECK(live_line(some_status(), 79, kColor).find("\x1b[32m|███▌") != std::string::npos);
}

TEST_CASE("plain_line: everything but bars and curve") {
    CHECK(plain_line(some_status()) ==
          "epoch 2/5  batch 469/938  loss 0.0845  accuracy 97.39%  lr 0.0412  71140 images/s  "
          "1:04 left");
    Status status = some_status();
    status.seconds_left = 3723;  // 1 h 2 min 3 s
    CHECK(plain_line(status).ends_with("  1:02:03 left"));
    status.seconds_left = std::numeric_limits<double>::infinity();
    CHECK(plain_line(status).ends_with("  ? left"));
}

TEST_CASE("epoch_line: the test's accuracy stays longest") {
    const EpochStatus status{.epoch = 2,
                             .epochs = 5,
                             .loss = 0.0845,
                             .accuracy = 0.9739,
                             .test_accuracy = 0.9723,
                             .seconds = 0.84};
    CHECK(epoch_line(status) == "epoch 2/5  loss 0.0845  accuracy 97.39%  test 97.23%  0.8 s");
    CHECK(epoch_line(status, 39) == "epoch 2/5  loss 0.0845  test 97.23%");
    CHECK(epoch_line(status, 19) == "2/5  test 97.23%");
}

}  // namespace
}  // namespace primer::examples
// SPDX-License-Identifier: MIT
