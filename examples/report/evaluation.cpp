#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <sstream>
#include <tuple>

#include <primer/core/text.h>
#include "html.h"
#include "sections.h"

namespace primer::examples {
namespace {

constexpr std::size_t kMatrixClasses = 24;  // a larger table cannot be read
constexpr std::size_t kConfusions = 20;     // so the most frequent are listed

Index row_sum(const Run& run, std::size_t truth) {
    const std::vector<Index>& row = run.confusion[truth];
    return std::accumulate(row.begin(), row.end(), Index{0});
}

std::string name(const Run& run, std::size_t i) {
    return escape(run.class_name(static_cast<Index>(i)));
}

/// How strongly a cell is shaded, from 0 to 1.
std::string strength(double share) {
    std::array<char, 16> text{};
    // Even the darkest leaves the number in it easy to read.
    std::snprintf(text.data(), text.size(), "%.2f", 0.06 + 0.44 * std::clamp(share, 0.0, 1.0));
    return text.data();
}

/// The width of a bar, in percent.
std::string width(double share, double longest) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.1f", 100 * share / longest);
    return text.data();
}

std::string matrix_row(const Run& run, std::size_t truth, Index most_missed) {
    TextStream out;
    const auto total = static_cast<double>(row_sum(run, truth));
    out << "<tr><th scope=\"row\">" << name(run, truth) << "</th>";
    for (std::size_t i = 0; i < run.confusion.size(); ++i) {
        const auto cell = static_cast<double>(run.confusion[truth][i]);
        out << "<td class=\"";
        if (i == truth) {
            out << "hit\" style=\"--a:" << strength(total > 0 ? cell / total : 0) << "\">";
        } else if (cell == 0) {
            out << "none\">";
        } else {
            // The root, so that a single mistake among hundreds is visible.
            const double share = std::sqrt(cell / static_cast<double>(most_missed));
            out << "miss\" style=\"--a:" << strength(share) << "\">";
        }
        out << run.confusion[truth][i] << "</td>";
    }
    out << "</tr>\n";
    return out.str();
}

std::string matrix(const Run& run) {
    const std::size_t n = run.confusion.size();
    Index most_missed = 1;
    std::size_t longest = 0;
    for (std::size_t t = 0; t < n; ++t) {
        longest = std::max(longest, run.class_name(static_cast<Index>(t)).size());
        for (std::size_t p = 0; p < n; ++p) {
            if (t != p) most_missed = std::max(most_missed, run.confusion[t][p]);
        }
    }
    TextStream out;
    out << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Confusion matrix\">"
        << "<table class=\"matrix " << (longest > 2 ? "names" : "")
        << "\"><caption>Rows: the true class. Columns: what was predicted. "
           "<span class=\"key\" style=\"background:rgb(var(--hit)/.5)\"></span> right (the "
           "diagonal), "
           "<span class=\"key\" style=\"background:rgb(var(--miss)/.5)\"></span> wrong; the "
           "stronger, the more.</caption>\n<thead><tr><td style=\"width:"
        << std::min<std::size_t>(longest, 11) + 2 << "ch\"></td>";
    for (std::size_t i = 0; i < n; ++i) {
        out << "<th scope=\"col\"><span>" << name(run, i) << "</span></th>";
    }
    out << "</tr></thead>\n<tbody>\n";
    for (std::size_t t = 0; t < n; ++t) out << matrix_row(run, t, most_missed);
    out << "</tbody></table></div>\n";
    return out.str();
}

std::string frequent_confusions(const Run& run) {
    struct Cell {
        std::size_t truth, predicted;
        Index count;
    };
    std::vector<Cell> cells;
    for (std::size_t t = 0; t < run.confusion.size(); ++t) {
        for (std::size_t p = 0; p < run.confusion.size(); ++p) {
            if (t != p && run.confusion[t][p] > 0) cells.push_back({t, p, run.confusion[t][p]});
        }
    }
    std::ranges::sort(cells, [](const Cell& a, const Cell& b) {
        return std::tie(b.count, a.truth, a.predicted) < std::tie(a.count, b.truth, b.predicted);
    });
    TextStream out;
    out << "<table class=\"text wide\"><caption>The most frequent mistakes: with "
        << run.confusion.size() << " classes, the whole matrix would be too large."
        << "</caption>\n<thead><tr><th scope=\"col\">true</th><th scope=\"col\">predicted</th>"
           "<th scope=\"col\">pictures</th></tr></thead>\n<tbody>\n";
    for (std::size_t i = 0; i < cells.size() && i < kConfusions; ++i) {
        out << "<tr><th scope=\"row\">" << name(run, cells[i].truth) << "</th><td>"
            << name(run, cells[i].predicted) << "</td><td>" << cells[i].count << "</td></tr>\n";
    }
    out << "</tbody></table>\n";
    return out.str();
}

/// What pictures of this class are most often taken for; "–" if never for anything else.
std::string taken_for(const Run& run, std::size_t truth) {
    std::size_t most = truth;
    for (std::size_t p = 0; p < run.confusion.size(); ++p) {
        if (p == truth || run.confusion[truth][p] == 0) continue;
        if (most == truth || run.confusion[truth][p] > run.confusion[truth][most]) most = p;
    }
    return most == truth ? "–" : name(run, most) + " (" + count(run.confusion[truth][most]) + "×)";
}

/// The bars show the mistakes, not what is right: there the classes differ.
std::string classes_table(const Run& run) {
    double most_wrong = 0;
    for (std::size_t t = 0; t < run.confusion.size(); ++t) {
        most_wrong = std::fmax(most_wrong, 1 - class_accuracy(run, t));
    }
    TextStream out;
    out << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Accuracy of each "
           "class\"><table class=\"bars wide\"><caption>Accuracy of each class. <span "
           "class=\"bar-note\">A bar is the share that is wrong; the longest, "
        << percent(most_wrong)
        << ".</span></caption>\n<thead><tr><th scope=\"col\">class</th><th "
           "scope=\"col\">pictures</th>"
           "<th scope=\"col\">right</th><th scope=\"col\" class=\"left\">wrong</th>"
           "<th scope=\"col\">taken for</th></tr></thead>\n<tbody>\n";
    for (std::size_t t = 0; t < run.confusion.size(); ++t) {
        const double share = class_accuracy(run, t);
        out << "<tr><th scope=\"row\">" << name(run, t) << "</th><td>" << count(row_sum(run, t))
            << "</td><td>" << percent(share) << "</td><td>";
        if (share < 1) {
            out << "<span class=\"bar\" style=\"width:" << width(1 - share, most_wrong)
                << "%\"></span>";
        }
        out << "</td><td>" << taken_for(run, t) << "</td></tr>\n";
    }
    out << "</tbody></table></div>\n";
    return out.str();
}

std::string mistake_item(const Run& run, const Mistake& mistake) {
    const std::string truth = run.class_name(mistake.truth);
    const std::string predicted = run.class_name(mistake.predicted);
    const std::string alt = "Test picture " +
                            (mistake.index < 0 ? "?" : std::to_string(mistake.index)) +
                            ": true class " + truth + ", predicted " + predicted +
                            " with probability " + percent(mistake.probability);
    TextStream out;
    out << "<li><figure>";
    if (mistake.picture.bytes.empty()) {
        out << "<div class=\"nothing\">no picture</div>";
    } else {
        out << image(mistake.picture, alt);
    }
    out << "<figcaption><small>true</small> <b>" << escape(truth)
        << "</b><br><small>predicted</small> <b>" << escape(predicted) << "</b><br><small>with "
        << percent(mistake.probability) << "</small></figcaption></figure></li>\n";
    return out.str();
}

int level(const Report& report) { return report.several() ? 3 : 2; }

std::string id(const Report& report, std::size_t run, const std::string& part) {
    return report.several() ? part + "-" + report.tag(run) : part;
}

}  // namespace

