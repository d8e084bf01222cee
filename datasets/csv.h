#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "../core/tensor.h"

namespace primer {

/// A table of numbers.
struct CsvTable {
    std::vector<std::string> columns;  ///< their names; empty if the file has none
    Tensor values;                     ///< [rows, columns]
};

/// The options of read_csv.
struct CsvOptions {
    char separator = ',';  ///< between two numbers
};

/// Reads a table of numbers from a text file: a line for each row, the numbers separated by commas,
/// all rows of the same length. A first line without any number names the columns. Numbers are
/// written with a point, "1.5" or "-2e3", whatever the locale; blanks around them and empty lines
/// are ignored, a name may stand in double quotes.
///
/// The file may be hostile. Memory: at most 16 times its size. Time: proportional to it. Throws
/// Error with the path, line and column for what is not a finite number, an empty field included
/// (decide what a missing value shall mean before you train on it), and for rows of another length;
/// for a file without rows; and if it cannot be read.
CsvTable read_csv(const std::filesystem::path& path, const CsvOptions& options = {});
/// The same from a stream; messages call it `source`.
CsvTable read_csv(std::istream& in, const std::string& source, const CsvOptions& options = {});

}  // namespace primer
// SPDX-License-Identifier: MIT
