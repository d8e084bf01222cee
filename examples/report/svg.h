#pragma once

#include <string>
#include <vector>

#include "run_reader.h"

namespace primer::examples {

// The charts of a report, as SVG within HTML.

/// A point of a curve. One whose y is not finite is a gap.
struct Point {
    double x = 0, y = kNotKnown;
};

struct Curve {
    std::string name;                      ///< "test loss of run A"
    std::string tag;                       ///< short: stands at its end; may be empty
    int style = 0;                         ///< which colour, dashes and marks
    std::vector<Point> points;             ///< x rises
    std::vector<std::string> titles = {};  ///< shown over each point, if there are as many
    bool marks = true;                     ///< on its points, if they are not too many
    bool faint = false;                    ///< thin: a backdrop for others
};

enum class Unit { plain, percent };

struct Chart {
    std::string id;      ///< unique in the page
    std::string title;   ///< what it shows
    std::string detail;  ///< the same in a sentence or two, for those who cannot see it
    std::string x_label;
    double x_end = 0;  ///< the axis goes from 0 to here, or further if a curve does
    Unit unit = Unit::plain;
    bool log = false;                          ///< y is logarithmic: values not above 0 are gaps
    bool small = false;                        ///< one of many side by side
    double low = kNotKnown, high = kNotKnown;  ///< y that the axis always has
    std::vector<Curve> curves = {};
};

/// Values that no chart can show are left out: those beyond 1e30 or, on a logarithmic axis, of 0
/// and less.
std::string chart_svg(const Chart& chart);

/// A short piece of a curve of this style, for a legend.
std::string swatch_svg(int style);

/// At most `limit` points, each the mean of as many neighbours; the last may be of fewer.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t limit);

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
