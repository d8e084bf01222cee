// The direction in which the rooms may include one another, as CMakeLists.txt links them (the
// linker enforces most of it, but it does not see headers). Includes that resolve in the
// repository. Text that does not depend on the locale. And the size of the fixtures.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

struct Room {
    std::string folder;
    std::vector<std::string> may_include;  // prefixes of paths in the repository
};

const std::vector<Room> rooms{
    {"core/kernels",
     {"core/kernels/", "core/real.h", "core/error.h", "core/shape.h", "core/text.h"}},
    {"core/io", {"core/"}},
    {"core", {"core/"}},
    {"layers/inspect", {"core/", "layers/"}},
    {"layers", {"core/", "layers/"}},
    {"optim", {"core/", "optim/"}},
    {"datasets/training", {"core/", "layers/", "optim/", "datasets/"}},
    {"datasets", {"core/", "datasets/"}},
};

const Room* room_of(const std::string& path) {
    for (const Room& room : rooms) {
        if (path.starts_with(room.folder + "/")) return &room;
    }
    return nullptr;
}

bool allowed(const Room& room, const std::string& included) {
    const bool plain = room.folder == "core" || room.folder == "layers" || room.folder == "optim";
    if (plain && included.starts_with("core/io/")) return false;
    if (room.folder != "layers/inspect" && included.starts_with("layers/inspect/")) return false;
    if (room.folder == "datasets" && included.starts_with("datasets/training/")) return false;
    for (const std::string& prefix : room.may_include) {
        if (included.starts_with(prefix)) return true;
    }
    return false;
}

TEST_CASE("house: the rule distinguishes right includes from wrong ones") {
    CHECK(allowed(*room_of("core/ops/view.cpp"), "core/kernels/copy.h"));
    CHECK(allowed(*room_of("layers/linear.cpp"), "core/ops.h"));
    CHECK_FALSE(allowed(*room_of("core/kernels/gemm.cpp"), "core/tensor.h"));
    CHECK_FALSE(allowed(*room_of("core/tape.cpp"), "core/io/image.h"));
    CHECK(allowed(*room_of("layers/inspect/graph.cpp"), "core/io/replacement.h"));
    CHECK_FALSE(allowed(*room_of("layers/linear.h"), "layers/inspect/summary.h"));
    CHECK_FALSE(allowed(*room_of("layers/linear.h"), "optim/sgd.h"));
    CHECK_FALSE(allowed(*room_of("optim/sgd.h"), "layers/module.h"));
    CHECK(allowed(*room_of("datasets/training/evaluate.h"), "layers/module.h"));
    CHECK_FALSE(allowed(*room_of("datasets/training/evaluate.h"), "layers/inspect/summary.h"));
    CHECK_FALSE(allowed(*room_of("datasets/loader.h"), "datasets/training/resume.h"));
    CHECK_FALSE(allowed(*room_of("datasets/loader.h"), "layers/module.h"));
    CHECK(room_of("examples/mnist_mlp.cpp") == nullptr);
}

// What a line of `file` includes: its path in the repository, or "" for another library's header.
// Throws if it does not lead to a file.
std::string included_file(const std::string& file, const std::string& line) {
    static const std::regex include(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
    std::smatch match;
    if (!std::regex_search(line, match, include)) return "";
    const bool program = room_of(file) == nullptr && file != "primer.h";
    const std::string name = match[2];
    std::string path;
    if (match[1] == "\"") {
        path = (fs::path(file).parent_path() / name).lexically_normal().generic_string();
        check(!program || (room_of(path) == nullptr && path != "primer.h"), file, ": a program ",
              "includes <primer/", path, ">, not \"", name, '"');
    } else if (name.starts_with("primer/")) {
        path = name.substr(7);
        check(program, file, ": the library includes \"", path, "\" by its place, not <", name,
              '>');
    } else {
        return "";
    }
    check(fs::exists(fs::path(PRIMER_SOURCE_DIR) / path), file, ": there is no ", path);
    return path;
}

TEST_CASE("house: an include resolves in the repository") {
    CHECK(included_file("core/tape.cpp", "#include \"error.h\"") == "core/error.h");
    CHECK(included_file("core/ops/view.cpp", "#include \"../error.h\"") == "core/error.h");
    CHECK(included_file("tests/test_tape.cpp", "#include <primer/core/error.h>") == "core/error.h");
    CHECK(included_file("examples/peek/main.cpp", "#include \"../support/output.h\"") ==
          "examples/support/output.h");
    CHECK(included_file("core/tape.cpp", "#include <vector>").empty());
    CHECK_THROWS(included_file("core/tape.cpp", "#include \"primer/core/error.h\""));
    CHECK_THROWS(included_file("core/ops/view.cpp", "#include \"error.h\""));
    CHECK_THROWS(included_file("core/tape.cpp", "#include <primer/core/error.h>"));
    CHECK_THROWS(included_file("tests/test_tape.cpp", "#include \"../core/error.h\""));
    CHECK_THROWS(included_file("tests/test_tape.cpp", "#include <primer/core/none.h>"));
}

// Whether a line of the library or of an example is for one operating system only.
bool names_a_system(const std::string& line) {
    static const std::regex name(
        R"(^\s*#\s*(el)?if.*(_WIN32|__linux__|__unix__|__APPLE__|__wasi__|__GLIBC__))"
        R"(|^\s*#\s*include\s*<(sys/|windows\.h|unistd\.h|fcntl\.h|pthread\.h|sched\.h))");
    return std::regex_search(line, name);
}

TEST_CASE("house: only the files named system differ between operating systems") {
    CHECK(names_a_system("#include <unistd.h>"));
    CHECK(names_a_system("#if defined(__unix__) || defined(__APPLE__)"));
    CHECK_FALSE(names_a_system("#ifdef __AVX2__"));
    for (const char* folder : {"core", "layers", "optim", "datasets", "examples"}) {
        const fs::path root = PRIMER_SOURCE_DIR;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
            const fs::path extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp") continue;
            if (entry.path().stem().string().starts_with("system")) continue;
            std::ifstream file(entry.path());
            for (std::string line; std::getline(file, line);) {
                CHECK_MESSAGE(!names_a_system(line), entry.path().string(), ": ", line);
            }
        }
    }
}

