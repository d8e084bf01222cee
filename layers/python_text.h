#pragma once

#include <span>
#include <string>

#include "../core/shape.h"
#include "../core/size2.h"

// Options as Python prints them, for the descriptions of layers.

namespace primer {

/// The shortest digits that read back as the number, always with a point or an exponent: "0.01",
/// "1.0", "1e-05". The same in every locale.
std::string python_float(double value);

std::string python_bool(bool value);  ///< "True" or "False"

std::string python_tuple(Size2 size);                    ///< "(3, 2)", height first
std::string python_tuple(std::span<const Index> sizes);  ///< "(3, 2, 5)"; of one size "(3,)"
std::string python_number_or_tuple(Size2 size);          ///< "3" where both are 3

}  // namespace primer
// SPDX-License-Identifier: MIT
