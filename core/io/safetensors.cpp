#include "safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>

#include "../creation.h"
#include "../error.h"
#include "../full_name.h"
#include "json.h"
#include "replacement.h"

namespace primer {
namespace {

constexpr Index kMaxHeader = 100'000'000;  // the format's own limit
// Our limit, because an entry takes many times more memory than bytes in the header.
constexpr std::size_t kMaxEntries = 100'000;

// --- from bytes to numbers ---------------------------------------------------------------------

std::uint64_t little_endian(const std::byte* bytes, int count) {
    std::uint64_t bits = 0;
    for (int i = 0; i < count; ++i) bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return bits;
}

double f64(const std::byte* b) { return std::bit_cast<double>(little_endian(b, 8)); }

double f32(const std::byte* b) {
    return static_cast<double>(
        std::bit_cast<float>(static_cast<std::uint32_t>(little_endian(b, 4))));
}

// The upper half of a float.
double bf16(const std::byte* b) {
    return static_cast<double>(
        std::bit_cast<float>(static_cast<std::uint32_t>(little_endian(b, 2) << 16)));
}

// IEEE 754 binary16: 1 bit of sign, 5 of exponent with bias 15, 10 of fraction.
double f16(const std::byte* b) {
    const auto bits = static_cast<int>(little_endian(b, 2));
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double magnitude = std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 0) magnitude = std::ldexp(fraction, -24);
    if (exponent == 31) {
        magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                                  : std::numeric_limits<double>::quiet_NaN();
    }
    return bits >> 15 ? -magnitude : magnitude;
}

Index u8(const std::byte* b) { return static_cast<Index>(little_endian(b, 1)); }
Index u16(const std::byte* b) { return static_cast<Index>(little_endian(b, 2)); }
Index u32(const std::byte* b) { return static_cast<Index>(little_endian(b, 4)); }
Index i8(const std::byte* b) { return static_cast<std::int8_t>(little_endian(b, 1)); }
Index i16(const std::byte* b) { return static_cast<std::int16_t>(little_endian(b, 2)); }
Index i32(const std::byte* b) { return static_cast<std::int32_t>(little_endian(b, 4)); }
// Also serves U64: a number too large for an Index comes out negative.
Index i64(const std::byte* b) { return static_cast<Index>(little_endian(b, 8)); }

struct Dtype {
    std::string_view name;
    Index bits;
    double (*real)(const std::byte*) = nullptr;
    Index (*whole)(const std::byte*) = nullptr;
};

// The format's dtypes; those without a function can be read only as bytes.
constexpr Dtype kDtypes[] = {
    {"F64", 64, f64, nullptr},
    {"F32", 32, f32, nullptr},
    {"F16", 16, f16, nullptr},
    {"BF16", 16, bf16, nullptr},
    {"I64", 64, nullptr, i64},
    {"U64", 64, nullptr, i64},
    {"I32", 32, nullptr, i32},
    {"U32", 32, nullptr, u32},
    {"I16", 16, nullptr, i16},
    {"U16", 16, nullptr, u16},
    {"I8", 8, nullptr, i8},
    {"U8", 8, nullptr, u8},
    {"BOOL", 8, nullptr, u8},
    {"C64", 64},
    {"F8_E5M2", 8},
    {"F8_E4M3", 8},
    {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"F4", 4},
};

const Dtype* find_dtype(std::string_view name) {
    const auto* found = std::ranges::find(kDtypes, name, &Dtype::name);
    return found == std::end(kDtypes) ? nullptr : found;
}

// Whether x, the rounded `value`, equals it exactly. (2^63 cannot be cast back.)
bool holds(Real x, Index value) {
    return x < static_cast<Real>(0x1p63) && static_cast<Index>(x) == value;
}

constexpr const char* kReal = sizeof(Real) == sizeof(float) ? "float" : "double";

// --- the header --------------------------------------------------------------------------------

// The header's entry for one tensor.
struct Entry {
    std::string name;
    std::string dtype;
    Shape shape;
    Index begin = 0, end = 0;
};

struct Header {
    std::vector<Entry> entries;
    std::map<std::string, std::string> metadata;
};

Shape read_shape(JsonReader& json, const std::string& who) {
    std::vector<Index> sizes;
    json.array([&] {
        sizes.push_back(json.whole_number());
        check(sizes.size() <= Shape::kMaxRank, who, ": expected at most ", Shape::kMaxRank,
              " dimensions, got more");
    });
    try {
        return Shape(sizes);
    } catch (const Error& error) {
        fail(who, ": ", error.what());
    }
}

// Reads one tensor's object. check_entry checks whether its numbers fit together.
Entry read_entry(JsonReader& json, const std::string& name, const std::string& who) {
    std::optional<std::string> dtype;
    std::optional<Shape> shape;
    std::optional<std::vector<Index>> offsets;
    json.object([&](const std::string& key) {
        if (key == "dtype") {
            dtype = json.string();
        } else if (key == "shape") {
            shape = read_shape(json, who);
        } else if (key == "data_offsets") {
            offsets.emplace();
            json.array([&] {
                check(offsets->size() < 2, who, ": expected 2 data_offsets, got more");
                offsets->push_back(json.whole_number());
            });
        } else {
            fail(who, ": expected dtype, shape and data_offsets, got ", in_quotes(key));
        }
    });
    check(dtype && shape && offsets && offsets->size() == 2, who,
          ": expected a dtype, a shape and 2 data_offsets, got fewer");
    return {name, *dtype, *shape, offsets->front(), offsets->back()};
}

void check_entry(const Entry& entry, Index data_size, const std::string& who) {
    const Dtype* const dtype = find_dtype(entry.dtype);
    check(dtype != nullptr, who, ": expected a dtype such as F32, got ", in_quotes(entry.dtype));
    check(entry.begin <= entry.end && entry.end <= data_size, who,
          ": expected data_offsets in order and up to ", data_size,
          ", the size of the file's data, got [", entry.begin, ", ", entry.end, "]");
    const Index elements = entry.shape.numel();
    const bool fits = elements <= std::numeric_limits<Index>::max() / dtype->bits &&
                      elements * dtype->bits % 8 == 0 &&
                      elements * dtype->bits / 8 == entry.end - entry.begin;
    check(fits, who, ": expected data_offsets that span the bytes of ", entry.dtype, " ",
          entry.shape, ", got [", entry.begin, ", ", entry.end, "]");
}

// Sorts the entries by the position of their data in the file, and checks that the data follow one
// another without gaps or overlaps, so that nothing is hidden between them.
void check_layout(std::vector<Entry>& entries, Index data_size, const std::string& source) {
    std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    Index covered = 0;
    for (const Entry& entry : entries) {
        check(entry.begin == covered, source, ": expected the data of ", in_quotes(entry.name),
              " to begin at ", covered, ", where the data before it end, got ", entry.begin);
        covered = entry.end;
    }
    check(covered == data_size, source, ": expected tensors that cover all ", data_size,
          " bytes of data, got an end at ", covered);
}

void check_count(std::size_t count, const char* what, const std::string& source) {
    check(count <= kMaxEntries, source, ": expected at most ", kMaxEntries, ' ', what,
          ", got more");
}

Header read_header(const std::string& text, Index data_size, const std::string& source) {
    check(text.starts_with('{'), source, ": expected a header that begins with '{', got ",
          in_quotes(text.substr(0, 16)));
    Header header;
    JsonReader json(text, source, 8);
    json.object([&](const std::string& name) {
        if (name == "__metadata__") {
            json.object([&](const std::string& key) {
                check_count(header.metadata.size() + 1, "texts of metadata", source);
                header.metadata[key] = json.string();
            });
            return;
        }
        check_count(header.entries.size() + 1, "tensors", source);
        const std::string who = source + ": tensor " + in_quotes(name);
        header.entries.push_back(read_entry(json, name, who));
        check_entry(header.entries.back(), data_size, who);
    });
    json.end();
    check_layout(header.entries, data_size, source);
    return header;
}

void read_bytes(std::istream& in, void* bytes, Index count, const std::string& source) {
    in.read(static_cast<char*>(bytes), static_cast<std::streamsize>(count));
    check(in.gcount() == count, source, ": expected ", count, " more bytes, got ", in.gcount(),
          "; did the file change while it was read?");
}

// Throws Error if the system does not have this much memory, before any of it is used. A sparse
// file may be larger than memory, because its holes take no room on the disk.
void check_room(Index bytes, const std::string& source) {
    const bool possible = std::in_range<std::ptrdiff_t>(bytes);
    void* const room =
        possible ? ::operator new(static_cast<std::size_t>(bytes), std::nothrow) : nullptr;
    check(room != nullptr, source, ": expected tensors that fit into memory, got ", bytes,
          " bytes of them");
    ::operator delete(room);
}

Index stream_size(std::istream& in) {
    in.seekg(0, std::ios::end);
    const Index size = in.tellg();
    in.seekg(0);
    return size;
}

}  // namespace

