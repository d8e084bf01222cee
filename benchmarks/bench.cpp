// Measures how fast the library trains and predicts: runs the networks of workloads.cpp and prints
// for each, and for each number of threads, the speed, the share of the processor's peak and the
// memory.

#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <primer/core/error.h>
#include <primer/core/io/json.h>
#include <primer/core/kernels/isa.h>
#include <primer/core/kernels/parallel.h>
#include <primer/core/kernels/processors.h>
#include "../examples/support/output.h"
#include "../examples/support/program.h"
#include "flags.h"
#include "peak.h"
#include "session.h"
#include "workloads.h"

namespace primer::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpSteps = 5;
constexpr double kRoundSeconds = 0.3;

struct Flags {
    std::vector<std::string> workloads;  // empty: all
    std::vector<int> threads;
    bool inference = false;
    bool unfused = false;
    int rounds = 7;
    int steps = 0;  // 0: as many as kRoundSeconds allow
    int batch = 0;  // 0: the workload's own
    std::string json;
    bool serve = false;
};

// --- One measurement -----------------------------------------------------------------------------

/// One workload on some number of threads.
struct Run {
    Workload workload;
    int threads;
};

struct Measured {
    double ms_per_step;
    double flops;  ///< of one example
    double peak_mb;
};

/// Milliseconds per step, over `steps` steps; 0: as many as kRoundSeconds allow, at least one.
double time_round(Session& session, int steps) {
    const Clock::time_point start = Clock::now();
    double seconds = 0;
    int done = 0;
    do {
        session.step();
        ++done;
        seconds = std::chrono::duration<double>(Clock::now() - start).count();
    } while (steps > 0 ? done < steps : seconds < kRoundSeconds);
    check(session.healthy(), "the loss is not finite: training has diverged");
    return 1e3 * seconds / done;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The peak memory of this process in MB; 0 if the system does not report it.
double peak_mb() {
    // Not getrusage: it may report the memory of the program that started this one.
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024 / 1e6;
    }
    return 0;
}

Measured measure(const Run& run, const Flags& flags) {
    set_num_threads(run.threads);
    Session session(run.workload, run.workload.batch);
    for (int i = 0; i < kWarmUpSteps; ++i) session.step();
    std::vector<double> rounds;
    for (int i = 0; i < flags.rounds; ++i) rounds.push_back(time_round(session, flags.steps));
    return {.ms_per_step = median(rounds), .flops = session.flops(), .peak_mb = peak_mb()};
}

