#include "checkpoint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <type_traits>
#include <utility>

#include "../creation.h"
#include "../error.h"
#include "../full_name.h"
#include "../text.h"
#include "crc32c.h"
#include "replacement.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr Index kMostPieces = 100'000;

// --- archives for cereal -----------------------------------------------------------------------

// Our own archives, because cereal's read a length and allocate that much, whatever is left of the
// file.

class Output : public cereal::OutputArchive<Output> {
  public:
    Output() : OutputArchive(this) {}
    void write(const void* data, std::size_t count) {
        bytes.append(static_cast<const char*>(data), count);
    }

    std::string bytes;
};

class Input : public cereal::InputArchive<Input> {
  public:
    Input(std::istream& in, Index bytes, const std::string& source)
        : InputArchive(this), in_(in), left_(bytes), source_(source) {}

    void read(void* data, Index count) {
        check_left(count, 1);
        in_.read(static_cast<char*>(data), static_cast<std::streamsize>(count));
        check(in_.gcount() == count, source_, ": expected ", count, " more bytes, got ",
              in_.gcount(), "; did the file change while it was read?");
        left_ -= count;
    }

    /// Reads the number of pieces that follow, each of at least `size` bytes. When this has
    /// returned, it is safe to allocate them.
    Index count(Index size) {
        Index count = 0;
        read(&count, sizeof count);
        check_left(count, size);
        return count;
    }

    /// The same for a list. A piece takes many times more memory than bytes in the file, so this
    /// limits the pieces of all lists together.
    Index list_count() {
        const Index count = this->count(sizeof(Index));
        pieces_ += count;
        check(pieces_ <= kMostPieces, source_, ": expected at most ", kMostPieces,
              " words, generators and tensors, got more");
        return count;
    }

    /// Throws Error unless the rest of the file can hold `count` pieces of this size.
    void check_left(Index count, Index size) const {
        check(count >= 0 && count <= left_ / size, source_, ": expected at most ", left_,
              " more bytes, as many as the file has left, got a length of ", count,
              size == 1 ? "" : ", each of which takes more than one");
    }

    Index left() const { return left_; }
    const std::string& source() const { return source_; }

  private:
    std::istream& in_;
    Index left_;
    Index pieces_ = 0;
    const std::string& source_;
};

template <class T>
concept Number = std::is_arithmetic_v<T>;

template <Number T>
void save(Output& out, const T& x) {
    out.write(&x, sizeof x);
}

template <Number T>
void load(Input& in, T& x) {
    in.read(&x, sizeof x);
}

void save(Output& out, const std::string& text) {
    out(std::ssize(text));
    out.write(text.data(), text.size());
}

void load(Input& in, std::string& text) {
    text.resize(static_cast<std::size_t>(in.count(1)));
    in.read(text.data(), std::ssize(text));
}

template <class T>
void save(Output& out, const std::vector<T>& list) {
    out(std::ssize(list));
    for (const T& element : list) out(element);
}

template <class T>
void load(Input& in, std::vector<T>& list) {
    const Index count = in.list_count();
    list.clear();
    list.reserve(static_cast<std::size_t>(count));
    for (Index i = 0; i < count; ++i) in(list.emplace_back());
}

void save(Output& out, const Tensor& x) {
    out(Index{x.shape().rank()});
    for (Index size : x.shape().dims()) out(size);
    out.write(x.data(), x.values().size_bytes());
}

void load(Input& in, Tensor& x) {
    const Index rank = in.count(sizeof(Index));
    check(rank <= Shape::kMaxRank, in.source(), ": expected tensors of at most ", Shape::kMaxRank,
          " dimensions, got one of ", rank);
    std::vector<Index> dims(static_cast<std::size_t>(rank));
    for (Index& size : dims) in(size);
    Shape shape;
    try {
        shape = Shape(dims);
    } catch (const Error& error) {
        fail(in.source(), ": ", error.what());
    }
    in.check_left(shape.numel(), sizeof(Real));
    x = empty(shape);
    in.read(x.mutable_data(), shape.numel() * Index{sizeof(Real)});
}

template <class Archive, class Value>
void serialize(Archive& archive, std::pair<std::string, Value>& named) {
    archive(named.first, named.second);
}

template <class Archive>
void serialize(Archive& archive, EpochSums& sums) {
    archive(sums.loss, sums.correct, sums.examples);
}

template <class Archive>
void serialize(Archive& archive, Checkpoint& c) {
    archive(c.command, c.note, c.model, c.generators, c.step, c.batches, c.examples, c.train_loader,
            c.test_loader, c.sums, c.best_accuracy, c.tensors, c.optimizer);
}

// --- the header --------------------------------------------------------------------------------

constexpr char kMagic[] = "PRIMERCK";
constexpr std::uint32_t kByteOrder = 0x01020304, kOtherByteOrder = 0x04030201;
constexpr std::uint32_t kVersion = 1;

