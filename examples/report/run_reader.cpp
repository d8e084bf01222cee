#include "run_reader.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string_view>

#include <primer/core/error.h>
#include <primer/core/io/json.h>
#include <primer/core/text.h>

namespace primer::examples {
namespace {

namespace fs = std::filesystem;
using Json = std::string_view;  // the text of a value, which has been checked; "" if there is none

constexpr std::uintmax_t kMetricsLimit = 64 << 20, kJsonLimit = 16 << 20, kPictureLimit = 4 << 20;
constexpr std::size_t kLineLimit = 1 << 20;  // of metrics.jsonl
constexpr Index kBrokenLimit = 1000;         // lines of it
constexpr std::size_t kTextLimit = 2000, kModelLimit = 100'000, kEntriesLimit = 1000;
constexpr std::size_t kNameLimit = 200;
constexpr std::size_t kMistakes = 24, kClassesLimit = 1000;

// --- Values, whatever they are ----------------------------------------------------------------

/// The members of an object; none for any other value.
JsonMembers members(Json value) {
    return value.starts_with('{') ? json_members(value, "", kEntriesLimit) : JsonMembers();
}

/// The elements of an array; none for any other value. Reads one more than a list of classes may
/// have.
std::vector<Json> elements(Json value) {
    std::vector<Json> result;
    if (!value.starts_with('[')) return result;
    JsonReader reader(value, "");
    reader.array([&] {
        const Json element = reader.value();
        if (result.size() <= kClassesLimit) result.push_back(element);
    });
    return result;
}

double number(Json value) { return read_number(value).value_or(kNotKnown); }
double number(const JsonMembers& object, const char* key) {
    return number(json_member(object, key));
}

/// -1 for anything but a whole number from 0 to 2^53, beyond which double has gaps.
Index whole(Json value) {
    const double x = number(value);
    return x >= 0 && x <= 9007199254740992.0 && x == std::floor(x) ? static_cast<Index>(x) : -1;
}
Index whole(const JsonMembers& object, const char* key) { return whole(json_member(object, key)); }

std::string shortened(std::string text, std::size_t limit) {
    if (text.size() <= limit) return text;
    // Not within a letter: the bytes that continue one in UTF-8 are 10xxxxxx.
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
    return text.substr(0, limit) + "…";
}

/// Any value, for people to read.
std::string text(Json value, std::size_t limit = kTextLimit) {
    if (value == "null") return "";
    if (value == "true") return "yes";
    if (value == "false") return "no";
    const bool is_string = value.starts_with('"');
    return shortened(is_string ? JsonReader(value, "").string() : std::string(value), limit);
}
std::string text(const JsonMembers& object, const char* key, std::size_t limit = kTextLimit) {
    return text(json_member(object, key), limit);
}

NamedNumbers named_numbers(Json object) {
    NamedNumbers numbers;
    for (const auto& [name, value] : members(object)) {
        numbers.emplace_back(shortened(name, kNameLimit), number(value));
    }
    numbers.shrink_to_fit();
    return numbers;
}

NamedTexts named_texts(const JsonMembers& object) {
    NamedTexts texts;
    for (const auto& [name, value] : object) {
        texts.emplace_back(shortened(name, kNameLimit), text(value));
    }
    return texts;
}

// --- Files ------------------------------------------------------------------------------------

/// Reads the files of a directory; a link counts as what it leads to.
std::optional<std::string> read_file(const fs::path& folder, const std::string& name,
                                     std::uintmax_t limit) {
    std::error_code error;
    const fs::path path = fs::weakly_canonical(folder / fs::path(name), error);
    const auto differs =
        std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first;
    check(!error && name.find('\0') == std::string::npos && differs == folder.end(),
          in_quotes(name), ": its path leads out of the run directory");
    if (!fs::exists(path, error)) return std::nullopt;
    check(fs::is_regular_file(path, error), path.string(), ": expected a file, got something else");
    const std::uintmax_t size = fs::file_size(path, error);
    check(!error && size <= limit, path.string(), ": expected at most ", limit >> 20, " MB, got ",
          size >> 20, " MB");
    std::string bytes(static_cast<std::size_t>(size), '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(bytes.data(), static_cast<std::streamsize>(size));
    // The file has become shorter: a running training may be writing it anew.
    check(file.is_open(), path.string(), ": expected a file that can be read");
    bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    return bytes;
}

/// A run's files, and what messages call the folder.
struct Folder {
    const fs::path& path;
    const RunFiles& files;

    std::string operator/(const char* name) const { return (path / name).string(); }
    std::string read(const std::string& name, std::uintmax_t limit) const {
        std::optional<std::string> bytes = files(name, limit);
        check(bytes.has_value(), (path / name).string(), ": expected a file, got nothing");
        return std::move(*bytes);
    }
};

Index big_endian(std::string_view bytes) {
    Index value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

PngPicture read_picture(const Folder& folder, const std::string& name) {
    PngPicture picture{.bytes = folder.read(name, kPictureLimit)};
    const std::string source = in_quotes(name);
    const std::string_view bytes = picture.bytes;
    // The signature, and the first chunk, whose length is 13, with the sizes.
    constexpr std::string_view start("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    check(bytes.size() > 24 && bytes.starts_with(start), source, ": expected a PNG file");
    picture.width = big_endian(bytes.substr(16, 4));
    picture.height = big_endian(bytes.substr(20, 4));
    check(picture.width >= 1 && picture.width <= 16384 && picture.height >= 1 &&
              picture.height <= 16384,
          source, ": expected a picture of up to 16384 x 16384, got ", picture.width, " x ",
          picture.height);
    return picture;
}

// --- run.json ---------------------------------------------------------------------------------

std::string command_line(Json words) {
    if (!words.starts_with('[')) return text(words);
    std::string line = "./primer";
    for (const Json word : elements(words)) {
        const std::string part = text(word);
        const bool plain =
            !part.empty() && part.find_first_of(" \t\n\"'\\$`*?;&|<>()") == part.npos;
        line += plain ? " " + part : " '" + part + "'";
    }
    return shortened(line, kTextLimit);
}

std::string shape_text(Json sizes) {
    if (!sizes.starts_with('[')) return text(sizes);
    std::string line;
    for (const Json size : elements(sizes)) line += (line.empty() ? "" : " × ") + text(size);
    return shortened(line, kTextLimit);
}

/// A setting by the name of its flag, written with "-" or "_".
Index whole_setting(const JsonMembers& settings, const char* name, const char* other) {
    const Index value = whole(settings, name);
    return value >= 0 ? value : whole(settings, other);
}

void read_head(const Folder& folder, Run& run) {
    const std::string bytes = folder.read("run.json", kJsonLimit);
    const JsonMembers head = json_members(bytes, folder / "run.json", kEntriesLimit);
    run.example = text(head, "example");
    run.command = command_line(json_member(head, "command"));
    run.started = text(head, "started");
    const JsonMembers settings = members(json_member(head, "settings"));
    run.settings = named_texts(settings);
    run.machine = named_texts(members(json_member(head, "machine")));

    const JsonMembers data = members(json_member(head, "data"));
    run.source = text(data, "source");
    run.shape = shape_text(json_member(data, "shape"));
    run.train_size = whole(data, "train");
    run.test_size = whole(data, "test");
    for (const Json name : elements(json_member(data, "classes"))) {
        if (run.classes.size() == kClassesLimit) break;
        run.classes.push_back(text(name, 100));
    }

    const JsonMembers model = members(json_member(head, "model"));
    run.model = text(model, "summary", kModelLimit);
    if (run.model.empty()) run.model = text(model, "description", kModelLimit);
    run.parameters = whole(model, "parameters");

    run.planned_epochs = whole(settings, "epochs");
    const Index batch = whole_setting(settings, "batch_size", "batch-size");
    if (run.train_size > 0 && batch > 0) {
        run.batches_per_epoch = (run.train_size + batch - 1) / batch;
    }
}

// --- metrics.jsonl ----------------------------------------------------------------------------

StepRecord step_record(const JsonMembers& line) {
    return {.step = whole(line, "step"),
            .loss = number(line, "loss"),
            .lr = number(line, "lr"),
            .images_per_s = number(line, "images_per_s"),
            .gradient_norms = named_numbers(json_member(line, "gradient_norms"))};
}

EpochRecord epoch_record(const JsonMembers& line) {
    return {.step = whole(line, "step"),
            .epoch = whole(line, "epoch"),
            .train_loss = number(line, "train_loss"),
            .train_accuracy = number(line, "train_accuracy"),
            .test_loss = number(line, "test_loss"),
            .test_accuracy = number(line, "test_accuracy"),
            .seconds = number(line, "seconds"),
            .images_per_s = number(line, "images_per_s"),
            .dead_units = named_numbers(json_member(line, "dead_units"))};
}

/// A run that was resumed does some steps again: what it had logged beyond `step` is void.
template <class Record>
void forget_after(Index step, std::vector<Record>& records) {
    while (!records.empty() && records.back().step > step) records.pop_back();
}

template <class Record>
void append(Record record, std::vector<Record>& records) {
    if (!records.empty() && records.back().step == record.step) records.pop_back();
    records.push_back(std::move(record));
}

/// Whether the line could be read.
bool take_line(std::string_view line, Run& run) {
    JsonMembers object;
    try {
        object = json_members(line, "metrics.jsonl", kEntriesLimit);
    } catch (const Error&) {
        return false;
    }
    const std::string kind = text(object, "kind");
    const Index step = whole(object, "step");
    if (step < 0 || (kind == "epoch" && whole(object, "epoch") < 1)) return false;
    if (kind != "step" && kind != "epoch") return true;  // of a later format
    forget_after(step, run.steps);
    forget_after(step, run.epochs);
    if (kind == "step") {
        append(step_record(object), run.steps);
    } else {
        append(epoch_record(object), run.epochs);
    }
    return true;
}

void read_metrics(const Folder& folder, Run& run) {
    const std::optional<std::string> bytes = folder.files("metrics.jsonl", kMetricsLimit);
    if (!bytes.has_value()) {
        run.missing.push_back("There is no metrics.jsonl: the run has logged nothing.");
        return;
    }
    std::string_view rest = *bytes;
    Index broken = 0;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        // The last line may be half written; no line of ours is longer than the limit.
        const bool cut = end == rest.size() && line.size() <= kLineLimit;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        const bool taken = line.size() <= kLineLimit && take_line(line, run);
        if (!taken && !cut) ++broken;
        // An exception for each of millions would take minutes.
        if (broken > kBrokenLimit) {
            fail(folder / "metrics.jsonl", ": expected at most ", kBrokenLimit,
                 " lines that cannot be read, got more; the rest is left out");
        }
    }
    if (broken > 0) {
        run.missing.push_back(std::to_string(broken) + (broken == 1 ? " line" : " lines") +
                              " of metrics.jsonl cannot be read; " +
                              (broken == 1 ? "it is" : "they are") + " left out.");
    }
}

// --- evaluation.json --------------------------------------------------------------------------

/// Throws Error for a matrix that is not square.
std::vector<std::vector<Index>> read_confusion(Json matrix) {
    std::vector<std::vector<Index>> counts;
    if (matrix.empty() || matrix == "null") return counts;
    const std::vector<Json> rows = elements(matrix);
    check(matrix.starts_with('[') && rows.size() <= kClassesLimit,
          "the confusion matrix is not a list of at most ", kClassesLimit, " rows");
    for (const Json row : rows) {
        const std::vector<Json> row_counts = elements(row);
        check(row.starts_with('[') && row_counts.size() == rows.size(),
              "the confusion matrix is not square");
        std::vector<Index>& of_class = counts.emplace_back();
        for (const Json count : row_counts) {
            of_class.push_back(whole(count));
            check(of_class.back() >= 0, "a number of the confusion matrix is not a count");
        }
    }
    return counts;
}

template <class Read>
void or_missing(Run& run, const char* what, Read read) {
    try {
        read();
    } catch (const std::exception& error) {
        run.missing.push_back(std::string(what) + ": " + error.what() + ".");
    }
}

void read_mistakes(const Folder& folder, Json list, Run& run) {
    for (const Json text_of_entry : elements(list)) {
        if (run.mistakes.size() == kMistakes) break;
        const JsonMembers entry = members(text_of_entry);
        Mistake& mistake = run.mistakes.emplace_back();
        mistake.index = whole(entry, "index");
        mistake.truth = whole(entry, "truth");
        mistake.predicted = whole(entry, "predicted");
        mistake.probability = number(entry, "probability");
        or_missing(run, "A picture of a mistake",
                   [&] { mistake.picture = read_picture(folder, text(entry, "picture")); });
    }
}

void read_evaluation(const Folder& folder, Run& run) {
    std::optional<std::string> bytes;
    JsonMembers evaluation;
    or_missing(run, "The evaluation", [&] {
        bytes = folder.files("evaluation.json", kJsonLimit);
        if (bytes.has_value()) {
            evaluation = json_members(*bytes, folder / "evaluation.json", kEntriesLimit);
        } else {
            run.missing.push_back(
                "There is no evaluation.json, so nothing is known of single test pictures.");
        }
    });
    or_missing(run, "The evaluation",
               [&] { run.confusion = read_confusion(json_member(evaluation, "confusion")); });
    read_mistakes(folder, json_member(evaluation, "mistakes"), run);
    if (const std::string name = text(evaluation, "filters"); !name.empty()) {
        or_missing(run, "The picture of the filters",
                   [&] { run.filters = read_picture(folder, name); });
    }
}

}  // namespace

std::string Run::class_name(Index i) const {
    if (i < 0) return "?";
    const auto at = static_cast<std::size_t>(i);
    return at < classes.size() && !classes[at].empty() ? classes[at] : std::to_string(i);
}

Run read_run(const fs::path& given) {
    std::error_code error;
    const fs::path folder = fs::canonical(given, error);
    check(!error && fs::is_directory(folder), fs::absolute(given).lexically_normal().string(),
          ": expected a run directory, got ", error ? "nothing" : "something else");
    check(fs::exists(folder / "run.json"), folder.string(),
          ": expected a run directory, got one without run.json; a training run makes it with "
          "--run-dir");
    return read_run(folder, [&](const std::string& name, std::uintmax_t limit) {
        return read_file(folder, name, limit);
    });
}

Run read_run(const fs::path& path, const RunFiles& files) {
    const Folder folder{path, files};
    Run run;
    run.folder = path;
    run.name = path.filename().string();
    read_head(folder, run);
    if (run.example.empty()) run.example = run.name;
    or_missing(run, "The log", [&] { read_metrics(folder, run); });
    read_evaluation(folder, run);
    return run;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
