#include "run_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>
#include <exception>
#include <map>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include "json_object.h"
#include "primer/core/error.h"
#include "primer/core/io/image.h"
#include "primer/core/io/image_grid.h"
#include "primer/core/io/json.h"
#include "primer/core/io/replacement.h"
#include "primer/core/kernels/isa.h"
#include "primer/core/kernels/parallel.h"
#include "primer/layers/diagnostics.h"
#include "report.h"

namespace primer::examples {
namespace {

namespace fs = std::filesystem;

constexpr Index kStepsALine = 50, kLinesAnEpoch = 4;  // at most, at least
constexpr std::size_t kMistakes = 24;                 // pictures of them
constexpr Index kFilters = 64;                        // of the first layer, shown
constexpr Index kFilterSide = 24;                     // pixels, about

// --- texts ---------------------------------------------------------------------------------------

// A setting as a whole number, another number, or none.
SummaryWriter::HParam parsed(const std::string& text) {
    const char* const end = text.data() + text.size();
    Index whole = 0;
    if (std::from_chars(text.data(), end, whole).ptr == end && !text.empty()) return whole;
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && stop == end && std::isfinite(number)) return number;
    if (text == "true" || text == "false") return text == "true";
    return text;
}

std::string settings_json(const TrainingFlags& flags) {
    JsonObject settings;
    for (const auto& [name, text] : flags.settings) {
        if (text.empty()) continue;  // a file that is not named
        const SummaryWriter::HParam value = parsed(text);
        if (const double* number = std::get_if<double>(&value)) {
            settings.number(name, *number);
        } else if (std::holds_alternative<std::string>(value)) {
            settings.text(name, text);
        } else {
            settings.value(name, text);  // whole numbers, true and false are JSON as they stand
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
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

// The processor's name where the system tells it as Linux does; otherwise "".
std::string processor() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "";
}

// What stands behind `"name": ` in text that this file has written; "" if that is not in it.
std::string member(const std::string& text, const std::string& name) {
    const std::string key = json_string(name) + ": ";
    const std::size_t at = text.find(key);
    if (at == std::string::npos) return "";
    const std::size_t begin = at + key.size();
    return text.substr(begin, text.find_first_of(",}", begin) - begin);
}

double number_in(const std::string& text, const std::string& name) {
    const std::string value = member(text, name);
    double number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void replace(const fs::path& path, const std::string& what, const std::string& text) {
    Replacement file(path, what);
    file.write(text);
    file.commit();
}

void write_png(const fs::path& path, const Image& image) {
    std::ofstream file(path, std::ios::binary);
    file << encode_png(image);
    file.close();
    check(file.good(), fs::absolute(path).string(),
          ": failed to write the picture: ", std::strerror(errno));
}

// --- pictures ------------------------------------------------------------------------------------

/// The first layer's weights as pictures, [N, C, H, W]: of a convolution, or of a Linear that has
/// the whole picture in front of it. Undefined for any other.
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
    // In the dataset a channel follows another, in an Image a pixel does.
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

/// The wrong predictions that the model is most sure of, the surest first.
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
        // Of two that are equally sure, the first; for -i is greater then.
        [&](Index i) {
            return std::pair(predictions[static_cast<std::size_t>(i)].probability, -i);
        });
    wrong.resize(count);
    return wrong;
}

std::string confusion_json(const std::vector<Prediction>& predictions, Index classes) {
    std::vector<std::vector<Index>> counts(static_cast<std::size_t>(classes),
                                           std::vector<Index>(static_cast<std::size_t>(classes)));
    for (const Prediction& each : predictions) {
        ++counts[static_cast<std::size_t>(each.truth)][static_cast<std::size_t>(each.guess)];
    }
    std::vector<std::string> rows;
    for (const std::vector<Index>& row : counts) rows.push_back(numbers_json(row));
    return json_array(rows);
}

// TensorBoard takes what is between / for a folder, so the layer's name goes first.
std::string layer(const DeadUnits& units) {
    return units.name.empty() ? units.type : units.name + " (" + units.type + ")";
}

}  // namespace

// --- the log -------------------------------------------------------------------------------------

RunLog::RunLog(const TrainingFlags& flags, const TrainAndTest& data, const Training& training,
               Progress& progress, RunDirectory& directory, std::string part)
    : flags_(flags),
      data_(data),
      training_(training),
      progress_(progress),
      directory_(directory),
      part_(std::move(part)),
      every_(std::clamp<Index>(training.train_loader.batches() / kLinesAnEpoch, 1, kStepsALine)) {}

void RunLog::attempt(const std::function<void()>& write) {
    if (!directory_.working()) return;
    try {
        write();
    } catch (const std::exception& error) {
        progress_.make_room();
        directory_.stop(error.what());
    }
}

void RunLog::begin(Index done, const std::string& model) {
    attempt([&] {
        directory_.make();
        path_ = directory_.path() / part_;
        fs::create_directories(path_ / "pictures");
        write_run(model);
        const bool events_there = fs::exists(path_ / "metrics.jsonl");
        open_metrics(done);
        SummaryWriter::Options options;
        if (events_there) options.purge_step = done + 1;
        events_ = std::make_unique<SummaryWriter>(path_, options);
        if (done == 0) events_->add_text("model", "```\n" + model + "```");
    });
    start_ = line_start_ = Clock::now();
}

void RunLog::write_run(const std::string& model) const {
    const fs::path path = path_ / "run.json";
    const std::string started = member(read(path), "started");
    std::ostringstream description;
    description << training_.model;
    Index parameters = 0;
    for (const Parameter& parameter : training_.model.parameters()) parameters += parameter.numel();
    const JsonObject run =
        JsonObject()
            .number("format", 1)
            .text("example", flags_.command[0])
            .value("command", texts_json(flags_.command))
            .value("started", started.empty() ? json_string(now()) : started)
            .value("settings", settings_json(flags_))
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
                                  .text("processor", processor())
                                  .str())
            .value("model", JsonObject()
                                .text("description", description.str())
                                .text("summary", model)
                                .value("parameters", std::to_string(parameters))
                                .str());
    replace(path, "the run's settings", run.str() + '\n');
}

