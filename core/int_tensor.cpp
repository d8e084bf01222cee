#include "int_tensor.h"

namespace primer {

Index IntTensor::item() const {
    check_whole("item");
    check(numel() == 1, "item: expected an IntTensor of one element, got shape ", shape);
    return values[0];
}

Index IntTensor::operator[](Only<Index> i) const {
    check_whole("[]");
    check(shape.rank() == 1, "[]: expected an IntTensor of one dimension, got shape ", shape,
          "; its values, in row-major order, are the member values");
    check(-numel() <= i && i < numel(), "[]: index ", i, " is outside shape ", shape);
    return values[static_cast<std::size_t>(i < 0 ? i + numel() : Index{i})];
}

}  // namespace primer
// SPDX-License-Identifier: MIT