// The header in the file, the same for all versions. It has no gaps: each member is at a multiple
// of its size.
struct Header {
    char magic[8];
    std::uint32_t byte_order = kByteOrder;
    std::uint32_t version = kVersion;
    std::uint32_t real_size = sizeof(Real);
    std::uint32_t payload_crc = 0;
    std::uint64_t payload_length = 0;
};
using HeaderBytes = std::array<char, sizeof(Header)>;
constexpr Index kHeaderSize = sizeof(Header) + sizeof(std::uint32_t);

std::uint32_t crc_of(const Header& header) {
    const auto bytes = std::bit_cast<HeaderBytes>(header);
    return crc32c({bytes.data(), bytes.size()});
}

std::string payload_of(const Checkpoint& checkpoint) {
    const Index pieces = std::ssize(checkpoint.command) + std::ssize(checkpoint.generators) +
                         std::ssize(checkpoint.tensors) + std::ssize(checkpoint.optimizer);
    check(pieces <= kMostPieces, "Checkpoint: expected at most ", kMostPieces,
          " words, generators and tensors, got ", pieces);
    Output out;
    out(checkpoint);
    return std::move(out.bytes);
}

std::string header_of(const std::string& payload) {
    Header header{.magic = {}, .payload_crc = crc32c(payload), .payload_length = payload.size()};
    std::memcpy(header.magic, kMagic, sizeof header.magic);
    Output out;
    out.write(&header, sizeof header);
    out(crc_of(header));
    return std::move(out.bytes);
}

Header read_header(std::istream& in, Index size, const std::string& source) {
    check(in.good() && size > 0, source, ": expected a checkpoint, got an empty file");
    Header header;
    std::uint32_t crc = 0;
    in.read(reinterpret_cast<char*>(&header), sizeof header);
    in.read(reinterpret_cast<char*>(&crc), sizeof crc);
    // A file that is cut inside the header is still recognised as a checkpoint.
    const auto named = static_cast<std::size_t>(std::min<Index>(size, sizeof header.magic));
    check(std::memcmp(header.magic, kMagic, named) == 0, source,
          ": expected a checkpoint, which begins with ", kMagic, ", got something else");
    check(size >= kHeaderSize, source, ": expected a checkpoint, of ", kHeaderSize,
          " bytes at least, got ", size, "; the file has been cut");
    check(header.byte_order != kOtherByteOrder, source,
          ": expected a checkpoint in this machine's byte order, got the other one; continue on a "
          "machine like the one that saved it");
    check(crc == crc_of(header) && header.byte_order == kByteOrder, source,
          ": expected the header of a checkpoint, got one that is damaged: its checksum differs");
    check(header.version == kVersion, source, ": expected a checkpoint of version ", kVersion,
          ", got version ", header.version,
          header.version > kVersion ? "; a newer Primer saved it" : "");
    check(header.real_size == sizeof(Real), source, ": expected numbers of ", sizeof(Real),
          " bytes, as this program has them, got some of ", header.real_size,
          "; float and double do not mix");
    const auto rest = static_cast<std::uint64_t>(size - kHeaderSize);
    check(header.payload_length == rest, source, ": expected ", header.payload_length,
          " bytes after the header, got ", rest,
          rest < header.payload_length ? "; the file has been cut" : "");
    return header;
}

std::uint32_t crc_of_rest(std::istream& in) {
    std::array<char, 4096> piece;
    std::uint32_t crc = 0;
    while (in.read(piece.data(), std::ssize(piece)) || in.gcount() > 0) {
        crc = crc32c({piece.data(), static_cast<std::size_t>(in.gcount())}, crc);
    }
    in.clear();
    return crc;
}

// Throws Error if a name comes twice, because chance would decide which of the two counts.
template <class Value>
void check_once(const char* what, const std::vector<std::pair<std::string, Value>>& list,
                const std::string& source) {
    std::set<std::string_view> names;
    for (const auto& [name, value] : list) {
        check(names.insert(name).second, source, ": expected every name of its ", what,
              " once, got ", in_quotes(name), " again");
    }
}

// Checks for what checksums cannot detect: a file made by another program.
void check_meaning(const Checkpoint& c, const std::string& source) {
    constexpr Index most = Index{1} << 53;  // so that counting on does not overflow
    check(c.step >= 0 && c.step <= most && c.batches >= 1 && c.examples >= 1 &&
              c.sums.correct >= 0 && c.sums.examples >= c.sums.correct && c.sums.examples <= most,
          source, ": expected possible counts of steps, batches and examples, got others");
    const Rng::State never{};
    for (const auto& [name, state] : c.generators) {
        check(state != never, source, ": expected a state of the generator ", printable(name),
              ", got four zeros, which it never has");
    }
    check_once("tensors", c.tensors, source);
    check_once("generators", c.generators, source);
    check_once("optimizer", c.optimizer, source);
}

// --- differences -------------------------------------------------------------------------------

template <class Value>
std::map<std::string, Value> by_name(const std::vector<std::pair<std::string, Value>>& list) {
    return {list.begin(), list.end()};
}

// Names come from a file, so there may be any number of them, with any bytes.
void add(std::string& list, const std::string& element) {
    constexpr std::size_t longest = 2000;
    if (list.size() > longest) return;
    list += (list.empty() ? "" : ", ") + printable(element);
    if (list.size() > longest) list += ", ...";
}

