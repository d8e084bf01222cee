#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <system_error>

namespace primer {

/// A folder for one test, removed when the test ends.
class Folder {
  public:
    Folder() {
        std::random_device device;
        do {
            path_ = std::filesystem::temp_directory_path() /
                    ("primer-test-" + std::to_string(device()));
        } while (!std::filesystem::create_directory(path_));
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path_ / name, std::ios::binary) << bytes;
    }

  private:
    std::filesystem::path path_;
};

/// All of a file; "" if there is none.
inline std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The contents of a file of these bytes.
inline std::string bytes_of(std::initializer_list<int> bytes) {
    std::string out;
    for (int b : bytes) out += static_cast<char>(b);
    return out;
}

/// The bytes of a number as files have them: the lowest first, on any machine.
template <class T>
std::string little_endian(const T& x) {
    const auto bytes = std::bit_cast<std::array<char, sizeof x>>(x);
    std::string text(bytes.begin(), bytes.end());
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(text);
    return text;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
