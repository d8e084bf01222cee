// The direction in which the rooms may include one another: core/kernels <- core <- {layers, optim}
// <- datasets <- examples, and never back. The linker enforces most of it; headers it can not see.
// Text that does not depend on the locale. And the size of the fixtures.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

struct Room {
    std::string folder;
    std::vector<std::string> may_include;  // what follows "primer/"
};

const std::vector<Room> rooms{
    {"core/kernels",
     {"core/kernels/", "core/real.h", "core/error.h", "core/shape.h", "core/text.h"}},
    {"core/io", {"core/"}},
    {"core", {"core/"}},
    {"layers", {"core/", "layers/"}},
    {"optim", {"core/", "optim/"}},
    {"datasets", {"core/", "datasets/"}},
};

const Room* room_of(const std::string& path) {
    for (const Room& room : rooms) {
        if (path.starts_with(room.folder + "/")) return &room;
    }
    return nullptr;
}

bool allowed(const Room& room, const std::string& included) {
    if (room.folder == "core" && included.starts_with("core/io/")) return false;
    for (const std::string& prefix : room.may_include) {
        if (included.starts_with(prefix)) return true;
    }
    return false;
}

TEST_CASE("house: the rule tells right includes from wrong ones") {
    CHECK(allowed(*room_of("core/ops/view.cpp"), "core/kernels/copy.h"));
    CHECK(allowed(*room_of("layers/linear.cpp"), "core/ops.h"));
    CHECK_FALSE(allowed(*room_of("core/kernels/gemm.cpp"), "core/tensor.h"));
    CHECK_FALSE(allowed(*room_of("core/tape.cpp"), "core/io/image.h"));
    CHECK_FALSE(allowed(*room_of("layers/linear.h"), "optim/sgd.h"));
    CHECK_FALSE(allowed(*room_of("optim/sgd.h"), "layers/module.h"));
    CHECK(room_of("examples/mnist_mlp.cpp") == nullptr);
}

TEST_CASE("house: no include points the wrong way") {
    const std::regex include(R"(^\s*#\s*include\s*["<]([^">]+)[">])");
    const fs::path root = PRIMER_SOURCE_DIR;
    int files = 0;
    for (const char* folder : {"core", "layers", "optim", "datasets"}) {
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
            const fs::path extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp") continue;
            ++files;
            const std::string path = fs::relative(entry.path(), root).generic_string();
            const Room* room = room_of(path);
            REQUIRE_MESSAGE(room != nullptr, path, " is in no room");
            std::ifstream file(entry.path());
            for (std::string line; std::getline(file, line);) {
                std::smatch match;
                if (!std::regex_search(line, match, include)) continue;
                const std::string included = match[1];
                if (!included.starts_with("primer/")) {
                    // Ours are always written whole, so that no include escapes this test.
                    CHECK_MESSAGE(!fs::exists(entry.path().parent_path() / included), path,
                                  " should include \"", included, "\" as \"primer/...\"");
                    CHECK_MESSAGE(!fs::exists(root / included), path, " should include \"",
                                  included, "\" as \"primer/...\"");
                    continue;
                }
                CHECK_MESSAGE(allowed(*room, included.substr(7)), path, " must not include ",
                              included);
            }
        }
    }
    CHECK(files > 30);
}

// What makes text, or numbers from text, as the program's global locale wants them.
const std::regex kLocalised(
    R"(\bstd::(o|i|w)?stringstream\b|\b(std::)?(strto(d|f|ld)|stod|stof|stold|atof)\b)"
    R"(|\b(std::)?(setlocale|v?sn?printf|v?f?printf|v?s?scanf)\b|std::to_string\((1e|0x1p|double))"
    R"(|\bstd::locale\(\"|\bstd::put_(time|money))");

TEST_CASE("house: the rule tells what depends on the locale") {
    for (const char* line : {"    std::ostringstream text;", "x = std::stod(t);", "strtod(p, &e)",
                             "std::snprintf(a, 3, \"%g\", x);", "sscanf(text, \"%f\", &x);"}) {
        CHECK_MESSAGE(std::regex_search(line, kLocalised), line);
    }
    for (const char* line : {"    TextStream text;", "std::to_chars(b, e, x)", "printable(text)",
                             "class TextStream : public std::istream"}) {
        CHECK_FALSE_MESSAGE(std::regex_search(line, kLocalised), line);
    }
}

TEST_CASE("house: no text is made through the global locale") {
    const fs::path root = PRIMER_SOURCE_DIR;
    for (const char* folder : {"core", "layers", "optim", "datasets"}) {
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
            const fs::path extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp") continue;
            const std::string path = fs::relative(entry.path(), root).generic_string();
            if (path == "core/text.h") continue;  // where TextStream is made
            std::ifstream file(entry.path());
            bool writes = false, classic = false;
            for (std::string line; std::getline(file, line);) {
                const std::string code = line.substr(0, line.find("//"));
                CHECK_MESSAGE(!std::regex_search(code, kLocalised), path,
                              ": make text with TextStream or std::to_chars, not with\n", line);
                writes = writes || code.find("std::ofstream ") != code.npos;
                classic = classic || code.find("imbue(std::locale::classic())") != code.npos;
            }
            CHECK_MESSAGE((classic || !writes), path, ": a std::ofstream must imbue ",
                          "std::locale::classic()");
        }
    }
}

TEST_CASE("house: kernels that a reader may skip say so in their first line") {
    const fs::path kernels = fs::path(PRIMER_SOURCE_DIR) / "core/kernels";
    int files = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kernels)) {
        const std::string name = entry.path().filename().string();
        if (entry.path().extension() != ".cpp" || name == "reference.cpp" || name == "real.cpp") {
            continue;
        }
        ++files;
        std::ifstream file(entry.path());
        std::string line;
        std::getline(file, line);
        CHECK_MESSAGE(line.starts_with("// Only speed"), name);
    }
    CHECK(files > 20);
}

TEST_CASE("house: what PyTorch computed takes no more than 1 MB") {
    std::uintmax_t bytes = 0, files = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(PRIMER_PARITY_DIR)) {
        if (entry.path().extension() != ".safetensors") continue;
        bytes += entry.file_size();
        ++files;
    }
    CHECK(files > 10);
    CHECK(bytes <= 1'000'000);
}

}  // namespace
}  // namespace primer
