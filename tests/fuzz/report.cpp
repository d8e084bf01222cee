// report: a run directory, in memory, and the page that is made of it
// covers: examples/support/run_reader.cpp examples/support/report.cpp
// examples/support/report_curves.cpp examples/support/report_evaluation.cpp
// examples/support/report_html.cpp examples/support/report_svg.cpp
#include "../../examples/support/report.h"

#include "target.h"

using namespace primer;
using namespace primer::examples;

FUZZ(input) {
    const std::vector<std::string> files = fuzz::parts_of(input, 4);
    const auto file = [&](const std::string& name,
                          std::uintmax_t limit) -> std::optional<std::string> {
        check(name.find('\n') == std::string::npos, "no such name");
        const std::string& bytes = name == "run.json"          ? files[0]
                                   : name == "metrics.jsonl"   ? files[1]
                                   : name == "evaluation.json" ? files[2]
                                                               : files[3];
        check(bytes.size() <= limit, "too large");
        if (bytes.empty() && name != "run.json") return std::nullopt;
        return bytes;
    };
    fuzz::expect_error_at_most([&] {
        const Run run = read_run("run", file);
        report_page({run});
        if (input.size() % 4 == 0) report_page({run, run});
    });
}
