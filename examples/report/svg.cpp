#include "svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>

#include <primer/core/text.h>
#include "html.h"

namespace primer::examples {
namespace {

constexpr int kColours = 6, kDashes = 5, kMarks = 6;
constexpr std::size_t kMarkedPoints = 60;  // with more, marks would hide the curve
constexpr std::size_t kDensePoints = 200;  // with more, a thick line is a blot

template <class... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

/// A place in the picture, in its units.
std::string place(double x) {
    std::string text = formatted("%.1f", x);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text == "-0" ? "0" : text;
}

bool drawable(double y, bool log) {
    return std::isfinite(y) && std::abs(y) <= 1e30 && (!log || y >= 1e-30);
}

// --- Axes -------------------------------------------------------------------------------------

struct Range {
    double low = kNotKnown, high = kNotKnown;

    bool empty() const { return std::isnan(low); }
    void include(double value) {
        low = empty() ? value : std::min(low, value);
        high = std::isnan(high) ? value : std::max(high, value);
    }
};

/// Maps values to places, and has the values that get a line and a number.
struct Axis {
    double low, high;  // values
    double from, to;   // places
    bool log;
    std::vector<double> ticks;
    double step = 0;  // between ticks, if not logarithmic

    double at(double value) const {
        const double share =
            log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
        return from + share * (to - from);
    }
};

/// The smallest of 1, 2, 5, 10, 20, ... times a power of ten that is at least `value`.
double nice_step(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= value * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

Axis linear_axis(Range range, double from, double to, int about) {
    const double size = std::max({std::abs(range.low), std::abs(range.high), 1e-30});
    if (range.high - range.low < 1e-6 * size) {  // one value: it stands in the middle
        range = {range.low - 0.1 * size, range.high + 0.1 * size};
    }
    const double step = nice_step((range.high - range.low) / about);
    const double first = std::floor(range.low / step + 1e-6);
    const double last = std::ceil(range.high / step - 1e-6);
    Axis axis{first * step, last * step, from, to, false, {}, step};
    for (double i = first; i <= last; ++i) axis.ticks.push_back(i * step);
    return axis;
}

Axis log_axis(const Range& range, double from, double to, int about) {
    double first = std::floor(std::log10(range.low) + 1e-9);
    const double last = std::max(first + 1, std::ceil(std::log10(range.high) - 1e-9));
    Axis axis{0, 0, from, to, true, {}, 0};
    // Few decades: also 2 and 5 times each; many: only every second, third, ...
    const bool fine = (last - first) * 3 <= about + 1;
    const double stride = std::max(1.0, std::ceil((last - first) / about));
    first = last - stride * std::ceil((last - first) / stride);
    for (double i = first; i <= last; i += stride) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            if (factor == 1.0 || (fine && i < last)) axis.ticks.push_back(factor * std::pow(10, i));
        }
    }
    axis.low = std::pow(10, first);
    axis.high = std::pow(10, last);
    if (fine) {  // no more of the first and the last decade than is needed
        while (axis.ticks.size() > 2 && axis.ticks[1] <= range.low) {
            axis.ticks.erase(axis.ticks.begin());
        }
        while (axis.ticks.size() > 2 && axis.ticks.rbegin()[1] >= range.high) axis.ticks.pop_back();
        axis.low = axis.ticks.front();
        axis.high = axis.ticks.back();
    }
    return axis;
}

std::string tick_text(double value, const Axis& axis, Unit unit) {
    if (unit == Unit::percent) {
        const int decimals = axis.step >= 0.0099 ? 0 : axis.step >= 0.00099 ? 1 : 2;
        return formatted("%.*f", decimals, 100 * value) + "%";
    }
    const double step = axis.log ? value : axis.step;
    if (std::abs(value) < 1e-3 * step) return "0";
    if (std::abs(value) >= 1e6 || step < 1e-4) return formatted("%.3g", value);
    if (std::abs(value) >= 1e4 && step >= 100) {
        return formatted(step >= 1000 ? "%.0f" : "%.1f", value / 1000) + "k";
    }
    const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
    return formatted("%.*f", decimals, value);
}

// --- The picture ------------------------------------------------------------------------------

struct Frame {
    double width, height, left, right, top, bottom;  // the last four: edges of the plot
};
constexpr Frame kLarge{440, 236, 44, 398, 10, 198};
constexpr Frame kSmall{180, 108, 36, 168, 8, 90};

struct Plot {
    const Chart& chart;
    Frame frame;
    Axis x, y;
};

Plot make_plot(const Chart& chart) {
    Range x, y;
    for (const Curve& curve : chart.curves) {
        for (const Point& point : curve.points) {
            if (!drawable(point.x, false) || !drawable(point.y, chart.log)) continue;
            x.include(point.x);
            y.include(point.y);
        }
    }
    if (drawable(chart.low, chart.log)) y.include(chart.low);
    if (drawable(chart.high, chart.log)) y.include(chart.high);
    if (y.empty()) y = chart.log ? Range{0.1, 1} : Range{0, 1};
    x.include(0);
    x.include(chart.x_end);
    if (x.high <= 0) x.include(1);
    Frame frame = chart.small ? kSmall : kLarge;
    const bool tagged = std::any_of(chart.curves.begin(), chart.curves.end(),
                                    [](const Curve& curve) { return !curve.tag.empty(); });
    if (!tagged && !chart.small) frame.right = frame.width - 12;
    const int lines = chart.small ? 2 : 5;
    Axis x_axis = linear_axis(x, frame.left, frame.right, chart.small ? 2 : 8);
    x_axis.high = x.high;   // no room beyond the last point
    if (x_axis.step < 1) {  // neither epochs nor steps come in halves
        x_axis.step = 1;
        x_axis.ticks = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    }
    std::erase_if(x_axis.ticks, [&](double tick) { return tick > x.high * (1 + 1e-9); });
    return {chart, frame, x_axis,
            chart.log ? log_axis(y, frame.bottom, frame.top, lines)
                      : linear_axis(y, frame.bottom, frame.top, lines)};
}

void draw_axes(std::ostream& out, const Plot& plot) {
    const Frame& frame = plot.frame;
    for (const double tick : plot.y.ticks) {
        const std::string y = place(plot.y.at(tick));
        out << "<path class=\"grid\" d=\"M" << place(frame.left) << ' ' << y << 'H'
            << place(frame.right) << "\"/><text class=\"y\" x=\"" << place(frame.left - 6)
            << "\" y=\"" << y << "\" dy=\".35em\">" << tick_text(tick, plot.y, plot.chart.unit)
            << "</text>\n";
    }
    out << "<path class=\"axis\" d=\"M" << place(frame.left) << ' ' << place(frame.bottom) << 'H'
        << place(frame.right) << "\"/>\n";
    for (const double tick : plot.x.ticks) {
        const std::string x = place(plot.x.at(tick));
        out << "<path class=\"axis\" d=\"M" << x << ' ' << place(frame.bottom) << "v4\"/>"
            << "<text class=\"x\" x=\"" << x << "\" y=\"" << place(frame.bottom + 5)
            << "\" dy=\".95em\">" << tick_text(tick, plot.x, Unit::plain) << "</text>\n";
    }
    if (!plot.chart.small) {
        out << "<text class=\"x\" x=\"" << place((frame.left + frame.right) / 2) << "\" y=\""
            << place(frame.height - 4) << "\">" << escape(plot.chart.x_label) << "</text>\n";
    }
}

std::string styled(const char* kind, int style) {
    return std::string(kind) + " c" + std::to_string(style % kColours) + " d" +
           std::to_string(style % kDashes);
}

/// A mark around (x, y), which tells curves apart as their dashes do.
std::string mark(int style, const std::string& x, const std::string& y) {
    static const std::array<const char*, kMarks> shapes{
        "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",  // circle
        "m0-4.2l4.2 4.2l-4.2 4.2l-4.2-4.2z",                 // diamond
        "m0-4l3.8 6.8h-7.6z",                                // triangle
        "m-3-3h6v6h-6z",                                     // square
        "m0 4l3.8-6.8h-7.6z",                                // triangle on its head
        "m-3.4-3.4l6.8 6.8m0-6.8l-6.8 6.8",                  // cross
    };
    return "M" + x + ' ' + y + shapes[static_cast<std::size_t>(style % kMarks)];
}

void draw_curve(std::ostream& out, const Plot& plot, const Curve& curve) {
    const bool log = plot.chart.log;
    TextStream path, marks;
    bool gap = true;
    std::size_t alone = 0;  // points since the last gap
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
        const Point& point = curve.points[i];
        if (!drawable(point.x, false) || !drawable(point.y, log)) {
            gap = true;
            continue;
        }
        const std::string x = place(plot.x.at(point.x)), y = place(plot.y.at(point.y));
        path << (gap ? 'M' : 'L') << x << ' ' << y;
        alone = gap ? 1 : alone + 1;
        gap = false;
        const bool before_gap =
            i + 1 == curve.points.size() || !drawable(curve.points[i + 1].y, log);
        // A point without neighbours is not a line: without a mark it would be invisible.
        const bool lonely = alone == 1 && before_gap;
        if (!lonely && (!curve.marks || plot.chart.small || curve.points.size() > kMarkedPoints)) {
            continue;
        }
        marks << "<path class=\"" << styled("mark", curve.style) << "\" d=\""
              << mark(curve.style, x, y) << "\">";
        if (curve.titles.size() == curve.points.size()) {
            marks << "<title>" << escape(curve.titles[i]) << "</title>";
        }
        marks << "</path>\n";
    }
    out << "<path class=\""
        << styled(curve.faint                          ? "curve faint"
                  : curve.points.size() > kDensePoints ? "curve dense"
                                                       : "curve",
                  curve.style)
        << "\" data-curve=\"" << escape(curve.name) << "\" d=\"" << path.str() << "\"/>\n"
        << marks.str();
}

