#pragma once

#include <cstddef>

namespace primer::examples {

/// How many letters fit into a line of standard output; 80 if it is no terminal.
std::size_t terminal_width();

}  // namespace primer::examples
