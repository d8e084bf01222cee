#include <primer/core/io/replacement.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "folder.h"
#include "support.h"
#include "system.h"

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

TEST_CASE("replacement: the file appears when it is committed, and nothing else does") {
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

TEST_CASE("replacement: if it is abandoned, the old file is untouched and nothing is left") {
    const Folder folder;
    folder.write("a", "old");
    {
        Replacement file(folder.path() / "a", "a text");
        file.write("new");
    }
    CHECK(contents(folder.path() / "a") == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("replacement: permissions stay" * needs_posix()) {
    const Folder folder;
    folder.write("a", "old");
    for (const fs::perms before : {fs::perms(0600), fs::perms(0644)}) {
        fs::permissions(folder.path() / "a", before);
        replace(folder.path() / "a", "new");
        const bool same = fs::status(folder.path() / "a").permissions() == before;
        CHECK(same);
    }
}

TEST_CASE("replacement: nothing is written through a link" * needs_posix()) {
    const Folder folder;
    folder.write("a", "old");
    fs::create_symlink("a", folder.path() / "link");
    check_error([&] { replace(folder.path() / "link", "new"); },
                {"/link: expected a file, or nothing yet, to save a text to, got a link to \"a\"; "
                 "links are not written through: name the file itself"});
    CHECK(contents(folder.path() / "a") == "old");
    CHECK(fs::is_symlink(folder.path() / "link"));
    fs::create_directory(folder.path() / "real");
    fs::create_directory_symlink("real", folder.path() / "folder");
    replace(folder.path() / "folder" / "b", "new");
    CHECK(contents(folder.path() / "real" / "b") == "new");
}

TEST_CASE("replacement: a file of another kind stays") {
    const Folder folder;
    const auto is_text = [](std::string_view beginning) { return beginning.starts_with("TEXT"); };
    const auto save = [&] {
        Replacement file(folder.path() / "a", "a text", is_text);
        file.write("TEXT new");
        file.commit();
    };
    folder.write("a", "TEX");
    check_error(save, {"/a: expected a file, or nothing yet, to save a text to, got a file of "
                       "another kind, which stays"});
    CHECK(contents(folder.path() / "a") == "TEX");
    for (const char* before : {"", "TEXT old, and long enough for sixteen bytes"}) {
        folder.write("a", before);
        save();
        CHECK(contents(folder.path() / "a") == "TEXT new");
    }
}

TEST_CASE("replacement: what a killed process left behind is removed, and nothing else" *
          needs_posix()) {
    const Folder folder;
    const std::string pid = std::to_string(killed_child([&] {  // in the middle of a save
        Replacement* const file = new Replacement(folder.path() / "a", "a text");
        file->write("half");
    }));
    CHECK(fs::exists(folder.path() / ("a.tmp-" + pid + "-0")));
    folder.write("a.tmp-" + pid + "-0x", "");
    folder.write("a.tmp-" + pid, "");
    folder.write("b.tmp-" + pid + "-0", "");
    folder.write("a.tmp-1-0", "of a running process");
    fs::create_symlink("b.tmp-" + pid + "-0", folder.path() / ("a.tmp-" + pid + "-7"));
    replace(folder.path() / "a", "whole");
    CHECK_FALSE(fs::exists(folder.path() / ("a.tmp-" + pid + "-0")));
    CHECK(files_in(folder.path()) == 6);
}

TEST_CASE("replacement: two of one file at the same time do not disturb each other") {
    const Folder folder;
    Replacement first(folder.path() / "a", "a text"), second(folder.path() / "a", "a text");
    first.write("first");
    second.write("second");
    first.commit();
    second.commit();
    CHECK(contents(folder.path() / "a") == "second");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("replacement: without a current folder there is an Error" * needs_posix()) {
    const fs::path before = fs::current_path();
    {
        const Folder folder;
        fs::current_path(folder.path());
    }
    check_error([] { replace("a", "x"); }, {"a: failed to save a text there: "});
    fs::current_path(before);
}

TEST_CASE("replacement: what cannot be replaced" * needs_posix()) {
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

TEST_CASE("replacement: a disk that gets full half-way" * needs_posix()) {
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
// SPDX-License-Identifier: MIT
