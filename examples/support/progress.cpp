#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace primer::examples {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};  // a line that changes faster can not be read
constexpr Index kPlainLines = 4;                   // for each epoch, the one at its end included

// printf's formats say in one word what a stream needs five for.
template <class... Values>
std::string format(const char* pattern, Values... values) {
    char text[128];
    const int length = std::snprintf(text, sizeof text, pattern, values...);
    return std::string(text, static_cast<std::size_t>(std::clamp(length, 0, 127)));
}

std::string clock_text(double seconds) {
    const auto s = static_cast<long>(seconds + 0.5);
    return s < 3600 ? format("%ld:%02ld", s / 60, s % 60)
                    : format("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

std::size_t terminal_width() {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(int epochs, Index batches_per_epoch)
    : epochs_(epochs), batches_(batches_per_epoch), terminal_(isatty(STDOUT_FILENO) == 1) {}

void Progress::step(double loss, Index correct, Index examples) {
    ++batch_;
    sums_.loss += loss * static_cast<double>(examples);
    sums_.correct += correct;
    sums_.examples += examples;
    last_step_ = Clock::now();
    if (terminal_) {
        if (last_step_ - shown_ < kRedraw) return;
        shown_ = last_step_;
        // Cut to the width: a line that wraps could not be drawn over.
        std::cout << '\r' << line().substr(0, terminal_width() - 1) << "\x1b[K" << std::flush;
    } else if (batch_ * kPlainLines / batches_ != (batch_ - 1) * kPlainLines / batches_ &&
               batch_ < batches_) {
        std::cout << line() << std::endl;
    }
}

std::string Progress::line() const {
    const double in_epoch = Seconds(Clock::now() - epoch_start_).count();
    const double run = Seconds(Clock::now() - start_).count();
    const Index steps = (epoch_ - 1) * batches_ + batch_;
    const auto done = static_cast<double>(steps - resumed_steps_);
    const auto left = static_cast<double>(epochs_ * batches_ - steps);
    return format("epoch %d/%d  batch %lld/%lld  ", epoch_, epochs_, static_cast<long long>(batch_),
                  static_cast<long long>(batches_)) +
           means() +
           format("  %.0f images/s  %s left",
                  static_cast<double>(sums_.examples - resumed_.examples) / in_epoch,
                  clock_text(run / done * left).c_str());
}

std::string Progress::means() const {
    const auto seen = static_cast<double>(sums_.examples);
    return format("loss %.4f  accuracy %.2f%%", sums_.loss / seen,
                  100 * static_cast<double>(sums_.correct) / seen);
}

void Progress::resume(Index steps, const EpochSums& sums) {
    epoch_ = steps == 0 ? 1 : static_cast<int>((steps - 1) / batches_) + 1;
    batch_ = steps - (epoch_ - 1) * batches_;
    resumed_steps_ = steps;
    sums_ = resumed_ = sums;
    start_ = epoch_start_ = last_step_ = Clock::now();
}

void Progress::make_room() const { std::cout << (terminal_ ? "\r\x1b[K" : "") << std::flush; }

void Progress::end_epoch(double test_accuracy) {
    const double in_epoch = Seconds(Clock::now() - epoch_start_).count();
    make_room();
    std::cout << format("epoch %d/%d  ", epoch_, epochs_) << means()
              << format("  test %.2f%%  %.1f s", 100 * test_accuracy, in_epoch) << std::endl;
    training_ += last_step_ - epoch_start_;
    ++epoch_;
    batch_ = 0;
    sums_ = resumed_ = {};
    epoch_start_ = last_step_ = Clock::now();
}

}  // namespace primer::examples
