// report: a run directory, in memory, as ./primer report reads it
// covers: examples/report/run_reader.cpp
// longest: 400
#include "run_files.h"

FUZZ(input) {
    primer::fuzz::expect_error_at_most([&] { primer::fuzz::run_of(input); });
}
// SPDX-License-Identifier: MIT
