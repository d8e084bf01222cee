// What README.md and docs/ promise about themselves: their length, their links, the line counts of
// the reading list.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = PRIMER_SOURCE_DIR;

std::vector<std::string> lines_of(const fs::path& path) {
    std::ifstream file(path);
    REQUIRE_MESSAGE(file.is_open(), path.string());
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

std::vector<fs::path> pages() {
    std::vector<fs::path> all{kRoot / "README.md"};
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kRoot / "docs")) {
        if (entry.path().extension() == ".md") all.push_back(entry.path());
    }
    return all;
}

TEST_CASE("docs: README.md has at most 150 lines, and shows code by line 20") {
    const std::vector<std::string> lines = lines_of(kRoot / "README.md");
    CHECK(lines.size() <= 150);
    CHECK(std::ranges::find(lines, "```cpp") < lines.begin() + 20);
}

// The file that a link leads to; "" for one to the web or to another place on the page.
std::string file_of(const std::string& link) {
    if (link.find("://") != link.npos) return "";
    return link.substr(0, link.find('#'));
}

TEST_CASE("docs: the rule distinguishes links to files from others") {
    CHECK(file_of("https://example.org/a.md") == "");
    CHECK(file_of("#dependencies") == "");
    CHECK(file_of("docs/building.md#dependencies") == "docs/building.md");
}

TEST_CASE("docs: every link to a file finds it") {
    const std::regex link(R"(\]\(([^)\s]+)\))");
    int found = 0;
    for (const fs::path& page : pages()) {
        for (const std::string& line : lines_of(page)) {
            for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end;
                 ++match) {
                const std::string file = file_of((*match)[1]);
                if (file.empty()) continue;
                ++found;
                CHECK_MESSAGE(fs::exists(page.parent_path() / file), page.string(), ": ", line);
            }
        }
    }
    CHECK(found > 30);
}

TEST_CASE("docs: the reading list's files have about as many lines as it says") {
    const std::regex row(R"(^\| \[`([^`]+)`\]\([^)]+\) \| (\d+) \|)");
    int rows = 0;
    for (const std::string& line : lines_of(kRoot / "README.md")) {
        std::smatch match;
        if (!std::regex_search(line, match, row)) continue;
        ++rows;
        const auto lines = static_cast<double>(lines_of(kRoot / match[1].str()).size());
        const double said = std::atoi(match[2].str().c_str());
        CHECK_MESSAGE(std::abs(lines - said) <= std::max(5.0, lines / 10), match[1].str(), " has ",
                      lines, " lines, README.md says ", said);
    }
    CHECK(rows >= 10);
}

// The blocks of C++ on a page.
std::vector<std::string> programs_on(const char* page) {
    std::vector<std::string> programs;
    bool inside = false;
    for (const std::string& line : lines_of(kRoot / page)) {
        if (line == "```cpp") {
            inside = true;
            programs.emplace_back();
        } else if (line == "```") {
            inside = false;
        } else if (inside) {
            programs.back() += line + '\n';
        }
    }
    return programs;
}

TEST_CASE("docs: the programs of data.md and from-pytorch.md are those that tests run") {
    const struct {
        const char *page, *file;
        Index count;
    } pages_with_tests[] = {{"docs/data.md", "tests/test_own_data.cpp", 3},
                            {"docs/from-pytorch.md", "tests/test_from_pytorch.cpp", 5}};
    for (const auto& pair : pages_with_tests) {
        std::string tests;
        for (const std::string& line : lines_of(kRoot / pair.file)) tests += line + '\n';
        Index found = 0;
        for (const std::string& program : programs_on(pair.page)) {
            if (std::ranges::count(program, '\n') < 5) continue;  // a few lines of explanation
            ++found;
            // A block may hold several definitions, with an empty line between them.
            for (std::size_t begin = 0; begin < program.size();) {
                std::size_t end = program.find("\n}\n\n", begin);
                end = end == program.npos ? program.size() : end + 3;
                const std::string part = program.substr(begin, end - begin);
                CHECK_MESSAGE(tests.find(part) != tests.npos, pair.page, ": ", part);
                begin = end + 1;
            }
        }
        CHECK(found == pair.count);
    }
}

TEST_CASE("docs: the ops of from-pytorch.md that are a line are computed by a test") {
    std::string tests;
    for (const std::string& line : lines_of(kRoot / "tests/test_from_pytorch.cpp")) {
        tests += line + '\n';
    }
    bool inside = false;
    int found = 0;
    const std::regex code("`([^`]+)`");
    for (const std::string& line : lines_of(kRoot / "docs/from-pytorch.md")) {
        if (line.starts_with("## ")) inside = line == "## Ops that are a line";
        if (!inside || !line.starts_with("| ")) continue;
        const std::string primer = line.substr(line.rfind(" | ", line.size() - 3));
        for (std::sregex_iterator match(primer.begin(), primer.end(), code), end; match != end;
             ++match) {
            const std::string each = (*match)[1];
            if (each.find('(') == each.npos) continue;  // a name, or a sum that speaks for itself
            ++found;
            CHECK_MESSAGE(tests.find(each) != tests.npos, each);
        }
    }
    CHECK(found > 40);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
