#ifdef _WIN32
#include "system.h"

#include <fcntl.h>
#include <io.h>
#define NOMINMAX  // or min and max are macros
#include <windows.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include <primer/core/error.h>
#include <primer/core/full_name.h>
#include "program.h"
#include "run_directory.h"

namespace primer::examples {

namespace fs = std::filesystem;

// --- standard streams ----------------------------------------------------------------------------

void open_missing_streams() {}  // here the program's own library sees to that

bool output_closes() {
    const int copy = _dup(1);
    return copy < 0 || _close(copy) == 0;
}

bool output_is_terminal() { return _isatty(1) != 0; }

std::size_t output_columns() {
    CONSOLE_SCREEN_BUFFER_INFO console{};
    if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &console)) return 0;
    return static_cast<std::size_t>(console.srWindow.Right - console.srWindow.Left + 1);
}

bool can_read(const fs::path& file) { return _waccess(file.c_str(), 4) == 0; }
bool can_write_in(const fs::path& folder) { return _waccess(folder.c_str(), 2) == 0; }

// --- locks ---------------------------------------------------------------------------------------

// Nobody else can open the file while it is open here, and the system removes it when it is closed.
Lock::Lock(const fs::path& path) : path_(path) {
    const HANDLE handle = CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE | DELETE, 0,
                                      nullptr, OPEN_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, nullptr);
    if (handle != INVALID_HANDLE_VALUE) {
        file_ = _open_osfhandle(reinterpret_cast<std::intptr_t>(handle), _O_RDWR);
        return;
    }
    const DWORD reason = GetLastError();
    if (reason == ERROR_SHARING_VIOLATION) {
        holder_ = -1;
    } else {
        fail(full_name(path), ": failed to make the file: ",
             std::error_code(static_cast<int>(reason), std::system_category()).message());
    }
}

void Lock::release() {
    if (file_ >= 0) _close(std::exchange(file_, -1));
}

// --- signals -------------------------------------------------------------------------------------

namespace {

std::atomic<int> noted{0};
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGBREAK};  // of Ctrl-C, a program and Ctrl-Break

// The system has set the signal to its usual effect: a second one ends the program.
void note(int number) { noted = number; }

}  // namespace

void note_interrupts() {
    for (const int each : kSignals) std::signal(each, note);
}

int interrupt() { return noted; }

}  // namespace primer::examples
#endif
// SPDX-License-Identifier: MIT