struct Tag {
    double x, y;
    const Curve* curve;
};

/// Moves tags down until none overlaps another, and all of them up if that went too far.
void push_apart(std::vector<Tag>& tags, double bottom, double apart) {
    std::ranges::sort(tags, [](const Tag& a, const Tag& b) {
        return a.y != b.y ? a.y < b.y : a.curve < b.curve;  // all curves lie in one vector
    });
    double too_far = 0;
    for (std::size_t i = 0; i < tags.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            if (std::abs(tags[i].x - tags[k].x) > 2 * apart) continue;
            tags[i].y = std::max(tags[i].y, tags[k].y + apart);
        }
        too_far = std::max(too_far, tags[i].y - bottom);
    }
    for (Tag& tag : tags) {
        if (tag.y + 4 * apart > bottom) tag.y -= too_far;
    }
}

void draw_tags(std::ostream& out, const Plot& plot) {
    std::vector<Tag> tags;
    for (const Curve& curve : plot.chart.curves) {
        if (curve.tag.empty()) continue;
        for (auto point = curve.points.rbegin(); point != curve.points.rend(); ++point) {
            if (!drawable(point->x, false) || !drawable(point->y, plot.chart.log)) continue;
            tags.push_back({plot.x.at(point->x), plot.y.at(point->y), &curve});
            break;
        }
    }
    push_apart(tags, plot.frame.bottom - 2, plot.chart.small ? 10 : 14);
    for (const Tag& tag : tags) {
        out << "<text class=\"tag c" << tag.curve->style % kColours << "\" x=\""
            << place(tag.x + (plot.chart.small ? 3 : 8)) << "\" y=\"" << place(tag.y)
            << "\" dy=\".35em\">" << escape(tag.curve->tag) << "</text>\n";
    }
}

}  // namespace

