#include "page.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include <primer/core/error.h>
#include "html.h"
#include "sections.h"
#include "svg.h"

namespace primer::examples {

const EpochRecord* best_epoch(const Run& run) {
    const EpochRecord* best = nullptr;
    for (const EpochRecord& epoch : run.epochs) {
        if (!std::isfinite(epoch.test_accuracy)) continue;
        if (best == nullptr || epoch.test_accuracy > best->test_accuracy) best = &epoch;
    }
    return best;
}

double training_seconds(const Run& run) {
    double sum = run.epochs.empty() ? kNotKnown : 0;
    for (const EpochRecord& epoch : run.epochs) sum += epoch.seconds;
    return sum;
}

double throughput(const Run& run) {
    std::vector<double> speeds;
    for (const EpochRecord& epoch : run.epochs) speeds.push_back(epoch.images_per_s);
    if (speeds.empty()) {
        for (const StepRecord& step : run.steps) speeds.push_back(step.images_per_s);
    }
    std::erase_if(speeds, [](double speed) { return !std::isfinite(speed); });
    if (speeds.empty()) return kNotKnown;
    std::ranges::sort(speeds);
    return (speeds[(speeds.size() - 1) / 2] + speeds[speeds.size() / 2]) / 2;
}

std::string epochs_done(const Run& run) {
    const Index done = run.epochs.empty() ? 0 : run.epochs.back().epoch;
    return count(done) + (run.planned_epochs > done ? " of " + count(run.planned_epochs) : "");
}

std::string section(const std::string& id, const std::string& title, const std::string& note,
                    const std::string& content, int level) {
    const std::string heading = "h" + std::to_string(level);
    std::string html = "<section id=\"" + id + "\" aria-labelledby=\"" + id +
                       "-h\"><div class=\"head\"><" + heading + " id=\"" + id + "-h\">" + title +
                       "</" + heading + ">";
    if (!note.empty()) html += "<p class=\"note\">" + note + "</p>";
    return html + "</div><div>\n" +
           (content.empty() ? "<p class=\"note\">Not recorded.</p>\n" : content) +
           "</div></section>\n\n";
}

namespace {

const EpochRecord* last_epoch(const Run& run) {
    return run.epochs.empty() ? nullptr : &run.epochs.back();
}

bool cut_off(const Run& run) {
    const Index done = run.epochs.empty() ? 0 : run.epochs.back().epoch;
    return done < std::max<Index>(run.planned_epochs, 1);
}

// --- The head of the page ---------------------------------------------------------------------

void key_figure(std::ostream& out, const std::string& name, const std::string& value,
                const std::string& detail = "") {
    out << "<div><dt>" << name << (detail.empty() ? "" : "; " + detail) << "</dt><dd>" << value
        << "</dd></div>\n";
}

/// "9 942 of 10 000 test pictures are classified right after 5 epochs."
std::string lead(const Run& run) {
    const EpochRecord* const last = last_epoch(run);
    if (last == nullptr) {
        const std::string steps =
            run.steps.empty() ? ""
                              : " The last step logged is " + count(run.steps.back().step) + ".";
        return "No epoch was finished, so nothing was tested." + steps;
    }
    const std::string after =
        " after " + count(last->epoch) + (last->epoch == 1 ? " epoch" : " epochs");
    const std::string stop =
        cut_off(run) ? ", where the run stops; " + count(run.planned_epochs) + " were planned" : "";
    const double share = last->test_accuracy;
    if (!(share >= 0 && share <= 1)) return "The test accuracy is not known" + after + stop + ".";
    if (run.test_size > 0) {
        const auto right = std::llround(share * static_cast<double>(run.test_size));
        return count(right) + " of " + count(run.test_size) +
               " test pictures are classified right" + after + stop + ".";
    }
    return percent(share) + " of the test pictures are classified right" + after + stop + ".";
}

void key_figures(std::ostream& out, const Run& run) {
    const EpochRecord* const last = last_epoch(run);
    const EpochRecord* const best = best_epoch(run);
    const EpochRecord nothing;
    const EpochRecord& end = last == nullptr ? nothing : *last;
    out << "<dl class=\"keys\">\n";
    key_figure(out, "test accuracy", percent(end.test_accuracy),
               best != nullptr && best != last
                   ? "best " + percent(best->test_accuracy) + " in epoch " + count(best->epoch)
                   : "");
    key_figure(out, "training accuracy", percent(end.train_accuracy));
    key_figure(out, "test loss", number(end.test_loss));
    key_figure(out, "epochs", epochs_done(run));
    key_figure(out, "training time", duration(training_seconds(run)));
    key_figure(out, "images a second", number(throughput(run)));
    key_figure(out, "parameters", count(run.parameters));
    out << "</dl>\n";
}

void missing_note(std::ostream& out, const Report& report) {
    std::string items;
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        for (const std::string& sentence : report.runs[r].missing) {
            items += "<li>" + (report.several() ? "Run " + report.tag(r) + ": " : std::string()) +
                     escape(sentence) + "</li>\n";
        }
    }
    if (items.empty()) return;
    out << "<div class=\"missing\" role=\"note\"><p><strong>Not all is here.</strong></p><ul>\n"
        << items << "</ul></div>\n";
}

/// "2026-01-31 12:00 UTC" of "2026-01-31T12:00:00Z"; other texts stay as they are.
std::string readable_time(const std::string& time) {
    if (time.size() != 20 || time[10] != 'T' || time[19] != 'Z') return time;
    return time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

void page_header(std::ostream& out, const Report& report) {
    out << "<header>\n";
    if (report.several()) {
        out << "<p class=\"eyebrow\">Training report</p>\n<h1>" << report.runs.size()
            << " runs side by side</h1>\n";
        std::size_t best = 0;
        const auto accuracy = [&](std::size_t r) {
            const EpochRecord* const last = last_epoch(report.runs[r]);
            return last == nullptr ? kNotKnown : last->test_accuracy;
        };
        for (std::size_t r = 1; r < report.runs.size(); ++r) {
            if (accuracy(r) > accuracy(best) || std::isnan(accuracy(best))) best = r;
        }
        out << "<p class=\"lead\">";
        if (std::isfinite(accuracy(best))) {
            out << "Run " << report.tag(best) << ", " << escape(report.runs[best].name)
                << ", ends with the highest test accuracy: " << percent(accuracy(best)) << ".";
        } else {
            out << "None of them has finished an epoch.";
        }
        out << "</p>\n";
    } else {
        const Run& run = report.runs.front();
        out << "<p class=\"eyebrow\">Training report · " << escape(run.name);
        if (!run.started.empty()) {
            out << " · started " << escape(readable_time(run.started));
        }
        out << "</p>\n<h1>" << escape(run.example);
        // "MNIST from data/mnist": the settings say where from.
        const std::string data = run.source.substr(0, run.source.find(" from "));
        if (!data.empty()) out << " on " << escape(data);
        out << "</h1>\n<p class=\"lead\">" << lead(run) << "</p>\n";
        key_figures(out, run);
    }
    missing_note(out, report);
    out << "</header>\n";
}

void navigation(std::ostream& out, const Report& report) {
    using Links = std::vector<std::pair<std::string, std::string>>;
    Links links{{"learning", "Learning"},
                {"pace", "Pace"},
                {"gradients", "Gradients"},
                {"dead-units", "Dead units"}};
    if (report.several()) {
        links.insert(links.begin(), {"comparison", "Results"});
        links.insert(links.end(), {{"classes", "Classes"}, {"settings", "Settings"}});
        for (std::size_t r = 0; r < report.runs.size(); ++r) {
            links.emplace_back("run-" + report.tag(r), "Run " + report.tag(r));
        }
    } else {
        const Links more{{"confusion", "Confusion"}, {"mistakes", "Mistakes"},
                         {"filters", "Filters"},     {"epochs", "Epochs"},
                         {"model", "Model"},         {"settings", "Settings"}};
        links.insert(links.end(), more.begin(), more.end());
    }
    out << "<nav aria-label=\"Parts of the report\"><ul>";
    for (const auto& [id, title] : links) {
        out << "<li><a href=\"#" << id << "\">" << title << "</a></li>";
    }
    out << "</ul></nav>\n";
}

std::string title(const Report& report) {
    if (report.several()) return std::to_string(report.runs.size()) + " runs side by side";
    const Run& run = report.runs.front();
    const EpochRecord* const last = last_epoch(run);
    const bool known = last != nullptr && std::isfinite(last->test_accuracy);
    return run.example + (known ? ", " + percent(last->test_accuracy) : "") + ": training report";
}

std::string page(const Report& report) {
    TextStream out;
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        // The page asks no server for anything, whatever has found its way into it.
        << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "img-src data:; style-src 'unsafe-inline'\">\n"
        << "<title>" << escape(title(report)) << "</title>\n<style>" << kReportStyle
        << "</style>\n</head>\n<body>\n";
    page_header(out, report);
    navigation(out, report);
    out << "<main>\n";
    if (report.several()) out << comparison_section(report);
    out << learning_section(report) << pace_section(report) << gradients_section(report)
        << dead_units_section(report);
    if (report.several()) out << classes_comparison_section(report) << settings_section(report);
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        const std::string tag = report.tag(r);
        if (report.several()) {
            out << "<article class=\"run\" id=\"run-" << tag << "\" aria-labelledby=\"run-" << tag
                << "-h\"><h2 id=\"run-" << tag << "-h\">Run " << tag << ": "
                << escape(report.runs[r].name) << "</h2>\n";
        }
        out << confusion_section(report, r) << mistakes_section(report, r)
            << filters_section(report, r) << epochs_section(report, r) << model_section(report, r);
        if (report.several()) out << "</article>\n";
    }
    if (!report.several()) out << settings_section(report);
    out << "</main>\n<footer><p>Made by Primer from ";
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        out << (r == 0 ? "<code>" : ", <code>") << escape(report.runs[r].folder.string())
            << "</code>";
    }
    out << ". This page is one file and asks nothing of the "
           "network.</p></footer>\n</body>\n</html>\n";
    return out.str();
}

