#include "run_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <span>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include <primer/core/io/image.h>
#include <primer/core/io/image_grid.h>
#include <primer/core/io/json.h>
#include <primer/core/kernels/isa.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/processors.h>
#include <primer/core/metrics.h>
#include <primer/core/ops.h>
#include <primer/core/text.h>
#include <primer/layers/inspect/diagnostics.h>
#include "../report/page.h"
#include "output.h"
#include "program.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

constexpr Index kStepsALine = 50, kLinesAnEpoch = 4;  // at most, at least
constexpr std::size_t kMistakes = 24;                 // pictures of them
constexpr Index kFilters = 64;                        // of the first layer, shown
constexpr Index kFilterSide = 24;                     // pixels, about
// Wide gaps, since a filter's own edge may be as black as they are.
const GridOptions kFilterGrid{.padding = 6, .normalize = true, .scale_each = true};
constexpr std::size_t kPendingLimit = 1 << 20;  // bytes of lines that wait
constexpr Index kBrokenLimit = 1000;            // broken lines of a resumed run's metrics.jsonl
constexpr Index kEventsRetry = 16;

// --- texts ---------------------------------------------------------------------------------------

// TensorBoard takes UTF-8; a folder's name may be any bytes.
std::string as_utf8(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = decode_utf8(text).length;
        result += length == 0 ? std::string_view("\ufffd") : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return result;
}

// A setting for TensorBoard, where a whole number is a double.
SummaryWriter::HParam hparam_of(const Setting& setting) {
    using Kind = Setting::Kind;
    if (setting.kind == Kind::toggle) return setting.value == "true";
    const std::optional<double> number = read_number(setting.value);
    const bool is_number = setting.kind == Kind::whole || setting.kind == Kind::real;
    if (is_number && number.has_value()) return *number;
    return as_utf8(setting.value);
}

std::string settings_json(const std::vector<Setting>& given) {
    using Kind = Setting::Kind;
    JsonObject settings;
    for (const auto& [name, value, kind] : given) {
        if (value.empty()) continue;  // a file that is not named
        const std::optional<double> number = read_number(value);
        if (kind == Kind::toggle) {
            settings.value(name, value == "true" ? "true" : "false");
        } else if (kind == Kind::whole) {
            settings.value(name, value);  // JSON as it stands, and exact however large
        } else if (kind == Kind::real && number.has_value()) {
            settings.number(name, *number);
        } else {
            settings.text(name, value);
        }
    }
    return settings.str();
}

std::string texts_json(const std::vector<std::string>& texts) {
    std::vector<std::string> values;
    for (const std::string& text : texts) values.push_back(json_string(text));
    return json_array(values);
}

std::string numbers_json(std::span<const Index> numbers) {
    std::vector<std::string> values;
    for (const Index number : numbers) values.push_back(std::to_string(number));
    return json_array(values);
}

std::string now() {
    const std::time_t time = std::time(nullptr);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&time));
    return text;
}

// The members of an object; none for any other text, such as a line that was cut.
JsonMembers members_of(std::string_view text) {
    constexpr std::size_t kLimit = 100;  // we write fewer
    try {
        return json_members(text, "", kLimit);
    } catch (const Error&) {
        return {};
    }
}

double number_in(const JsonMembers& line, const char* name) {
    return read_number(json_member(line, name)).value_or(0);
}

// The bytes of a file; "" if it is not a regular file: a pipe would block.
std::string read(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(fs::symlink_status(path, ignored))) return "";
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Makes a new folder in `pictures` for the pictures of an evaluation. The earlier ones stay until
/// evaluation.json names the new ones: whenever the process ends, the two belong together.
std::string new_picture_folder(const fs::path& path, Index step) {
    make_folder(path / "pictures");
    const std::string first = "pictures/step-" + std::to_string(step);
    std::string name = first;
    for (int i = 2;; ++i) {
        std::error_code error;
        if (fs::create_directory(path / name, error)) return name;
        if (error && error != std::errc::file_exists) {
            fail(full_name(path / name), ": failed to make the folder: ", error.message());
        }
        name = first + '-' + std::to_string(i);
    }
}

