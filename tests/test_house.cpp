// The direction in which the rooms may include one another: core/kernels <- core <- {layers, optim}
// <- datasets <- examples, and never back. The linker enforces most of it; headers it can not see.
// And the size of the fixtures.

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
    {"core/kernels", {"core/kernels/", "core/real.h", "core/error.h", "core/shape.h"}},
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
