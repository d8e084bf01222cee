#include "event_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <protozero/pbf_builder.hpp>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../error.h"
#include "../kernels/system.h"
#include "crc32c.h"
#include "histogram.h"
#include "json.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;
using protozero::pbf_builder;

// The messages, with the numbers of the fields that are written here. They are from TensorBoard's
// event.proto, summary.proto, histogram.proto and tensor.proto ...
enum class Event : std::uint32_t {
    wall_time = 1,
    step = 2,
    file_version = 3,
    summary = 5,
    session_log = 7
};
enum class SessionLog : std::uint32_t { status = 1 };
enum class Summary : std::uint32_t { value = 1 };
enum class Value : std::uint32_t {
    tag = 1,
    simple_value = 2,
    image = 4,
    histo = 5,
    tensor = 8,
    metadata = 9
};
enum class Picture : std::uint32_t { height = 1, width = 2, colorspace = 3, encoded = 4 };
enum class Histo : std::uint32_t {
    min = 1,
    max = 2,
    num = 3,
    sum = 4,
    sum_squares = 5,
    bucket_limit = 6,
    bucket = 7
};
enum class TensorProto : std::uint32_t { dtype = 1, shape = 2, string_val = 8 };
enum class TensorShape : std::uint32_t { dim = 2 };
enum class Dim : std::uint32_t { size = 1 };
enum class Metadata : std::uint32_t { plugin_data = 1 };
enum class PluginData : std::uint32_t { plugin_name = 1, content = 2 };
constexpr std::int32_t kStart = 1;       // SessionLog.SessionStatus
constexpr std::int32_t kStringType = 7;  // DataType.DT_STRING

// ... from its hparams plugin's plugin_data.proto and api.proto, and from protobuf's struct.proto.
enum class HParams : std::uint32_t { experiment = 2, session_start = 3, session_end = 4 };
enum class Experiment : std::uint32_t { hparam_infos = 4, metric_infos = 5 };
enum class HParamInfo : std::uint32_t { name = 1, type = 4 };
enum class MetricInfo : std::uint32_t { name = 1 };
enum class MetricName : std::uint32_t { tag = 2 };
enum class SessionStart : std::uint32_t { hparams = 1, start_time = 5 };
enum class SessionEnd : std::uint32_t { status = 1, end_time = 2 };
enum class Entry : std::uint32_t { key = 1, value = 2 };
enum class StructValue : std::uint32_t { number = 2, string = 3, boolean = 4 };
constexpr std::int32_t kString = 1, kBool = 2, kNumber = 3;  // DataType
constexpr std::int32_t kSuccess = 1;                         // Status

/// A message of type M with the fields that `fill` adds.
template <class M, class Fill>
std::string message(const Fill& fill) {
    std::string bytes;
    pbf_builder<M> builder(bytes);
    fill(builder);
    return bytes;
}

/// The value of one record.
template <class Fill>
std::string value_message(const std::string& tag, const Fill& fill) {
    check(!tag.empty() && is_utf8(tag), "SummaryWriter: expected a tag in UTF-8, got ",
          in_quotes(tag));
    return message<Value>([&](auto& value) {
        value.add_string(Value::tag, tag);
        fill(value);
    });
}

std::string scalar_message(const std::string& tag, double number) {
    return value_message(tag, [&](auto& value) {
        value.add_float(Value::simple_value, static_cast<float>(number));
    });
}

std::string summary_event(double time, Index step, const std::string& value) {
    return message<Event>([&](auto& event) {
        event.add_double(Event::wall_time, time);
        event.add_int64(Event::step, step);
        pbf_builder<Summary> summary(event, Event::summary);
        summary.add_message(Summary::value, value);
    });
}

/// The first record of every file.
std::string version_event(double time) {
    return message<Event>([&](auto& event) {
        event.add_double(Event::wall_time, time);
        event.add_string(Event::file_version, "brain.Event:2");
    });
}

std::string purge_event(double time, Index step) {
    return message<Event>([&](auto& event) {
        event.add_double(Event::wall_time, time);
        event.add_int64(Event::step, step);
        pbf_builder<SessionLog> log(event, Event::session_log);
        log.add_enum(SessionLog::status, kStart);
    });
}

