#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace primer::examples {

/// The name that whoever wrote `word` is likely to have meant: the nearest one, if few letters
/// differ, or one of which `word` is the beginning or the other way round; "" if there is none.
/// Dashes, underscores and capitals count for little.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace primer::examples
