// csv: a table of numbers
// covers: datasets/csv.cpp
// longest: 100
#include <primer/datasets/csv.h>

#include <cmath>
#include <sstream>

#include "target.h"

using namespace primer;

FUZZ(input) {
    fuzz::expect_error_at_most([&] {
        std::istringstream in{std::string(input)};
        const CsvTable table = read_csv(in, "table");
        if (table.values.rank() != 2 || table.values.numel() == 0) __builtin_trap();
        const Index columns = table.values.shape()[1];
        if (!table.columns.empty() && std::ssize(table.columns) != columns) __builtin_trap();
        for (const Real v : table.values.values()) {
            if (!std::isfinite(v)) __builtin_trap();
        }
    });
}
// SPDX-License-Identifier: MIT
