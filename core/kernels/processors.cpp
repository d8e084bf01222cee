// Only speed: how many processors this process may use.

#include "processors.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <locale>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "system.h"

// Not std::thread::hardware_concurrency(), because with some C libraries it counts the machine's
// processors, though a batch system, a container or taskset may allow us only two of 64. Then 64
// threads would take turns on the two, and every job would wait for the slowest thread.

namespace primer {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& file) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// The first number in a file; -1 if there is no number ("max") or no file.
double number_in(const fs::path& file) {
    std::ifstream in(file);
    in.imbue(std::locale::classic());
    double value = -1;
    return in >> value ? value : -1;
}

// The quota of one control group, in processors; 0: unlimited. Version 2 has both in cpu.max.
double quota_of_group(const fs::path& group, bool version_2) {
    double quota = -1, period = -1;
    if (version_2) {
        std::ifstream in(group / "cpu.max");
        in.imbue(std::locale::classic());
        if (!(in >> quota >> period)) return 0;
    } else {
        quota = number_in(group / "cpu.cfs_quota_us");
        period = number_in(group / "cpu.cfs_period_us");
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}

bool has_word(std::string_view list, std::string_view word) {
    for (std::size_t end = 0; !list.empty(); list.remove_prefix(std::min(end + 1, list.size()))) {
        end = std::min(list.find(','), list.size());
        if (list.substr(0, end) == word) return true;
    }
    return false;
}

// Where control groups are mounted, and which of them is mounted there.
struct Mount {
    std::string root;
    std::string place;
};

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    for (std::size_t end = 0; end < line.size();) {
        const std::size_t begin = line.find_first_not_of(' ', end);
        if (begin == std::string::npos) break;
        end = std::min(line.find(' ', begin), line.size());
        words.push_back(line.substr(begin, end - begin));
    }
    return words;
}

// A line of mountinfo: "36 35 98:0 /root /place options... - type source options".
std::vector<Mount> mounts_of(const fs::path& mountinfo, bool version_2) {
    std::vector<Mount> found;
    for (const std::string& line : lines_of(mountinfo)) {
        const std::vector<std::string> words = words_of(line);
        const auto dash = std::ranges::find(words, "-");
        if (dash - words.begin() < 5 || words.end() - dash < 4) continue;
        const bool wanted =
            version_2 ? dash[1] == "cgroup2" : dash[1] == "cgroup" && has_word(dash[3], "cpu");
        if (wanted) found.push_back({words[3], words[4]});
    }
    return found;
}

// Walks from the group of the process up to the mounted one. In a container the path may be the
// host's, which is not mounted: then the mounted group is the container's.
double smallest_quota(const fs::path& root, const Mount& mount, std::string path, bool version_2) {
    if (mount.root != "/" && path.starts_with(mount.root)) path.erase(0, mount.root.size());
    const fs::path top = root / fs::path(mount.place).relative_path();
    fs::path group = fs::path(path).relative_path();
    double smallest = 0;
    while (true) {
        const double quota = quota_of_group(top / group, version_2);
        if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
        if (group.empty()) return smallest;
        group = group.parent_path();
    }
}

}  // namespace

// A line of /proc/self/cgroup: "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1.
int processors_of_quota(const fs::path& root) {
    double smallest = 0;
    for (const std::string& line : lines_of(root / "proc/self/cgroup")) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool version_2 = controllers.empty();
        if (!version_2 && !has_word(controllers, "cpu")) continue;
        for (const Mount& mount : mounts_of(root / "proc/self/mountinfo", version_2)) {
            const double quota = smallest_quota(root, mount, line.substr(second + 1), version_2);
            if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
        }
    }
    constexpr double most = 1 << 20;  // keeps the conversion defined, whatever the files say
    return static_cast<int>(std::ceil(std::min(smallest, most)));
}

int available_processors() {
    int count = processors_of_mask();
    if (count == 0) count = static_cast<int>(std::thread::hardware_concurrency());
    if (const int quota = processors_of_quota(); quota > 0) count = std::min(count, quota);
    return std::max(count, 1);
}

std::string processor_name() {
    for (const std::string& line : lines_of("/proc/cpuinfo")) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "";
}

}  // namespace primer
// SPDX-License-Identifier: MIT
