#include "flatten.h"

#include "../core/error.h"
#include "../core/ops.h"

namespace primer {

Flatten::Flatten(Only<int> start_dim, Only<int> end_dim)
    : start_dim_(start_dim), end_dim_(end_dim) {}

Tensor Flatten::forward(const Tensor& x) {
    const std::string name = describe();
    const Shape shape = at_least_1d(x.shape());
    const int start = shape.normalize(start_dim_, name.c_str());
    const int end = shape.normalize(end_dim_, name.c_str());
    check(start <= end, name, ": the first dimension comes after the last in the input ", shape);
    return flatten(x, start, end);
}

std::string Flatten::describe() const {
    return "Flatten(start_dim=" + std::to_string(start_dim_) +
           ", end_dim=" + std::to_string(end_dim_) + ")";
}

}  // namespace primer
