#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include <primer/core/error.h>

// A program from its command line to its exit code.

namespace CLI {  // CLI11, which takes long to compile: a source file that adds flags includes it
class App;
class Validator;
}  // namespace CLI

namespace primer::examples {

/// Runs `body` after reading the command line, and turns what happens into main's exit code: 0 if
/// all went well or --help was asked for; 1 if the body threw or what was printed could not be
/// written; 2 for wrong flags and for WrongUsage; 128 + the signal's number for Interrupted. Errors
/// are one line on standard error.
int run(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// The same for a program without flags, which --help answers with `about`.
int run(int argc, char** argv, const char* about, const std::function<void()>& body);

/// The user has asked for something that makes no sense: exit code 2, not 1.
class WrongUsage : public Error {
  public:
    using Error::Error;
};

/// Throws a WrongUsage whose message is all `parts` written one after another, unless `ok`.
template <class... Parts>
void check_usage(bool ok, const Parts&... parts) {
    if (ok) return;
    TextStream message;
    (message << ... << parts);
    throw WrongUsage(message.str());
}

// --- flags ---------------------------------------------------------------------------------------

/// For ->transform(...): a flag that is a whole number in this range, in decimal.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most);

/// For ->check(...): the name of a file or folder. It must not be empty, as "$DIR" is where DIR is
/// not set.
CLI::Validator not_empty();

/// The message about a word that CLI11 would silently misread, or "". After --flag= it takes the
/// next word as the value, and for a switch, which has no value, it accepts any word that means
/// true.
std::string misread_by_cli11(const CLI::App& app, const std::string& word);

// --- signals -------------------------------------------------------------------------------------

/// From now on, the first Ctrl-C (SIGINT), SIGTERM, SIGHUP (the terminal was closed), SIGPIPE (the
/// reader of the output has gone), SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU or SIGXFSZ (a batch system
/// wants the end) is only noted, so the program can stop where it does no harm. After it, SIGINT
/// and SIGTERM end the program at once, and the others are ignored; SIGQUIT always ends it. A
/// signal that the program was started to ignore, as SIGHUP under nohup, stays ignored. A write
/// beyond the limit on a file's size is an error of that write.
void note_interrupts();

/// The signal that has come, or 0.
int interrupt();

/// Thrown by a training run that stops for a signal.
class Interrupted : public std::runtime_error {
  public:
    Interrupted(int number, const std::string& message)
        : std::runtime_error(message), signal(number) {}

    int signal;
};

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