/// Marks a value for a plugin of TensorBoard, with data that only the plugin understands.
void add_metadata(pbf_builder<Value>& value, const char* plugin, const std::string& content) {
    pbf_builder<Metadata> metadata(value, Value::metadata);
    pbf_builder<PluginData> data(metadata, Metadata::plugin_data);
    data.add_string(PluginData::plugin_name, plugin);
    data.add_bytes(PluginData::content, content);
}

std::string text_message(const std::string& tag, const std::string& text) {
    // A tensor of shape [1].
    const std::string shape = message<TensorShape>([](auto& dims) {
        pbf_builder<Dim> dim(dims, TensorShape::dim);
        dim.add_int64(Dim::size, 1);
    });
    const std::string tensor = message<TensorProto>([&](auto& proto) {
        proto.add_enum(TensorProto::dtype, kStringType);
        proto.add_message(TensorProto::shape, shape);
        proto.add_bytes(TensorProto::string_val, text);
    });
    return value_message(tag, [&](auto& value) {
        value.add_message(Value::tensor, tensor);
        add_metadata(value, "text", "");
    });
}

std::string image_message(const std::string& tag, const Image& image) {
    return value_message(tag, [&](auto& value) {
        pbf_builder<Picture> picture(value, Value::image);
        picture.add_int32(Picture::height, static_cast<std::int32_t>(image.height));
        picture.add_int32(Picture::width, static_cast<std::int32_t>(image.width));
        picture.add_int32(Picture::colorspace, static_cast<std::int32_t>(image.channels));
        picture.add_bytes(Picture::encoded, encode_png(image));
    });
}

Image rounded_down(const Tensor& images, GridOptions options) {
    options.round = false;
    return make_grid(images, options);
}

std::string histogram_message(const std::string& tag, const Histogram& histogram) {
    const std::vector<double> buckets(histogram.buckets.begin(), histogram.buckets.end());
    return value_message(tag, [&](auto& value) {
        pbf_builder<Histo> histo(value, Value::histo);
        histo.add_double(Histo::min, histogram.min);
        histo.add_double(Histo::max, histogram.max);
        histo.add_double(Histo::num, static_cast<double>(histogram.count));
        histo.add_double(Histo::sum, histogram.sum);
        histo.add_double(Histo::sum_squares, histogram.sum_of_squares);
        histo.add_packed_double(Histo::bucket_limit, histogram.limits.begin(),
                                histogram.limits.end());
        histo.add_packed_double(Histo::bucket, buckets.begin(), buckets.end());
    });
}

// --- Settings and results of a run --------------------------------------------------------------

std::int32_t type_of(const SummaryWriter::HParam& value) {
    if (std::holds_alternative<std::string>(value)) return kString;
    return std::holds_alternative<bool>(value) ? kBool : kNumber;
}

std::string struct_value(const SummaryWriter::HParam& setting) {
    return message<StructValue>([&](auto& value) {
        if (const auto* text = std::get_if<std::string>(&setting)) {
            check(is_utf8(*text), "SummaryWriter: expected settings in UTF-8, got ",
                  in_quotes(*text));
            value.add_string(StructValue::string, *text);
        } else if (const auto* flag = std::get_if<bool>(&setting)) {
            value.add_bool(StructValue::boolean, *flag);
        } else if (const auto* whole = std::get_if<Index>(&setting)) {
            value.add_double(StructValue::number, static_cast<double>(*whole));
        } else {
            value.add_double(StructValue::number, std::get<double>(setting));
        }
    });
}

/// The names of the settings and results.
std::string experiment(const std::map<std::string, SummaryWriter::HParam>& hparams,
                       const std::map<std::string, double>& metrics) {
    return message<Experiment>([&](auto& all) {
        for (const auto& [name, value] : hparams) {
            pbf_builder<HParamInfo> info(all, Experiment::hparam_infos);
            info.add_string(HParamInfo::name, name);
            info.add_enum(HParamInfo::type, type_of(value));
        }
        for (const auto& metric : metrics) {
            pbf_builder<MetricInfo> info(all, Experiment::metric_infos);
            pbf_builder<MetricName> name(info, MetricInfo::name);
            name.add_string(MetricName::tag, metric.first);
        }
    });
}

