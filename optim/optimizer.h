#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "primer/core/parameter.h"

namespace primer {

/// Changes parameters along their gradients. A training step calls zero_grad(), then the tape's
/// backward(), then step().
///
/// The parameters come in groups, each with options of its own; most often there is only one.
/// Optimizers are moved, never copied: a copy would share its state with the original unnoticed.
class Optimizer {
  public:
    Optimizer(Optimizer&&) = default;
    Optimizer& operator=(Optimizer&&) = default;
    virtual ~Optimizer() = default;

    /// One update of every parameter that has a gradient; the others stay as they are, and so does
    /// what is remembered of them.
    virtual void step() = 0;

    /// Drops the gradients, so that the next backward leaves its own and not the sum of all so far.
    void zero_grad();

    /// All parameters, in the order of their groups.
    const std::vector<Parameter>& parameters() const { return parameters_; }
    virtual Index group_count() const = 0;
    /// The learning rate of a group. Throws Error if there is no such group.
    double lr(Index group = 0) { return lr_of(group); }
    /// Sets the learning rate of all groups: what a schedule does between steps.
    void set_lr(double lr);
    /// Sets that of one group. Throws Error if there is no such group.
    void set_lr(double lr, Index group) { lr_of(group) = lr; }

    /// What is remembered from step to step, to be saved in a checkpoint: "0.momentum_buffer" is
    /// that of parameters()[0]. Only what there is yet, and not copies: the next step changes them.
    std::vector<std::pair<std::string, Tensor>> named_state() const;
    /// Puts copies of a saved state in place of all that is remembered. Throws Error, and changes
    /// nothing, for a name that is not of this optimizer or a shape that is not the parameter's.
    void load_state(const std::vector<std::pair<std::string, Tensor>>& state);

  protected:
    /// `name` begins the error messages. For each name in `state` a tensor can be kept for every
    /// parameter, of its shape. Throws Error without parameters, and if one comes twice.
    Optimizer(const char* name, std::vector<Parameter> parameters,
              std::initializer_list<std::string> state);

    /// What is remembered under this name of each of parameters(); undefined until it is set.
    std::vector<Tensor>& state(const std::string& name) { return state_.at(name); }

  private:
    virtual double& lr_of(Index group) = 0;

    const char* name_;
    std::vector<Parameter> parameters_;
    std::map<std::string, std::vector<Tensor>> state_;
};

}  // namespace primer
