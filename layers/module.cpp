#include "primer/layers/module.h"

#include <ostream>
#include <unordered_set>

#include "primer/core/error.h"

namespace primer {
namespace {

// Goes through a module and all in it. Those that derive from it pick what they want, by its name
// from the outermost module on.
class Walk : public Visitor {
  public:
    using Visitor::operator();

    void operator()(const std::string& name, Module& child) override {
        const std::string outer = prefix_;
        prefix_ += name + '.';
        child.visit(*this);
        prefix_ = outer;
    }

  protected:
    std::string full(const std::string& name) const { return prefix_ + name; }
    // Whether it comes for the first time: layers may share it.
    bool is_new(const void* what) { return seen_.insert(what).second; }

  private:
    std::string prefix_;
    std::unordered_set<const void*> seen_;
};

// For T = Parameter or Buffer, `kind` in words.
template <class T>
class Tensors : public Walk {
  public:
    using Walk::operator();
    explicit Tensors(const char* kind) : kind_(kind) {}

    void operator()(const std::string& name, T& tensor) override {
        check(tensor.defined(), "Module: the ", kind_, ' ', full(name),
              " is undefined; visit it only if it is there");
        if (is_new(&tensor.impl())) found.emplace_back(full(name), tensor);
    }

    std::vector<std::pair<std::string, T>> found;

  private:
    const char* kind_;
};

class Generators : public Walk {
  public:
    using Walk::operator();

    void operator()(const std::string& name, Rng& generator) override {
        if (is_new(&generator)) found.emplace_back(full(name), &generator);
    }

    std::vector<std::pair<std::string, Rng*>> found;
};

class Children : public Visitor {
  public:
    using Visitor::operator();

    void operator()(const std::string& name, Module& child) override {
        found.emplace_back(name, &child);
    }

    std::vector<std::pair<std::string, Module*>> found;
};

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

Tensor Module::operator()(const Tensor& x) {
    for (ForwardHook* hook = ForwardHook::innermost; hook != nullptr; hook = hook->outer_) {
        hook->entered(*this, x);
    }
    Tensor y = forward(x);
    for (ForwardHook* hook = ForwardHook::innermost; hook != nullptr; hook = hook->outer_) {
        hook->called(*this, x, y);
    }
    return y;
}

std::vector<Parameter> Module::parameters() {
    std::vector<Parameter> all;
    for (const auto& [name, parameter] : named_parameters()) all.push_back(parameter);
    return all;
}

std::vector<std::pair<std::string, Parameter>> Module::named_parameters() {
    Tensors<Parameter> visitor("parameter");
    visit(visitor);
    return std::move(visitor.found);
}

std::vector<std::pair<std::string, Buffer>> Module::named_buffers() {
    Tensors<Buffer> visitor("buffer");
    visit(visitor);
    return std::move(visitor.found);
}

std::vector<std::pair<std::string, Rng*>> Module::named_generators() {
    Generators visitor;
    visit(visitor);
    return std::move(visitor.found);
}

StateDict Module::state_dict() {
    StateDict all;
    for (const auto& [name, parameter] : named_parameters()) all.push_back({name, parameter});
    for (const auto& [name, buffer] : named_buffers()) all.push_back({name, buffer, buffer.whole});
    return all;
}

std::vector<std::pair<std::string, Module*>> Module::named_children() {
    Children visitor;
    visit(visitor);
    return std::move(visitor.found);
}

void Module::train(bool on) {
    training_ = on;
    for (const auto& [name, child] : named_children()) child->train(on);
}

std::ostream& operator<<(std::ostream& out, const Module& module) {
    // visit is not const, for a visitor may change what it sees; the one that prints does not.
    print(out, const_cast<Module&>(module), "");
    return out;
}

thread_local ForwardHook* ForwardHook::innermost = nullptr;

ForwardHook::ForwardHook() : outer_(innermost) { innermost = this; }

ForwardHook::~ForwardHook() {
    ForwardHook** link = &innermost;  // hooks need not end in the reverse of their order
    while (*link != this) link = &(*link)->outer_;
    *link = outer_;
}

}  // namespace primer
