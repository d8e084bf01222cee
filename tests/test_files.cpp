#include <primer/datasets/files.h>

#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;
using files::File;

constexpr files::Source kSource{"photos", "PHOTOS"};

TEST_CASE("files: paths are shown absolute and without detours" * needs_posix()) {
    CHECK(files::quoted("/a/b/../c") == "'/a/c'");
    CHECK(files::quoted("/it's") == "'/it'\\''s'");  // good for a command
    CHECK(files::quoted("x") == std::string(1, '\'') + (fs::current_path() / "x").string() + '\'');
}

TEST_CASE("files: what messages end with" * needs_posix()) {
    CHECK(kSource.missing("/data") ==
          "; in Primer's source folder, ./primer fetch photos --to '/data' downloads it");
    const Folder folder;
    fs::create_directory(folder.path() / "photos");
    CHECK(kSource.missing(folder.path()) == "; there is a folder '" +
                                                (folder.path() / "photos").string() +
                                                "': is that the one to name?");
    // An existing file may be the user's own: no advice to replace it.
    CHECK(kSource.compare() ==
          "; in Primer's source folder, ./primer fetch photos --to NEW-FOLDER downloads the "
          "published files to compare with");
}

TEST_CASE("files: what is at a path" * needs_posix()) {
    const Folder folder;
    folder.write("file", "");
    CHECK(kSource.type_of(folder.path()) == fs::file_type::directory);
    CHECK(kSource.type_of(folder.path() / "file") == fs::file_type::regular);
    CHECK(kSource.type_of(folder.path() / "other") == fs::file_type::not_found);
    CHECK(kSource.there(folder.path() / "file"));
    CHECK_FALSE(kSource.there(folder.path() / "other"));
    check_error([&] { kSource.there(folder.path() / std::string(5000, 'x')); },
                {"photos: cannot look at '", "xxx': "});
}

TEST_CASE("files: a folder, and what is none" * needs_posix()) {
    const Folder folder;
    folder.write("file", "");
    CHECK_NOTHROW(kSource.check_folder(folder.path()));
    check_error([&] { kSource.check_folder(""); },
                {"photos: expected the name of a folder with PHOTOS's files, found an empty one"});
    check_error(
        [&] { kSource.check_folder("/no-such-folder"); },
        {"photos: expected a folder with PHOTOS's files, found no '/no-such-folder'; "
         "in Primer's source folder, ./primer fetch photos --to '/no-such-folder' downloads it"});
    check_error([&] { kSource.check_folder(folder.path() / "file"); },
                {"expected a folder", "/file', which is a file; name the folder"});
}

TEST_CASE("files: a file is read from its beginning to its end") {
    const Folder folder;
    folder.write("file", "abcde");
    File file(kSource, folder.path() / "file");
    CHECK(file.path() == folder.path() / "file");
    CHECK(file.bytes() == 5);

    std::array<std::uint8_t, 2> two{};
    file.read(two);
    CHECK(two == std::array<std::uint8_t, 2>{'a', 'b'});
    // Looking at the beginning does not change where reading goes on.
    CHECK(file.begins_with({'a', 'b', 'c', 'd', 'e'}));
    CHECK(file.begins_with({}));
    CHECK_FALSE(file.begins_with({'a', 'b', 'x'}));
    CHECK_FALSE(file.begins_with({'a', 'b', 'c', 'd', 'e', 'f'}));
    CHECK_NOTHROW(file.check_unpacked());
    file.read(two);
    CHECK(two == std::array<std::uint8_t, 2>{'c', 'd'});
    check_error([&] { file.read(two); }, {"photos: expected to read all 5 bytes of '",
                                          "/file', found that reading stopped"});
}

TEST_CASE("files: the last byte, and the beginning seen from the end") {
    const Folder folder;
    folder.write("file", "ab");
    File file(kSource, folder.path() / "file");
    std::array<std::uint8_t, 2> two{};
    file.read(two);
    CHECK(file.begins_with({'a'}));
    CHECK(two[1] == 'b');
    std::array<std::uint8_t, 0> none{};
    CHECK_NOTHROW(file.read(none));
}

TEST_CASE("files: a packed file, no file at all, and an unreadable one" * needs_posix()) {
    const Folder folder;
    folder.write("packed", "\x1f\x8b\x08");
    File packed(kSource, folder.path() / "packed");
    check_error([&] { packed.check_unpacked(); },
                {"photos: expected '", "/packed' unpacked", "begins with 1f 8b",
                 "/packed.gz' && gunzip --keep '", "/packed.gz' unpacks it"});
    std::istringstream in("\x1f\x8b\x08");
    check_error([&] { File(kSource, in, "it").check_unpacked(); },
                {"as gzip's files do; unpack it first"});
    check_error([&] { File(kSource, folder.path()); },
                {"to be a file, found a folder or a device; move it away"});
    check_error([&] { File(kSource, folder.path() / "other"); }, {"to be a file"});

    folder.write("secret", "x");
    fs::permissions(folder.path() / "secret", fs::perms::none);
    const AsNobody nobody;
    check_error([&] { File(kSource, folder.path() / "secret"); },
                {"photos: expected '", "/secret' to be readable", "check its permissions"});
}

TEST_CASE("files: the Error says why a file cannot be opened" * needs_posix()) {
    const Folder folder;
    folder.write("file", "x");
    const std::string message =
        message_without_descriptors([&] { File(kSource, folder.path() / "file"); });
    CHECK_MESSAGE(message.ends_with("cannot be opened: Too many open files"), message);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
