#include <primer/datasets/csv.h>

#include <sstream>

#include "folder.h"
#include "support.h"

namespace primer {
namespace {

CsvTable read(const std::string& text, const CsvOptions& options = {}) {
    std::istringstream in(text);
    return read_csv(in, "table.csv", options);
}

TEST_CASE("read_csv: numbers, with and without names") {
    const CsvTable plain = read("1,2.5,-3e2\n4,5,6\n");
    CHECK(plain.columns.empty());
    check_values(plain.values, {2, 3}, {1, 2.5, -300, 4, 5, 6});

    const CsvTable named = read("\xef\xbb\xbf\"size\", price \r\n 1 , 2 \r\n\r\n3,4");
    CHECK(named.columns == std::vector<std::string>{"size", "price"});
    check_values(named.values, {2, 2}, {1, 2, 3, 4});

    check_values(read("1;2\n", {.separator = ';'}).values, {1, 2}, {1, 2});
    check_values(read("7").values, {1, 1}, {7});
}

TEST_CASE("read_csv: what is not a table of numbers") {
    check_error([] { read(""); }, {"table.csv: expected rows of numbers, found none"});
    check_error([] { read("a,b\n"); }, {"found none"});
    check_error([] { read("a,b\n1,2\n3\n"); },
                {"table.csv: line 3: expected 2 columns", "found 1"});
    check_error([] { read("1.5,NA\n3,4\n"); }, {"line 1, column 2: expected a number", "\"NA\""});
    check_error([] { read("1,2\n3,x\n"); }, {"line 2, column 2: expected a number", "\"x\""});
    check_error([] { read("1,2\n3,\n"); }, {"line 2, column 2", "\"\""});
    check_error([] { read("1,2\nnan,3\n"); }, {"line 2, column 1"});
    check_error([] { read("1,2\n1e999,3\n"); }, {"line 2, column 1"});
    check_error([] { read("1,2\n1,5,3\n"); }, {"line 2: expected 2 columns", "found 3"});
}

TEST_CASE("read_csv: from a file, or none") {
    const Folder folder;
    folder.write("t.csv", "x,y\n1,2\n");
    check_values(read_csv(folder.path() / "t.csv").values, {1, 2}, {1, 2});
    check_error([&] { read_csv(folder.path() / "none.csv"); }, {"none.csv", "cannot open"});
    check_error([&] { read_csv(folder.path()); }, {"expected a file, found a folder"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