SafetensorsFile SafetensorsFile::load(const std::filesystem::path& path) {
    std::error_code error;
    const std::string source = full_name(path);
    check(std::filesystem::is_regular_file(path, error), source,
          ": expected a safetensors file, got ",
          std::filesystem::exists(path, error) ? "something that is no file" : "nothing there");
    std::ifstream in(path, std::ios::binary);
    check(in.good(), source, ": expected a file that can be read, got a failure to open it");
    return read(in, source);
}

SafetensorsFile SafetensorsFile::read(std::istream& in, const std::string& source) {
    const Index size = stream_size(in);
    check(in.good() && size >= 8, source,
          ": expected a safetensors file, of 8 bytes at least, got ", size, " bytes");
    std::byte length_bytes[8];
    read_bytes(in, length_bytes, 8, source);
    const std::uint64_t length = little_endian(length_bytes, 8);
    check((length & 0xffffffff) != 0x04034b50, source,  // "PK\3\4", the beginning of a ZIP archive
          ": expected a safetensors file, got a ZIP archive, such as torch.save writes; save it ",
          "again, in Python: safetensors.torch.save_file(model.state_dict(), path)");
    const Index longest = std::min(kMaxHeader, size - 8);
    check(length <= static_cast<std::uint64_t>(longest), source, ": expected a header of at most ",
          longest, " bytes, got a length of ", length, "; is it a safetensors file, and whole?");

    std::string text(static_cast<std::size_t>(length), '\0');
    read_bytes(in, text.data(), static_cast<Index>(length), source);
    const Index data_size = size - 8 - static_cast<Index>(length);
    Header header = read_header(text, data_size, source);
    check_room(data_size, source);

    SafetensorsFile file;
    file.source_ = source;
    file.metadata_ = std::move(header.metadata);
    for (Entry& entry : header.entries) {  // in the order of their data
        const Index count = entry.end - entry.begin;
        SafeTensor& tensor = file.tensors_[entry.name];
        tensor.dtype = std::move(entry.dtype);
        tensor.shape = entry.shape;
        tensor.bytes.resize(static_cast<std::size_t>(count));
        read_bytes(in, tensor.bytes.data(), count, source);
    }
    return file;
}