void RunLog::open_metrics(Index done) {
    const fs::path path = path_ / "metrics.jsonl";
    const auto mode = done == 0 ? std::ios::trunc : std::ios::app;
    if (done > 0) {
        const std::string text = read(path);
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            if (member(line, "kind") != "\"step\"") continue;
            if (number_in(line, "step") > static_cast<double>(done)) continue;
            earlier_seconds_ = number_in(line, "seconds");
        }
        // A process that was killed may have left half a line.
        const std::size_t whole = text.rfind('\n') + 1;  // 0 if there is none
        if (whole < text.size()) fs::resize_file(path, whole);
    }
    metrics_.open(path, std::ios::binary | mode);
    check(metrics_.is_open(), fs::absolute(path).string(),
          ": failed to open the file: ", std::strerror(errno));
}

void RunLog::append(const std::string& line) {
    metrics_ << line << '\n' << std::flush;
    check(metrics_.good(), fs::absolute(path_ / "metrics.jsonl").string(),
          ": failed to write the file: ", std::strerror(errno));
}

void RunLog::after_step(Index step, double loss, Index correct, Index examples, bool last) {
    ++in_epoch_;
    sums_.loss += loss * static_cast<double>(examples);
    sums_.correct += correct;
    sums_.examples += examples;
    if (!last && in_epoch_ % every_ != 0) return;
    attempt([&] { write_step(step); });
    sums_ = {};
}

void RunLog::leave(Index step) {
    if (sums_.examples == 0) return;
    attempt([&] { write_step(step); });
    sums_ = {};
}

void RunLog::write_step(Index step) {
    using Seconds = std::chrono::duration<double>;
    const Clock::time_point time = Clock::now();
    const auto seen = static_cast<double>(sums_.examples);
    const double loss = sums_.loss / seen, accuracy = static_cast<double>(sums_.correct) / seen;
    const double images_per_s = seen / Seconds(time - line_start_).count();
    line_start_ = time;
    const double lr = training_.optimizer.lr();
    events_->add_scalar("loss/train", loss, step);
    events_->add_scalar("accuracy/train", accuracy, step);
    events_->add_scalar("lr", lr, step);
    events_->add_scalar("images_per_s", images_per_s, step);
    JsonObject norms;
    for (const GradientStatistics& row : gradient_statistics(training_.model)) {
        norms.number(row.name, row.norm);
        events_->add_scalar("gradient_norm/" + row.name, row.norm, step);
    }
    append(JsonObject()
               .text("kind", "step")
               .value("step", std::to_string(step))
               .value("epoch", std::to_string(progress_.epoch()))
               .number("loss", loss)
               .number("accuracy", accuracy)
               .number("lr", lr)
               .number("images_per_s", images_per_s)
               .number("seconds", earlier_seconds_ + Seconds(time - start_).count())
               .value("gradient_norms", norms.str())
               .str());
}

