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

Tensor Dropout::forward(const Tensor& x) { return training() ? dropout(x, p_, rng_) : x; }

std::string Dropout::describe() const { return describe_as("Dropout", p_); }

Dropout2d::Dropout2d(Only<double> p, Rng& rng) : p_(checked("Dropout2d", p)), rng_(rng.split()) {}

Tensor Dropout2d::forward(const Tensor& x) {
    check(x.rank() == 4, "Dropout2d: expected input [N, C, H, W], got ", x.shape(),
          x.rank() == 3 ? "; a single image is a batch of one: [1, C, H, W]" : "");
    return training() ? dropout2d(x, p_, rng_) : x;
}

std::string Dropout2d::describe() const { return describe_as("Dropout2d", p_); }

}  // namespace primer
