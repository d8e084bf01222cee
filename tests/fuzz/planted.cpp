// planted: faults put in on purpose, by which check.sh sees that real ones would be found
// covers: tests/fuzz/planted.cpp
// longest: 100
#include <stdexcept>

#include "target.h"

FUZZ(input) {
    if (input.size() < 4 || input.substr(0, 3) != "BUG") return;
    std::vector<int> heap(4);
    volatile std::size_t at = input.size();
    volatile int large = 2147483647;
    primer::fuzz::expect_error_at_most([&] {
        if (input[3] == 'a') heap[at + 4] = 1;                      // beyond its end
        if (input[3] == 'u') large = large + static_cast<int>(at);  // overflows
        if (input[3] == 'e') throw std::logic_error("no Error");
        if (input[3] == 'l') throw primer::Error("two\nlines");
    });
}
// SPDX-License-Identifier: MIT
