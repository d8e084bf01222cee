#pragma once

#include <initializer_list>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.h"
#include "../core/parameter.h"

namespace primer {

/// Updates parameters using their gradients. A training step calls zero_grad(), then the tape's
/// backward(), then step().
///
/// The parameters come in groups, each with its own options; usually there is only one. Optimizers
/// can be moved but not copied, because a copy would silently share its state with the original.
class Optimizer {
  public:
    Optimizer(Optimizer&&) = default;
    Optimizer& operator=(Optimizer&&) = default;
    virtual ~Optimizer() = default;

    /// Updates every parameter that has a gradient; the others and their state stay as they are.
    /// Throws Error, and changes nothing, if backward() has added to a gradient that an earlier
    /// step has used (zero_grad() is missing), or if a parameter without a gradient belongs only to
    /// this optimizer (its layer has been replaced). It is not an error to call backward() several
    /// times before one step, which adds the gradients, or to write to a gradient.
    virtual void step() = 0;

    /// Drops the gradients, so that the next backward() does not add to them.
    void zero_grad();

    /// All parameters, in the order of their groups.
    const std::vector<Parameter>& parameters() const { return parameters_; }
    /// The number of groups.
    virtual Index group_count() const = 0;
    /// The learning rate of a group. Throws Error if there is no such group.
    double lr(Only<Index> group = 0) { return lr_of(group); }
    /// Sets the learning rate of all groups, as a schedule does between steps.
    void set_lr(Only<double> lr);
    /// Sets the learning rate of one group. Throws Error if there is no such group.
    void set_lr(Only<double> lr, Only<Index> group) { lr_of(group) = lr; }

    /// The state that the optimizer keeps from step to step, to be saved in a checkpoint:
    /// "0.momentum_buffer" is that of parameters()[0]. Contains only what exists so far. The
    /// tensors are not copies, so the next step changes them.
    std::vector<std::pair<std::string, Tensor>> named_state() const;
    /// Replaces the whole state with copies of a saved one. Throws Error, and changes nothing, for
    /// a name that this optimizer does not know or that comes twice, for a shape that does not fit,
    /// for an incomplete state of a parameter, and for an impossible count of steps.
    void load_state(const std::vector<std::pair<std::string, Tensor>>& state);
    /// Throws the Error that load_state would throw.
    void check_state(const std::vector<std::pair<std::string, Tensor>>& state) const {
        sorted(state);
    }

  protected:
    /// `name` begins the error messages. `state` names tensors of the parameter's shape, `counts`
    /// scalar step counts, that may be kept per parameter. Those in `always` exist after every
    /// step, so a saved state has all or none of them. Throws Error without parameters, and if one
    /// comes twice.
    Optimizer(const char* name, std::vector<Parameter> parameters,
              std::initializer_list<std::string> state,
              std::initializer_list<std::string> counts = {},
              std::initializer_list<std::string> always = {});

    /// The state of this name for each of parameters(); undefined until it is set.
    std::vector<Tensor>& state(const std::string& name) { return state_.at(name); }
    /// The same for parameter i, set to 0 if there is none yet.
    Tensor& state(const std::string& name, std::size_t i);

    /// What begins the error messages: "SGD".
    const char* name() const { return name_; }

    /// Called before and after a step's updates: begin_step refuses gradients that still contain
    /// the last step's, end_step marks them as used. `handles` is the number of handles that the
    /// optimizer itself has to each parameter.
    void begin_step(long handles = 1) const;
    void end_step() const;

  private:
    virtual Only<double>& lr_of(Index group) = 0;
    void check_not_moved() const;
    std::vector<std::shared_ptr<void>> claims_;  // on the parameters, as long as this exists
    // A saved state in the form of state_, with the given tensors.
    std::map<std::string, std::vector<Tensor>> sorted(
        const std::vector<std::pair<std::string, Tensor>>& state) const;
    // Throws Error unless steps can produce `state`, which has the form of state_.
    void check_sound(const std::map<std::string, std::vector<Tensor>>& state) const;
    Shape shape_of(const std::string& name, std::size_t i) const;

    const char* name_;
    std::vector<Parameter> parameters_;
    std::map<std::string, std::vector<Tensor>> state_;
    std::set<std::string> counts_;
    std::vector<std::string> always_;
};

/// An optimizer whose groups have their own Options, with a member `Only<double> lr`. A derived
/// class only checks options and updates one parameter.
template <class Options>
class GroupedOptimizer : public Optimizer {
  public:
    /// Parameters that are trained with the same options.
    struct Group {
        std::vector<Parameter> parameters;  ///< of the group
        Options options = {};               ///< for all of them
    };

    /// Also throws Error if options have been changed to values that the constructor refuses.
    void step() final {
        for (const Group& group : groups_) check_options_(group.options);
        begin_step(2);  // groups_ has handles, too
        std::size_t i = 0;
        for (const Group& group : groups_) {
            for (const Parameter& parameter : group.parameters) {
                if (parameter.grad().defined()) update(i, parameter, group.options);
                ++i;
            }
        }
        end_step();
    }

    /// The number of groups.
    Index group_count() const final { return std::ssize(groups_); }
    /// The options of a group, which may be changed between steps. Throws Error if there is no such
    /// group.
    Options& options(Only<Index> group = 0) {
        check(group >= 0 && group < group_count(), name(), ": there is no group ", group, " among ",
              group_count());
        return groups_[static_cast<std::size_t>(group)].options;
    }

  protected:
    /// `check_options` throws Error for options out of range. The others are those of Optimizer.
    GroupedOptimizer(const char* name, std::vector<Group> groups,
                     void (*check_options)(const Options&),
                     std::initializer_list<std::string> state,
                     std::initializer_list<std::string> counts = {},
                     std::initializer_list<std::string> always = {})
        : Optimizer(name, all_parameters(groups), state, counts, always),
          groups_(std::move(groups)),
          check_options_(check_options) {
        for (const Group& group : groups_) check_options_(group.options);
    }

  private:
    /// Updates `parameter`, number i of parameters(), which has a gradient.
    virtual void update(std::size_t i, const Parameter& parameter, const Options& options) = 0;

    Only<double>& lr_of(Index group) final { return options(group).lr; }

    static std::vector<Parameter> all_parameters(const std::vector<Group>& groups) {
        std::vector<Parameter> all;
        for (const Group& group : groups) {
            all.insert(all.end(), group.parameters.begin(), group.parameters.end());
        }
        return all;
    }

    std::vector<Group> groups_;
    void (*check_options_)(const Options&);
};

}  // namespace primer
// SPDX-License-Identifier: MIT
