#include "program.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <locale>
#include <new>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <primer/core/text.h>
#include "system.h"

namespace primer::examples {
namespace {

// --- standard streams ----------------------------------------------------------------------------

/// Flushes standard output. Throws Error if not all that was printed to it could be written.
void check_output() {
    errno = 0;
    std::cout << std::flush;
    bool good = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
    good = good && output_closes();
    check(good, "standard output: failed to write all that was printed: ",
          errno != 0 ? std::strerror(errno) : "an earlier write has failed");
}

// --- names that are nearly right -----------------------------------------------------------------

/// Without the dashes in front, with small letters, and - for _.
std::string plain(std::string_view word) {
    word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
    std::string text;
    for (const char c : word) {
        text += c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

/// How many letters must be added, removed or changed to turn one into the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    // Distances from the letters of `a` read so far to each prefix of b.
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

/// The name that `word` probably stands for: the nearest one, if few letters differ, or
/// one that begins with `word`, or with which `word` begins; "" if there is none. Dashes,
/// underscores and capitals count for little.
std::string nearest(std::string_view word, const std::vector<std::string>& names) {
    const std::string wanted = plain(word);
    if (wanted.empty() || wanted.size() > 100) return "";
    std::string best;
    std::size_t least = 2 + wanted.size() / 4;  // one more than may differ
    for (const std::string& name : names) {
        const std::string there = plain(name);
        const bool starts = wanted.size() >= 3 && there.size() >= 3 &&
                            (there.starts_with(wanted) || wanted.starts_with(there));
        const std::size_t away =
            starts ? std::min<std::size_t>(1, distance(wanted, there)) : distance(wanted, there);
        if (away >= least) continue;
        least = away;
        best = name;
    }
    return best;
}

// "; did you mean --epochs?", or nothing.
std::string suggestion(const CLI::App& app) {
    std::vector<std::string> flags;
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_lnames().empty()) flags.push_back("--" + option->get_lnames()[0]);
    }
    for (const std::string& word : app.remaining()) {
        if (!word.starts_with('-')) continue;
        const std::string name = nearest(word.substr(0, word.find('=')), flags);
        return name.empty() ? "" : "; did you mean " + name + "?";
    }
    return "";
}

}  // namespace

// --- flags ---------------------------------------------------------------------------------------

// CLI11's own range checks print their bounds into every line of --help, and it takes -1 for a
// large number that has no sign.
CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
    return CLI::Validator(
        [least, most](std::string& text) {
            std::uint64_t value = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            const bool read = error == std::errc() && stop == end;
            if (read && value >= least && value <= most) {
                // Without leading zeros, which CLI11 takes for octal, and JSON for an error.
                text = std::to_string(value);
                return std::string();
            }
            return "expected a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most) + ", got " + text;
        },
        "");
}

CLI::Validator not_empty() {
    return CLI::Validator(
        [](const std::string& text) {
            return text.empty() ? std::string("expected a name, got an empty one") : std::string();
        },
        "");
}

std::string misread_by_cli11(const CLI::App& app, const std::string& word) {
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == word.npos) return "";
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    const CLI::Option* const option = app.get_option_no_throw(name);
    if (option == nullptr) return "";
    if (value.empty()) return name + ": expected a value behind '=', got nothing";
    if (option->get_items_expected_max() > 0 || value == "true" || value == "false") return "";
    return name + ": expected no value, or true or false, got " + in_quotes(value);
}

// --- main ----------------------------------------------------------------------------------------

namespace {

// Reads the command line. Returns main's exit code if the program ends here.
std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    open_missing_streams();
    std::locale::global(std::locale::classic());  // text that programs read is the same everywhere
    app.name(std::filesystem::path(argv[0]).filename().string());
    for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
        const std::string misread = misread_by_cli11(app, argv[i]);
        if (misread.empty()) continue;
        std::cerr << "error: " << printable(misread) << "\nRun with --help for the flags.\n";
        return 2;
    }
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::Success&) {
        std::cout << printable_lines(app.help());
        return 0;
    } catch (const CLI::ParseError& error) {
        const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
        std::cerr << "error: " << printable(error.what() + (unknown ? suggestion(app) : ""))
                  << "\nRun with --help for the flags.\n";
        return 2;
    }
}

}  // namespace

int run(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
    try {
        std::optional<int> code = parse(app, argc, argv);
        if (!code.has_value()) {
            body();
            code = 0;
        }
        // The reader of the output is gone; the run has still been saved.
        if (interrupt() == kReaderGone) return 128 + kReaderGone;
        if (code == 0) check_output();
        return *code;
    } catch (const Interrupted& interrupted) {
        std::cerr << interrupted.what() << '\n';
        return 128 + interrupted.signal;
    } catch (const WrongUsage& wrong) {
        std::cout << std::flush;
        std::cerr << "error: " << printable(wrong.what()) << '\n';
        return 2;
    } catch (const std::bad_alloc&) {
        std::cerr << "error: there is not enough memory\n";
        return 1;
    } catch (const std::exception& error) {
        // Behind an unfinished progress line.
        std::cout << std::flush;
        std::cerr << "error: " << printable(error.what()) << '\n';
        return 1;
    }
}

int run(int argc, char** argv, const char* about, const std::function<void()>& body) {
    CLI::App app(about);
    return run(app, argc, argv, body);
}

}  // namespace primer::examples
// SPDX-License-Identifier: MIT