/// Removes what earlier evaluations have left in folders of new_picture_folder: the files that an
/// evaluation writes, and the folder if nothing else is in it. Follows no links.
void remove_other_pictures(const fs::path& path, const std::string& kept) {
    const std::regex folder_name("step-[0-9]+(-[0-9]+)?");
    const std::regex file_name("mistake-[0-9]{2}\\.png|filters\\.png");
    std::error_code ignored;
    for (const fs::directory_entry& folder : fs::directory_iterator(path / "pictures", ignored)) {
        if (!std::regex_match(folder.path().filename().string(), folder_name)) continue;
        if (path / kept == folder.path() || !fs::is_directory(folder.symlink_status(ignored)))
            continue;
        for (const fs::directory_entry& file : fs::directory_iterator(folder.path(), ignored)) {
            const bool ours = std::regex_match(file.path().filename().string(), file_name);
            if (ours && fs::is_regular_file(file.symlink_status(ignored))) {
                fs::remove(file.path(), ignored);
            }
        }
        fs::remove(folder.path(), ignored);  // not if something is left in it
    }
}

// --- pictures ------------------------------------------------------------------------------------

/// The first layer's weights as pictures, [N, C, H, W]: for a convolution, or for a Linear whose
/// input is the whole picture. Undefined for any other layer.
Tensor first_filters(Module& model, const Shape& picture) {
    const std::vector<Parameter> parameters = model.parameters();
    if (parameters.empty()) return {};
    const Tensor& weight = parameters.front();
    Shape shape = weight.shape();
    if (shape.rank() == 2 && shape[1] == picture.numel()) {
        shape = {shape[0], picture[0], picture[1], picture[2]};
    }
    if (shape.rank() != 4 || (shape[1] != 1 && shape[1] != 3)) return {};
    const Index count = std::min(shape[0], kFilters), channels = shape[1];
    const Index height = shape[2], width = shape[3], zoom = std::max<Index>(1, kFilterSide / width);
    std::vector<Real> pixels;
    for (Index plane = 0; plane < count * channels; ++plane) {
        for (Index y = 0; y < height * zoom; ++y) {
            const Real* row = weight.data() + (plane * height + y / zoom) * width;
            for (Index x = 0; x < width * zoom; ++x) pixels.push_back(row[x / zoom]);
        }
    }
    return tensor(pixels, {count, channels, height * zoom, width * zoom});
}

Image picture(const ImageDataset& data, Index i) {
    const Shape shape = data.shape();
    Image image(shape[2], shape[1], shape[0]);
    const std::span<const std::uint8_t> pixels = data.pixels(i);
    const auto channels = static_cast<std::size_t>(shape[0]);
    const std::size_t plane = pixels.size() / channels;
    // The dataset stores channel after channel, an Image pixel after pixel.
    for (std::size_t at = 0; at < pixels.size(); ++at) {
        image.pixels[at] = pixels[at % channels * plane + at / channels];
    }
    return image;
}

/// The test pictures [N, C, H, W], from 0 to 1.
Tensor pictures(const ImageDataset& data, const std::vector<Index>& which) {
    const Shape shape = data.shape();
    std::vector<Real> pixels;
    for (const Index i : which) {
        for (const std::uint8_t pixel : data.pixels(i))
            pixels.push_back(static_cast<Real>(pixel) / 255);
    }
    return tensor(pixels, {static_cast<Index>(which.size()), shape[0], shape[1], shape[2]});
}

// --- the evaluation ------------------------------------------------------------------------------

