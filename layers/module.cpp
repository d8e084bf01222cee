#include "module.h"

#include <atomic>
#include <ostream>
#include <set>
#include <typeinfo>
#include <unordered_set>

#include "../core/error.h"
#include "../core/thread_state.h"
#include "module_call.h"

namespace primer {
namespace {

// Walks through a module and all in it. Derived classes pick what they want; full(name) is its name
// from the outermost module on.
class Walk : public Visitor {
  public:
    using Visitor::operator();

    void operator()(const std::string& name, Module& child) override {
        const std::string outer = prefix_;
        prefix_ += name + '.';
        child.walk(*this);
        prefix_ = outer;
    }

  protected:
    std::string full(const std::string& name) const { return prefix_ + name; }
    // Whether it comes for the first time, since layers may share it.
    bool is_new(const void* what) { return seen_.insert(what).second; }

  private:
    std::string prefix_;
    std::unordered_set<const void*> seen_;
};

// Every name, or the first of each tensor, since layers may share one.
enum class Names { all, first };

// For T = Parameter or Buffer, `kind` in words.
template <class T>
class Tensors : public Walk {
  public:
    using Walk::operator();
    Tensors(const char* kind, Names names) : kind_(kind), names_(names) {}

    void operator()(const std::string& name, T& tensor) override {
        check(tensor.defined(), "Module: the ", kind_, ' ', full(name),
              " is undefined; visit it only if it is there");
        if (is_new(&tensor.impl()) || names_ == Names::all) found.emplace_back(full(name), tensor);
    }

    std::vector<std::pair<std::string, T>> found;

  private:
    const char* kind_;
    Names names_;
};

template <class T>
std::vector<std::pair<std::string, T>> tensors_of(Module& module, const char* kind, Names names) {
    Tensors<T> visitor(kind, names);
    module.walk(visitor);
    return std::move(visitor.found);
}

class Generators : public Walk {
  public:
    using Walk::operator();

    void operator()(const std::string& name, Rng& generator) override {
        if (is_new(&generator)) found.emplace_back(full(name), &generator);
    }

    std::vector<std::pair<std::string, Rng*>> found;
};

// Finds the name of a module in another one: the first, if it has several.
class NameOf : public Walk {
  public:
    using Walk::operator();
    explicit NameOf(const void* module) : module_(module) {}

    void operator()(const std::string& name, Module& child) override {
        if (&child == module_ && found.empty()) found = full(name);
        if (found.empty()) Walk::operator()(name, child);
    }

    std::string found;

  private:
    const void* module_;
};

// The Error that a forward has thrown, prefixed with its place; see Module::operator(). The
// innermost module signs it, and those around it prepend their part of the path.
Error signed_by(Module& module, const Error& error) {
    try {
        if (error.place() == nullptr) {
            return Error(Place{
                .module = &module, .path = "", .type = module.type(), .message = error.what()});
        }
        Place place = *error.place();
        NameOf name(place.module);
        module.walk(name);
        if (name.found.empty()) return error;  // a module that no visit names
        place.module = &module;
        place.path = name.found + (place.path.empty() ? "" : '.' + place.path);
        return Error(place);
    } catch (const std::exception&) {
        return error;  // a visit or describe() fails, too; the first Error is the one to report
    }
}

class Children : public Visitor {
  public:
    using Visitor::operator();

    void operator()(const std::string& name, Module& child) override {
        found.emplace_back(name, &child);
    }

    std::vector<std::pair<std::string, Module*>> found;
};

// Which comes first: a module or those in it.
enum class Order { parents_first, children_first };

class All : public Visitor {
  public:
    using Visitor::operator();
    All(Module& module, Order order) : order_(order) { (*this)("", module); }

    void operator()(const std::string&, Module& module) override {
        const bool is_new = seen_.insert(&module).second;
        if (is_new && order_ == Order::parents_first) found.push_back(&module);
        module.walk(*this);  // throws if the walk is already in it
        if (is_new && order_ == Order::children_first) found.push_back(&module);
    }

    std::vector<Module*> found;

  private:
    Order order_;
    std::unordered_set<const Module*> seen_;
};

// Passes a call of reset_parameters on to the modules in one that has no parameters itself.
class Reset : public Visitor {
  public:
    using Visitor::operator();
    Reset(const Module& module, Rng& rng) : module_(module), rng_(rng) {}

    void operator()(const std::string& name, Parameter&) override {
        fail(module_.type(), " has the parameter \"", name,
             "\", but no reset_parameters that gives it an initial value; override it");
    }
    void operator()(const std::string&, Module& child) override { child.reset_parameters(rng_); }

  private:
    const Module& module_;
    Rng& rng_;
};

// Passes on what a visit names, and checks the names.
class Checked : public Visitor {
  public:
    Checked(const Module& module, Visitor& to) : module_(module), to_(to) {}

    void operator()(const std::string& name, Parameter& member) override { pass(name, member); }
    void operator()(const std::string& name, Buffer& member) override { pass(name, member); }
    void operator()(const std::string& name, Rng& member) override { pass(name, member); }
    void operator()(const std::string& name, Module& member) override { pass(name, member); }

  private:
    template <class Member>
    void pass(const std::string& name, Member& member) {
        if (name.empty() || name.find('.') != std::string::npos) {
            fail(module_.type(), "::visit: expected a name without a point, got \"", name,
                 "\"; names are joined by points: \"block.weight\"");
        }
        if (!names_.insert(name).second) {
            fail(module_.type(), "::visit names \"", name,
                 "\" twice; each member needs a name of its own, by which it is saved");
        }
        to_(name, member);
    }

