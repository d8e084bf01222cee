// Budgets for reading: lines that are neither blank nor comment. Keep to one by removing what
// repeats, never by denser code or fewer comments. What a newcomer reads in an afternoon, the files
// that README names, has a fixed length. The ops are a catalogue to look things up in: with more of
// them it grows, so there the budget is for the lines that an op takes.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include <primer/core/text.h>
#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

bool is_source(const fs::path& path) {
    return path.extension() == ".h" || path.extension() == ".cpp";
}

Index code_lines(std::istream& file) {
    Index count = 0;
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find_first_not_of(" \t");
        if (first != line.npos && line.compare(first, 2, "//") != 0) ++count;
    }
    return count;
}

// Counts a file, or the sources directly in a folder. `name` without an ending: its .h and .cpp.
Index code_lines(const std::string& name) {
    const fs::path path = fs::path(PRIMER_SOURCE_DIR) / name;
    std::vector<fs::path> files;
    if (fs::is_directory(path)) {
        for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
            if (is_source(entry.path())) files.push_back(entry.path());
        }
    } else if (is_source(path)) {
        files.push_back(path);
    } else {
        for (const char* ending : {".h", ".cpp"}) {
            if (fs::exists(path.string() + ending)) files.emplace_back(path.string() + ending);
        }
    }
    CHECK_MESSAGE(!files.empty(), "there is no ", name);
    Index count = 0;
    for (const fs::path& each : files) {
        std::ifstream file(each);
        count += code_lines(file);
    }
    return count;
}

Index code_lines(std::initializer_list<const char*> names) {
    Index count = 0;
    for (const char* name : names) count += code_lines(std::string(name));
    return count;
}

TEST_CASE("budgets: lines of code are those that are neither blank nor comment") {
    std::istringstream text("// a comment\n\nint a;  // one\n    // inside\n  int b;\n");
    CHECK(code_lines(text) == 2);
}

// The files in the table below README's heading "Where to read first".
Index reading_list_lines() {
    std::ifstream readme(fs::path(PRIMER_SOURCE_DIR) / "README.md");
    Index count = 0;
    bool here = false;
    for (std::string line; std::getline(readme, line);) {
        if (line.starts_with("## ")) here = line == "## Where to read first";
        if (!here || !line.starts_with("| [`")) continue;
        const std::size_t first = line.find('`') + 1;
        count += code_lines(line.substr(first, line.find('`', first) - first));
    }
    return count;
}

// How many functions core/ops.h declares that give a tensor, deleted ones not counted.
Index count_of_ops() {
    std::ifstream header(fs::path(PRIMER_SOURCE_DIR) / "core/ops.h");
    Index count = 0;
    for (std::string line; std::getline(header, line);) {
        const bool gives_tensor = line.starts_with("Tensor ") && line.find('(') != line.npos;
        if (gives_tensor && line.find("= delete") == line.npos) ++count;
    }
    return count;
}

TEST_CASE("budgets: what is meant for reading stays short") {
    const Index ops = code_lines({"core/ops.h", "core/ops"});
    struct Budget {
        const char* what;
        Index lines, most;
    };
    TextStream table;
    for (const Budget& budget :
         {Budget{"the path to backprop: shape, tensor, tape, ops/elementwise",
                 code_lines({"core/shape", "core/tensor", "core/tape", "core/ops/elementwise",
                             "core/ops/map"}),
                 750},
          Budget{"an afternoon: the files of README's list", reading_list_lines(), 2000},
          Budget{"the idea: core without its ops, with the reference kernels",
                 code_lines({"core", "core/kernels/reference"}) - code_lines("core/ops.h"), 2600},
          Budget{"an op, on average, with its declaration", ops / count_of_ops(), 25},
          Budget{"layers, optim, loader and parsers",
                 code_lines(
                     {"layers", "optim", "datasets/loader", "datasets/mnist", "datasets/cifar"}),
                 3300}}) {
        table << '\n'
              << std::left << std::setw(60) << budget.what << std::right << std::setw(5)
              << budget.lines << " of " << budget.most;
        CHECK_MESSAGE(budget.lines <= budget.most, budget.what);
        CHECK_MESSAGE(budget.lines > 0, budget.what);
    }
    for (const char* name : {"01_tensors", "02_autograd", "03_training", "04_module", "mnist_mlp",
                             "mnist_cnn", "cifar_cnn", "own_layer"}) {
        const Index lines = code_lines(std::string("examples/") + name + ".cpp");
        table << '\n'
              << std::left << std::setw(60) << std::string("examples/") + name + ".cpp"
              << std::right << std::setw(5) << lines << " of 100";
        CHECK_MESSAGE(lines <= 100, name);
    }
    MESSAGE(table.str());
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