/// measure() in its own process, so that its memory is that of this run alone. No other thread may
/// be running: a forked process inherits none.
Measured measure_apart(const Run& run, const Flags& flags) {
    const std::string failed = "bench: " + std::string(run.workload.name) + " failed";
    int ends[2];
    check(pipe(ends) == 0, failed, ": the system has no pipe");
    std::cout << std::flush;
    const pid_t child = fork();
    check(child >= 0, failed, ": the system has no process");
    if (child == 0) {
        // _exit, not return: the parent does what main does at its end.
        try {
            const Measured measured = measure(run, flags);
            _exit(write(ends[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
        } catch (const std::exception& error) {
            std::cerr << "error: " << run.workload.name << ": " << error.what() << '\n';
            _exit(1);
        }
    }
    close(ends[1]);
    Measured measured{};
    const bool complete = read(ends[0], &measured, sizeof measured) == sizeof measured;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    check(complete && status == 0, failed, "; its message above, if any, says why");
    return measured;
}

// --- The report ----------------------------------------------------------------------------------

struct Row {
    std::string workload;
    int threads;
    double images_per_s, ms_per_step, share_of_peak, peak_mb;
};

Row row_of(const Run& run, const Measured& measured, double peak) {
    const double images_per_s =
        1e3 * static_cast<double>(run.workload.batch) / measured.ms_per_step;
    return {.workload = std::string(run.workload.name),
            .threads = run.threads,
            .images_per_s = images_per_s,
            .ms_per_step = measured.ms_per_step,
            .share_of_peak = images_per_s * measured.flops / peak,
            .peak_mb = measured.peak_mb};
}

void print_machine(const std::map<int, double>& peaks) {
    const std::string name = processor_name();
    std::printf("%s, %d cores, instruction set %s\n",
                name.empty() ? "unknown processor" : name.c_str(), available_processors(),
                kernels::name(kernels::isa()));
    for (const auto& [threads, peak] : peaks) {
        std::printf("peak on %d thread%s: %.0f GFLOP/s\n", threads, threads == 1 ? "" : "s",
                    peak / 1e9);
    }
    std::printf("\n%-17s %7s %11s %11s %9s %9s\n", "workload", "threads", "images/s", "ms/step",
                "of peak", "peak MB");
}

void print(const Row& row) {
    std::printf("%-17s %7d %11.1f %11.4f %8.1f%% %9.1f\n", row.workload.c_str(), row.threads,
                row.images_per_s, row.ms_per_step, 100 * row.share_of_peak, row.peak_mb);
    std::fflush(stdout);
}

const examples::FileKind kTableFile{"an earlier table", [](std::string_view start) {
                                        return start.starts_with("[\n  {\"workload\": ");
                                    }};

void write_json(const std::vector<Row>& rows, const std::string& path) {
    std::string lines;
    for (const Row& row : rows) {
        lines +=
            (lines.empty() ? "\n  " : ",\n  ") + JsonObject()
                                                     .text("workload", row.workload)
                                                     .value("threads", std::to_string(row.threads))
                                                     .number("images_per_s", row.images_per_s)
                                                     .number("ms_per_step", row.ms_per_step)
                                                     .number("share_of_peak", row.share_of_peak)
                                                     .number("peak_mb", row.peak_mb)
                                                     .str();
    }
    examples::replace_file(path, kTableFile, '[' + lines + "\n]\n");
}

// --- The program ---------------------------------------------------------------------------------

std::vector<Workload> chosen(const Flags& flags) {
    std::vector<Workload> result;
    for (Workload workload : workloads()) {
        const bool wanted = std::ranges::any_of(flags.workloads, [&](const std::string& beginning) {
            return workload.name.starts_with(beginning);
        });
        if (!wanted && !flags.workloads.empty()) continue;
        if (flags.inference) workload.inference = true;
        if (flags.unfused) workload.fused = false;
        if (flags.batch > 0) workload.batch = flags.batch;
        result.push_back(workload);
    }
    return result;
}

void run_all(const Flags& flags) {
    if (!flags.json.empty()) examples::check_can_save("--json", flags.json, kTableFile);
    std::map<int, double> peaks;
    for (int threads : flags.threads) peaks[threads] = fma_peak(threads);
    print_machine(peaks);
    std::vector<Row> rows;
    for (const Workload& workload : chosen(flags)) {
        for (const auto& [threads, peak] : peaks) {
            const Run run{workload, threads};
            rows.push_back(row_of(run, measure_apart(run, flags), peak));
            print(rows.back());
        }
    }
    if (!flags.json.empty()) write_json(rows, flags.json);
}

/// For compare.py, which decides when a round runs: answers each line "run" with the
/// milliseconds per step of a round, and the line "peak" with the memory in MB, until the input
/// ends.
void serve(const Flags& flags) {
    const std::vector<Workload> workload = chosen(flags);
    check(workload.size() == 1 && flags.threads.size() == 1,
          "--serve: expected one workload and one number of threads");
    set_num_threads(flags.threads[0]);
    Session session(workload[0], workload[0].batch);
    for (int i = 0; i < kWarmUpSteps; ++i) session.step();
    std::cout << "ready " << session.parameters() << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "run") {
            std::cout << time_round(session, flags.steps) << std::endl;
        } else if (line == "peak") {
            std::cout << peak_mb() << std::endl;
        } else {
            fail("--serve: expected 'run' or 'peak', got '", line, "'");
        }
    }
}

std::string names() {
    std::string all;
    for (const Workload& workload : workloads()) {
        all += (all.empty() ? "" : ", ") + std::string(workload.name);
    }
    return all;
}

CLI::Validator beginning_of_a_workload() {
    return CLI::Validator(
        [](const std::string& text) {
            for (const Workload& workload : workloads()) {
                if (!text.empty() && workload.name.starts_with(text)) return std::string();
            }
            return "no workload '" + text + "'; there are: " + names();
        },
        "");
}

void add_flags(CLI::App& app, Flags& flags) {
    app.add_option("--workloads", flags.workloads,
                   "which to run, by names or their beginnings; by default all")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(beginning_of_a_workload())
        ->type_name("A,B");
    add_threads_flag(app, flags.threads);
    app.add_flag("--inference", flags.inference, "forward only, in eval mode");
    app.add_flag("--unfused", flags.unfused, "predict layer by layer, without fuse_for_prediction");
    app.add_option("--rounds", flags.rounds, "rounds to take the median of")
        ->capture_default_str()
        ->check(at_least(1))
        ->type_name("N");
    app.add_option("--steps", flags.steps, "steps in a round; by default as many as 0.3 s allow")
        ->check(at_least(1))
        ->type_name("N");
    app.add_option("--batch", flags.batch, "examples in a step, instead of the workload's own")
        ->check(at_least(1))
        ->type_name("N");
    app.add_option("--json", flags.json, "also write the table to this file")
        ->check(examples::not_empty())
        ->type_name("FILE");
    app.add_flag("--serve", flags.serve)->group("");  // not in --help
    app.footer(
        "Workloads: " + names() +
        ".\n"
        "A step gathers a batch from memory, then does forward, loss, backward, and SGD with\n"
        "momentum; workloads named predict... only do the forward. Five steps warm up.\n"
        "\n"
        "./primer bench --kernels measures single kernels; it has its own flags.");
}

}  // namespace
}  // namespace primer::benchmarks

int main(int argc, char** argv) {
    using namespace primer::benchmarks;
    CLI::App app("Measures how fast the library trains and predicts.");
    Flags flags;
    add_flags(app, flags);
    return primer::examples::run(app, argc, argv, [&] {
        flags.threads = thread_counts(flags.threads);
        flags.serve ? serve(flags) : run_all(flags);
    });
}
// SPDX-License-Identifier: MIT