double class_accuracy(const Run& run, std::size_t truth) {
    const Index total = row_sum(run, truth);
    if (total <= 0) return kNotKnown;
    return static_cast<double>(run.confusion[truth][truth]) / static_cast<double>(total);
}

std::string confusion_section(const Report& report, std::size_t r) {
    const Run& run = report.runs[r];
    std::string content;
    if (!run.confusion.empty()) {
        content =
            "<div class=\"two\"><div>" +
            (run.confusion.size() <= kMatrixClasses ? matrix(run) : frequent_confusions(run)) +
            "</div><div>" + classes_table(run) + "</div></div>\n";
    }
    return section(id(report, r, "confusion"), "What is taken for what",
                   "All test pictures, as the model of the last epoch sees them.", content,
                   level(report));
}

std::string mistakes_section(const Report& report, std::size_t r) {
    const Run& run = report.runs[r];
    std::string content;
    for (const Mistake& mistake : run.mistakes) content += mistake_item(run, mistake);
    if (!content.empty()) content = "<ul class=\"gallery\">\n" + content + "</ul>\n";
    return section(
        id(report, r, "mistakes"), "Most confident mistakes",
        "The test pictures of which the model was most sure, and wrong. Some are hard for "
        "people, too; others show what has not been learnt.",
        content, level(report));
}

