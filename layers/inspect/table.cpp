#include "table.h"

#include <algorithm>
#include <numeric>
#include <ostream>

namespace primer {

std::string print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> width(rows[0].size());
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
    }
    const std::size_t between = 2;
    const std::string rule(
        std::accumulate(width.begin(), width.end(), between * (width.size() - 1)), '-');
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const auto& row = rows[r];
        out << row[0] << std::string(width[0] - row[0].size(), ' ');
        for (std::size_t i = 1; i < row.size(); ++i) {
            out << std::string(between + width[i] - row[i].size(), ' ') << row[i];
        }
        out << '\n';
        if (r == 0) out << rule << '\n';
    }
    return rule;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
