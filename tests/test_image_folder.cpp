#include <primer/datasets/image_folder.h>

#include <array>
#include <filesystem>

#include <primer/core/io/image.h>
#include <primer/datasets/pictures.h>
#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// A picture of one colour.
Image plain(Index width, Index height, std::array<std::uint8_t, 3> colour) {
    Image image(width, height, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = colour[i % 3];
    return image;
}

// Two classes; in `cat` also a folder, a note and a hidden file.
struct Animals {
    Animals() {
        fs::create_directories(folder.path() / "cat" / "more");
        fs::create_directories(folder.path() / "dog");
        fs::create_directories(folder.path() / ".hidden");
        save_png(folder.path() / "cat" / "b.png", plain(8, 8, {200, 100, 50}));
        save_png(folder.path() / "cat" / "more" / "a.PNG", plain(3, 9, {10, 20, 30}));
        save_png(folder.path() / "dog" / "c.png", Image(5, 4, 1, 77));
        folder.write("cat/notes.txt", "no picture");
        folder.write("cat/.directory", "hidden");
        folder.write("readme.md", "no picture");
    }
    ImageFolder read(const ImageFolderOptions& options = {}) const {
        return image_folder(folder.path(), {4, 6}, options);
    }
    Folder folder;
};

TEST_CASE("image_folder: a folder for each class") {
    const ImageFolder found = Animals().read();
    CHECK(found.classes == std::vector<std::string>{"cat", "dog"});
    CHECK(found.skipped == std::vector<std::string>{"cat/notes.txt", "readme.md"});
    const ImageDataset& data = found.pictures;
    CHECK(data.size() == 3);
    CHECK(data.shape() == Shape{3, 4, 6});
    CHECK(data.classes() == 2);
    CHECK(data.label(0) == 0);
    CHECK(data.label(1) == 0);
    CHECK(data.label(2) == 1);
    CHECK(data.pixels(0)[0] == 200);  // cat/b.png: red, green, blue
    CHECK(data.pixels(0)[24] == 100);
    CHECK(data.pixels(0)[48] == 50);
    CHECK(data.pixels(1)[71] == 30);  // cat/more/a.PNG
    CHECK(data.pixels(2)[0] == 77);   // grey in three channels
    CHECK(data.pixels(2)[71] == 77);
}

TEST_CASE("image_folder: in grey") {
    const ImageFolder found = Animals().read({.channels = 1});
    CHECK(found.pictures.shape() == Shape{1, 4, 6});
    CHECK(found.pictures.pixels(0)[0] == 124);  // 0.299 200 + 0.587 100 + 0.114 50 = 124.2
    CHECK(found.pictures.pixels(2)[0] == 77);
}

TEST_CASE("image_folder: pictures that cannot be read are named, or left out") {
    const Animals animals;
    animals.folder.write("dog/broken.jpg", "not a picture");
    check_error([&] { animals.read(); }, {"image_folder: expected readable pictures", "found 1",
                                          "skip_unreadable", "broken.jpg"});
    const ImageFolder found = animals.read({.skip_unreadable = true});
    CHECK(found.pictures.size() == 3);
    CHECK(found.skipped ==
          std::vector<std::string>{"cat/notes.txt", "dog/broken.jpg", "readme.md"});
}

TEST_CASE("image_folder: folders without pictures, or none" * needs_posix()) {
    const Animals animals;
    const fs::path& root = animals.folder.path();
    check_error(
        [&] {
            image_folder(root / "none", {4, 4});
        },
        {"image_folder: expected a folder with a folder for each class", "none"});
    check_error(
        [&] {
            image_folder(root / "dog", {4, 4});
        },
        {"expected a folder for each class in", "found none"});
    check_error([&] { image_folder(root, {0, 4}); }, {"size of at least 1"});
    check_error([&] { image_folder(root, {4, 4}, {.channels = 4}); }, {"1 or 3 channels, got 4"});
    fs::create_directories(root / "empty");
    check_error([&] { image_folder(root, {4, 4}); }, {"pictures in the class's folder", "empty"});
    fs::remove(root / "empty");
    fs::create_directory_symlink(root / "cat", root / "cat" / "again");
    check_error([&] { image_folder(root, {4, 4}); }, {"a link back"});
}

TEST_CASE("fitted_picture: the part in the middle that has the proportions") {
    Image image(6, 2, 1);
    for (Index x = 0; x < 6; ++x) image.at(x, 0) = image.at(x, 1) = static_cast<std::uint8_t>(x);
    check_values(fitted_picture(image, 1, 2, 2), {1, 2, 2}, {2, 3, 2, 3});
    check_values(fitted_picture(image, 1, 1, 3), {1, 1, 3}, {Real(0.6), Real(2.5), Real(4.4)},
                 Real(0.2));
    check_error([&] { fitted_picture(image, 2, 2, 2); }, {"1 or 3 channels", "got 2"});
    check_error([&] { fitted_picture(image, 1, 0, 2); }, {"0 x 2"});
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