    const Module& module_;
    Visitor& to_;
    std::set<std::string> names_;
};

// The thread's unfinished walks.
struct Walking {
    explicit Walking(const Module& of) : module(&of), outer(innermost) { innermost = this; }
    ~Walking() { innermost = outer; }
    Walking(const Walking&) = delete;
    Walking& operator=(const Walking&) = delete;

    const Module* module;
    Walking* outer;
    static thread_local Walking* innermost;
};
thread_local Walking* Walking::innermost = nullptr;

std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last = 0;
    return ++last;
}

// A module that holds others has its options, if any, on a line of their own.
void print(std::ostream& out, Module& module, const std::string& indent) {
    const std::string text = module.describe();
    const std::size_t open = text.find('(');
    const auto children = module.named_children();
    if (children.empty()) {
        out << text << (open == std::string::npos ? "()" : "");
        return;
    }
    out << module.type() << "(\n";
    if (open != std::string::npos && open + 2 < text.size()) {
        out << indent << "  " << text.substr(open + 1, text.size() - open - 2) << '\n';
    }
    for (const auto& [name, child] : children) {
        out << indent << "  (" << name << "): ";
        print(out, *child, indent + "  ");
        out << '\n';
    }
    out << indent << ')';
}

}  // namespace

std::string Module::type() const {
    const std::string text = describe();
    return text.substr(0, text.find('('));
}

void Module::reset_parameters(Rng& rng) {
    Reset visitor(*this, rng);
    walk(visitor);
}

Module::Module() : id_(next_id()) {}

Module::Module(Module&& other) noexcept
    : id_(next_id()),
      training_(other.training_),
      moved_from_(other.moved_from_),
      prepared_(std::move(other.prepared_)) {
    other.moved_from_ = true;
}

Module& Module::operator=(Module&& other) noexcept {
    if (this == &other) return *this;
    training_ = other.training_;
    moved_from_ = std::exchange(other.moved_from_, true);
    prepared_ = std::move(other.prepared_);
    return *this;
}

Tensor Module::operator()(const Tensor& x) {
    const ModuleCall call(*this, x);
    const auto innermost = [] {
        ThreadState* const here = ThreadState::here();
        return here != nullptr ? here->hook.load() : nullptr;
    };
    for (ForwardHook* hook = innermost(); hook != nullptr; hook = hook->outer_) {
        hook->entered(*this, x);
    }
    Tensor y;
    try {
        y = forward(x);
    } catch (const Error& error) {
        if (typeid(error) != typeid(Error)) throw;  // of a class of the user's own
        throw signed_by(*this, error);
    }
    call.check_members();
    for (ForwardHook* hook = innermost(); hook != nullptr; hook = hook->outer_) {
        hook->called(*this, x, y);
    }
    return y;
}

void Module::walk(Visitor& visitor) {
    for (const Walking* w = Walking::innermost; w != nullptr; w = w->outer) {
        check(w->module != this, type(), "::visit: the walk over its children comes back to it: a ",
              "module cannot be in itself");
    }
    const Walking walking(*this);
    Checked checked(*this, visitor);
    visit(checked);
}

std::vector<Parameter> Module::parameters() {
    std::vector<Parameter> all;
    for (const auto& [name, parameter] : named_parameters()) all.push_back(parameter);
    return all;
}

std::vector<std::pair<std::string, Parameter>> Module::named_parameters() {
    return tensors_of<Parameter>(*this, "parameter", Names::first);
}

std::vector<std::pair<std::string, Buffer>> Module::named_buffers() {
    return tensors_of<Buffer>(*this, "buffer", Names::first);
}

std::vector<std::pair<std::string, Rng*>> Module::named_generators() {
    Generators visitor;
    walk(visitor);
    return std::move(visitor.found);
}

StateDict Module::state_dict() {
    StateDict all;
    for (const auto& [name, parameter] : tensors_of<Parameter>(*this, "parameter", Names::all)) {
        all.push_back({name, parameter});
    }
    for (const auto& [name, buffer] : tensors_of<Buffer>(*this, "buffer", Names::all)) {
        all.push_back({name, buffer, buffer.whole});
    }
    return all;
}

std::vector<std::pair<std::string, Module*>> Module::named_children() {
    Children visitor;
    walk(visitor);
    return std::move(visitor.found);
}

std::vector<Module*> Module::modules() { return std::move(All(*this, Order::parents_first).found); }

Module& Module::apply(const std::function<void(Module&)>& f) {
    for (Module* module : All(*this, Order::children_first).found) f(*module);
    return *this;
}

bool Module::training() const {
    ModuleCall::asked_training(*this);
    return training_;
}

void Module::train(Only<bool> on) {
    for (Module* module : modules()) module->training_ = on;
}

std::ostream& operator<<(std::ostream& out, const Module& module) {
    // visit is not const, because a visitor may change what it sees; the one that prints does not.
    auto& changeable = const_cast<Module&>(module);
    changeable.modules();  // throws for a module in itself, which has no end
    print(out, changeable, "");
    return out;
}

ForwardHook::ForwardHook() : thread_(ThreadState::share()), outer_(thread_->hook) {
    thread_->hook = this;
}

ForwardHook::~ForwardHook() {
    // Hooks need not end in the reverse of their order.
    ForwardHook* hook = thread_->hook;
    if (hook == this) {
        thread_->hook = outer_;
        return;
    }
    while (hook->outer_ != this) hook = hook->outer_;
    hook->outer_ = outer_;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
