// Budgets for reading: lines that are neither blank nor comment. Keep to one by removing what
// repeats, never by denser code or fewer comments. The second and the third grow with the number of
// ops and layers: nobody reads all of these, but each must stay short.

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

TEST_CASE("budgets: what is meant for reading stays short") {
    const Index backprop = code_lines(
        {"core/shape", "core/tensor", "core/tape", "core/ops/elementwise", "core/ops/map"});
    const Index idea = code_lines({"core", "core/ops", "core/kernels/reference"});
    const Index reading = idea + code_lines({"layers", "optim", "datasets/loader", "datasets/mnist",
                                             "datasets/cifar"});
    struct Budget {
        const char* what;
        Index lines, most;
    };
    TextStream table;
    for (const Budget& budget :
         {Budget{"the path to backprop: shape, tensor, tape, ops/elementwise", backprop, 750},
          Budget{"the idea: core with its ops and the reference kernels", idea, 5310},
          Budget{"meant for reading: that, layers, optim, loader, parsers", reading, 8310}}) {
        table << '\n'
              << std::left << std::setw(60) << budget.what << std::right << std::setw(5)
              << budget.lines << " of " << budget.most;
        CHECK_MESSAGE(budget.lines <= budget.most, budget.what);
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
