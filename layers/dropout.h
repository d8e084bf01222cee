#pragma once

#include "../core/rng.h"
#include "module.h"

// Dropout as layers, for Sequential: in training the ops of core/ops.h, in eval() the identity.

namespace primer {

/// The part that Dropout and Dropout2d share: the probability, and a generator of their own, seeded
/// by one number from `rng`, so that what a layer drops does not depend on what else draws from
/// `rng`. Visitors see it as "rng".
class DropoutLayer : public Module {
  public:
    void visit(Visitor& visitor) override { visitor("rng", rng_); }
    std::string describe() const override;

    /// The state that determines the next masks. A layer to which a saved state is given back
    /// continues with the same masks.
    Rng::State rng_state() const { return rng_.state(); }
    /// Continues with the masks that belong to this state.
    void set_rng_state(const Rng::State& state) { rng_.set_state(state); }

  protected:
    /// Throws Error unless 0 <= p <= 1.
    DropoutLayer(const char* name, double p, Rng& rng);
    /// The probability to drop now: 0 in eval().
    double p() const { return training() ? p_ : 0; }
    /// The generator of the masks.
    Rng& rng() { return rng_; }

  private:
    const char* name_;
    double p_;
    Rng rng_;
};

/// Drops each element with probability p and divides the others by 1 - p. x may have any shape.
class Dropout : public DropoutLayer {
  public:
    /// Throws Error unless 0 <= p <= 1.
    explicit Dropout(Only<double> p = 0.5, Rng& rng = default_rng())
        : DropoutLayer("Dropout", p, rng) {}
    /// p = 0.5.
    explicit Dropout(Rng& rng) : Dropout(0.5, rng) {}
    Dropout(Only<double> p, Only<bool> inplace) = delete;  // not there in place: write Dropout(p)
    Tensor forward(const Tensor& x) override;
};

/// Drops whole channels of x [N, C, H, W] with probability p and divides the others by 1 - p.
/// Single pixels would not do, because the neighbours of a dropped pixel, which look much like it,
/// would make up for it.
class Dropout2d : public DropoutLayer {
  public:
    /// Throws Error unless 0 <= p <= 1.
    explicit Dropout2d(Only<double> p = 0.5, Rng& rng = default_rng())
        : DropoutLayer("Dropout2d", p, rng) {}
    /// p = 0.5.
    explicit Dropout2d(Rng& rng) : Dropout2d(0.5, rng) {}
    Dropout2d(Only<double> p,
              Only<bool> inplace) = delete;  // not there in place: write Dropout2d(p)
    Tensor forward(const Tensor& x) override;
};

}  // namespace primer
// SPDX-License-Identifier: MIT