std::vector<std::string> SafetensorsFile::names() const {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) names.push_back(name);
    return names;
}

const SafeTensor& SafetensorsFile::raw(std::string_view name) const {
    const auto found = tensors_.find(name);
    check(found != tensors_.end(), source_, ": expected a tensor ", in_quotes(name), ", got ",
          tensors_.size(), " tensors without it");
    return found->second;
}

Tensor SafetensorsFile::tensor(std::string_view name, Rounding rounding) const {
    const SafeTensor& stored = raw(name);
    const Dtype& dtype = *find_dtype(stored.dtype);
    const auto check_exact = [&](bool exact, Index i) {
        check(exact || rounding == Rounding::nearest, source_, ": tensor ", in_quotes(name),
              ": expected values that ", kReal, " can hold, got another at element ", i,
              "; is Rounding::nearest good enough?");
    };
    if (dtype.whole != nullptr) {
        const IntTensor whole = int_tensor(name);
        Tensor x = empty(stored.shape);
        Real* const out = x.mutable_data();
        for (Index i = 0; i < x.numel(); ++i) {
            const Index value = whole.values[static_cast<std::size_t>(i)];
            out[i] = static_cast<Real>(value);
            check_exact(holds(out[i], value), i);
        }
        return x;
    }
    check(dtype.real != nullptr, source_, ": tensor ", in_quotes(name),
          ": expected F64, F32, F16, BF16 or whole numbers, got ", stored.dtype);
    Tensor x = empty(stored.shape);
    Real* const out = x.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) {
        const double value = dtype.real(stored.bytes.data() + i * dtype.bits / 8);
        out[i] = static_cast<Real>(value);
        check_exact(static_cast<double>(out[i]) == value || std::isnan(value), i);
    }
    return x;
}

