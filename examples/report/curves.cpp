#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <primer/core/text.h>
#include "html.h"
#include "sections.h"
#include "svg.h"

namespace primer::examples {
namespace {

constexpr std::size_t kStepPoints = 1000, kPanelPoints = 60, kPanels = 120;

// --- The horizontal axis ----------------------------------------------------------------------
// Epochs, or steps where a run does not say how many steps an epoch has.

double steps_per_epoch(const Run& run) {
    if (!run.epochs.empty() && run.epochs.back().step > 0) {
        return static_cast<double>(run.epochs.back().step) /
               static_cast<double>(run.epochs.back().epoch);
    }
    return run.batches_per_epoch > 0 ? static_cast<double>(run.batches_per_epoch) : kNotKnown;
}

bool in_epochs(const Report& report) {
    return std::all_of(report.runs.begin(), report.runs.end(), [](const Run& run) {
        return (run.steps.empty() && run.epochs.empty()) || !std::isnan(steps_per_epoch(run));
    });
}

std::string x_label(const Report& report) { return in_epochs(report) ? "epoch" : "training step"; }

double x_of(const Report& report, const Run& run, const StepRecord& record) {
    const auto step = static_cast<double>(record.step);
    return in_epochs(report) ? step / steps_per_epoch(run) : step;
}
double x_of(const Report& report, const Run&, const EpochRecord& record) {
    return static_cast<double>(in_epochs(report) ? record.epoch : record.step);
}

/// Where all charts end, so that their axes are alike.
double x_end(const Report& report) {
    double end = 0;
    for (const Run& run : report.runs) {
        if (!run.epochs.empty()) end = std::max(end, x_of(report, run, run.epochs.back()));
        if (!run.steps.empty()) end = std::max(end, x_of(report, run, run.steps.back()));
    }
    return std::ceil(end - 1e-9);  // an epoch that was cut off is shown as one
}

/// What all charts of a report have in common.
Chart new_chart(const Report& report, const std::string& id, const std::string& title, Unit unit) {
    Chart chart;
    chart.id = id;
    chart.title = title;
    chart.x_label = x_label(report);
    chart.x_end = x_end(report);
    chart.unit = unit;
    return chart;
}

// --- Curves -----------------------------------------------------------------------------------

/// A number that is logged with each epoch.
struct Quantity {
    double EpochRecord::*value;
    const char* name;
    Unit unit;
    bool lower_is_better;

