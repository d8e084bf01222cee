#pragma once

#include "../core/rng.h"
#include "module.h"

// Dropout as layers, for Sequential: in training the ops of core/ops.h, in eval() the identity.
// Each layer has a generator of its own, seeded by one number from `rng`, so what it drops does not
// depend on what else draws from `rng`. Visitors see it as "rng".

namespace primer {

/// Drops each element with probability p and divides the others by 1 - p. For x of any shape.
class Dropout : public Module {
  public:
    /// Throws Error unless 0 <= p <= 1.
    Dropout(Only<double> p, Rng& rng);
    /// p = 0.5.
    explicit Dropout(Rng& rng) : Dropout(0.5, rng) {}

    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override { visitor("rng", rng_); }
    std::string describe() const override;

    /// The state that determines the next masks. A layer to which a saved state is given back
    /// continues with the same masks.
    Rng::State rng_state() const { return rng_.state(); }
    void set_rng_state(const Rng::State& state) { rng_.set_state(state); }

  private:
    double p_;
    Rng rng_;
};

/// Drops whole channels of x [N, C, H, W] with probability p and divides the others by 1 - p: the
/// neighbours of a dropped pixel, which look much like it, would make up for it.
class Dropout2d : public Module {
  public:
    /// Throws Error unless 0 <= p <= 1.
    Dropout2d(Only<double> p, Rng& rng);
    /// p = 0.5.
    explicit Dropout2d(Rng& rng) : Dropout2d(0.5, rng) {}

    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override { visitor("rng", rng_); }
    std::string describe() const override;

    /// As Dropout's.
    Rng::State rng_state() const { return rng_.state(); }
    void set_rng_state(const Rng::State& state) { rng_.set_state(state); }

  private:
    double p_;
    Rng rng_;
};

}  // namespace primer
