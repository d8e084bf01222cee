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

// The files that TensorBoard shows: events.out.tfevents.TIME.HOST.PID.NUMBER. They consist of
// records:
//
//   8 bytes   N, little endian
//   4 bytes   masked CRC-32C of these 8 bytes
//   N bytes   an Event, as a protobuf message: time, step and the logged value
//   4 bytes   masked CRC-32C of the message
//
// https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details

namespace primer {

/// The options of SummaryWriter.
struct SummaryWriterOptions {
    /// The file is flushed to the disk at the end, and whenever a record is added this long after
    /// the last flush, so a power cut loses no more than that. 0: flush each record.
    double flush_seconds = 10;
    /// Set by a run that continues from this step in its old folder: TensorBoard then discards the
    /// records of this and later steps in earlier files.
    std::optional<Index> purge_step = {};
    /// The time of a record, in seconds since 1970; if empty, the system's clock.
    std::function<double()> clock = {};
};

/// Logs numbers and pictures for TensorBoard, with the interface of torch.utils.tensorboard:
///
///     SummaryWriter log("runs/first");
///     log.add_scalar("loss/train", loss.item(), step);
///
/// To see them: tensorboard --logdir runs
///
/// Each call writes one record and hands it to the system before it returns: an open TensorBoard
/// follows, and a program that crashes loses no record. TensorBoard ignores a record that is cut
/// short at the end of a file.
///
/// If a file cannot be written (a full disk, say), the call throws Error, one line with the path
/// and the reason, and its record is lost. The file ends with its last whole record, and the next
/// call tries again, and succeeds as soon as the disk has room. Beyond the limit on a file's size,
/// RLIMIT_FSIZE, the system ends a program that does not ignore SIGXFSZ.
///
/// Every call throws Error for an empty tag and for a tag or text that is not UTF-8. Not safe for
/// several threads at the same time.
class SummaryWriter {
  public:
    /// The value of a hyperparameter.
    using HParam = std::variant<bool, Index, double, std::string>;
    /// As the other classes call theirs.
    using Options = SummaryWriterOptions;

    /// Makes the folder, if necessary, and a file in it. Throws Error if that fails.
    explicit SummaryWriter(const std::filesystem::path& log_dir, const Options& options = {});
    SummaryWriter(const SummaryWriter&) = delete;
    SummaryWriter& operator=(const SummaryWriter&) = delete;
    /// Closes; ignores an Error.
    ~SummaryWriter();

    /// Any number, even infinite or NaN, as a float.
    void add_scalar(const std::string& tag, Only<double> value, Only<Index> step = 0);
    /// Several curves in one chart. Each goes to a file in its own folder, LOG_DIR/TAG_NAME (with _
    /// for /), which TensorBoard shows as another run.
    void add_scalars(const std::string& tag, const std::map<std::string, double>& values,
                     Only<Index> step = 0);
    /// One picture, packed as PNG.
    void add_image(const std::string& tag, const Image& image, Only<Index> step = 0);
    /// One picture, [C, H, W] or [H, W], of values from 0 to 1 or, with options.normalize, any.
    void add_image(const std::string& tag, const Tensor& image, Only<Index> step = 0,
                   const GridOptions& options = {});
    /// A batch, [N, C, H, W], as one picture, eight in a row: make_grid(images, options). As in
    /// PyTorch, there is no space between them unless the options say so, and bytes are rounded
    /// down, here and in add_image.
    void add_images(const std::string& tag, const Tensor& images, Only<Index> step = 0,
                    const GridOptions& options = {.padding = 0});
    /// The distribution of the finite values, with the buckets of make_histogram.
    void add_histogram(const std::string& tag, const Tensor& values, Only<Index> step = 0);
    /// A text, in Markdown.
    void add_text(const std::string& tag, const std::string& text, Only<Index> step = 0);
    /// The settings of this run and its results, for the page that compares runs. Call it once, at
    /// the end. It also logs the metrics as scalars.
    void add_hparams(const std::map<std::string, HParam>& hparams,
                     const std::map<std::string, double>& metrics, Only<Index> step = 0);

    /// Flushes to the disk now.
    void flush();
    /// Flushes and closes the files. What is added afterwards goes to new ones, as in PyTorch.
    void close();
    /// Whether the last attempt to write or flush succeeded.
    bool good() const { return good_; }
    /// The file of this log, without those of add_scalars; after close(), the last one.
    const std::filesystem::path& path() const { return path_; }

  private:
    class File;

    std::unique_ptr<File> open_file(const std::filesystem::path& folder) const;
    File& file();
    void add(File& file, const std::string& value, Index step);

    std::filesystem::path folder_;
    Options options_;
    std::unique_ptr<File> file_;  // null after close()
    std::filesystem::path path_;
    std::map<std::string, std::unique_ptr<File>> curves_;  // of add_scalars, by folder
    double flushed_ = 0;
    bool good_ = true;
};

}  // namespace primer
// SPDX-License-Identifier: MIT
