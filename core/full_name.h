#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "text.h"

namespace primer {

/// A path as messages show it: absolute, in one line and safe to print. Never throws: if the
/// current folder has been removed, a relative path stays as it is.
inline std::string full_name(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(path, error);
    return printable((error ? path : absolute).lexically_normal().string());
}

}  // namespace primer
// SPDX-License-Identifier: MIT
