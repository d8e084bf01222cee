#include "flags.h"

#include <algorithm>
#include <string>

#include <primer/core/kernels/parallel.h>

namespace primer::benchmarks {

CLI::Validator at_least(int least) {
    return CLI::Validator(
        [least](const std::string& text) {
            int value = 0;
            if (CLI::detail::lexical_cast(text, value) && value >= least) return std::string();
            return "expected a whole number of at least " + std::to_string(least) + ", got " + text;
        },
        "");
}

void add_threads_flag(CLI::App& app, std::vector<int>& threads) {
    app.add_option("--threads", threads,
                   "numbers of threads for each run; by default 1 and all cores")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(at_least(1))
        ->type_name("N,M");
}

std::vector<int> thread_counts(std::vector<int> given) {
    if (given.empty()) given = {1, num_threads()};
    std::ranges::sort(given);
    given.erase(std::unique(given.begin(), given.end()), given.end());
    return given;
}

}  // namespace primer::benchmarks
// SPDX-License-Identifier: MIT