std::string session_start(const std::map<std::string, SummaryWriter::HParam>& hparams,
                          double time) {
    return message<SessionStart>([&](auto& session) {
        for (const auto& [name, value] : hparams) {
            check(is_utf8(name), "SummaryWriter: expected settings in UTF-8, got ",
                  in_quotes(name));
            pbf_builder<Entry> entry(session, SessionStart::hparams);
            entry.add_string(Entry::key, name);
            entry.add_message(Entry::value, struct_value(value));
        }
        session.add_double(SessionStart::start_time, time);
    });
}

std::string session_end(double time) {
    return message<SessionEnd>([&](auto& session) {
        session.add_enum(SessionEnd::status, kSuccess);
        session.add_double(SessionEnd::end_time, time);
    });
}

std::string hparams_message(const char* tag, HParams field, const std::string& content) {
    return value_message(tag, [&](auto& value) {
        add_metadata(value, "hparams",
                     message<HParams>([&](auto& data) { data.add_message(field, content); }));
    });
}

// --- Records ------------------------------------------------------------------------------------

template <class Unsigned>
void append_little_endian(std::string& bytes, Unsigned number) {
    for (std::size_t i = 0; i < sizeof number; ++i) {
        bytes += static_cast<char>(number >> (8 * i) & 0xff);
    }
}

// Masked, because a checksum of bytes that contain their own checksum is weak.
void append_checksum(std::string& bytes, std::string_view of) {
    const std::uint32_t crc = crc32c(of);
    append_little_endian(bytes, (crc >> 15 | crc << 17) + 0xa282ead8U);
}

std::string frame(std::string_view event) {
    std::string record;
    record.reserve(event.size() + 16);
    append_little_endian(record, std::uint64_t{event.size()});
    append_checksum(record, record.substr(0, 8));
    record += event;
    append_checksum(record, event);
    return record;
}

