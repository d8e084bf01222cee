// page: the page made from a run directory, once it has been read
// covers: examples/report/page.cpp examples/report/curves.cpp
// covers: examples/report/evaluation.cpp examples/report/html.cpp
// covers: examples/report/svg.cpp
// longest: 1200
#include "../../examples/report/page.h"

#include "run_files.h"

using namespace primer;

FUZZ(input) {
    fuzz::expect_error_at_most([&] {
        const examples::Run run = fuzz::run_of(input);
        const std::vector<examples::Run> runs(input.size() % 4 == 0 ? 2 : 1, run);
        if (examples::report_page(runs).empty()) __builtin_trap();
    });
}
// SPDX-License-Identifier: MIT