TEST_CASE("house: every include resolves, and none points the wrong way") {
    const fs::path root = PRIMER_SOURCE_DIR;
    int files = 0;
    for (const char* folder :
         {"core", "layers", "optim", "datasets", "examples", "tests", "benchmarks"}) {
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
            const fs::path extension = entry.path().extension();
            if (extension != ".h" && extension != ".cpp") continue;
            ++files;
            const std::string path = fs::relative(entry.path(), root).generic_string();
            std::ifstream file(entry.path());
            for (std::string line; std::getline(file, line);) {
                std::string included;
                CHECK_NOTHROW(included = included_file(path, line));
                const Room* const room = room_of(path);
                if (room == nullptr || included.empty()) continue;
                CHECK_MESSAGE(allowed(*room, included), path, " must not include ", included);
            }
        }
    }
    CHECK(files > 200);
}

// Whatever formats or parses by the program's global locale.
const std::regex kLocalised(
    R"(\bstd::(o|i|w)?stringstream\b|\b(std::)?(strto(d|f|ld)|stod|stof|stold|atof)\b)"
    R"(|\b(std::)?(setlocale|v?sn?printf|v?f?printf|v?s?scanf)\b|std::to_string\((1e|0x1p|double))"
    R"(|\bstd::locale\(\"|\bstd::put_(time|money))");

TEST_CASE("house: the rule finds what depends on the locale") {
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

// Either only speed, with the definition elsewhere, or plain loops, which are the definition.
TEST_CASE("house: kernels say in their first line whether a reader may skip them") {
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
        const bool plain = line.find(": plain loops, which the compiler vectorises.") != line.npos;
        CHECK_MESSAGE((line.starts_with("// Only speed") || plain), name);
    }
    CHECK(files > 20);
}

// The text of the files directly in this folder whose names begin and end so.
std::string texts_in(const char* folder, const char* beginning, const char* ending) {
    std::string texts;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(fs::path(PRIMER_SOURCE_DIR) / folder)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(beginning) || !name.ends_with(ending)) continue;
        std::ifstream file(entry.path());
        texts.append(std::istreambuf_iterator<char>(file), {});
    }
    return texts;
}

TEST_CASE("house: every layer is compared with PyTorch's") {
    const std::string tests = texts_in("tests", "test_parity_", ".cpp");
    const std::string headers = texts_in("layers", "", ".h");
    const std::vector<std::string> bases{"Activation", "BatchNorm", "ConvLayer", "DropoutLayer"};
    const std::vector<std::string> not_in_pytorch{};
    const std::regex layer(
        R"(class (\w+) : public (Module|Activation|BatchNorm|ConvLayer|DropoutLayer)\b)");
    int layers = 0;
    for (std::sregex_iterator match(headers.begin(), headers.end(), layer), end; match != end;
         ++match) {
        const std::string name = (*match)[1];
        if (std::ranges::count(bases, name) > 0) continue;
        if (std::ranges::count(not_in_pytorch, name) > 0) continue;
        ++layers;
        CHECK_MESSAGE(std::regex_search(tests, std::regex("\\b" + name + "\\b")), name,
                      " is in no tests/test_parity_*.cpp");
    }
    CHECK(layers > 30);
}

TEST_CASE("house: what PyTorch computed takes no more than 1.5 MB") {
    std::uintmax_t bytes = 0, files = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(PRIMER_PARITY_DIR)) {
        if (entry.path().extension() != ".safetensors") continue;
        bytes += entry.file_size();
        ++files;
    }
    CHECK(files > 10);
    CHECK(bytes <= 1'500'000);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
