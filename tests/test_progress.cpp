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
    // Two columns are the means of two each, again far from one another.
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

TEST_CASE("live_line: what there is no room for is left out, the least important first") {
    const Status status = some_status();
    CHECK(live_line(status, 19, kAscii) == "2/5  loss 0.0845");
    CHECK(live_line(status, 39, kAscii) == "epoch 2/5  loss 0.0845  1:04 left");
    CHECK(live_line(status, 79, kAscii) ==
          "epoch 2/5  |#######        |  loss 0.0845  #+-_      accuracy 97.39%  1:04 left");
    // The batch's bar has all it may have, 48, and the curve 30; the epochs' has the rest, 21: of
    // the 19 inside, 1.5 epochs of 5 are 5.7.
    CHECK(
        live_line(status, 199, kAscii) ==
        "epoch 2/5  |#####              |  batch 469/938  "
        "|#######################                       |  loss 0.0845  "
        "#+-_                            accuracy 97.39%  lr 0.0412    71140 images/s  1:04 left");
    Status early = status;
    early.batch = 7;
    CHECK(live_line(early, 199, kAscii).find("batch   7/938") != std::string::npos);
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
    CHECK(live_line(some_status(), 79, kColor).find("\x1b[32m|███████▌") != std::string::npos);
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
