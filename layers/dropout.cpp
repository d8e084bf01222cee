#include "dropout.h"

#include "../core/error.h"
#include "../core/ops.h"
#include "python_text.h"

namespace primer {
namespace {

double checked(const char* name, double p) {
    check(p >= 0 && p <= 1, name, ": expected a probability p from 0 to 1, got ", p);
    return p;
}

std::string describe_as(const char* name, double p) {
    return std::string(name) + "(p=" + python_float(p) + ", inplace=False)";
}

}  // namespace

Dropout::Dropout(Only<double> p, Rng& rng) : p_(checked("Dropout", p)), rng_(rng.split()) {}

// With p = 0, the op checks x and returns it.
Tensor Dropout::forward(const Tensor& x) { return dropout(x, training() ? p_ : 0, rng_); }

std::string Dropout::describe() const { return describe_as("Dropout", p_); }

Dropout2d::Dropout2d(Only<double> p, Rng& rng) : p_(checked("Dropout2d", p)), rng_(rng.split()) {}

Tensor Dropout2d::forward(const Tensor& x) { return dropout2d(x, training() ? p_ : 0, rng_); }

std::string Dropout2d::describe() const { return describe_as("Dropout2d", p_); }

}  // namespace primer