// --- Tables with a column a run ---------------------------------------------------------------

std::string runs_table(const Report& report, const std::string& label, const std::string& corner,
                       const std::string& rows) {
    std::string html = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"" +
                       label + "\"><table class=\"text\"><thead><tr><th scope=\"col\">" + corner +
                       "</th>";
    for (std::size_t r = 0; r < report.runs.size(); ++r) {
        html += "<th scope=\"col\">" + swatch_svg(static_cast<int>(r)) + " " + report.tag(r) +
                "<br>" + escape(report.runs[r].name) + "</th>";
    }
    return html + "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
}

using OfRun = std::function<std::string(const Run&)>;

std::string row(const Report& report, const std::string& title, const OfRun& text) {
    std::string html = "<tr><th scope=\"row\">" + title + "</th>";
    for (const Run& run : report.runs) html += "<td>" + text(run) + "</td>";
    return html + "</tr>\n";
}

/// The same with numbers; marks the best, unless all are the same.
std::string best_row(const Report& report, const std::string& title, bool lower_is_better,
                     const std::function<double(const Run&)>& value,
                     const std::function<std::string(double)>& text) {
    double low = kNotKnown, high = kNotKnown;
    for (const Run& run : report.runs) {
        const double x = value(run);
        if (!std::isfinite(x)) continue;
        low = std::fmin(low, x);
        high = std::fmax(high, x);
    }
    const double best = lower_is_better ? low : high;
    return row(report, title, [&](const Run& run) {
        const double x = value(run);
        const bool marked = low < high && x == best;
        return marked ? "<span class=\"best\">" + text(x) + " (best)</span>" : text(x);
    });
}

