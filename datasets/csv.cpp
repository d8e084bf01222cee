#include "csv.h"

#include <cerrno>
#include <cmath>
#include <fstream>
#include <istream>
#include <optional>
#include <string_view>
#include <system_error>

#include "../core/creation.h"
#include "../core/error.h"
#include "../core/full_name.h"

namespace primer {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> split(std::string_view line, char separator) {
    std::vector<std::string_view> fields;
    while (true) {
        const std::size_t end = line.find(separator);
        fields.push_back(trimmed(line.substr(0, end)));
        if (end == line.npos) return fields;
        line.remove_prefix(end + 1);
    }
}

bool no_numbers(const std::vector<std::string_view>& fields) {
    for (const std::string_view field : fields) {
        if (read_number(field)) return false;
    }
    return true;
}

std::string unquoted(std::string_view name) {
    const bool quoted = name.size() >= 2 && name.front() == '"' && name.back() == '"';
    return std::string(quoted ? name.substr(1, name.size() - 2) : name);
}

}  // namespace

CsvTable read_csv(std::istream& in, const std::string& source, const CsvOptions& options) {
    CsvTable table;
    std::vector<Real> values;
    std::size_t columns = 0;
    Index row = 0, number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // a byte-order mark
        if (trimmed(line).empty()) continue;
        const std::vector<std::string_view> fields = split(line, options.separator);
        if (columns == 0) {
            columns = fields.size();
            if (no_numbers(fields)) {
                for (const std::string_view name : fields) table.columns.push_back(unquoted(name));
                continue;
            }
        }
        check(fields.size() == columns, source, ": line ", number, ": expected ", columns,
              " columns, as in the first line, found ", fields.size());
        for (std::size_t c = 0; c < columns; ++c) {
            const std::optional<double> value = read_number(fields[c]);
            const Real real = value ? static_cast<Real>(*value) : Real(0);
            check(value && std::isfinite(real), source, ": line ", number, ", column ", c + 1,
                  ": expected a number, found ", in_quotes(fields[c]));
            values.push_back(real);
        }
        ++row;
    }
    check(!in.bad(), source, ": reading stopped before the end; is the disk in order?");
    check(row > 0, source, ": expected rows of numbers, found none");
    table.values = tensor(values, {row, static_cast<Index>(columns)});
    return table;
}

CsvTable read_csv(const std::filesystem::path& path, const CsvOptions& options) {
    const std::string source = full_name(path);
    std::error_code error;
    check(!std::filesystem::is_directory(path, error), source, ": expected a file, found a folder");
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    check(in.is_open(), source,
          ": cannot open the file: ", std::error_code(errno, std::generic_category()).message());
    return read_csv(in, source, options);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
