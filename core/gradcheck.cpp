#include "gradcheck.h"

#include <cmath>
#include <type_traits>

#include "error.h"
#include "ops.h"
#include "tape.h"

namespace primer {
namespace {

// Uneven, of both signs, none near 0: weight i is +-(0.5 ... 1.5).
Tensor uneven_weights(const Shape& shape) {
    Tensor w = empty(shape);
    Real* out = w.mutable_data();
    for (Index i = 0; i < w.numel(); ++i) {
        const double fraction = std::fmod(0.618033988749895 * static_cast<double>(i + 1), 1.0);
        out[i] = static_cast<Real>((i % 3 == 1 ? -1 : 1) * (0.5 + fraction));
    }
    return w;
}

}  // namespace

void gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
               const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
    check(std::is_same_v<Real, double>,
          "gradcheck: needs the build of the library in which Real is double; link the program "
          "with primer::primer_double in place of primer::primer");
    const auto loss_of = [&] {
        const Tensor y = f(inputs);
        return sum(mul(y, uneven_weights(y.shape())));
    };

    for (const Tensor& x : inputs) {
        x.requires_grad_();
        x.set_grad({});
    }
    {
        Tape tape;
        tape.backward(loss_of());
    }

    for (std::size_t n = 0; n < inputs.size(); ++n) {
        const Tensor& x = inputs[n];
        const Tensor grad = x.grad().defined() ? x.grad() : zeros(x.shape());
        double worst = 0;
        std::string report;
        for (Index i = 0; i < x.numel(); ++i) {
            Real& element = x.mutable_data("gradcheck")[i];
            const Real middle = element;
            const auto eps = static_cast<Real>(options.eps);
            element = middle + eps;
            const double above = static_cast<double>(loss_of().item());
            element = middle - eps;
            const double below = static_cast<double>(loss_of().item());
            element = middle;
            const double numeric = (above - below) / (2 * options.eps);
            const auto taped = static_cast<double>(grad.data()[i]);
            double error = std::abs(taped - numeric);
            if (std::isnan(error)) error = INFINITY;  // nothing is worse
            if (!(error <= options.atol + options.rtol * std::abs(numeric)) && error > worst) {
                worst = error;
                TextStream text;
                text << "gradcheck: input " << n << " of shape " << x.shape() << ", element " << i
                     << ": the tape has " << taped << ", the difference quotient " << numeric;
                report = text.str();
            }
        }
        check(report.empty(), report);
    }
}

}  // namespace primer
// SPDX-License-Identifier: MIT
