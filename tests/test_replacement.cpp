#include "primer/core/io/replacement.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "folder.h"
#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t files_in(const fs::path& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

void replace(const fs::path& path, const std::string& bytes) {
    Replacement file(path, "a text");
    file.write(bytes);
    file.commit();
}

TEST_CASE("replacement: the file is there when it is committed, and nothing beside it") {
    const Folder folder;
    const fs::path path = folder.path() / "a file";
    {
        Replacement file(path, "a text");
        file.write("one");
        file.write("");
        file.write(" two");
        CHECK_FALSE(fs::exists(path));
        CHECK(files_in(folder.path()) == 1);
        file.commit();
    }
    CHECK(contents(path) == "one two");
    replace(path, "three");
    CHECK(contents(path) == "three");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("replacement: given up, the old file is untouched and nothing is left") {
    const Folder folder;
    folder.write("a", "old");
    {
        Replacement file(folder.path() / "a", "a text");
        file.write("new");
    }
    CHECK(contents(folder.path() / "a") == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("replacement: permissions stay") {
    const Folder folder;
    folder.write("a", "old");
    for (const fs::perms before : {fs::perms(0600), fs::perms(0644)}) {
        fs::permissions(folder.path() / "a", before);
        replace(folder.path() / "a", "new");
        const bool same = fs::status(folder.path() / "a").permissions() == before;
        CHECK(same);
    }
}

TEST_CASE("replacement: a link stays one") {
    const Folder folder;
    folder.write("a", "old");
    fs::create_symlink("a", folder.path() / "link");
    replace(folder.path() / "link", "new");
    CHECK(contents(folder.path() / "a") == "new");
    CHECK(fs::is_symlink(folder.path() / "link"));
}

TEST_CASE("replacement: what can not be replaced") {
    const Folder folder;
    const std::string inside = folder.path().string();
    check_error([&] { replace(folder.path(), "x"); },
                {inside.c_str(),
                 ": expected a file, or nothing yet, to save a text to, got a "
                 "folder"});
    check_error([&] { replace("/dev/null", "x"); },
                {"/dev/null: ", "got something that is no file"});
    check_error([&] { replace(folder.path() / "none" / "a", "x"); },
                {(inside + "/none/a: failed to create a file in its folder when saving a text: No "
                           "such file or directory")
                     .c_str(),
                 "what was there before, if anything, is untouched"});
    fs::create_symlink("none/a", folder.path() / "link");
    check_error([&] { replace(folder.path() / "link", "x"); },
                {(inside + "/link: expected a file, or nothing yet, to save a text to, got a link")
                     .c_str()});
    CHECK(fs::is_symlink(folder.path() / "link"));
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    const AsNobody nobody;
    check_error([&] { replace(folder.path() / "a", "x"); }, {": Permission denied"});
}

TEST_CASE("replacement: a disk that gets full half-way") {
    const Folder folder;
    folder.write("a", "old");
    {
        const FileSizeLimit full(1000);
        check_error([&] { replace(folder.path() / "a", std::string(5000, 'x')); },
                    {"/a: failed to write the file when saving a text: File too large"});
    }
    CHECK(contents(folder.path() / "a") == "old");
    CHECK(files_in(folder.path()) == 1);
}

}  // namespace
}  // namespace primer
