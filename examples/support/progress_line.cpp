#include "progress_line.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace primer::examples {
namespace {

constexpr std::size_t kMeans = 64;  // means that a LossHistory keeps

// printf's formats say in one word what a stream needs five for.
template <class... Values>
std::string format(const char* pattern, Values... values) {
    char text[128];
    const int length = std::snprintf(text, sizeof text, pattern, values...);
    return std::string(text, static_cast<std::size_t>(std::clamp(length, 0, 127)));
}

std::string clock_text(double seconds) {
    // A first step may promise years; that, and anything but a number, becomes a question mark.
    if (!(seconds < 1e7)) return "?";
    const auto s = static_cast<long>(seconds + 0.5);
    return s < 3600 ? format("%ld:%02ld", s / 60, s % 60)
                    : format("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

// In at most five columns, for a field that keeps its width.
std::string short_clock(double seconds) {
    if (!(seconds < 1e7)) return "?";
    const auto s = static_cast<long>(seconds + 0.5);
    if (s < 3600) return format("%ld:%02ld", s / 60, s % 60);
    if (s < 36000) return format("%ldh%02ldm", s / 3600, s / 60 % 60);
    return format("%ldh", s / 3600);
}

constexpr std::size_t kNumber = 6;  // columns of a loss or a learning rate

// 1.2e-05 as 1.2e-5, and with fewer digits where even that is too long.
std::string scientific(double value) {
    std::string text;
    for (int digits = 1; digits >= 0 && (text.empty() || text.size() > kNumber); --digits) {
        text = format("%.*e", digits, value);
        const std::size_t exponent = text.find('e') + 1;
        if (exponent == 0) break;  // not finite
        if (text[exponent] == '+') text.erase(exponent, 1);
        const std::size_t first = text.find_first_of("0123456789", exponent);
        const std::size_t zeros = std::min(text.find_first_not_of('0', first), text.size() - 1);
        text.erase(first, zeros - first);
    }
    return text;
}

std::string loss_text(double loss) {
    for (int decimals = 4; decimals >= 0; --decimals) {
        const std::string text = format("%.*f", decimals, loss);
        if (text.size() <= kNumber) return text;
    }
    return scientific(loss);
}

std::string lr_text(double lr) {
    for (int digits = 3; digits >= 2; --digits) {
        const std::string text = format("%.*g", digits, lr);
        if (text.size() <= kNumber) return text;
    }
    return scientific(lr);
}

// 850, 1.2k, 71k, 289k, 1.2M: in at most four columns.
std::string short_count(double value) {
    if (value < 999.5) return format("%.0f", value);
    const char* unit = "kMGT";
    for (value /= 1000; value >= 999.5 && unit[1] != '\0'; value /= 1000) ++unit;
    return format(value < 9.95 ? "%.1f%c" : "%.0f%c", value, *unit);
}

// 97.6%, or 100%, which is no wider.
std::string short_percent(double share) {
    return share < 0.9995 ? format("%.1f%%", 100 * share) : format("%.0f%%", 100 * share);
}

std::string count(const char* name, Index of, Index all) {
    return format("%s %lld/%lld", name, static_cast<long long>(of), static_cast<long long>(all));
}

std::string percent(const char* name, double share) {
    return format("%s %.2f%%", name, 100 * share);
}

std::string epoch_text(Index epoch, Index epochs, std::size_t width) {
    const std::string text = count("epoch", epoch, epochs);
    return width < 30 ? text.substr(text.find(' ') + 1) : text;
}

/// A piece of a line. Those with the lowest ranks stay, as many as fit.
struct Part {
    std::string text;
    int rank;
    std::size_t least = 0;  ///< columns; 0: those of the text, which is set already
    std::size_t most = 0;   ///< what it may grow to
    std::string (*draw)(const Status&, std::size_t width, const TerminalStyle&) = nullptr;
    std::size_t width = 0;  ///< what it gets; 0: it is left out
};

constexpr std::size_t kGap = 2;  // between two parts; with short words 1

// Gives the parts their widths, most important first, and what is left to those that can grow.
// Returns whether there is room for all of them.
bool lay_out(std::vector<Part>& parts, std::size_t width, std::size_t between) {
    std::vector<Part*> by_rank;
    for (Part& part : parts) by_rank.push_back(&part);
    std::ranges::sort(by_rank, {}, &Part::rank);
    std::size_t used = 0;
    for (Part* part : by_rank) {
        const std::size_t wanted = part->draw == nullptr ? columns(part->text) : part->least;
        const std::size_t gap = used == 0 ? 0 : between;
        if (wanted + gap > width - used) break;
        part->width = wanted;
        used += gap + wanted;
    }
    for (Part* part : by_rank) {
        if (part->width == 0 || part->draw == nullptr) continue;
        const std::size_t more = std::min(part->most - part->width, width - used);
        part->width += more;
        used += more;
    }
    return std::ranges::all_of(parts, [](const Part& part) { return part.width > 0; });
}

std::string join(const std::vector<Part>& parts, std::size_t between, const Status& status,
                 const TerminalStyle& style) {
    std::string line;
    for (const Part& part : parts) {
        if (part.width == 0) continue;
        if (!line.empty()) line.append(between, ' ');
        line += part.draw == nullptr ? part.text : part.draw(status, part.width, style);
    }
    return line;
}

std::string text_line(std::vector<Part> parts, std::size_t width) {
    lay_out(parts, width, kGap);
    return join(parts, kGap, {}, {});
}

std::string colored(const char* code, const std::string& text, const TerminalStyle& style) {
    return style.color ? std::string("\x1b[") + code + 'm' + text + "\x1b[0m" : text;
}

std::string draw_epochs(const Status& status, std::size_t width, const TerminalStyle& style) {
    const double done = static_cast<double>(status.epoch - 1) +
                        static_cast<double>(status.batch) / static_cast<double>(status.batches);
    return colored("34", bar(done / static_cast<double>(status.epochs), width, style.utf8), style);
}

std::string draw_batches(const Status& status, std::size_t width, const TerminalStyle& style) {
    const double done = static_cast<double>(status.batch) / static_cast<double>(status.batches);
    return colored("32", bar(done, width, style.utf8), style);
}

std::string draw_losses(const Status& status, std::size_t width, const TerminalStyle& style) {
    std::string curve = sparkline(status.losses, width, style.utf8);
    curve.append(width - columns(curve), ' ');  // so that what follows does not move
    return colored("36", curve, style);
}

// A count and its total, as " 12/938": as wide as it will be at the end.
std::string of(Index done, Index all) {
    const std::string end = std::to_string(all);
    return format("%*lld/%s", static_cast<int>(end.size()), static_cast<long long>(done),
                  end.c_str());
}

// Every text keeps its width while its number changes, so that nothing beside it moves.
std::vector<Part> live_parts(const Status& status, bool long_words) {
    const std::string epoch = of(status.epoch, status.epochs);
    std::string batch = format("%7s", of(status.batch, status.batches).c_str());
    if (long_words) batch = "batch " + batch;
    if (status.testing) batch = format("%-*s", static_cast<int>(batch.size()), "testing");
    const std::string loss = format("loss %-6s", loss_text(status.loss).c_str());
    const std::string left = format("%5s", short_clock(status.seconds_left).c_str());
    return {
        {long_words ? "epoch " + epoch : epoch, 1},
        {"", 10, 6, 24, draw_epochs},
        {batch, 6},
        {"", 5, 5, 48, draw_batches},
        {loss, 2},
        {"", 7, 8, 30, draw_losses},
        {long_words ? format("accuracy %6.2f%%", 100 * status.accuracy)
                    : format("acc %5s", short_percent(status.accuracy).c_str()),
         4},
        {long_words ? format("lr %-8.3g", status.lr)
                    : format("lr %-6s", lr_text(status.lr).c_str()),
         8},
        {long_words ? format("%7.0f images/s", status.images_per_s)
                    : format("%4s img/s", short_count(status.images_per_s).c_str()),
         9},
        {long_words ? left + " left" : left, 3},
    };
}

}  // namespace

std::string live_line(const Status& status, std::size_t width, const TerminalStyle& style) {
    std::vector<Part> parts = live_parts(status, true);
    if (lay_out(parts, width, kGap)) return join(parts, kGap, status, style);
    parts = live_parts(status, false);
    lay_out(parts, width, 1);
    return join(parts, 1, status, style);
}

std::string plain_line(const Status& status, std::size_t width) {
    return text_line({{epoch_text(status.epoch, status.epochs, width), 1},
                      {count("batch", status.batch, status.batches), 4},
                      {format("loss %.4f", status.loss), 2},
                      {percent("accuracy", status.accuracy), 5},
                      {format("lr %.3g", status.lr), 7},
                      {format("%.0f images/s", status.images_per_s), 6},
                      {clock_text(status.seconds_left) + " left", 3}},
                     width);
}

std::string epoch_line(const EpochStatus& status, std::size_t width) {
    return text_line({{epoch_text(status.epoch, status.epochs, width), 1},
                      {format("loss %.4f", status.loss), 3},
                      {percent("accuracy", status.accuracy), 4},
                      {percent("test", status.test_accuracy), 2},
                      {format("%.1f s", status.seconds), 5}},
                     width);
}

std::string bar(double share, std::size_t width, bool utf8) {
    static constexpr std::array<const char*, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const std::size_t inside = width < 2 ? 0 : width - 2;
    const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(inside);
    const auto whole = static_cast<std::size_t>(filled);
    std::string text = "|";
    for (std::size_t i = 0; i < whole; ++i) text += utf8 ? "█" : "#";
    std::size_t rest = inside - whole;
    const auto eighths = static_cast<std::size_t>((filled - static_cast<double>(whole)) * 8);
    if (utf8 && eighths > 0) {
        text += kEighths[eighths];
        --rest;
    }
    return text.append(rest, ' ') + "|";
}

std::string sparkline(const std::vector<double>& values, std::size_t width, bool utf8) {
    static constexpr std::array<const char*, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static constexpr std::array<const char*, 8> kLetters{"_", ".", "-", "~", "=", "+", "*", "#"};
    std::vector<double> heights;
    for (const double value : values) {
        if (value > 0 && std::isfinite(value)) heights.push_back(std::log(value));
    }
    const std::size_t length = std::min(width, heights.size());
    for (std::size_t i = 0; i < length; ++i) {
        const std::size_t begin = i * heights.size() / length;
        const std::size_t end = (i + 1) * heights.size() / length;
        double sum = 0;
        for (std::size_t j = begin; j < end; ++j) sum += heights[j];
        heights[i] = sum / static_cast<double>(end - begin);
    }
    heights.resize(length);
    if (heights.empty()) return "";
    const auto [low, high] = std::ranges::minmax(heights);
    std::string text;
    for (const double height : heights) {
        const double level = high > low ? (height - low) / (high - low) * 7 + 0.5 : 0;
        text += (utf8 ? kBlocks : kLetters)[static_cast<std::size_t>(level)];
    }
    return text;
}

std::size_t columns(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            i = std::min(text.find('m', i), text.size() - 1);
        } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
            ++count;  // not a continuation byte of UTF-8
        }
    }
    return count;
}

void LossHistory::add(double value) {
    sum_ += value;
    if (++count_ < each_) return;
    means_.push_back(sum_ / static_cast<double>(count_));
    sum_ = 0;
    count_ = 0;
    if (means_.size() < kMeans) return;
    for (std::size_t i = 0; i < kMeans / 2; ++i)
        means_[i] = (means_[2 * i] + means_[2 * i + 1]) / 2;
    means_.resize(kMeans / 2);
    each_ *= 2;
}

std::vector<double> LossHistory::values() const {
    std::vector<double> all = means_;
    if (count_ > 0) all.push_back(sum_ / static_cast<double>(count_));
    return all;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
