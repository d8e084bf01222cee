#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#define NOMINMAX  // or min and max are macros
#include <windows.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

// Says in errno why the last call of Windows has failed.
void note_reason() {
    const std::error_code error(static_cast<int>(GetLastError()), std::system_category());
    const std::error_condition reason = error.default_error_condition();
    errno = reason.category() == std::generic_category() ? reason.value() : EIO;
}

HANDLE handle_of(int number) { return reinterpret_cast<HANDLE>(_get_osfhandle(number)); }

// With FILE_SHARE_DELETE a file can get another name while it is open. To ask for DELETE would keep
// others from reading it meanwhile, since most programs do not share that.
int open_file(const fs::path& path, DWORD access, DWORD disposition, int flags) {
    const HANDLE handle =
        CreateFileW(path.c_str(), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    nullptr, disposition, FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
        note_reason();
        return -1;
    }
    const int number = _open_osfhandle(reinterpret_cast<std::intptr_t>(handle), flags | _O_BINARY);
    if (number < 0) CloseHandle(handle);
    return number;
}

}  // namespace

SystemFile SystemFile::to_read(const fs::path& path) {
    return SystemFile(open_file(path, GENERIC_READ, OPEN_EXISTING, _O_RDONLY));
}

SystemFile SystemFile::to_create(const fs::path& path) {
    return SystemFile(open_file(path, GENERIC_WRITE, CREATE_NEW, _O_APPEND));
}

SystemFile SystemFile::to_append(const fs::path& path) {
    return SystemFile(open_file(path, GENERIC_WRITE, OPEN_ALWAYS, _O_APPEND));
}

void SystemFile::close() {
    const int reason = errno;
    if (is_open()) _close(std::exchange(number_, -1));
    errno = reason;
}

constexpr std::size_t kMostAtOnce = 1 << 30;  // _read and _write take an unsigned int

std::optional<std::size_t> SystemFile::read(char* bytes, std::size_t size) {
    const int count = _read(number_, bytes, static_cast<unsigned>(std::min(size, kMostAtOnce)));
    if (count < 0) return {};
    return static_cast<std::size_t>(count);
}

bool SystemFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto most = static_cast<unsigned>(std::min(bytes.size(), kMostAtOnce));
        const int count = _write(number_, bytes.data(), most);
        if (count == 0) errno = EIO;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool SystemFile::flush() { return _commit(number_) == 0; }
bool SystemFile::flush_data() { return flush(); }

bool SystemFile::cut(Index size) {
    const int reason = _chsize_s(number_, size);  // 0 or an error number
    if (reason != 0) errno = reason;
    return reason == 0;
}

Index SystemFile::size() const { return _filelengthi64(number_); }

bool SystemFile::is_regular() const { return GetFileType(handle_of(number_)) == FILE_TYPE_DISK; }
bool SystemFile::is_own() const { return true; }  // the system refuses what is another user's

bool SystemFile::has_name() const {
    BY_HANDLE_FILE_INFORMATION status{};
    return !GetFileInformationByHandle(handle_of(number_), &status) || status.nNumberOfLinks > 0;
}

// Locks a byte far beyond the end, so that others may still read the file.
bool SystemFile::lock() {
    OVERLAPPED place{};
    place.OffsetHigh = 0x7fffffff;
    const bool locked =
        LockFileEx(handle_of(number_), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
                   &place) != 0;
    if (!locked) note_reason();
    return locked;
}

void SystemFile::take_permissions(const fs::path&) {}  // a new file has those of its folder

bool rename_over(const fs::path& from, const fs::path& to) {
    const bool renamed = MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING) != 0;
    if (!renamed) note_reason();
    return renamed;
}

bool flush_folder(const fs::path&) { return true; }  // the file system's journal does it

bool process_exists(long number) {
    const HANDLE process =
        OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(number));
    if (process == nullptr) return GetLastError() == ERROR_ACCESS_DENIED;
    DWORD code = 0;
    const bool running = !GetExitCodeProcess(process, &code) || code == STILL_ACTIVE;
    CloseHandle(process);
    return running;
}

std::string host_name() {
    std::array<char, MAX_COMPUTERNAME_LENGTH + 1> name{};
    DWORD size = static_cast<DWORD>(name.size());
    return GetComputerNameA(name.data(), &size) && size > 0 ? std::string(name.data(), size)
                                                            : "localhost";
}

}  // namespace primer
#endif
// SPDX-License-Identifier: MIT
