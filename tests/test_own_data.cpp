// Programs of a user with data of his own: what they train on must be learnt. docs/data.md shows
// them.

#include <cmath>
#include <filesystem>

#include <primer/core/io/image.h>
#include <primer/core/text.h>
#include <primer/primer.h>
#include "folder.h"
#include "support.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// docs/data.md: a folder of pictures
double train_on_pictures(const fs::path& folder) {
    const ImageFolder flowers = image_folder(folder, {8, 8});
    const std::vector<Subset> parts = random_split(flowers.pictures, {0.8, 0.2});
    DataLoader train(parts[0], {.batch_size = 8, .shuffle = true, .transforms = {ToTensor()}});
    DataLoader test(parts[1], {.transforms = {ToTensor()}});
    Sequential model{Flatten(), Linear(3 * 8 * 8, 2)};
    SGD optimizer(model.parameters(), {.lr = 0.1});
    for (int epoch = 0; epoch < 10; ++epoch)
        for (const Batch& batch : train) {
            Tape tape;
            optimizer.zero_grad();
            tape.backward(cross_entropy(model(batch.inputs), batch.labels));
            optimizer.step();
        }
    return evaluate(model, test).accuracy;
}

// docs/data.md: a table of numbers. Returns the mean squared error over the whole table.
double train_on_table(const fs::path& file) {
    const Tensor rows = read_csv(file).values;  // size, age, price
    const Tensor x = slice(rows, 0, 2, {.dim = 1}), price = slice(rows, 2, 3, {.dim = 1});
    const TensorDataset houses(x, price);
    DataLoader loader(houses, {.batch_size = 16, .shuffle = true});
    Sequential model{Linear(2, 16), Tanh(), Linear(16, 1)};
    Adam optimizer(model.parameters(), {.lr = 0.02});
    for (int epoch = 0; epoch < 60; ++epoch)
        for (const Batch& batch : loader) {
            Tape tape;
            optimizer.zero_grad();
            tape.backward(mse_loss(model(batch.inputs), batch.targets));
            optimizer.step();
        }
    return mse_loss(model(x), price).item();
}

// docs/data.md: EMNIST's letters
double train_on_letters(const fs::path& folder) {
    const ImageDataset letters = emnist(folder, EmnistSplit::letters, Split::train);
    const ImageDataset others = emnist(folder, EmnistSplit::letters, Split::test);
    DataLoader train(letters, {.shuffle = true, .transforms = {ToTensor()}});
    DataLoader test(others, {.transforms = {ToTensor()}});
    Sequential model{Flatten(), Linear(784, 26)};
    SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9});
    for (int epoch = 0; epoch < 5; ++epoch)
        for (const Batch& batch : train) {
            Tape tape;
            optimizer.zero_grad();
            tape.backward(cross_entropy(model(batch.inputs), batch.labels));
            optimizer.step();
        }
    return evaluate(model, test).accuracy;
}

TEST_CASE("own data: a folder of pictures") {
    const Folder folder;
    Rng rng(7);
    for (const std::string name : {"daisy", "tulip"}) {
        fs::create_directory(folder.path() / name);
        for (int i = 0; i < 25; ++i) {
            Image image(10, 12, 3);
            for (std::uint8_t& v : image.pixels) v = static_cast<std::uint8_t>(rng.below(120));
            // Tulips are redder.
            for (Index y = 0; y < 12; ++y) {
                for (Index x = 0; x < 10; ++x)
                    if (name == "tulip") image.at(x, y, 0) |= 128;
            }
            save_png(folder.path() / name / (std::to_string(i) + ".png"), image);
        }
    }
    CHECK(train_on_pictures(folder.path()) == 1);
}

TEST_CASE("own data: a table of numbers") {
    const Folder folder;
    Rng rng(7);
    TextStream text;
    text << "size,age,price\n";
    for (int i = 0; i < 200; ++i) {
        const auto size = static_cast<double>(rng.uniform()),
                   age = static_cast<double>(rng.uniform());
        text << size << ',' << age << ',' << 2 * size - age * age << '\n';
    }
    folder.write("houses.csv", text.str());
    CHECK(train_on_table(folder.path() / "houses.csv") < 0.01);
}

std::string number(std::uint32_t value) {
    std::string bytes;
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
}

TEST_CASE("own data: letters in EMNIST's files") {
    const Folder folder;
    for (const std::string part : {"train", "test"}) {
        // Letter k has a white column at 1 + k, so in the file, on its side, a white row.
        std::string pixels, labels;
        for (int i = 0; i < 260; ++i) {
            const auto k = static_cast<std::size_t>(i % 26);
            std::string picture(28 * 28, '\0');
            picture.replace((1 + k) * 28, 28, std::string(28, '\xff'));
            pixels += picture;
            labels += static_cast<char>(1 + k);
        }
        const std::string name = "emnist-letters-" + part;
        folder.write(name + "-images-idx3-ubyte",
                     number(0x803) + number(260) + number(28) + number(28) + pixels);
        folder.write(name + "-labels-idx1-ubyte", number(0x801) + number(260) + labels);
    }
    CHECK(train_on_letters(folder.path()) == 1);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