    std::string text(double number_) const {
        return unit == Unit::percent ? percent(number_) : number(number_);
    }
};
constexpr Quantity kTrainLoss{&EpochRecord::train_loss, "training loss", Unit::plain, true};
constexpr Quantity kTestLoss{&EpochRecord::test_loss, "test loss", Unit::plain, true};
constexpr Quantity kTrainAccuracy{&EpochRecord::train_accuracy, "training accuracy", Unit::percent,
                                  false};
constexpr Quantity kTestAccuracy{&EpochRecord::test_accuracy, "test accuracy", Unit::percent,
                                 false};
constexpr Quantity kSpeed{&EpochRecord::images_per_s, "images a second", Unit::plain, false};

Curve epoch_curve(const Report& report, std::size_t r, const Quantity& quantity,
                  const std::string& tag, int style) {
    const Run& run = report.runs[r];
    Curve curve{quantity.name + report.of_run(r), tag, style, {}};
    for (const EpochRecord& record : run.epochs) {
        const double value = record.*quantity.value;
        curve.points.push_back({x_of(report, run, record), value});
        curve.titles.push_back(report.of_run(r).empty() ? "" : "run " + report.tag(r) + ", ");
        curve.titles.back() += "epoch " + std::to_string(record.epoch) + ": " + quantity.name +
                               " " + quantity.text(value);
    }
    return curve;
}

Curve step_curve(const Report& report, std::size_t r, double StepRecord::*value,
                 const std::string& name, int style) {
    const Run& run = report.runs[r];
    Curve curve{name + report.of_run(r), "", style, {}};
    curve.marks = false;
    for (const StepRecord& record : run.steps) {
        curve.points.push_back({x_of(report, run, record), record.*value});
    }
    curve.points = thinned(curve.points, kStepPoints);
    return curve;
}

std::string capital(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
        text[0] = static_cast<char>(text[0] - 32);
    return text;
}

/// "Test: 0.12 after epoch 1, 0.031 after epoch 5; lowest 0.030, epoch 4."
std::string in_words(const Run& run, const std::string& subject, const Quantity& quantity) {
    const EpochRecord *first = nullptr, *last = nullptr, *best = nullptr;
    for (const EpochRecord& record : run.epochs) {
        const double value = record.*quantity.value;
        if (!std::isfinite(value)) continue;
        if (first == nullptr) first = best = &record;
        last = &record;
        const double lead = value - best->*quantity.value;
        if (quantity.lower_is_better ? lead < 0 : lead > 0) best = &record;
    }
    if (run.epochs.empty()) return subject + ": no epoch was finished.";
    if (first == nullptr) return subject + ": not recorded.";
    const auto say = [&](const EpochRecord* record, const char* joint) {
        return quantity.text(record->*quantity.value) + joint + std::to_string(record->epoch);
    };
    std::string words = subject + ": " + say(first, " after epoch ");
    if (last != first) words += ", " + say(last, " after epoch ");
    if (best != first && best != last) {
        words += quantity.lower_is_better ? "; lowest " : "; highest ";
        words += say(best, " in epoch ");
    }
    return words + ".";
}

bool has_points(const Chart& chart) {
    for (const Curve& curve : chart.curves) {
        for (const Point& point : curve.points) {
            if (std::isfinite(point.y)) return true;
        }
    }
    return false;
}

/// Over more than two powers of ten a linear axis would show only the beginning.
void choose_scale(Chart& chart) {
    double low = INFINITY, high = 0;
    for (const Curve& curve : chart.curves) {
        for (const Point& point : curve.points) {
            if (!std::isfinite(point.y)) continue;
            low = std::min(low, point.y);
            high = std::max(high, point.y);
        }
    }
    chart.log = low > 0 && high > 100 * low;
}

/// The chart, with a summary in words, `lines`, above it.
std::string chart_figure(Chart chart, const std::vector<std::string>& lines) {
    std::string html = "<figure><figcaption><strong>" + escape(chart.title) +
                       (chart.log ? ", logarithmic" : "") + "</strong>";
    for (const std::string& line : lines) {
        html += "<span>" + escape(line) + "</span> ";
        chart.detail += (chart.detail.empty() ? "" : " ") + line;
    }
    html += "</figcaption>\n";
    if (!has_points(chart)) return html + "<p class=\"note\">Not recorded.</p></figure>\n";
    return html + chart_svg(chart) + "</figure>\n";
}

/// The chart of what epochs log, one curve a run.
std::string compared(const Report& report, const std::string& id, const Quantity& quantity) {
    Chart chart = new_chart(report, id, capital(quantity.name), quantity.unit);
    std::vector<std::string> lines;
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        const int style = static_cast<int>(r);
        chart.curves.push_back(epoch_curve(report, r, quantity, report.tag(r), style));
        lines.push_back(in_words(report.runs[r], "Run " + report.tag(r), quantity));
        if (quantity.value == kTrainLoss.value) {
            chart.curves.push_back(
                step_curve(report, r, &StepRecord::loss, "training loss within epochs", style));
            chart.curves.back().faint = true;
        }
    }
    if (quantity.lower_is_better) choose_scale(chart);
    return chart_figure(chart, lines);
}

/// Training and test in one chart.
std::string of_both(const Report& report, const std::string& id, const std::string& title,
                    const Quantity& train, const Quantity& test) {
    Chart chart = new_chart(report, id, title, test.unit);
    const std::vector<std::string> lines{in_words(report.runs[0], "Test", test),
                                         in_words(report.runs[0], "Training", train)};
    chart.curves = {epoch_curve(report, 0, test, "test", 0),
                    epoch_curve(report, 0, train, "train", 1)};
    if (test.lower_is_better) {
        chart.curves.push_back(
            step_curve(report, 0, &StepRecord::loss, "training loss within epochs", 1));
        chart.curves.back().faint = true;
        choose_scale(chart);
    }
    return chart_figure(chart, lines);
}

// --- Many small charts ------------------------------------------------------------------------

double last_value(const std::vector<Point>& points) {
    for (auto point = points.rbegin(); point != points.rend(); ++point) {
        if (std::isfinite(point->y)) return point->y;
    }
    return kNotKnown;
}

/// The curve of one layer in one run.
struct LayerCurve {
    std::string layer;
    std::size_t run;
    std::vector<Point> points;
    double first = kNotKnown, last = kNotKnown;  // of what is logged; points may be means of it
};

template <class Record>
std::vector<LayerCurve> layer_curves(const Report& report, std::vector<Record> Run::*records,
                                     NamedNumbers Record::*numbers,
                                     std::size_t limit = std::numeric_limits<std::size_t>::max()) {
    std::vector<LayerCurve> curves;
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        std::unordered_map<std::string_view, std::size_t> curve_of;  // of this run's
        for (const Record& record : report.runs[r].*records) {
            const double x = x_of(report, report.runs[r], record);
            for (const auto& [layer, value] : record.*numbers) {
                const auto [known, is_new] = curve_of.emplace(layer, curves.size());
                if (is_new) curves.push_back({.layer = layer, .run = r, .points = {}});
                curves[known->second].points.push_back({x, value});
            }
        }
    }
    for (LayerCurve& curve : curves) {
        curve.first = curve.points.front().y;
        curve.last = last_value(curve.points);
        curve.points = thinned(curve.points, limit);
    }
    return curves;
}

