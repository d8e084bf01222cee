#pragma once

#include <cstddef>

namespace primer::examples {

/// How many letters fit into a line of standard output; 80 if it is no terminal.
std::size_t terminal_width();

/// What the output may use.
struct TerminalStyle {
    bool live = false;   ///< a line can be drawn over: a terminal, other than TERM=dumb
    bool utf8 = false;   ///< the locale says so; otherwise ASCII alone
    bool color = false;  ///< live, and without NO_COLOR (https://no-color.org)
};

/// Of standard output, as the environment has it.
TerminalStyle terminal_style();

}  // namespace primer::examples
