// Logs some of everything with SummaryWriter for tensorboard_check.py, which reads it with
// TensorBoard, and lists on standard output what should be found, one per line:
//
//   KIND <tab> RUN <tab> TAG <tab> STEP <tab> what it is
//
// where the last is a number, or a file with the pixels (PPM or PGM), the values or the text.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <primer/core/creation.h>
#include <primer/core/error.h>
#include <primer/core/io/event_file.h>
#include <primer/core/rng.h>

using namespace primer;
namespace fs = std::filesystem;

namespace {

class Log {
  public:
    explicit Log(const fs::path& folder) : folder_(folder), writer_(folder / "log" / "run") {}

    void scalar(const std::string& tag, double value, Index step) {
        writer_.add_scalar(tag, value, step);
        list("scalar", "run", tag, step, number(value));
    }

    void scalars(const std::string& tag, double train, double test, Index step) {
        writer_.add_scalars(tag, {{"train", train}, {"test", test}}, step);
        list("scalar", "run/" + tag + "_train", tag, step, number(train));
        list("scalar", "run/" + tag + "_test", tag, step, number(test));
    }

    void image(const std::string& tag, const Image& image, Index step) {
        writer_.add_image(tag, image, step);
        list_image(tag, image, step);
    }

    void images(const std::string& tag, const Tensor& images, Index step,
                GridOptions options = {.padding = 0}) {
        writer_.add_images(tag, images, step, options);
        options.round = false;
        list_image(tag, make_grid(images, options), step);
    }

    void histogram(const std::string& tag, const Tensor& values, Index step) {
        writer_.add_histogram(tag, values, step);
        std::string text;
        for (Real value : values.values()) text += number(static_cast<double>(value)) + '\n';
        list("histogram", "run", tag, step, file(text));
    }

    void text(const std::string& tag, const std::string& text, Index step) {
        writer_.add_text(tag, text, step);
        list("text", "run", tag, step, file(text));
    }

    void hparams(Index batch_size, double lr, double accuracy) {
        writer_.add_hparams({{"batch size", batch_size}, {"lr", lr}, {"optimizer", "sgd"}},
                            {{"result/accuracy", accuracy}}, 1);
        list("scalar", "run", "result/accuracy", 1, number(accuracy));
    }

  private:
    /// With all digits; also numbers that are not finite.
    static std::string number(double value) {
        char digits[40];
        std::snprintf(digits, sizeof digits, "%.17g", value);
        return digits;
    }

    void list_image(const std::string& tag, const Image& image, Index step) {
        std::string pixels(image.pixels.begin(), image.pixels.end());
        list("image", "run", tag, step,
             file((image.channels == 3 ? "P6 " : "P5 ") + std::to_string(image.width) + ' ' +
                  std::to_string(image.height) + " 255\n" + pixels));
    }

    std::string file(const std::string& bytes) {
        const std::string name = "expected-" + std::to_string(files_++);
        std::ofstream(folder_ / name, std::ios::binary) << bytes;
        return name;
    }

    static void list(const char* kind, const std::string& run, const std::string& tag, Index step,
                     const std::string& what) {
        std::printf("%s\t%s\t%s\t%lld\t%s\n", kind, run.c_str(), tag.c_str(),
                    static_cast<long long>(step), what.c_str());
    }

    fs::path folder_;
    SummaryWriter writer_;
    int files_ = 0;
};

void log_all(const fs::path& folder) {
    Log log(folder);
    Rng rng(1);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (Index step = 0; step < 50; ++step) {
        log.scalar("loss/train", 1 / (1.0 + static_cast<double>(step)), step);
        log.scalars("accuracy", 0.5, static_cast<double>(step) / 50, step);
    }
    log.scalar("odd", std::numeric_limits<double>::quiet_NaN(), 1);
    log.scalar("odd", infinity, 2);
    log.scalar("odd", -infinity, 3);
    log.scalar("odd", -1e-30, Index{1} << 40);
    log.scalar("T\xc3\xb6ne \xe2\x99\xab", 3, 1);

    Image image(31, 17, 3);
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(rng.below(256));
    log.image("colours", image, 0);
    for (Index step : {0, 5, 10}) {
        log.images("batch", rand({64, 3, 32, 32}, rng), step);
        log.images("normalised", randn({5, 1, 28, 28}, rng), step,
                   {.nrow = 3, .padding = 1, .normalize = true, .pad_value = 1});
    }
    for (Index step = 0; step < 3; ++step) {
        log.histogram("normal", randn({1000}, rng), step);
        log.histogram("uniform", rand({10, 20}, rng), step);
    }
    log.histogram("zeros", zeros({7}), 0);
    log.histogram("wide", tensor({-3, 1e-15, 1e15, -1e-11, 0, 0.1}), 0);
    log.histogram("partly finite", tensor({1, infinity, 2, -infinity}), 0);
    log.histogram("not finite", tensor({infinity}), 0);
    log.histogram("empty", zeros({0}), 0);
    log.text("note", "# Title\n\n*M\xc3\xa4rkdown* & <b>more</b>\n", 0);
    log.text("note", "", 1);
    log.hparams(64, 0.1, 0.75);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: events FOLDER\n", stderr);
        return 2;
    }
    try {
        log_all(argv[1]);
    } catch (const Error& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
    return 0;
}
// SPDX-License-Identifier: MIT
