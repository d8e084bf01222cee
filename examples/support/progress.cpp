#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace primer::examples {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kRedraw{0.1};   // a line that changes faster can not be read
constexpr Index kPlainLines = 4;  // for each epoch, the one at its end included

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
    loss_ += loss * static_cast<double>(examples);
    correct_ += correct;
    examples_ += examples;
    if (terminal_) {
        const auto now = Clock::now();
        if (now - shown_ < kRedraw) return;
        shown_ = now;
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
    const auto done = static_cast<double>((epoch_ - 1) * batches_ + batch_);
    const auto all = static_cast<double>(epochs_ * batches_);
    const auto seen = static_cast<double>(examples_);
    return format("epoch %d/%d  batch %lld/%lld  loss %.4f  accuracy %.2f%%", epoch_, epochs_,
                  static_cast<long long>(batch_), static_cast<long long>(batches_), loss_ / seen,
                  100 * static_cast<double>(correct_) / seen) +
           format("  %.0f images/s  %s left", seen / in_epoch,
                  clock_text(run / done * (all - done)).c_str());
}

void Progress::end_epoch(double test_accuracy) {
    const double in_epoch = Seconds(Clock::now() - epoch_start_).count();
    const auto seen = static_cast<double>(examples_);
    if (terminal_) std::cout << "\r\x1b[K";
    std::cout << format("epoch %d/%d  loss %.4f  accuracy %.2f%%", epoch_, epochs_, loss_ / seen,
                        100 * static_cast<double>(correct_) / seen)
              << format("  test %.2f%%  %.1f s", 100 * test_accuracy, in_epoch) << std::endl;
    ++epoch_;
    batch_ = correct_ = examples_ = 0;
    loss_ = 0;
    epoch_start_ = Clock::now();
}

}  // namespace primer::examples