void RunLog::after_epoch(Index step, const Evaluation& test, bool best) {
    test_accuracy_ = test.accuracy;
    attempt([&] {
        write_epoch(step, test, best);
        write_evaluation(step, test);
    });
    in_epoch_ = 0;
    sums_ = {};
    line_start_ = Clock::now();
}

void RunLog::write_epoch(Index step, const Evaluation& test, bool best) {
    const EpochSums& sums = progress_.sums();
    const auto seen = static_cast<double>(sums.examples);
    JsonObject dead;
    for (const DeadUnits& units : test.dead_units) {
        dead.number(layer(units), units.share);
        events_->add_scalar("dead_units/" + layer(units), units.share, step);
    }
    append(JsonObject()
               .text("kind", "epoch")
               .value("epoch", std::to_string(progress_.epoch()))
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
    events_->add_scalar("loss/test", test.loss, step);
    events_->add_scalar("accuracy/test", test.accuracy, step);
    for (const auto& [name, parameter] : training_.model.named_parameters()) {
        events_->add_histogram("weights/" + name, parameter, step);
    }
}

void RunLog::write_evaluation(Index step, const Evaluation& test) {
    const std::vector<Index> wrong = mistakes(test.predictions);
    std::vector<std::string> rows;
    std::string caption = "| | true | taken for | probability |\n|---|---|---|---|\n";
    for (const Index i : wrong) {
        const Prediction& each = test.predictions[static_cast<std::size_t>(i)];
        const std::string number = (rows.size() < 9 ? "0" : "") + std::to_string(rows.size() + 1);
        const std::string file = "pictures/mistake-" + number + ".png";
        write_png(path_ / file, picture(data_.test, i));
        rows.push_back(JsonObject()
                           .value("index", std::to_string(i))
                           .value("truth", std::to_string(each.truth))
                           .value("predicted", std::to_string(each.guess))
                           .number("probability", each.probability)
                           .text("picture", file)
                           .str());
        const auto& classes = data_.classes;
        caption += "| " + number + " | " + classes[static_cast<std::size_t>(each.truth)] + " | " +
                   classes[static_cast<std::size_t>(each.guess)] + " | " +
                   json_number(std::round(each.probability * 1000) / 1000) + " |\n";
    }
    JsonObject evaluation;
    evaluation.value("confusion", confusion_json(test.predictions, data_.test.classes()))
        .value("mistakes", json_array(rows));
    if (!wrong.empty()) {
        events_->add_images("mistakes", pictures(data_.test, wrong), step);
        // A tag of its own: to TensorBoard, a tag is of one kind.
        events_->add_text("mistakes_table", caption, step);
    }
    const Tensor filters = first_filters(training_.model, data_.train.shape());
    if (filters.defined()) {
        // Wide gaps, for a filter's own edge may be as black as they are.
        const Image grid =
            make_grid(filters, {.padding = 6, .normalize = true, .scale_each = true});
        write_png(path_ / "pictures/filters.png", grid);
        events_->add_image("filters", grid, step);
        evaluation.text("filters", "pictures/filters.png");
    }
    replace(path_ / "evaluation.json", "the evaluation", evaluation.str() + '\n');
}

fs::path RunLog::finish() {
    attempt([&] {
        std::map<std::string, SummaryWriter::HParam> settings;
        for (const auto& [name, text] : flags_.settings) {
            if (!text.empty()) settings[name] = parsed(text);
        }
        events_->add_hparams(settings, {{"result/test_accuracy", test_accuracy_}});
        events_->flush();
    });
    return report();
}

fs::path RunLog::report() {
    fs::path page;
    attempt([&] {
        write_report({path_}, path_ / "report.html");
        page = path_ / "report.html";
    });
    return page;
}

fs::path report_side_by_side(RunDirectory& directory, const std::vector<std::string>& parts) {
    if (!directory.working()) return {};
    std::vector<fs::path> runs;
    for (const std::string& part : parts) {
        if (fs::exists(directory.path() / part / "run.json"))
            runs.push_back(directory.path() / part);
    }
    try {
        write_report(runs, directory.path() / "report.html");
        return directory.path() / "report.html";
    } catch (const std::exception& error) {
        directory.stop(error.what());
        return {};
    }
}

}  // namespace primer::examples