/// The wrong predictions of highest probability, the highest first.
std::vector<Index> mistakes(const std::vector<Prediction>& predictions) {
    std::vector<Index> wrong;
    for (std::size_t i = 0; i < predictions.size(); ++i) {
        const Prediction& each = predictions[i];
        // A model that has diverged is sure of nothing.
        const bool sure = std::isfinite(each.probability);
        if (each.guess != each.truth && sure) wrong.push_back(static_cast<Index>(i));
    }
    const std::size_t count = std::min(wrong.size(), kMistakes);
    std::ranges::partial_sort(
        wrong, wrong.begin() + static_cast<std::ptrdiff_t>(count), std::greater(),
        // Between equal ones, the first counts as greater, by its -i.
        [&](Index i) {
            return std::pair(predictions[static_cast<std::size_t>(i)].probability, -i);
        });
    wrong.resize(count);
    return wrong;
}

std::string confusion_json(const std::vector<Prediction>& predictions, Index classes) {
    ConfusionMatrix matrix(classes);
    for (const Prediction& each : predictions) matrix.add(each.truth, each.guess);
    std::vector<std::string> rows;
    for (Index label = 0; label < classes; ++label) {
        std::vector<Index> row;
        for (Index guess = 0; guess < classes; ++guess) row.push_back(matrix.at(label, guess));
        rows.push_back(numbers_json(row));
    }
    return json_array(rows);
}

std::string two_digits(std::size_t number) {
    const std::string digits = std::to_string(number);
    return number < 10 ? '0' + digits : digits;
}

// TensorBoard makes a folder of the text before a /, so the layer's name goes first.
std::string layer(const DeadUnits& units) { return layer_name(units.name, units.type); }

void add_predictions(const Tensor& logits, const IntTensor& labels,
                     std::vector<Prediction>& predictions) {
    const Tensor probabilities = softmax(logits, 1);
    const IntTensor guesses = argmax(logits, 1);
    const Index classes = logits.shape()[1];
    for (std::size_t i = 0; i < labels.values.size(); ++i) {
        const Real* row = probabilities.data() + static_cast<Index>(i) * classes;
        const Index guess = guesses.values[i];
        predictions.push_back({labels.values[i], guess, static_cast<double>(row[guess])});
    }
}

}  // namespace

DetailedEvaluation evaluate_in_detail(Module& model, DataLoader& loader) {
    DetailedEvaluation result;
    result.dead_units = dead_units(model, [&] {
        const auto watch = [&](const Batch& batch, const Tensor& logits) {
            add_predictions(logits, batch.labels, result.predictions);
            return interrupt() == 0;
        };
        static_cast<Evaluation&>(result) = evaluate(model, loader, watch);
    });
    return result;
}

// --- the log -------------------------------------------------------------------------------------

RunLog::RunLog(std::vector<std::string> command, std::vector<Setting> settings,
               const TrainAndTest& data, const Training& training, const RunCount& count,
               Progress& progress, RunDirectory& directory, std::string part)
    : command_(std::move(command)),
      settings_(std::move(settings)),
      data_(data),
      training_(training),
      count_(count),
      progress_(progress),
      directory_(directory),
      part_(std::move(part)),
      every_(std::clamp<Index>(count.batches / kLinesAnEpoch, 1, kStepsALine)) {
    if (!part_.empty()) directory_.check_no_other_run(part_);
}

RunLog::~RunLog() = default;

void RunLog::attempt(const std::string& what, const std::function<void()>& write) {
    const std::string warning = directory_.attempt(what, [&] {
        if (!part_.empty()) make_folder(path());
        write();
    });
    if (warning.empty()) return;
    progress_.make_room();
    print_warning(warning);
}