IntTensor SafetensorsFile::int_tensor(std::string_view name) const {
    const SafeTensor& stored = raw(name);
    const Dtype& dtype = *find_dtype(stored.dtype);
    check(dtype.whole != nullptr, source_, ": tensor ", in_quotes(name),
          ": expected whole numbers, I64 to I8, U64 to U8 or BOOL, got ", stored.dtype);
    check_room(stored.shape.numel() * Index{sizeof(Index)}, source_);
    std::vector<Index> values(static_cast<std::size_t>(stored.shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = dtype.whole(stored.bytes.data() + i * static_cast<std::size_t>(dtype.bits) / 8);
        if (values[i] < 0 && dtype.name[0] == 'U') {
            fail(source_, ": tensor ", in_quotes(name),
                 ": expected numbers up to 2^63 - 1, got a larger one at element ", i);
        }
    }
    return IntTensor(stored.shape, std::move(values));
}

// --- a model's tensors -------------------------------------------------------------------------

namespace {

// "; missing: "a", "b"", or nothing; only the first of many names.
std::string listed(const char* what, const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
        text += (i == 0 ? std::string("; ") + what + ": " : ", ") + names[i];
    }
    if (names.size() > kMost) text += " and " + std::to_string(names.size() - kMost) + " more";
    return text;
}

// What PyTorch's wrappers add to names: torch.compile, FSDP, activation checkpointing,
// DataParallel; and, only in front, the field in which Lightning's users keep the model.
constexpr std::string_view kWrappers[] = {"_orig_mod.", "_fsdp_wrapped_module.",
                                          "_checkpoint_wrapped_module.", "module."};
constexpr std::string_view kField = "model.";

// Removes one wrapper from a name and returns it; "" if there is none.
std::string_view unwrap(std::string& name) {
    for (const std::string_view wrapper : kWrappers) {
        for (std::size_t at = name.find(wrapper); at != name.npos;
             at = name.find(wrapper, at + 1)) {
            if (at > 0 && name[at - 1] != '.') continue;
            name.erase(at, wrapper.size());
            return wrapper;
        }
    }
    if (!name.starts_with(kField)) return "";
    name.erase(0, kField.size());
    return kField;
}

// The model's name for a tensor of the file.
struct WantedName {
    std::string name;
    std::set<std::string_view> wrappers;  // those removed from the file's name
};

// Removes wrappers until the name is one of the model's; otherwise returns it unchanged.
WantedName wanted_name(const std::string& stored, const std::set<std::string_view>& wanted) {
    constexpr int kMost = 16;  // bounds the time, whatever the names in a file
    WantedName found{stored, {}};
    for (int i = 0; i < kMost; ++i) {
        if (wanted.contains(found.name)) return found;
        const std::string_view wrapper = unwrap(found.name);
        if (wrapper.empty()) break;
        found.wrappers.insert(wrapper);
    }
    return {stored, {}};
}

// PyTorch's strict also accepts files of older versions, which lack this count.
bool may_be_missing(const StateEntry& entry) {
    return entry.whole && entry.name.ends_with("num_batches_tracked");
}

// Which tensors of a file are those of a model, and the report on it.
class Match {
  public:
    Match(const SafetensorsFile& file, const StateDict& tensors) : file_(file), tensors_(tensors) {
        match_names();
        match_tensors();
        report_missing();
    }

    // Throws Error unless the file has the tensors of the model, and no others.
    void check_complete() const {
        if (report.missing.empty() && report.unexpected.empty() && shapes_.empty()) return;
        const auto quoted = [](std::vector<std::string> names) {
            for (std::string& name : names) name = in_quotes(name);
            return names;
        };
        fail(file_.source(), ": expected the tensors of this model, got those of another",
             listed("missing", quoted(report.missing)),
             listed("unexpected", quoted(report.unexpected)), listed("misshapen", shapes_));
    }

    LoadReport report;
    // The tensors that can be loaded, each once, with their names in the file.
    std::vector<std::pair<const StateEntry*, std::string>> fitting;

  private:
    void match_names() {
        std::set<std::string_view> wanted;
        for (const StateEntry& entry : tensors_) wanted.insert(entry.name);
        std::set<std::string_view> wrapped;
        for (const std::string& name : file_.names()) {
            const auto [here, wrappers] = wanted_name(name, wanted);
            // An exact name takes precedence over one with wrappers.
            const bool taken = here != name && (file_.contains(here) || stored_as_.contains(here));
            if (!wanted.contains(here) || taken) {
                report.unexpected.push_back(name);
                continue;
            }
            stored_as_[here] = name;
            wrapped.insert(wrappers.begin(), wrappers.end());
        }
        note_wrappers(wrapped);
    }

    void note_wrappers(const std::set<std::string_view>& wrapped) {
        // The count that AveragedModel, a wrapper, stores beside the model.
        const auto averaged = std::ranges::find(report.unexpected, "n_averaged");
        if (wrapped.contains("module.") && averaged != report.unexpected.end()) {
            report.unexpected.erase(averaged);
            report.notes.push_back(
                "\"n_averaged\", AveragedModel's count, is not of the model: left out");
        }
        for (const std::string_view wrapper : wrapped) {
            report.notes.push_back("the names in the file have \"" + std::string(wrapper) +
                                   "\" in them, as PyTorch's wrappers leave it: loaded without");
        }
    }

    void match_tensors() {
        // By the tensor itself, which may have several names.
        std::map<const void*, std::pair<std::string, const SafeTensor*>> found;
        for (const StateEntry& entry : tensors_) {
            const auto stored = stored_as_.find(entry.name);
            if (stored == stored_as_.end()) continue;
            const void* const itself = &entry.tensor.impl();
            there_.insert(itself);
            const SafeTensor& there = file_.raw(stored->second);
            if (there.shape != entry.tensor.shape()) {
                report.misshapen.push_back(entry.name);
                shapes_.push_back(in_quotes(entry.name) + ' ' + there.shape.str() + " for " +
                                  entry.tensor.shape().str());
                continue;
            }
            const auto [first, is_new] = found.emplace(itself, std::pair(entry.name, &there));
            const SafeTensor& before = *first->second.second;
            check(is_new || (before.dtype == there.dtype && before.bytes == there.bytes),
                  file_.source(), ": expected the same values for ", in_quotes(first->second.first),
                  " and ", in_quotes(entry.name),
                  ", which are one tensor in this model, got different ones");
            if (is_new) fitting.emplace_back(&entry, stored->second);
        }
    }

    void report_missing() {
        bool counts = false;
        for (const StateEntry& entry : tensors_) {
            if (there_.contains(&entry.tensor.impl())) continue;
            if (may_be_missing(entry)) {
                counts = true;
            } else {
                report.missing.push_back(entry.name);
            }
        }
        if (counts)
            report.notes.push_back("the file has no num_batches_tracked: left as they were");
    }

    const SafetensorsFile& file_;
    const StateDict& tensors_;
    std::map<std::string, std::string, std::less<>> stored_as_;  // by the model's name
    std::set<const void*> there_;      // the model's tensors that the file has, of any shape
    std::vector<std::string> shapes_;  // of the misshapen, for the message
};

}  // namespace

