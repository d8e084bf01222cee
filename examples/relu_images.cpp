// relu_images: shows what ReLU does to pictures, in TensorBoard and as PNG files

#include <primer/primer.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <limits>
#include <string>

#include <primer/core/full_name.h>
#include "support/data.h"
#include "support/output.h"
#include "support/program.h"

using namespace primer;
using namespace primer::examples;

namespace fs = std::filesystem;

namespace {

struct Flags {
    std::string data, run_dir = "runs/relu_images";
    Index batches = 10;
    std::uint64_t seed = 1;
};

// Normalised as for training, values are about -2 ... 2. In the input and the output, black is -2
// and white 2: 0 is the grey between, and what was darker comes out in that grey.
const GridOptions kGrid{.normalize = true, .value_range = {{-2, 2}}, .pad_value = 1};

double share_of_zeros(const Tensor& x) {
    const auto zeros = std::ranges::count(x.values(), Real{0});
    return static_cast<double>(zeros) / static_cast<double>(x.numel());
}

void show(const Flags& flags) {
    check_can_make_folder("--run-dir", flags.run_dir);
    for (const char* const name : {"input.png", "output.png"}) {
        if (!fs::is_directory(flags.run_dir)) break;
        check_can_save("--run-dir", fs::path(flags.run_dir) / name, kPngFile);
    }
    const TrainAndTest pictures = find_pictures(flags.data);
    if (!pictures.hint.empty()) std::cout << pictures.hint << '\n';
    Rng rng(flags.seed);
    DataLoader loader(pictures.train,
                      {.batch_size = 64,
                       .shuffle = true,
                       .transforms = {ToTensor(), Normalize(kCifar10Mean, kCifar10Stddev)}},
                      rng);
    Sequential model{ReLU()};

    const fs::path folder = fs::absolute(flags.run_dir).lexically_normal();
    SummaryWriter log(folder, {.purge_step = 0});  // replaces an earlier run in this folder
    Index step = 0;
    for (const Batch& batch : loader) {
        const Tensor output = model(batch.inputs);
        log.add_images("input", batch.inputs, step, kGrid);
        log.add_images("output", output, step, kGrid);
        log.add_histogram("values/input", batch.inputs, step);
        log.add_histogram("values/output", output, step);
        log.add_scalar("share of zeros/input", share_of_zeros(batch.inputs), step);
        log.add_scalar("share of zeros/output", share_of_zeros(output), step);
        if (step == 0) {
            save_png(folder / "input.png", make_grid(batch.inputs, kGrid));
            save_png(folder / "output.png", make_grid(output, kGrid));
            std::printf("ReLU turns %.1f%% of the values to 0: those darker than the mean.\n",
                        100 * share_of_zeros(output));
        }
        if (++step == flags.batches) break;
    }
    std::cout << step << (step == 1 ? " batch" : " batches") << " of " << printable(pictures.source)
              << " went through it. The first one before and after:\n  "
              << full_name(folder / "input.png") << "\n  " << full_name(folder / "output.png")
              << "\nAll of them, in TensorBoard:\n  tensorboard --logdir " << full_name(folder)
              << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Shows what ReLU does to pictures, in TensorBoard and as PNG files.");
    Flags flags;
    app.option_defaults()->always_capture_default();
    app.add_option("--data", flags.data, "folder with the files of CIFAR-10")
        ->check(not_empty())
        ->type_name("DIR");
    app.add_option("--run-dir", flags.run_dir, "folder to write to")
        ->check(not_empty())
        ->type_name("DIR");
    app.add_option("--batches", flags.batches, "how many batches of 64")
        ->transform(whole_number(1, 1000))
        ->type_name("N");
    app.add_option("--seed", flags.seed, "the same seed takes the same pictures")
        ->transform(whole_number(0, std::numeric_limits<std::uint64_t>::max()))
        ->type_name("N");
    return run(app, argc, argv, [&] { show(flags); });
}
// SPDX-License-Identifier: MIT
