// report: makes a page of one training run, or of several side by side

#include <primer/primer.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "support/flags.h"
#include "support/report.h"

using namespace primer;
using namespace primer::examples;

int main(int argc, char** argv) {
    CLI::App app(
        "Makes a page of one training run, or of several side by side, that any browser shows.");
    std::vector<std::filesystem::path> runs;
    app.add_option("RUN_DIR", runs, "folders that training runs have made, up to 26")
        ->required()
        ->expected(1, 26);
    std::filesystem::path out;
    app.add_option("--out", out,
                   "file to write; without it report.html, of one run in its folder, of several in "
                   "this one")
        ->type_name("FILE");
    return run(app, argc, argv, [&] {
        if (out.empty()) out = runs.size() == 1 ? runs[0] / "report.html" : "report.html";
        write_report(runs, out);
        std::cout << std::filesystem::absolute(out).lexically_normal().string() << '\n';
    });
}