std::string filters_section(const Report& report, std::size_t r) {
    const Run& run = report.runs[r];
    std::string content;
    if (!run.filters.bytes.empty()) {
        content = "<figure class=\"filters\">" +
                  image(run.filters, "The weights of the first layer’s filters" + report.of_run(r) +
                                         ", one small square for each filter") +
                  "</figure>\n";
    }
    return section(id(report, r, "filters"), "First-layer filters",
                   "The weights of the first layer as pictures: what each filter looks for. Edges "
                   "and spots of colour have been learnt; noise has not.",
                   content, level(report));
}

std::string epochs_section(const Report& report, std::size_t r) {
    const Run& run = report.runs[r];
    TextStream out;
    const EpochRecord* const best = best_epoch(run);
    for (const EpochRecord& epoch : run.epochs) {
        const bool is_best = best != nullptr && epoch.epoch == best->epoch && run.epochs.size() > 1;
        out << "<tr><th scope=\"row\">" << epoch.epoch
            << (is_best ? " <span class=\"best\">best</span>" : "") << "</th><td>"
            << number(epoch.train_loss) << "</td><td>" << number(epoch.test_loss) << "</td><td>"
            << percent(epoch.train_accuracy) << "</td><td>" << percent(epoch.test_accuracy)
            << "</td><td>" << duration(epoch.seconds) << "</td><td>" << number(epoch.images_per_s)
            << "</td></tr>\n";
    }
    std::string content = out.str();
    if (!content.empty()) {
        content =
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"All epochs\"><table "
            "class=\"wide epochs\"><thead><tr><th scope=\"col\">epoch</th><th "
            "scope=\"col\">training "
            "loss</th><th scope=\"col\">test loss</th><th scope=\"col\">training accuracy</th><th "
            "scope=\"col\">test accuracy</th><th scope=\"col\">time</th><th "
            "scope=\"col\">images/s</th></tr></thead>\n<tbody>\n" +
            content + "</tbody></table></div>\n";
        if (run.epochs.size() > 30) {
            content = "<details><summary>Show all " + count(static_cast<Index>(run.epochs.size())) +
                      " epochs</summary>\n" + content + "</details>\n";
        }
    }
    return section(id(report, r, "epochs"), "Epoch by epoch",
                   "The numbers behind the curves. Time is that of training, without evaluation.",
                   content, level(report));
}

std::string model_section(const Report& report, std::size_t r) {
    const Run& run = report.runs[r];
    std::string content;
    if (!run.model.empty()) {
        content = "<pre tabindex=\"0\" role=\"region\" aria-label=\"Model" + report.of_run(r) +
                  "\">" + escape(run.model) + "</pre>\n";
    }
    return section(id(report, r, "model"), "Model",
                   run.parameters < 0 ? "" : count(run.parameters) + " parameters.", content,
                   level(report));
}

std::string classes_comparison_section(const Report& report) {
    const Run& first = report.runs.front();
    const std::size_t n = first.confusion.size();
    for (const Run& run : report.runs) {
        if (run.confusion.size() != n || run.classes != first.classes || n == 0) {
            return section("classes", "Class by class", "",
                           "<p class=\"note\">Not compared: the runs have not all recorded a "
                           "confusion matrix of the same classes.</p>\n");
        }
    }
    TextStream out;
    out << "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Accuracy of each "
           "class in each run\"><table class=\"wide\"><thead><tr><th scope=\"col\">class</th>";
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        out << "<th scope=\"col\">run " << report.tag(r) << "</th>";
    }
    out << "</tr></thead>\n<tbody>\n";
    for (std::size_t t = 0; t < n; ++t) {
        double best = 0, worst = 1;
        for (const Run& run : report.runs) {
            best = std::fmax(best, class_accuracy(run, t));
            worst = std::fmin(worst, class_accuracy(run, t));
        }
        out << "<tr><th scope=\"row\">" << name(first, t) << "</th>";
        for (const Run& run : report.runs) {
            const double share = class_accuracy(run, t);
            out << "<td" << (share == best && worst < best ? " class=\"best\">best " : ">")
                << percent(share) << "</td>";
        }
        out << "</tr>\n";
    }
    out << "</tbody></table></div>\n";
    return section("classes", "Class by class",
                   "The share of each class’s test pictures that are classified right.", out.str());
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
