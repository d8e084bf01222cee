#include "idx.h"

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

namespace primer::files {
namespace {

using Header = std::array<std::uint8_t, 16>;

struct Kind {
    const char* what;
    std::uint32_t magic;
    std::uint64_t header_bytes;
};
constexpr Kind kImages{"images", 0x00000803, 16};
constexpr Kind kLabels{"labels", 0x00000801, 8};

std::string hex(std::uint32_t number) {
    TextStream text;
    text << "0x" << std::hex << std::setfill('0') << std::setw(8) << number;
    return text.str();
}

/// The number at the header's position 0, 1, 2 or 3.
std::uint32_t number_at(const Header& header, std::size_t position) {
    std::uint32_t number = 0;
    for (std::size_t k = 0; k < 4; ++k) number = number << 8 | header[4 * position + k];
    return number;
}

/// Reads one of the two files.
class Reader {
  public:
    Reader(const Source& source, File& file, const Kind& kind)
        : source_(source), file_(file), kind_(kind) {}

    /// The data. Allocates only for data that the file really holds. `side` is as in read_idx.
    std::vector<std::uint8_t> read(std::uint64_t side) {
        file_.check_unpacked();
        const std::uint64_t file_bytes = file_.bytes();
        const std::uint64_t header_bytes = std::min(file_bytes, kind_.header_bytes);
        file_.read(std::span(header_).first(static_cast<std::size_t>(header_bytes)));
        check_kind(file_bytes);

        const std::uint64_t announced = announced_bytes(side);
        const std::uint64_t found = file_bytes - kind_.header_bytes;
        check(found == announced, source_.name, ": expected ", shown(file_.path()), " to have ",
              kind_.header_bytes + announced, " bytes, because its header announces ",
              number_at(header_, 1), " ", kind_.what, ", found ", file_bytes,
              found < announced ? " (was a download broken off?)" : "", source_.compare());

        std::vector<std::uint8_t> data(static_cast<std::size_t>(announced));
        file_.read(data);
        return data;
    }

    Index rows() const { return number_at(header_, 2); }
    Index columns() const { return number_at(header_, 3); }

  private:
    void check_kind(std::uint64_t file_bytes) const {
        const Kind& other = kind_.magic == kImages.magic ? kLabels : kImages;
        const std::uint32_t magic = number_at(header_, 0);
        check(file_bytes < 4 || magic != other.magic, source_.name, ": expected ",
              shown(file_.path()), " to hold ", kind_.what, " (magic number ", hex(kind_.magic),
              "), found that it holds ", other.what, " (", hex(magic),
              "); have the two files been swapped?");
        check(file_bytes < 4 || magic == kind_.magic, source_.name, ": expected ",
              shown(file_.path()), " to begin with the magic number ", hex(kind_.magic),
              " of an IDX file of ", kind_.what, ", found ", hex(magic), source_.compare());
        check(file_bytes >= kind_.header_bytes, source_.name, ": expected ", shown(file_.path()),
              " to have a header of ", kind_.header_bytes, " bytes, found a file of ", file_bytes,
              source_.compare());
    }

    /// The number of bytes after the header, according to the header.
    std::uint64_t announced_bytes(std::uint64_t side) const {
        const std::uint64_t count = number_at(header_, 1);
        check(count >= 1, source_.name, ": expected ", shown(file_.path()), " to hold ", kind_.what,
              ", found that its header announces 0 of them", source_.compare());
        if (kind_.magic == kLabels.magic) return count;

        const std::uint64_t rows = number_at(header_, 2), columns = number_at(header_, 3);
        const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / count;
        const std::string size =
            side == 0 ? "at least 1 x 1" : std::to_string(side) + " x " + std::to_string(side);
        check(rows == 0 || columns <= most / rows, source_.name, ": expected ", shown(file_.path()),
              " to hold ", count, " images of ", size, ", found that its header announces ", rows,
              " x ", columns, " for each, more than any file can hold", source_.compare());
        check(side == 0 ? rows * columns > 0 : rows == side && columns == side, source_.name,
              ": expected ", shown(file_.path()), " to hold images of ", size, ", found ", rows,
              " x ", columns, source_.compare());
        return count * rows * columns;
    }

    const Source& source_;
    File& file_;
    const Kind& kind_;
    Header header_{};
};

/// Exchanges the rows and the columns of every picture, in place of the pictures.
void transpose(std::vector<std::uint8_t>& pixels, Index rows, Index columns) {
    const auto size = static_cast<std::size_t>(rows * columns);
    std::vector<std::uint8_t> upright(size);
    for (std::size_t first = 0; first < pixels.size(); first += size) {
        std::size_t to = 0;
        for (Index c = 0; c < columns; ++c) {
            for (Index r = 0; r < rows; ++r) {
                upright[to++] = pixels[first + static_cast<std::size_t>(r * columns + c)];
            }
        }
        std::ranges::copy(upright, pixels.begin() + static_cast<std::ptrdiff_t>(first));
    }
}

}  // namespace

ImageDataset read_idx(const Source& source, File images_file, File labels_file,
                      const IdxOptions& options, Index side) {
    Reader images(source, images_file, kImages), labels(source, labels_file, kLabels);
    std::vector<std::uint8_t> pixels = images.read(static_cast<std::uint64_t>(side));
    std::vector<std::uint8_t> numbers = labels.read(0);

    Index rows = images.rows(), columns = images.columns();
    const std::size_t count = pixels.size() / static_cast<std::size_t>(rows * columns);
    check(count == numbers.size(), source.name, ": expected as many labels in ",
          shown(labels_file.path()), " as there are images in ", shown(images_file.path()),
          ", found ", numbers.size(), " and ", count, source.compare());
    const Index first = options.first_label, last = first + options.classes - 1;
    const auto bad =
        std::ranges::find_if(numbers, [&](Index label) { return label < first || label > last; });
    if (bad != numbers.end()) {
        fail(source.name, ": expected labels from ", first, " to ", last, " in ",
             shown(labels_file.path()), ", found ", int{*bad}, " for image ", bad - numbers.begin(),
             source.compare(), "; for data of your own, give idx_dataset their number of classes");
    }
    for (std::uint8_t& label : numbers) label = static_cast<std::uint8_t>(label - first);
    if (options.transposed) {
        transpose(pixels, rows, columns);
        std::swap(rows, columns);
    }
    return ImageDataset({1, rows, columns}, options.classes, std::move(pixels), std::move(numbers));
}

}  // namespace primer::files

namespace primer {

ImageDataset idx_dataset(const std::filesystem::path& images, const std::filesystem::path& labels,
                         const IdxOptions& options) {
    constexpr files::Source source{"idx_dataset", "a dataset in IDX files", false};
    check(options.classes >= 1 && options.classes <= 256,
          "idx_dataset: expected 1 to 256 classes, got ", options.classes);
    check(options.first_label >= 0 && options.first_label + options.classes <= 256,
          "idx_dataset: expected labels of one byte, got ", options.classes, " classes from ",
          options.first_label, " on");
    for (const std::filesystem::path& path : {images, labels}) {
        check(source.there(path), "idx_dataset: expected the file ", files::shown(path),
              ", found no such file");
    }
    return files::read_idx(source, files::File(source, images), files::File(source, labels),
                           options, 0);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