/// One chart a layer, all with the same axes, so that they can be compared at a glance. `chart`
/// holds what they share.
std::string layer_panels(const Report& report, Chart chart, std::vector<LayerCurve> curves) {
    std::vector<std::string> layers;  // in the order in which they come
    std::unordered_set<std::string_view> known;
    for (const LayerCurve& curve : curves) {
        if (known.insert(curve.layer).second) layers.push_back(curve.layer);
        for (const Point& point : curve.points) {
            if (!std::isfinite(point.y) || (chart.log && point.y <= 0)) continue;
            chart.low = std::fmin(chart.low, point.y);
            chart.high = std::fmax(chart.high, point.y);
        }
    }
    if (layers.empty()) return "";
    const auto text = [&](double x) {
        return chart.unit == Unit::percent ? percent(x) : number(x);
    };
    TextStream out;
    out << runs_legend(report) << "<div class=\"panels" << (report.several() ? " roomy" : "")
        << "\">\n";
    for (std::size_t i = 0; i < layers.size() && i < kPanels; ++i) {
        Chart panel = chart;
        panel.id = chart.id + std::to_string(i);
        panel.title = chart.title + ", " + layers[i];
        std::string last;
        for (const LayerCurve& curve : curves) {
            if (curve.layer != layers[i] || curve.points.empty()) continue;
            const int style = static_cast<int>(curve.run);
            const std::string tag = report.several() ? report.tag(curve.run) : "";
            panel.curves.push_back(
                {layers[i] + report.of_run(curve.run), tag, style, curve.points});
            panel.detail += "Of " + layers[i] + report.of_run(curve.run) + ": first " +
                            text(curve.first) + ", last " + text(curve.last) + ". ";
            last = text(curve.last);
        }
        out << "<figure><figcaption><span>" << escape(layers[i]) << "</span>";
        if (!report.several()) out << "<span>" << last << "</span>";
        out << "</figcaption>\n" << chart_svg(panel) << "</figure>\n";
    }
    out << "</div>\n";
    if (layers.size() > kPanels) {
        out << "<p class=\"note\">The first " << kPanels << " of " << layers.size() << ".</p>\n";
    }
    return out.str();
}

}  // namespace

std::string runs_legend(const Report& report) {
    if (!report.several()) return "";
    std::string html = "<ul class=\"legend\">";
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        html += "<li class=\"item\">" + swatch_svg(static_cast<int>(r)) + "<span>" + report.tag(r) +
                " " + escape(report.runs[r].name) + "</span></li>";
    }
    return html + "</ul>\n";
}

