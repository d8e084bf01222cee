#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../../examples/report/run_reader.h"
#include "target.h"

namespace primer::fuzz {

/// Reads the input as the files of a run directory: run.json, metrics.jsonl, evaluation.json, and
/// one picture of any name.
inline examples::Run run_of(std::string_view input) {
    const std::vector<std::string> files = parts_of(input, 4);
    const auto file = [&](const std::string& name,
                          std::uintmax_t limit) -> std::optional<std::string> {
        check(name.find('\n') == std::string::npos, "no such name");
        const std::string& bytes = name == "run.json"          ? files[0]
                                   : name == "metrics.jsonl"   ? files[1]
                                   : name == "evaluation.json" ? files[2]
                                                               : files[3];
        check(bytes.size() <= limit, "too large");
        if (bytes.empty() && name != "run.json") return std::nullopt;
        return bytes;
    };
    return examples::read_run("run", file);
}

}  // namespace primer::fuzz
// SPDX-License-Identifier: MIT
