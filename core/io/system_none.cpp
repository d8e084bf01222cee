// What stands in for system_posix.cpp and system_windows.cpp in a build without PRIMER_SYSTEM: no
// file can be opened here. What reads by std::ifstream still does if the C++ library has files.

#include <cerrno>

#include "system.h"

namespace primer {
namespace {

// Notes why nothing works.
bool failed() {
    errno = ENOSYS;  // "Function not implemented"
    return false;
}

SystemFile no_file() {
    failed();
    return {};
}

}  // namespace

SystemFile SystemFile::to_read(const std::filesystem::path&) { return no_file(); }
SystemFile SystemFile::to_create(const std::filesystem::path&) { return no_file(); }
SystemFile SystemFile::to_append(const std::filesystem::path&) { return no_file(); }

void SystemFile::close() {}

std::optional<std::size_t> SystemFile::read(char*, std::size_t) {
    failed();
    return {};
}

bool SystemFile::write(std::string_view) { return failed(); }
bool SystemFile::flush() { return failed(); }
bool SystemFile::flush_data() { return failed(); }
bool SystemFile::cut(Index) { return failed(); }
Index SystemFile::size() const { return -1; }
bool SystemFile::is_regular() const { return false; }
bool SystemFile::is_own() const { return false; }
bool SystemFile::has_name() const { return false; }
bool SystemFile::lock() { return failed(); }
void SystemFile::take_permissions(const std::filesystem::path&) {}

bool rename_over(const std::filesystem::path&, const std::filesystem::path&) { return failed(); }
bool flush_folder(const std::filesystem::path&) { return failed(); }
bool process_exists(long) { return false; }
std::string host_name() { return "localhost"; }

}  // namespace primer
// SPDX-License-Identifier: MIT
