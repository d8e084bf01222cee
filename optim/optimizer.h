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
    /// what is remembered of them. Throws Error, and changes nothing, if backward() has added to a
    /// gradient that an earlier step has used: zero_grad() is missing; or if
    /// nothing else has one of the parameters any more, which then gets no gradient either: its
    /// layer has been replaced. Several calls of backward() before one step, which add up, are no
    /// error; nor is a gradient that was written to since.
    virtual void step() = 0;

    /// Drops the gradients, so that the next backward leaves its own and not the sum of all so far.
    void zero_grad();

    /// All parameters, in the order of their groups.
    const std::vector<Parameter>& parameters() const { return parameters_; }
    virtual Index group_count() const = 0;
    /// The learning rate of a group. Throws Error if there is no such group.
    double lr(Only<Index> group = 0) { return lr_of(group); }
    /// Sets the learning rate of all groups: what a schedule does between steps.
    void set_lr(Only<double> lr);
    /// Sets that of one group. Throws Error if there is no such group.
    void set_lr(Only<double> lr, Only<Index> group) { lr_of(group) = lr; }

    /// What is remembered from step to step, to be saved in a checkpoint: "0.momentum_buffer" is
    /// that of parameters()[0]. Only what there is yet, and not copies: the next step changes them.
    std::vector<std::pair<std::string, Tensor>> named_state() const;
    /// Puts copies of a saved state in place of all that is remembered. Throws Error, and changes
    /// nothing, for a name that is not of this optimizer or comes twice, for a shape that does not
    /// fit, for a part of what every step keeps without the rest, and for a count of steps that is
    /// none.
    void load_state(const std::vector<std::pair<std::string, Tensor>>& state);
    /// Throws the Error that load_state would throw.
    void check_state(const std::vector<std::pair<std::string, Tensor>>& state) const {
        sorted(state);
    }

  protected:
    /// `name` begins the error messages. For each name in `state` a tensor can be kept for every
    /// parameter, of its shape; for each in `counts` one of shape [], a whole number from 0 on.
    /// Those of `always` every step keeps, whatever the options: of a parameter, a saved state has
    /// all of these or nothing. Throws Error without parameters, and if one comes twice.
    Optimizer(const char* name, std::vector<Parameter> parameters,
              std::initializer_list<std::string> state,
              std::initializer_list<std::string> counts = {},
              std::initializer_list<std::string> always = {});

    /// What is remembered under this name of each of parameters(); undefined until it is set.
    std::vector<Tensor>& state(const std::string& name) { return state_.at(name); }
    /// The same of parameter i, which is set to 0 if there is none yet.
    Tensor& state(const std::string& name, std::size_t i);

    const char* name() const { return name_; }

    /// What a step does before and after the updates: refuses gradients that hold the last step's,
    /// and notes that they have been used.
    /// `handles` is how many the optimizer has to each parameter.
    void begin_step(long handles = 1) const;
    void end_step() const;

  private:
    virtual Only<double>& lr_of(Index group) = 0;
    void check_not_moved() const;
    std::vector<std::shared_ptr<void>> claims_;  // on the parameters, for as long as this lives
    // A saved state in the form of state_; the tensors are the given ones.
    std::map<std::string, std::vector<Tensor>> sorted(
        const std::vector<std::pair<std::string, Tensor>>& state) const;
    // Throws Error unless `state`, in that form, is one that steps can leave.
    void check_sound(const std::map<std::string, std::vector<Tensor>>& state) const;
    Shape shape_of(const std::string& name, std::size_t i) const;

    const char* name_;
    std::vector<Parameter> parameters_;
    std::map<std::string, std::vector<Tensor>> state_;
    std::set<std::string> counts_;
    std::vector<std::string> always_;
};

/// An optimizer whose groups each have their own Options, with a member `double lr`. What is left
/// to the one that derives from it is to check options and to update one parameter.
template <class Options>
class GroupedOptimizer : public Optimizer {
  public:
    /// Parameters that are trained with the same options.
    struct Group {
        std::vector<Parameter> parameters;
        Options options = {};
    };

    /// Throws Error if options have been changed to what the constructor would not take.
    void step() final {
        for (const Group& group : groups_) check_options_(group.options);
        begin_step(2);  // one in the group, too
        std::size_t i = 0;
        for (const Group& group : groups_) {
            for (const Parameter& parameter : group.parameters) {
                if (parameter.grad().defined()) update(i, parameter, group.options);
                ++i;
            }
        }
        end_step();
    }

    Index group_count() const final { return std::ssize(groups_); }
    /// The options of a group, to read and to change between steps. Throws Error if there is none.
    Options& options(Only<Index> group = 0) {
        check(group >= 0 && group < group_count(), name(), ": there is no group ", group, " among ",
              group_count());
        return groups_[static_cast<std::size_t>(group)].options;
    }

  protected:
    /// `check_options` throws Error for options out of range. The rest is as for Optimizer.
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
    /// Changes `parameter`, number i of parameters(), which has a gradient.
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