const SafeTensor& SafetensorsFile::find(const std::string& name) const {
    if (contains(name)) return raw(name);
    for (const auto& [stored, tensor] : tensors_) {
        if (wanted_name(stored, {name}).name == name) return tensor;
    }
    return raw(name);  // throws
}

LoadReport SafetensorsFile::load_into(const StateDict& tensors, const LoadOptions& options) const {
    const Match match(*this, tensors);
    if (options.strict) match.check_complete();
    // Everything that can throw comes before the first change.
    std::vector<Tensor> values;
    for (const auto& [entry, stored] : match.fitting) {
        values.push_back(tensor(stored, options.rounding));
    }
    for (const auto& [entry, stored] : match.fitting) {
        entry->tensor.mutable_data("load_safetensors");
    }
    for (std::size_t i = 0; i < values.size(); ++i) match.fitting[i].first->tensor.copy_(values[i]);
    return match.report;
}

LoadReport load_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                            const LoadOptions& options) {
    return SafetensorsFile::load(path).load_into(tensors, options);
}

// --- writing -----------------------------------------------------------------------------------

namespace {

constexpr Index kWholeBytes = 8;  // I64

Index size_of(const StateEntry& entry) {
    return entry.tensor.numel() * (entry.whole ? kWholeBytes : Index{sizeof(Real)});
}

void append_little_endian(std::string& bytes, std::uint64_t bits, int count) {
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(bits >> (8 * i) & 0xff);
}

std::string bytes_of(const StateEntry& entry) {
    using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(size_of(entry)));
    for (Real x : entry.tensor.values()) {
        if (entry.whole) {
            append_little_endian(bytes, static_cast<std::uint64_t>(static_cast<Index>(x)), 8);
        } else {
            append_little_endian(bytes, std::bit_cast<Bits>(x), sizeof x);
        }
    }
    return bytes;
}

