#include <primer/layers/inspect/table.h>

#include <sstream>

#include "support.h"

namespace primer {
namespace {

TEST_CASE("table: columns as wide as they need to be, the first flush left") {
    std::ostringstream out;
    const std::string rule = print_table(out, {{"Name", "A", "Count"}, {"x", "wide", "7"}});
    CHECK(out.str() ==
          "Name     A  Count\n"
          "-----------------\n"
          "x     wide      7\n");
    CHECK(rule == std::string(17, '-'));
}

TEST_CASE("table: one column, no rows") {
    std::ostringstream out;
    CHECK(print_table(out, {{"Name"}}) == "----");
    CHECK(out.str() == "Name\n----\n");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