std::string learning_section(const Report& report) {
    const std::string note =
        "How far the predictions are from the truth (loss, cross-entropy) and how many are right. "
        "The thin line is the training loss within epochs. Training numbers are means over an "
        "epoch in which the weights still change; test numbers are of its end.";
    std::string content;
    if (report.several()) {
        content = runs_legend(report) + "<div class=\"charts\">" +
                  compared(report, "test-loss", kTestLoss) +
                  compared(report, "test-accuracy", kTestAccuracy) +
                  compared(report, "training-loss", kTrainLoss) +
                  compared(report, "training-accuracy", kTrainAccuracy) + "</div>\n";
    } else {
        content = "<ul class=\"legend\"><li>" + swatch_svg(0) + "<span>test</span></li><li>" +
                  swatch_svg(1) + "<span>training</span></li></ul>\n<div class=\"charts\">" +
                  of_both(report, "loss", "Loss", kTrainLoss, kTestLoss) +
                  of_both(report, "accuracy", "Accuracy", kTrainAccuracy, kTestAccuracy) +
                  "</div>\n";
    }
    return section("learning", "Learning", note, content);
}

std::string pace_section(const Report& report) {
    Chart lr = new_chart(report, "lr", "Learning rate", Unit::plain);
    Chart speed = new_chart(report, "speed", "Images a second", Unit::plain);
    lr.low = speed.low = 0;
    std::vector<std::string> rates, speeds;
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        const int style = static_cast<int>(r);
        const std::string subject = report.several() ? "Run " + report.tag(r) + ": " : "";
        const std::string tag = report.several() ? report.tag(r) : "";
        Curve rate = step_curve(report, r, &StepRecord::lr, "learning rate", style);
        double highest = kNotKnown;
        for (const Point& point : rate.points) highest = std::fmax(highest, point.y);
        rates.push_back(subject + (report.several() ? "highest " : "Highest ") +
                        short_number(highest) + ", last " + short_number(last_value(rate.points)) +
                        ".");
        rate.tag = tag;
        lr.curves.push_back(std::move(rate));
        speed.curves.push_back(epoch_curve(report, r, kSpeed, tag, style));
        if (report.runs[r].epochs.empty()) {
            speed.curves.back() =
                step_curve(report, r, &StepRecord::images_per_s, kSpeed.name, style);
            speed.curves.back().tag = tag;
        }
        speeds.push_back(subject + (report.several() ? "median " : "Median ") +
                         number(throughput(report.runs[r])) + ".");
    }
    return section(
        "pace", "Pace",
        "The learning rate is the length of a training step. Images a second are those of "
        "training, without evaluation.",
        runs_legend(report) + "<div class=\"charts\">" + chart_figure(lr, rates) +
            chart_figure(speed, speeds) + "</div>\n");
}

std::string gradients_section(const Report& report) {
    Chart shared = new_chart(report, "gradient", "Gradient norm", Unit::plain);
    shared.log = shared.small = true;
    const std::string note =
        "The length of the loss's gradient for each parameter, by " + x_label(report) +
        ", on one logarithmic axis for all. Norms that shrink from the last layer to the first "
        "vanish; norms that grow without end explode. A curve of many "
        "points is drawn as means of neighbours." +
        (report.several() ? std::string() : " Beside each name is the last value.");
    return section(
        "gradients", "Gradients", note,
        layer_panels(report, shared,
                     layer_curves(report, &Run::steps, &StepRecord::gradient_norms, kPanelPoints)));
}

std::string dead_units_section(const Report& report) {
    Chart shared = new_chart(report, "dead", "Dead units", Unit::percent);
    shared.small = true;
    shared.low = 0;
    shared.high = 0.01;  // less than that fills no axis
    return section(
        "dead-units", "Dead units",
        "The share of each activation’s units that give nothing for any picture, by " +
            x_label(report) + ", on one axis for all. They can hardly learn any more.",
        layer_panels(report, shared, layer_curves(report, &Run::epochs, &EpochRecord::dead_units)));
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