std::string chart_svg(const Chart& chart) {
    const Plot plot = make_plot(chart);
    TextStream out;
    out << "<svg class=\"" << (chart.small ? "chart small" : "chart") << "\" viewBox=\"0 0 "
        << place(plot.frame.width) << ' ' << place(plot.frame.height)
        << "\" role=\"img\" aria-labelledby=\"" << chart.id << "-t " << chart.id << "-d\">\n"
        << "<title id=\"" << chart.id << "-t\">" << escape(chart.title) << "</title>\n"
        << "<desc id=\"" << chart.id << "-d\">" << escape(chart.detail) << "</desc>\n";
    draw_axes(out, plot);
    for (const bool faint : {true, false}) {
        for (const Curve& curve : chart.curves) {
            if (curve.faint == faint) draw_curve(out, plot, curve);
        }
    }
    draw_tags(out, plot);
    out << "</svg>\n";
    return out.str();
}

std::string swatch_svg(int style) {
    return "<svg class=\"swatch\" viewBox=\"0 0 36 12\" aria-hidden=\"true\"><path class=\"" +
           styled("curve", style) + "\" d=\"M1 6H35\"/><path class=\"" + styled("mark", style) +
           "\" d=\"" + mark(style, "18", "6") + "\"/></svg>";
}

std::vector<Point> thinned(const std::vector<Point>& points, std::size_t limit) {
    if (points.size() <= limit) return points;
    const std::size_t group = (points.size() + limit - 1) / limit;
    std::vector<Point> means;
    for (std::size_t i = 0; i < points.size(); i += group) {
        const std::size_t end = std::min(i + group, points.size());
        double sum = 0, finite = 0;
        for (std::size_t k = i; k < end; ++k) {
            if (!drawable(points[k].y, false)) continue;
            sum += points[k].y;
            ++finite;
        }
        means.push_back({points[end - 1].x, finite > 0 ? sum / finite : kNotKnown});
    }
    return means;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