void check_savable(const StateDict& tensors, const std::map<std::string, std::string>& metadata) {
    constexpr const char* who = "save_safetensors: ";
    std::set<std::string_view> names;
    for (const auto& [name, tensor, whole] : tensors) {
        check(is_utf8(name) && name != "__metadata__", who,
              "expected the name of a tensor, in UTF-8 and not __metadata__, got ",
              in_quotes(name));
        check(names.insert(name).second, who, "expected every name once, got ", in_quotes(name),
              " again");
        check(tensor.defined(), who, "expected values for ", in_quotes(name),
              ", got an undefined tensor");
        if (!whole) continue;
        for (Real x : tensor.values()) {
            check(std::trunc(x) == x && std::abs(x) < static_cast<Real>(0x1p63), who,
                  "expected whole numbers in ", in_quotes(name), ", got ", x);
        }
    }
    for (const auto& [key, value] : metadata) {
        check(is_utf8(key) && is_utf8(value), who, "expected metadata in UTF-8, got ",
              in_quotes(key), ": ", in_quotes(value));
    }
    const std::size_t most = std::max(tensors.size(), metadata.size());
    check(most <= kMaxEntries, who, "expected at most ", kMaxEntries,
          " tensors and texts of metadata, got ", most);
}

// Takes the entries in the order of their data: the widest numbers first, so that all are aligned.
// Writes no spaces, as the format's own library does.
std::string header_of(const std::vector<const StateEntry*>& entries,
                      const std::map<std::string, std::string>& metadata) {
    const auto without_spaces = [](std::string text) {
        std::erase(text, ' ');
        return text;
    };
    JsonObject header(JsonSpaces::none);
    if (!metadata.empty()) {
        JsonObject texts(JsonSpaces::none);
        for (const auto& [key, value] : metadata) texts.text(key, value);
        header.value("__metadata__", texts.str());
    }
    Index begin = 0;
    for (const StateEntry* entry : entries) {
        const Index end = begin + size_of(*entry);
        const std::vector<std::string> offsets{std::to_string(begin), std::to_string(end)};
        header.value(entry->name, JsonObject(JsonSpaces::none)
                                      .text("dtype", entry->whole        ? "I64"
                                                     : sizeof(Real) == 4 ? "F32"
                                                                         : "F64")
                                      .value("shape", without_spaces(entry->tensor.shape().str()))
                                      .value("data_offsets", without_spaces(json_array(offsets)))
                                      .str());
        begin = end;
    }
    std::string text = header.str();
    text.append((8 - text.size() % 8) % 8, ' ');
    check(std::ssize(text) <= kMaxHeader,
          "save_safetensors: expected names and metadata that fit into a header of ", kMaxHeader,
          " bytes, got ", text.size());
    std::string length;
    append_little_endian(length, text.size(), 8);
    return length + text;
}

// Whether the file begins with a length and the header's '{'.
bool begins_like_ours(std::string_view beginning) {
    if (beginning.size() < 9 || beginning[8] != '{') return false;
    std::uint64_t length = 0;
    for (std::size_t i = 8; i-- > 0;) {
        length = length << 8 | static_cast<unsigned char>(beginning[i]);
    }
    return length <= static_cast<std::uint64_t>(kMaxHeader);
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata) {
    check_savable(tensors, metadata);
    std::vector<const StateEntry*> entries;
    for (const StateEntry& entry : tensors) entries.push_back(&entry);
    std::ranges::sort(entries, {}, [](const StateEntry* e) {
        return std::pair<bool, std::string_view>(!e->whole, e->name);
    });
    const std::string header = header_of(entries, metadata);
    Replacement file(path, "a safetensors file", begins_like_ours);
    file.write(header);
    for (const StateEntry* entry : entries) file.write(bytes_of(*entry));
    file.commit();
}

}  // namespace primer
// SPDX-License-Identifier: MIT