// A writer that fails is given up. A new one is made only every kEventsRetry attempts, since each
// makes a file of its own.
void RunLog::attempt_events(const std::function<void(SummaryWriter&)>& write) {
    if (events_skipped_ > 0 && events_skipped_++ % kEventsRetry != 0) return;
    attempt("the log for TensorBoard", [&] {
        if (!events_) {
            SummaryWriter::Options options;
            if (begun_after_ > 0) options.purge_step = begun_after_ + 1;
            events_ = std::make_unique<SummaryWriter>(path(), options);
        }
        try {
            write(*events_);
            events_skipped_ = 0;
        } catch (...) {
            events_.reset();
            events_skipped_ = 1;
            throw;
        }
    });
}

void RunLog::attempt_run() {
    if (run_written_) return;
    attempt("run.json", [&] {
        write_run();
        run_written_ = true;
    });
}

void RunLog::begin(const std::string& model) {
    model_ = model;
    begun_after_ = count_.step;
    logged_ = count_.sums;
    attempt_run();
    attempt("metrics.jsonl", [&] { open_metrics(); });
    attempt_events([&](SummaryWriter& events) {
        if (begun_after_ == 0) events.add_text("model", "```\n" + model + "```");
    });
    start_ = line_start_ = Clock::now();
}

void RunLog::write_run() const {
    const fs::path path = this->path() / "run.json";
    check_replaceable(path, kJsonFile);
    const std::string before = read(path);
    std::string started(json_member(members_of(before), "started"));
    if (!started.starts_with('"')) started = json_string(now());
    TextStream description;
    description << training_.model;
    Index parameters = 0;
    for (const Parameter& parameter : training_.model.parameters()) parameters += parameter.numel();
    const JsonObject run =
        JsonObject()
            .number("format", 1)
            .text("example", command_[0])
            .value("command", texts_json(command_))
            .value("started", started)
            .value("settings", settings_json(settings_))
            .value("data", JsonObject()
                               .text("source", data_.source)
                               .value("train", std::to_string(data_.train.size()))
                               .value("test", std::to_string(data_.test.size()))
                               .value("classes", texts_json(data_.classes))
                               .value("shape", numbers_json(data_.train.shape().dims()))
                               .str())
            .value("machine", JsonObject()
                                  .value("threads", std::to_string(num_threads()))
                                  .text("isa", kernels::name(kernels::isa()))
                                  .text("processor", processor_name())
                                  .str())
            .value("model", JsonObject()
                                .text("description", description.str())
                                .text("summary", model_)
                                .value("parameters", std::to_string(parameters))
                                .str());
    replace_file(path, kJsonFile, run.str() + '\n');
}

void RunLog::open_metrics() {
    if (metrics_.is_open()) return;
    const fs::path path = this->path() / "metrics.jsonl";
    check_replaceable(path, kJsonFile);
    SystemFile file = SystemFile::to_append(path);
    check(file.is_open(), full_name(path), ": failed to open the file: ", std::strerror(errno));
    check(file.is_regular(), full_name(path),
          ": expected a file, or nothing yet, got something that is no file");
    metrics_ = std::move(file);
    Index whole = 0;
    if (begun_after_ > 0) {
        const std::string text = read(path);
        std::istringstream lines(text);
        // Each broken line costs an exception, and a file of others may have millions.
        Index broken = 0;
        for (std::string row; broken < kBrokenLimit && std::getline(lines, row);) {
            const JsonMembers line = members_of(row);
            if (line.empty()) ++broken;
            if (json_member(line, "kind") != "\"step\"") continue;
            if (number_in(line, "step") > static_cast<double>(begun_after_)) continue;
            earlier_seconds_ = number_in(line, "seconds");
        }
        // A process that was killed may have left half a line.
        whole = static_cast<Index>(text.rfind('\n') + 1);  // 0 if there is none
    }
    // A statement of its own: the arguments of check, strerror(errno) among them, are evaluated in
    // any order.
    const bool cut = metrics_.cut(whole);
    check(cut, full_name(path), ": failed to cut the file: ", std::strerror(errno));
}

