// flags: the command line of a training program, one word per line
// covers: examples/support/training_flags.cpp examples/support/program.cpp
// longest: 100
#include "../../examples/support/training_flags.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "target.h"

using namespace primer;
using namespace primer::examples;

namespace {

// Discards what is printed.
class Nowhere : public std::streambuf {
    int overflow(int c) override { return c == EOF ? 0 : c; }
    std::streamsize xsputn(const char*, std::streamsize count) override { return count; }
};

// A program that reads one command line after another: setting up its flags takes longer than
// reading them.
struct Program {
    Program() {
        add_training_flags(app, flags);
        add_weights_flag(app, flags);
    }

    CLI::App app{"fuzzed"};
    TrainingFlags flags;
};

}  // namespace

FUZZ(input) {
    static Nowhere nowhere;
    std::cout.rdbuf(&nowhere);
    std::cerr.rdbuf(&nowhere);
    std::vector<std::string> words{"mnist_mlp"};
    for (std::size_t begin = 0; begin < input.size();) {
        const std::size_t end = std::min(input.find('\n', begin), input.size());
        std::string word(input.substr(begin, end - begin));
        std::erase(word, '\0');  // no command line has one
        // It starts no threads and reads no files.
        if (word.find("threads") != word.npos || word.find("resume") != word.npos) return;
        words.push_back(word);
        begin = end + 1;
    }
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    static Program program;
    TrainingFlags& flags = program.flags;
    flags = {};
    bool run_it = false;
    const int code = run(program.app, static_cast<int>(words.size()), argv.data(), flags,
                         [&] { run_it = true; });
    if (code != 0 && code != 1 && code != 2) __builtin_trap();
    if (!run_it) return;
    // The resulting options make sense.
    const bool good = flags.epochs >= 1 && flags.batch_size >= 1 && flags.test_batch_size >= 1 &&
                      flags.lr >= 0 && flags.momentum >= 0 && flags.weight_decay >= 0 &&
                      flags.save_every >= 0;
    if (!good) __builtin_trap();
}
// SPDX-License-Identifier: MIT