/// What the last epoch has logged.
std::function<double(const Run&)> at_end(double EpochRecord::*value) {
    return [value](const Run& run) {
        return run.epochs.empty() ? kNotKnown : run.epochs.back().*value;
    };
}

double best_accuracy(const Run& run) {
    const EpochRecord* const best = best_epoch(run);
    return best == nullptr ? kNotKnown : best->test_accuracy;
}

NamedTexts all_settings(const Run& run) {
    NamedTexts all = run.settings;
    // Under names that no flag has: --data and --threads say what was asked for.
    all.emplace_back("pictures", run.source);
    if (run.train_size >= 0) all.emplace_back("training pictures", count(run.train_size));
    if (run.test_size >= 0) all.emplace_back("test pictures", count(run.test_size));
    if (!run.shape.empty()) all.emplace_back("shape of a picture", run.shape);
    for (const auto& [name, text] : run.machine) all.emplace_back("machine: " + name, text);
    if (!run.started.empty()) all.emplace_back("started", run.started);
    all.emplace_back("command", run.command);
    return all;
}

/// Null where the run has no such setting.
const std::string* setting(const NamedTexts& settings, const std::string& name) {
    for (const auto& [key, value] : settings) {
        if (key == name) return &value;
    }
    return nullptr;
}

std::string compared_settings(const Report& report) {
    std::vector<NamedTexts> settings;
    std::vector<std::string> names;
    for (const Run& run : report.runs) {
        settings.push_back(all_settings(run));
        for (const auto& [name, value] : settings.back()) {
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    std::string differing, same;
    for (const std::string& name : names) {
        const std::string* const first = setting(settings[0], name);
        bool differs = false;
        std::string cells;
        for (const NamedTexts& of_run : settings) {
            const std::string* const value = setting(of_run, name);
            differs |=
                (value == nullptr) != (first == nullptr) || (value && first && *value != *first);
            cells += "<td>" + (value == nullptr || value->empty() ? "–" : escape(*value)) + "</td>";
        }
        (differs ? differing : same) +=
            "<tr><th scope=\"row\">" + escape(name) + "</th>" + cells + "</tr>\n";
    }
    std::string html;
    if (!differing.empty()) {
        html += runs_table(report, "Settings that differ", "differs", differing);
    }
    if (!same.empty()) {
        html += "<details><summary>What is the same in all runs</summary>\n" +
                runs_table(report, "Settings that are the same", "the same", same) + "</details>\n";
    }
    return html;
}

std::string one_runs_settings(const Run& run) {
    std::string rows;
    for (const auto& [name, value] : all_settings(run)) {
        const std::string text = value.empty() ? "–" : escape(value);
        rows += "<tr><th scope=\"row\">" + escape(name) + "</th><td>" +
                (name == "command" ? "<code>" + text + "</code>" : text) + "</td></tr>\n";
    }
    return "<table class=\"text\"><tbody>\n" + rows + "</tbody></table>\n";
}

}  // namespace

std::string comparison_section(const Report& report) {
    const std::string rows =
        row(report, "example", [](const Run& run) { return escape(run.example); }) +
        best_row(report, "test accuracy", false, at_end(&EpochRecord::test_accuracy), percent) +
        best_row(report, "highest test accuracy", false, best_accuracy, percent) +
        best_row(report, "test loss", true, at_end(&EpochRecord::test_loss), number) +
        row(report, "training accuracy",
            [](const Run& run) { return percent(at_end(&EpochRecord::train_accuracy)(run)); }) +
        row(report, "training loss",
            [](const Run& run) { return number(at_end(&EpochRecord::train_loss)(run)); }) +
        row(report, "epochs", epochs_done) +
        row(report, "training time",
            [](const Run& run) { return duration(training_seconds(run)); }) +
        best_row(report, "images a second", false, throughput, number) +
        row(report, "parameters", [](const Run& run) { return count(run.parameters); });
    return section("comparison", "Results",
                   "Of the last epoch of each run, unless it says otherwise.",
                   runs_table(report, "Results", "run", rows));
}

std::string settings_section(const Report& report) {
    return section(
        "settings", "Settings",
        report.several() ? "First those in which the runs differ."
                         : "With these, the same program gives the same numbers.",
        report.several() ? compared_settings(report) : one_runs_settings(report.runs.front()));
}

std::string report_page(std::vector<Run> runs) {
    check(!runs.empty() && runs.size() <= 26, "report: expected from 1 to 26 runs, got ",
          runs.size());
    return page({std::move(runs)});
}

std::string report_of(const std::vector<std::filesystem::path>& folders) {
    std::vector<Run> runs;
    for (const std::filesystem::path& folder : folders) runs.push_back(read_run(folder));
    return report_page(std::move(runs));
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
