#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "module.h"

namespace primer {

/// Modules one after another, each fed with the output of the one before it:
///
///     Sequential model{Flatten(), Linear(784, 256), ReLU(), Linear(256, 10)};
///     for (Module& module : model) { ... }
///
/// Their names are "0", "1", .... An empty one is the identity.
///
/// Write braces, not parentheses: C++ evaluates a list in braces from left to right, but leaves the
/// order in parentheses to the compiler, and with it which layer gets which random numbers.
class Sequential : public Module {
  public:
    /// Takes the modules. (A single Sequential is moved, as C++ has it, not put into another one;
    /// use append for that.)
    template <class... Modules>
    explicit Sequential(Modules&&... modules) {
        (append(std::forward<Modules>(modules)), ...);
    }

    /// Adds a module at the end. Returns *this.
    template <class M>
    Sequential& append(M&& module) {
        modules_.push_back(own(std::forward<M>(module)));
        return *this;
    }

    /// Puts a module in the place of module i: PyTorch's model[-1] = nn.Linear(...). Throws Error
    /// if there is none. Returns *this. An optimizer keeps the old parameters: make it afterwards.
    template <class M>
    Sequential& replace(Only<Index> i, M&& module) {
        place(i) = own(std::forward<M>(module));
        return *this;
    }

    /// Deleted for those who look for it, since the one way is append.
    template <class M>
    void add(M&& /*module*/) {
        static_assert(sizeof(M) == 0, "a Sequential grows by append(module), as PyTorch's does");
    }

    /// The number of modules.
    Index size() const { return static_cast<Index>(modules_.size()); }
    /// As in PyTorch, -1 is the last one. Throws Error if there is none.
    Module& operator[](Only<Index> i) { return *place(i); }

    class Iterator;
    /// The modules in order. Append none meanwhile.
    Iterator begin();
    Iterator end();

    Tensor forward(const Tensor& x) override;
    void visit(Visitor& visitor) override;
    std::string describe() const override { return "Sequential"; }

  private:
    template <class M>
    static std::unique_ptr<Module> own(M&& module) {
        static_assert(std::derived_from<std::remove_cvref_t<M>, Module>,
                      "Sequential is made of modules: classes derived from primer::Module");
        static_assert(!std::is_lvalue_reference_v<M>,
                      "a module is moved into a Sequential, never copied: write std::move(module)");
        return std::make_unique<std::remove_cvref_t<M>>(std::move(module));
    }
    std::unique_ptr<Module>& place(Index i);

    std::vector<std::unique_ptr<Module>> modules_;
};

/// Points at a module of a Sequential.
class Sequential::Iterator {
  public:
    using value_type = Module;               ///< for the standard library
    using difference_type = std::ptrdiff_t;  ///< likewise

    Iterator() = default;
    /// The module.
    Module& operator*() const { return **at_; }
    /// Its members.
    Module* operator->() const { return at_->get(); }
    /// Goes on to the next module.
    Iterator& operator++() {
        ++at_;
        return *this;
    }
    Iterator operator++(int) { return Iterator(at_++); }
    bool operator==(const Iterator&) const = default;

  private:
    friend class Sequential;
    explicit Iterator(const std::unique_ptr<Module>* at) : at_(at) {}

    const std::unique_ptr<Module>* at_ = nullptr;
};

inline Sequential::Iterator Sequential::begin() { return Iterator(modules_.data()); }
inline Sequential::Iterator Sequential::end() {
    return Iterator(modules_.data() + modules_.size());
}

}  // namespace primer
// SPDX-License-Identifier: MIT
