#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>

#include "module.h"

// module.cpp uses this to find what a forward uses and visit does not name.

namespace primer {

/// One call of a module. It costs next to nothing unless a Tape is recording, and then a look-up in
/// a set of addresses; the visit is walked only when something new turns up.
class ModuleCall {
  public:
    /// Throws Error if the module has been moved from, or if neither the module whose forward calls
    /// it nor one further out names it.
    ModuleCall(Module& module, const Tensor& x);
    ~ModuleCall();
    ModuleCall(const ModuleCall&) = delete;
    ModuleCall& operator=(const ModuleCall&) = delete;

    /// After the forward. Throws Error for a Parameter or Buffer that no visit names, and for a
    /// module that asked whether it is in training and that no visit names.
    void check_members() const;
    /// Called when a module is asked whether it is in training.
    static void asked_training(const Module& module);

  private:
    using Known = std::unordered_set<const void*>;

    const ModuleCall& outermost() const;
    /// Whether the outermost module's walk reaches this module, Parameter or Buffer.
    bool named(const void* what) const;
    /// What the outermost module's walk reached.
    Known& known() const;
    void check_named(Module& module) const;
    bool is_input(const Tensor& x) const;

    Module& module_;
    const Tensor& x_;
    bool recording_;
    bool asked_training_ = false;
    ModuleCall* outer_ = nullptr;
    std::size_t first_used_ = 0;
};

}  // namespace primer
// SPDX-License-Identifier: MIT
