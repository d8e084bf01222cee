#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace primer::examples {
namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// The first of these variables that is set is the one that counts (POSIX, section 8.2).
std::string locale_name() {
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string value = environment(name);
        if (!value.empty()) return value;
    }
    return "";
}

}  // namespace

std::size_t terminal_width() {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

TerminalStyle terminal_style() {
    const std::string terminal = environment("TERM"), locale = locale_name();
    TerminalStyle style;
    style.live = isatty(STDOUT_FILENO) == 1 && !terminal.empty() && terminal != "dumb";
    for (const char* const name : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
        style.utf8 = style.utf8 || locale.find(name) != std::string::npos;
    }
    style.color = style.live && environment("NO_COLOR").empty();
    return style;
}

}  // namespace primer::examples
