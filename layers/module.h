#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../core/parameter.h"
#include "../core/rng.h"
#include "../core/state_dict.h"
#include "../core/tensor.h"

namespace primer {

class Prepared;
struct ThreadState;

/// A piece of a network: parameters, and a forward that uses them. To write one, derive from
/// Module, keep the parameters, buffers and layers as members, and implement the three functions at
/// the top.
///
/// Modules are moved, never copied, because a copy would share its weights with the original
/// unnoticed.
class Module {
  public:
    /// The output for a batch x. Throws Error for a shape that does not fit; the ops see to it.
    virtual Tensor forward(const Tensor& x) = 0;
    /// Calls visitor(name, member) once for each Parameter, Buffer, Rng and Module that is a
    /// member, in the order of the forward. A parameter that an option has left undefined is not
    /// visited. Names must be distinct, not empty, and without a dot.
    ///
    /// A member that visit does not name is neither trained nor saved, and eval() does not switch
    /// it. To catch this, a call made while a Tape records throws Error, naming the class, if a
    /// forward uses a module, Parameter or Buffer that no visit names. Harmless cases are exempt:
    /// parameters that already belong to an optimizer or need no gradient, and modules in eval mode
    /// or without buffers, generators or a query of training().
    virtual void visit(Visitor& /*visitor*/) {}
    /// What it is, as Python would write it: "Linear(in_features=784, out_features=10, bias=True)";
    /// for a module without options its bare name will do: "Sequential".
    virtual std::string describe() const = 0;
    /// describe() without the options: "Linear".
    std::string type() const;

    /// Whether its output comes from an elementwise activation (dead_relu_ratio examines these).
    /// Override it in a layer that ends with one.
    virtual bool is_activation() const { return false; }

    /// Gives the parameters and running statistics of this module and of those in it the initial
    /// values that PyTorch's layers have, in the order of visit; the constructors choose others.
    /// To set values of your own choice, use apply. Throws Error, naming the class, for a module
    /// that has parameters and does not override this.
    virtual void reset_parameters(Rng& rng = default_rng());

    Module();
    /// A module that has been moved from can be assigned to or destroyed; calling it throws
    /// Error.
    Module(Module&& other) noexcept;
    virtual ~Module() = default;

    /// forward(x). Call a module rather than its forward, because a ForwardHook sees calls only,
    /// and an Error that the forward throws gets the layer's place in front, as seen from the
    /// outermost module that was called: "body.0 (Conv2d): conv2d: expected x [N, 32, H, W], got
    /// ..."; the path is that of state_dict. If a layer was called by itself, only its type stands
    /// there: "Conv2d: conv2d: ...".
    Tensor operator()(const Tensor& x);

    /// Every parameter of this module and of those in it, in the order of visit. One that several
    /// layers share is listed once, where it comes first.
    std::vector<Parameter> parameters();
    /// With their names: "0.weight", "block.fc1.bias".
    std::vector<std::pair<std::string, Parameter>> named_parameters();
    /// The buffers and the generators, with their names, in the same way. The pointers are valid
    /// until a module is moved or destroyed.
    std::vector<std::pair<std::string, Buffer>> named_buffers();
    std::vector<std::pair<std::string, Rng*>> named_generators();
    /// The parameters and then the buffers, by the names that PyTorch's state_dict has for the same
    /// modules: what save_safetensors and load_safetensors take. A tensor that several layers share
    /// is listed under each of its names, as in PyTorch.
    StateDict state_dict();
    /// The modules directly in this one, with their names.
    std::vector<std::pair<std::string, Module*>> named_children();
    /// This module and all in it, in the order of visit, each once.
    std::vector<Module*> modules();
    /// Calls f for each of them, the modules in a module before the module itself. Returns *this.
    ///
    ///     model.apply([&](Module& module) {
    ///         if (auto* linear = dynamic_cast<Linear*>(&module)) zeros_(linear->bias);
    ///     });
    Module& apply(const std::function<void(Module&)>& f);
    /// visit(visitor), checked: throws Error, naming the class, for a name that is empty, contains
    /// a dot or comes twice, and for a module that contains itself. A Visitor that goes on into a
    /// child calls child.walk(*this).
    void walk(Visitor& visitor);

    /// Switches this module, and those in it, to training (where dropout drops, and batch
    /// normalisation uses the batch's own statistics) or to evaluation. Modules start in training.
    /// Whether ops are recorded is another matter: see Tape.
    void train(Only<bool> on = true);
    void eval() { train(false); }
    /// Whether it is switched to training.
    bool training() const;

  protected:
    /// For the assignment of a whole layer, as in net.fc = Linear(3, 7). Through a Module& it would
    /// leave the members of the derived class as they were: write model.replace(-1, Linear(3, 7)).
    Module& operator=(Module&& other) noexcept;  // model.replace(i, layer)

  private:
    friend class ModuleCall;
    friend class Fusion;

    const std::uint64_t id_;  // no other module has or had it
    bool training_ = true;
    bool moved_from_ = false;
    std::shared_ptr<Prepared> prepared_;  // by fuse_for_prediction
};

/// The structure, a module a line, indented as PyTorch prints it.
std::ostream& operator<<(std::ostream& out, const Module& module);

/// While it exists, it is notified of every module call on its thread, at start and at return
/// (inner modules return first). If there are several hooks, the innermost, the last made, is
/// notified first.
class ForwardHook {
  public:
    ForwardHook();
    virtual ~ForwardHook();
    ForwardHook(const ForwardHook&) = delete;
    ForwardHook& operator=(const ForwardHook&) = delete;

    /// Called before the forward of `module`.
    virtual void entered(Module& /*module*/, const Tensor& /*x*/) {}
    /// Not called after a forward that throws.
    virtual void called(Module& module, const Tensor& x, const Tensor& y) = 0;

  private:
    friend class Module;
    std::shared_ptr<ThreadState> thread_;  // of the thread that made it
    ForwardHook* outer_;
};

}  // namespace primer
// SPDX-License-Identifier: MIT
