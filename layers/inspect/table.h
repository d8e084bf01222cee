#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace primer {

/// Writes rows of cells, of which the first is the head: it is underlined. Columns are as wide as
/// they need to be; the first is flush left, the others are flush right. Returns the rule under the
/// head, to set off a foot.
std::string print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows);

}  // namespace primer
// SPDX-License-Identifier: MIT