void RunLog::append(const std::string& line) {
    pending_ += line + '\n';
    // If the disk stays full for long, the oldest lines are dropped.
    while (pending_.size() > kPendingLimit) pending_.erase(0, pending_.find('\n') + 1);
    attempt_run();
    attempt("metrics.jsonl", [&] {
        open_metrics();
        write_pending();
    });
}

void RunLog::write_pending() {
    const Index before = metrics_.size();
    if (!metrics_.write(pending_)) {
        const int reason = errno;
        metrics_.cut(before);  // leave no half line: all pending lines are written again
        fail(full_name(path() / "metrics.jsonl"),
             ": failed to write the file: ", std::strerror(reason));
    }
    pending_.clear();
}

void RunLog::after_step(bool last) {
    if (last || count_.batch() % every_ == 0) write_step();
}

void RunLog::leave() {
    if (count_.sums.examples != logged_.examples) write_step();
}

// The means over the steps since the last line.
void RunLog::write_step() {
    using Seconds = std::chrono::duration<double>;
    const Index step = count_.step;
    const EpochSums& sums = count_.sums;
    const auto seen = static_cast<double>(sums.examples - logged_.examples);
    const double loss = (sums.loss - logged_.loss) / seen;
    const double accuracy = static_cast<double>(sums.correct - logged_.correct) / seen;
    logged_ = sums;
    if (!directory_.wanted()) return;
    const Clock::time_point time = Clock::now();
    const double images_per_s = seen / Seconds(time - line_start_).count();
    line_start_ = time;
    const double lr = training_.optimizer.lr();
    JsonObject norms;
    const std::vector<GradientStatistics> gradients = gradient_statistics(training_.model);
    for (const GradientStatistics& row : gradients) norms.number(row.name, row.norm);
    attempt_events([&](SummaryWriter& events) {
        events.add_scalar("loss/train", loss, step);
        events.add_scalar("accuracy/train", accuracy, step);
        events.add_scalar("lr", lr, step);
        events.add_scalar("images_per_s", images_per_s, step);
        for (const GradientStatistics& row : gradients) {
            events.add_scalar("gradient_norm/" + row.name, row.norm, step);
        }
    });
    append(JsonObject()
               .text("kind", "step")
               .value("step", std::to_string(step))
               .value("epoch", std::to_string(count_.epoch()))
               .number("loss", loss)
               .number("accuracy", accuracy)
               .number("lr", lr)
               .number("images_per_s", images_per_s)
               .number("seconds", earlier_seconds_ + Seconds(time - start_).count())
               .value("gradient_norms", norms.str())
               .str());
}

void RunLog::after_epoch(const DetailedEvaluation& test, bool best) {
    test_accuracy_ = test.accuracy;
    if (directory_.wanted()) write_epoch(test, best);
    attempt("the evaluation", [&] { write_evaluation(test); });
    attempt_events([&](SummaryWriter& events) { log_evaluation(events, test); });
    logged_ = {};
    line_start_ = Clock::now();
}

void RunLog::write_epoch(const DetailedEvaluation& test, bool best) {
    const Index step = count_.step;
    const EpochSums& sums = count_.sums;
    const auto seen = static_cast<double>(sums.examples);
    JsonObject dead;
    for (const DeadUnits& units : test.dead_units) {
        dead.number(layer(units), units.share);
    }
    append(JsonObject()
               .text("kind", "epoch")
               .value("epoch", std::to_string(count_.epoch()))
               .value("step", std::to_string(step))
               .number("train_loss", sums.loss / seen)
               .number("train_accuracy", static_cast<double>(sums.correct) / seen)
               .number("test_loss", test.loss)
               .number("test_accuracy", test.accuracy)
               .number("seconds", progress_.epoch_seconds())
               .number("images_per_s", progress_.images_per_s())
               .value("dead_units", dead.str())
               .value("best", best ? "true" : "false")
               .str());
    attempt_events([&](SummaryWriter& events) {
        for (const DeadUnits& units : test.dead_units) {
            events.add_scalar("dead_units/" + layer(units), units.share, step);
        }
        events.add_scalar("loss/test", test.loss, step);
        events.add_scalar("accuracy/test", test.accuracy, step);
        for (const auto& [name, parameter] : training_.model.named_parameters()) {
            events.add_histogram("weights/" + name, parameter, step);
        }
    });
}

