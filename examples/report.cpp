// report: makes a page of one training run, or of several side by side

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include "report/page.h"
#include "support/output.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace {

namespace fs = std::filesystem;

/// The user may have named a file of the run instead of its folder.
void check_folder(const fs::path& run) {
    std::error_code ignored;
    if (!fs::exists(run, ignored)) return;  // report_of reports this
    const fs::path above = fs::absolute(run, ignored).parent_path();
    check_usage(fs::is_directory(run, ignored), full_name(run),
                ": expected a run directory, got a file; ",
                fs::exists(above / "run.json", ignored) ? "name its folder: " + full_name(above)
                                                        : "a training run makes it with --run-dir");
    check_usage(fs::exists(run / "run.json", ignored), full_name(run),
                ": expected a run directory, got a folder without run.json; a training run makes "
                "one in runs/, or where --run-dir says");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Makes a page of one training run, or of several side by side, that any browser shows.");
    std::vector<fs::path> runs;
    app.add_option("RUN_DIR", runs, "folders that training runs have made, up to 26")
        ->required()
        ->check(not_empty())
        ->expected(1, 26);
    fs::path out;
    app.add_option("--out", out,
                   "file to write; without it report.html: of one run in its folder, of several in "
                   "this one")
        ->check(not_empty())
        ->type_name("FILE");
    return run(app, argc, argv, [&] {
        for (const fs::path& each : runs) check_folder(each);
        if (!out.empty()) check_can_save("--out", out, kPageFile);
        if (out.empty()) out = runs.size() == 1 ? runs[0] / "report.html" : "report.html";
        replace_file(out, kPageFile, report_of(runs));
        std::cout << full_name(out) << '\n';
    });
}
// SPDX-License-Identifier: MIT
