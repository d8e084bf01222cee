// page: the page that is made of a run directory, once it has been read
// covers: examples/support/report.cpp examples/support/report_curves.cpp
// covers: examples/support/report_evaluation.cpp examples/support/report_html.cpp
// covers: examples/support/report_svg.cpp
// longest: 1200
#include "../../examples/support/report.h"

#include "run_files.h"

using namespace primer;

FUZZ(input) {
    fuzz::expect_error_at_most([&] {
        const examples::Run run = fuzz::run_of(input);
        const std::vector<examples::Run> runs(input.size() % 4 == 0 ? 2 : 1, run);
        if (examples::report_page(runs).empty()) __builtin_trap();
    });
}