void RunLog::write_evaluation(const DetailedEvaluation& test) {
    const std::string folder = new_picture_folder(path(), count_.step);
    std::vector<std::string> rows;
    for (const Index i : mistakes(test.predictions)) {
        const Prediction& each = test.predictions[static_cast<std::size_t>(i)];
        const std::string file = folder + "/mistake-" + two_digits(rows.size() + 1) + ".png";
        save_png(path() / file, picture(data_.test, i));
        rows.push_back(JsonObject()
                           .value("index", std::to_string(i))
                           .value("truth", std::to_string(each.truth))
                           .value("predicted", std::to_string(each.guess))
                           .number("probability", each.probability)
                           .text("picture", file)
                           .str());
    }
    JsonObject evaluation;
    evaluation.value("confusion", confusion_json(test.predictions, data_.test.classes()))
        .value("mistakes", json_array(rows));
    const Tensor filters = first_filters(training_.model, data_.train.shape());
    if (filters.defined()) {
        save_png(path() / folder / "filters.png", make_grid(filters, kFilterGrid));
        evaluation.text("filters", folder + "/filters.png");
    }
    replace_file(path() / "evaluation.json", kJsonFile, evaluation.str() + '\n');
    remove_other_pictures(path(), folder);
}

void RunLog::log_evaluation(SummaryWriter& events, const DetailedEvaluation& test) const {
    const Index step = count_.step;
    const std::vector<Index> wrong = mistakes(test.predictions);
    std::string caption = "| | true | taken for | probability |\n|---|---|---|---|\n";
    for (std::size_t row = 0; row < wrong.size(); ++row) {
        const Prediction& each = test.predictions[static_cast<std::size_t>(wrong[row])];
        const auto& classes = data_.classes;
        caption += "| " + two_digits(row + 1) + " | " +
                   classes[static_cast<std::size_t>(each.truth)] + " | " +
                   classes[static_cast<std::size_t>(each.guess)] + " | " +
                   json_number(std::round(each.probability * 1000) / 1000) + " |\n";
    }
    if (!wrong.empty()) {
        events.add_images("mistakes", pictures(data_.test, wrong), step, {.padding = 2});
        // A tag of its own: TensorBoard allows one kind of data for each tag.
        events.add_text("mistakes_table", caption, step);
    }
    const Tensor filters = first_filters(training_.model, data_.train.shape());
    if (filters.defined()) events.add_image("filters", make_grid(filters, kFilterGrid), step);
}

fs::path RunLog::finish() {
    attempt_events([&](SummaryWriter& events) {
        std::map<std::string, SummaryWriter::HParam> settings;
        for (const Setting& setting : settings_) {
            if (!setting.value.empty()) settings[setting.name] = hparam_of(setting);
        }
        events.add_hparams(settings, {{"result/test_accuracy", test_accuracy_}});
        events.flush();
    });
    return report();
}

fs::path RunLog::report() {
    fs::path page;
    attempt("the report", [&] {
        replace_file(path() / "report.html", kPageFile, report_of({path()}));
        page = path() / "report.html";
    });
    return page;
}

fs::path report_side_by_side(RunDirectory& directory, const std::vector<std::string>& parts) {
    fs::path page;
    print_warning(directory.attempt("the report", [&] {
        std::vector<fs::path> runs;
        for (const std::string& part : parts) {
            if (fs::exists(directory.path() / part / "run.json"))
                runs.push_back(directory.path() / part);
        }
        replace_file(directory.path() / "report.html", kPageFile, report_of(runs));
        page = directory.path() / "report.html";
    }));
    return page;
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
