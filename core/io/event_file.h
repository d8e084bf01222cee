#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "../tensor.h"
#include "image.h"
#include "image_grid.h"

// The files that TensorBoard shows: events.out.tfevents.TIME.HOST.PID.NUMBER, a record after
// another, each
//
//   8 bytes   N, little endian
//   4 bytes   masked CRC-32C of these 8 bytes
//   N bytes   an Event, as a protobuf message: time, step and what was logged
//   4 bytes   masked CRC-32C of the message
//
// https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details

namespace primer {

struct SummaryWriterOptions {
    /// The file is flushed to the disk when something is added this long after the last time, and
    /// at the end: a power cut loses no more. 0: with each record.
    double flush_seconds = 10;
    /// A run that goes on from this step in the folder where it was: what files before this one
    /// say of this and later steps is void.
    std::optional<Index> purge_step = {};
    /// The time of a record, in seconds since 1970; if empty, what the clock says.
    std::function<double()> clock = {};
};

/// Logs numbers and pictures for TensorBoard, under the names of torch.utils.tensorboard:
///
///     SummaryWriter log("runs/first");
///     log.add_scalar("loss/train", loss.item(), step);
///
/// and then: tensorboard --logdir runs
///
/// Each call makes one record, which the system has when the call returns: a TensorBoard that is
/// open follows, and a program that crashes loses nothing that it has added. What is cut short at
/// the end of a file, TensorBoard leaves out.
///
/// If a file can not be written (a full disk, say) the call throws Error, one line with the path
/// and the reason, and what it was to log is lost. The file ends with its last whole record, and
/// the next call tries again: what it logs is there as soon as the disk has room. Beyond the limit
/// on a file's size, RLIMIT_FSIZE, the system ends a program that does not ignore SIGXFSZ.
///
/// A tag or text that is not UTF-8 and an empty tag are an Error, too, at every call. Not for
/// several threads at the same time.
class SummaryWriter {
  public:
    using HParam = std::variant<bool, Index, double, std::string>;
    using Options = SummaryWriterOptions;

    /// Makes the folder, if need be, and a file in it. Throws Error if that fails.
    explicit SummaryWriter(const std::filesystem::path& log_dir, const Options& options = {});
    SummaryWriter(const SummaryWriter&) = delete;
    SummaryWriter& operator=(const SummaryWriter&) = delete;
    /// Flushes; an Error of that is lost.
    ~SummaryWriter();

    /// Any number, also infinite or NaN, as a float.
    void add_scalar(const std::string& tag, Only<double> value, Only<Index> step = 0);
    /// Several curves in one chart: each goes to a file in a folder of its own, LOG_DIR/TAG_NAME
    /// (with _ for /), which TensorBoard takes for another run.
    void add_scalars(const std::string& tag, const std::map<std::string, double>& values,
                     Only<Index> step = 0);
    /// One picture, packed as PNG.
    void add_image(const std::string& tag, const Image& image, Only<Index> step = 0);
    /// One picture, [C, H, W] or [H, W], of values from 0 to 1 or, with options.normalize, any.
    void add_image(const std::string& tag, const Tensor& image, Only<Index> step = 0,
                   const GridOptions& options = {});
    /// A batch, [N, C, H, W], as one picture: make_grid(images, options).
    void add_images(const std::string& tag, const Tensor& images, Only<Index> step = 0,
                    const GridOptions& options = {});
    /// The distribution of the values, with the buckets of make_histogram. Values that are not
    /// finite are left out.
    void add_histogram(const std::string& tag, const Tensor& values, Only<Index> step = 0);
    /// A text, in Markdown.
    void add_text(const std::string& tag, const std::string& text, Only<Index> step = 0);
    /// The settings of this run and what came of them, for the page that compares runs. To be
    /// called once, at the end. The metrics are logged as scalars, too.
    void add_hparams(const std::map<std::string, HParam>& hparams,
                     const std::map<std::string, double>& metrics, Only<Index> step = 0);

    /// Flushes to the disk now.
    void flush();
    /// Whether the last attempt to write or flush succeeded.
    bool good() const { return good_; }
    /// The file, and those of add_scalars beside it.
    const std::filesystem::path& path() const;

  private:
    class File;

    std::unique_ptr<File> open_file(const std::filesystem::path& folder) const;
    void add(File& file, const std::string& value, Index step);

    std::filesystem::path folder_;
    Options options_;
    std::unique_ptr<File> file_;
    std::map<std::string, std::unique_ptr<File>> curves_;  // of add_scalars, by folder
    double flushed_ = 0;
    bool good_ = true;
};

}  // namespace primer
