#include "near_miss.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace primer::examples {
namespace {

/// Without the dashes in front, with small letters, and - for _.
std::string plain(std::string_view word) {
    word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
    std::string text;
    for (const char c : word) {
        text += c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return text;
}

/// How many letters must be put in, left out or changed to make one of the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() +
                                 1);  // from the letters of `a` so far to each start of b
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& names) {
    const std::string wanted = plain(word);
    if (wanted.empty() || wanted.size() > 100) return "";
    std::string best;
    std::size_t least = 2 + wanted.size() / 4;  // one more than may differ
    for (const std::string& name : names) {
        const std::string there = plain(name);
        const bool starts = wanted.size() >= 3 && there.size() >= 3 &&
                            (there.starts_with(wanted) || wanted.starts_with(there));
        const std::size_t away =
            starts ? std::min<std::size_t>(1, distance(wanted, there)) : distance(wanted, there);
        if (away >= least) continue;
        least = away;
        best = name;
    }
    return best;
}

}  // namespace primer::examples