double seconds_since_1970() {
    using Seconds = std::chrono::duration<double>;
    return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Seconds of a clock that nobody adjusts.
double steady_seconds() {
    using Seconds = std::chrono::duration<double>;
    return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// TensorBoard recognises files by the beginning of their names and reads them in name order.
std::string file_name(double time, int number) {
    const std::string digits = std::to_string(static_cast<long long>(time));
    const std::string seconds =
        std::string(10 - std::min<std::size_t>(10, digits.size()), '0') + digits;
    return "events.out.tfevents." + seconds + '.' + host_name() + '.' +
           std::to_string(process_number()) + '.' + std::to_string(number);
}

}  // namespace

// --- A file -------------------------------------------------------------------------------------

/// A file to which whole records are appended.
class SummaryWriter::File {
  public:
    File(const fs::path& folder, double time) {
        std::error_code error;
        const fs::path absolute = fs::absolute(folder, error).lexically_normal();
        if (!error) fs::create_directories(absolute, error);
        check(!error, absolute.string(), ": failed to make the folder: ", error.message());
        for (int number = 0; !file_.is_open(); ++number) {
            path_ = absolute / file_name(time, number);
            file_ = SystemFile::to_create(path_);
            if (!file_.is_open() && errno != EEXIST) fail_to("make the file");
        }
    }

    const fs::path& path() const { return path_; }

    void append(std::string_view event) {
        // Readers stop at half a record, so nothing may follow one.
        if (torn_ && !cut()) fail_to("take back half a record in the file");
        const std::string record = frame(event);
        if (!file_.write(record)) {
            const int reason = errno;
            cut();
            errno = reason;
            fail_to("write to the file");
        }
        size_ += std::ssize(record);
    }

    void flush() {
        if (!file_.flush_data()) fail_to("flush the file to the disk");
    }

  private:
    // Removes everything after the last whole record.
    bool cut() {
        torn_ = !file_.cut(size_);
        return !torn_;
    }

    [[noreturn]] void fail_to(const char* action) const {
        fail(path_.string(), ": failed to ", action, ": ", std::strerror(errno));
    }

    fs::path path_;
    SystemFile file_;
    Index size_ = 0;     // of the whole records
    bool torn_ = false;  // half a record may follow them
};

// --- The writer ---------------------------------------------------------------------------------

SummaryWriter::SummaryWriter(const fs::path& log_dir, const Options& options)
    : folder_(log_dir), options_(options), flushed_(steady_seconds()) {
    if (!options_.clock) options_.clock = seconds_since_1970;
    file();
    if (options_.purge_step) {
        file_->append(purge_event(options_.clock(), *options_.purge_step));
    }
}

SummaryWriter::~SummaryWriter() {
    try {
        close();
    } catch (const Error&) {  // a destructor must not throw
    }
}

SummaryWriter::File& SummaryWriter::file() {
    if (!file_) {
        good_ = false;
        file_ = open_file(folder_);
        path_ = file_->path();
        good_ = true;
    }
    return *file_;
}

std::unique_ptr<SummaryWriter::File> SummaryWriter::open_file(const fs::path& folder) const {
    const double time = options_.clock();
    auto file = std::make_unique<File>(folder, time);
    try {
        file->append(version_event(time));
    } catch (const Error&) {  // without its first record it is not an event file
        std::error_code ignored;
        fs::remove(file->path(), ignored);
        throw;
    }
    return file;
}

// If anything throws, good_ stays false; the next call tries again.
void SummaryWriter::add(File& file, const std::string& value, Index step) {
    good_ = false;
    file.append(summary_event(options_.clock(), step, value));
    good_ = true;
    if (steady_seconds() - flushed_ >= options_.flush_seconds) flush();
}

void SummaryWriter::flush() {
    good_ = false;
    if (file_) file_->flush();
    for (const auto& curve : curves_) {
        if (curve.second) curve.second->flush();  // nullptr if the file could not be made
    }
    flushed_ = steady_seconds();
    good_ = true;
}

void SummaryWriter::close() {
    flush();
    file_.reset();
    curves_.clear();
}

void SummaryWriter::add_scalar(const std::string& tag, Only<double> value, Only<Index> step) {
    add(file(), scalar_message(tag, value), step);
}

void SummaryWriter::add_scalars(const std::string& tag, const std::map<std::string, double>& values,
                                Only<Index> step) {
    for (const auto& [name, value] : values) {
        const std::string point = scalar_message(tag, value);
        std::string folder = tag + '_' + name;
        std::ranges::replace(folder, '/', '_');
        std::unique_ptr<File>& curve = curves_[folder];
        if (!curve) {
            good_ = false;
            curve = open_file(folder_ / folder);
            good_ = true;
        }
        add(*curve, point, step);
    }
}

void SummaryWriter::add_image(const std::string& tag, const Image& image, Only<Index> step) {
    add(file(), image_message(tag, image), step);
}

void SummaryWriter::add_image(const std::string& tag, const Tensor& image, Only<Index> step,
                              const GridOptions& options) {
    check(image.rank() == 2 || image.rank() == 3,
          "SummaryWriter: add_image: expected [C, H, W] or [H, W], got ", image.shape(),
          image.rank() == 4 ? "; use add_images for a batch" : "");
    add_image(tag, rounded_down(image, options), step);
}

void SummaryWriter::add_images(const std::string& tag, const Tensor& images, Only<Index> step,
                               const GridOptions& options) {
    check(images.rank() == 4, "SummaryWriter: add_images: expected [N, C, H, W], got ",
          images.shape());
    add_image(tag, rounded_down(images, options), step);
}

void SummaryWriter::add_histogram(const std::string& tag, const Tensor& values, Only<Index> step) {
    add(file(), histogram_message(tag, make_histogram(values)), step);
}

void SummaryWriter::add_text(const std::string& tag, const std::string& text, Only<Index> step) {
    check(is_utf8(text), "SummaryWriter: expected a text in UTF-8, got ", in_quotes(text));
    add(file(), text_message(tag, text), step);
}

void SummaryWriter::add_hparams(const std::map<std::string, HParam>& hparams,
                                const std::map<std::string, double>& metrics, Only<Index> step) {
    const double time = options_.clock();
    const std::string start = session_start(hparams, time);  // also checks the names
    const std::string what = experiment(hparams, metrics);
    for (const auto& [name, value] : metrics) add_scalar(name, value, step);
    add(file(), hparams_message("_hparams_/experiment", HParams::experiment, what), step);
    add(file(), hparams_message("_hparams_/session_start_info", HParams::session_start, start),
        step);
    add(file(),
        hparams_message("_hparams_/session_end_info", HParams::session_end, session_end(time)),
        step);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
