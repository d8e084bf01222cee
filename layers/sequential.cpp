#include "sequential.h"

#include "../core/error.h"
#include "fusion.h"

namespace primer {

std::unique_ptr<Module>& Sequential::place(Index i) {
    const Index wrapped = i < 0 ? i + size() : i;
    check(wrapped >= 0 && wrapped < size(), "Sequential: there is no module ", i, " among ",
          size());
    return modules_[static_cast<std::size_t>(wrapped)];
}

Tensor Sequential::forward(const Tensor& x) {
    Tensor y = x;
    const bool may_fuse = Fusion::allowed();
    for (std::size_t i = 0; i < modules_.size();) {
        const auto fused = may_fuse ? Fusion::run(std::span(modules_).subspan(i), y) : std::nullopt;
        y = fused ? fused->y : (*modules_[i])(y);
        i += fused ? fused->modules : 1;
    }
    return y;
}

void Sequential::visit(Visitor& visitor) {
    for (std::size_t i = 0; i < modules_.size(); ++i) visitor(std::to_string(i), *modules_[i]);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
