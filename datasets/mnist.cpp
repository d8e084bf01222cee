#include "mnist.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iomanip>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.h"
#include "files.h"

// An IDX file is a header of 32-bit numbers, most significant byte first, and then the data:
//
//   pictures   0x00000803   count   rows   columns   one byte per pixel, row by row
//   labels     0x00000801   count                    one byte per label
//
// (08 means that the data are bytes; the last byte is the number of dimensions.)

namespace primer {
namespace {

namespace fs = std::filesystem;
using files::shown;

constexpr std::uint64_t kSide = 28;
constexpr files::Source kMnist{"mnist", "MNIST"};

struct Kind {
    const char* what;
    const char* end_of_name;
    std::uint32_t magic;
    std::uint64_t header_bytes;
};
constexpr Kind kImages{"images", "idx3-ubyte", 0x00000803, 16};
constexpr Kind kLabels{"labels", "idx1-ubyte", 0x00000801, 8};

const char* prefix(Split split) { return split == Split::train ? "train" : "t10k"; }

/// A file's names: as published, and as some copies spell it.
std::array<std::string, 2> names(Split split, const Kind& kind) {
    const std::string begin = std::string(prefix(split)) + "-" + kind.what;
    return {begin + "-" + kind.end_of_name, begin + "." + kind.end_of_name};
}

std::string hex(std::uint32_t number) {
    TextStream text;
    text << "0x" << std::hex << std::setfill('0') << std::setw(8) << number;
    return text.str();
}

fs::path find(const fs::path& dir, Split split, const Kind& kind) {
    const std::array<std::string, 2> spellings = names(split, kind);
    for (const std::string& name : spellings) {
        if (kMnist.there(dir / name)) return dir / name;
    }
    for (const std::string& name : spellings) {
        const fs::path packed = dir / (name + ".gz");
        check(!kMnist.there(packed), "mnist: expected ", shown(dir / name),
              ", found it packed; gunzip --keep ", shown(packed), " unpacks it");
    }
    fail("mnist: expected the file ", shown(dir / spellings[0]), " (or ", spellings[1],
         "), found neither", kMnist.missing(dir));
}

/// The number at the header's position 0, 1, 2 or 3.
std::uint32_t number_at(const std::array<std::uint8_t, 16>& header, std::size_t position) {
    std::uint32_t number = 0;
    for (std::size_t k = 0; k < 4; ++k) number = number << 8 | header[4 * position + k];
    return number;
}

/// Throws Error unless the header is of this kind.
void check_kind(const fs::path& path, const Kind& kind, std::uint64_t file_bytes,
                const std::array<std::uint8_t, 16>& header) {
    const Kind& other = kind.magic == kImages.magic ? kLabels : kImages;
    const std::uint32_t magic = number_at(header, 0);
    check(file_bytes < 4 || magic != other.magic, "mnist: expected ", shown(path), " to hold ",
          kind.what, " (magic number ", hex(kind.magic), "), found that it holds ", other.what,
          " (", hex(magic), "); have the two files been swapped?");
    check(file_bytes < 4 || magic == kind.magic, "mnist: expected ", shown(path),
          " to begin with the magic number ", hex(kind.magic), " of an IDX file of ", kind.what,
          ", found ", hex(magic), kMnist.compare());
    check(file_bytes >= kind.header_bytes, "mnist: expected ", shown(path), " to have a header of ",
          kind.header_bytes, " bytes, found a file of ", file_bytes, kMnist.compare());
}

/// The number of bytes after the header, according to the header.
std::uint64_t announced_bytes(const fs::path& path, const Kind& kind,
                              const std::array<std::uint8_t, 16>& header) {
    const std::uint64_t count = number_at(header, 1);
    check(count >= 1, "mnist: expected ", shown(path), " to hold ", kind.what,
          ", found that its header announces 0 of them", kMnist.compare());
    if (kind.magic == kLabels.magic) return count;

    const std::uint64_t rows = number_at(header, 2), columns = number_at(header, 3);
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / count;
    check(rows == 0 || columns <= most / rows, "mnist: expected ", shown(path), " to hold ", count,
          " images of ", kSide, " x ", kSide, ", found that its header announces ", rows, " x ",
          columns, " for each, more than any file can hold", kMnist.compare());
    check(rows == kSide && columns == kSide, "mnist: expected ", shown(path), " to hold images of ",
          kSide, " x ", kSide, ", found ", rows, " x ", columns, kMnist.compare());
    return count * rows * columns;
}

/// The data of an IDX file. Allocates only for data that the file really holds.
std::vector<std::uint8_t> read(files::File& file, const Kind& kind) {
    const fs::path& path = file.path();
    file.check_unpacked();
    const std::uint64_t file_bytes = file.bytes();
    std::array<std::uint8_t, 16> header{};
    file.read(std::span(header).first(std::min(file_bytes, kind.header_bytes)));
    check_kind(path, kind, file_bytes, header);

    const std::uint64_t announced = announced_bytes(path, kind, header);
    const std::uint64_t found = file_bytes - kind.header_bytes;
    check(found == announced, "mnist: expected ", shown(path), " to have ",
          kind.header_bytes + announced, " bytes, because its header announces ",
          number_at(header, 1), " ", kind.what, ", found ", file_bytes,
          found < announced ? " (was a download broken off?)" : "", kMnist.compare());

    std::vector<std::uint8_t> data(announced);
    file.read(data);
    return data;
}

ImageDataset read(files::File images_file, files::File labels_file) {
    std::vector<std::uint8_t> pixels = read(images_file, kImages);
    std::vector<std::uint8_t> labels = read(labels_file, kLabels);
    const fs::path &images_path = images_file.path(), &labels_path = labels_file.path();

    const std::size_t images = pixels.size() / (kSide * kSide);
    check(images == labels.size(), "mnist: expected as many labels in ", shown(labels_path),
          " as there are images in ", shown(images_path), ", found ", labels.size(), " and ",
          images, kMnist.compare());
    const auto bad = std::ranges::find_if(labels, [](int label) { return label > 9; });
    if (bad != labels.end()) {
        fail("mnist: expected labels from 0 to 9 in ", shown(labels_path), ", found ", int{*bad},
             " for image ", bad - labels.begin(), kMnist.compare(),
             "; for data of your own with other labels, make an ImageDataset");
    }
    return ImageDataset({1, Index{kSide}, Index{kSide}}, 10, std::move(pixels), std::move(labels));
}

}  // namespace

ImageDataset mnist(const fs::path& dir, Split split) {
    kMnist.check_folder(dir);
    const fs::path images = find(dir, split, kImages), labels = find(dir, split, kLabels);
    return read(files::File(kMnist, images), files::File(kMnist, labels));
}

ImageDataset read_mnist(std::istream& images, std::istream& labels) {
    return read(files::File(kMnist, images, "images"), files::File(kMnist, labels, "labels"));
}

bool mnist_found(const fs::path& dir) {
    for (Split split : {Split::train, Split::test}) {
        for (const Kind& kind : {kImages, kLabels}) {
            for (const std::string& name : names(split, kind)) {
                if (kMnist.there(dir / name) || kMnist.there(dir / (name + ".gz"))) return true;
            }
        }
    }
    return false;
}

}  // namespace primer