// The differences in names and, for tensors, in shapes; "" if there are none.
template <class Saved, class Here>
std::string difference(const char* what, const std::vector<std::pair<std::string, Saved>>& saved,
                       const std::vector<std::pair<std::string, Here>>& here) {
    std::string missing, unexpected, misshapen;
    const auto saved_names = by_name(saved);
    auto left = saved_names;
    for (const auto& [name, value] : by_name(here)) {
        const auto found = left.extract(name);
        if (found.empty()) {
            add(missing, name);
        } else if constexpr (std::is_same_v<Saved, Tensor>) {
            if (found.mapped().shape() == value.shape()) continue;
            add(misshapen,
                name + ' ' + found.mapped().shape().str() + " for " + value.shape().str());
        }
    }
    for (const auto& [name, value] : left) add(unexpected, name);
    std::string text;
    const auto say = [&](const char* how, const std::string& names) {
        if (!names.empty()) text += std::string("; ") + how + ' ' + what + ": " + names;
    };
    say("missing", missing);
    say("unexpected", unexpected);
    say("misshapen", misshapen);
    return text;
}

// Removes the next line from `text` and returns it without its indentation.
std::string take_line(std::string_view& text) {
    constexpr std::string_view blank = " \t\n";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    if (text.empty()) return "nothing more";
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size());
    return std::string(line);
}

// The first lines in which two descriptions differ; "" if they are the same.
std::string difference(std::string_view saved, std::string_view here) {
    if (saved == here) return "";
    std::string of_saved, of_here;
    do {
        of_saved = take_line(saved);
        of_here = take_line(here);
    } while (of_saved == of_here && !(saved.empty() && here.empty()));
    return ", with " + of_saved + " in place of " + of_here;
}

// --- files -------------------------------------------------------------------------------------

// Describes for messages what is in place of a file.
std::string kind(const fs::file_status& status, const std::error_code& error) {
    if (fs::is_directory(status)) return "a folder";
    if (fs::exists(status)) return "something that is no file";
    return status.type() == fs::file_type::not_found ? "nothing there" : error.message();
}

}  // namespace

void Checkpoint::take(const ModelState& from) {
    model = from.description;
    tensors = from.tensors;
    generators.clear();
    for (const auto& [name, generator] : from.generators) {
        generators.emplace_back(name, generator->state());
    }
}

void Checkpoint::check_fits(const ModelState& here, const std::string& source) const {
    const std::string all = difference(model, here.description) +
                            difference("tensors", tensors, here.tensors) +
                            difference("generators", generators, here.generators);
    check_once("tensors", tensors, source);
    check_once("generators", generators, source);
    check_once("tensors", here.tensors, "the model");
    check_once("generators", here.generators, "the model");
    check(all.empty(), source, ": expected a checkpoint of this model, got one of another", all);
}

void Checkpoint::restore(const ModelState& into, const std::string& source) const {
    check_fits(into, source);
    const auto saved = by_name(tensors);
    const auto states = by_name(generators);
    // Everything that can throw comes before the first change.
    for (const auto& [name, state] : states) Rng(0).set_state(state);
    for (const auto& [name, tensor] : into.tensors) tensor.mutable_data("Checkpoint::restore");
    for (const auto& [name, tensor] : into.tensors) tensor.copy_(saved.at(name).detach());
    for (const auto& [name, generator] : into.generators) generator->set_state(states.at(name));
}

void Checkpoint::save(const fs::path& path) const {
    const std::string payload = payload_of(*this);
    Replacement file(path, "a checkpoint",
                     [](std::string_view beginning) { return beginning.starts_with(kMagic); });
    file.write(header_of(payload));
    file.write(payload);
    file.commit();
}

void Checkpoint::write(std::ostream& out) const {
    const std::string payload = payload_of(*this);
    out << header_of(payload) << payload;
}

Checkpoint Checkpoint::load(const fs::path& path) {
    const std::string source = full_name(path);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    check(fs::is_regular_file(status), source, ": expected a checkpoint, got ",
          kind(status, error));
    std::ifstream in(path, std::ios::binary);
    check(in.good(), source, ": expected a file that can be read, got a failure to open it");
    return read(in, source);
}

Checkpoint Checkpoint::read(std::istream& in, const std::string& source) {
    in.seekg(0, std::ios::end);
    const Index size = in.tellg();
    in.seekg(0);
    check(std::in_range<std::ptrdiff_t>(size), source,
          ": expected a checkpoint that fits into memory, got ", size, " bytes");
    const Header header = read_header(in, size, source);
    check(crc_of_rest(in) == header.payload_crc, source,
          ": expected a checkpoint as it was saved, got one that is damaged: its checksum differs");

    in.seekg(kHeaderSize);
    Input payload(in, size - kHeaderSize, source);
    Checkpoint checkpoint;
    payload(checkpoint);
    check(payload.left() == 0, source, ": expected nothing after the last tensor, got ",
          payload.left(), " bytes more");
    check_meaning(checkpoint, source);
    return checkpoint;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
