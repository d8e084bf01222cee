#include "module_call.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "../core/error.h"
#include "../core/tape.h"
#include "../core/thread_state.h"

namespace primer {
namespace {

using Role = Tensor::Impl::Role;

// What a thread remembers of its calls.
struct Calls {
    ModuleCall* innermost = nullptr;  // of those that are recorded
    std::vector<Tensor> used;         // by them
    // The sets of outermost modules, by their ids.
    std::unordered_map<std::uint64_t, std::unordered_set<const void*>> known_of;
};

// Plain variables, as in thread_state.cpp, because the destructors of static objects, which come
// after those of thread-local ones, may still call modules. What they make here stays until the
// process ends.
thread_local constinit Calls* calls = nullptr;
thread_local constinit bool ending = false;

struct Owner {
    ~Owner() {
        // std::exit() in a forward never returns to its call.
        if (calls->innermost == nullptr) delete calls;
        calls = nullptr;
        ending = true;
    }
};

Calls& of_this_thread() {
    if (calls == nullptr) {
        calls = new Calls;
        if (!ending) thread_local Owner owner;
    }
    return *calls;
}

// Everything that a walk reaches.
class Members : public Visitor {
  public:
    explicit Members(Module& module) {
        modules_.insert(&module);
        module.walk(*this);
    }

    void operator()(const std::string&, Parameter& p) override {
        if (!p.defined()) return;
        all.insert(&p.impl());
        optimized = optimized || p.impl().optimizers > 0;
        to_train = to_train || p.requires_grad();
    }
    void operator()(const std::string&, Buffer& b) override {
        if (b.defined()) all.insert(&b.impl());
        changes = true;
    }
    void operator()(const std::string&, Rng&) override { changes = true; }
    void operator()(const std::string&, Module& child) override {
        all.insert(&child);
        if (modules_.insert(&child).second) child.walk(*this);
    }

    std::unordered_set<const void*> all;
    bool optimized = false, to_train = false, changes = false;

  private:
    std::unordered_set<const void*> modules_;
};

// Throws an Error that names the class to correct. Its place names no module, so the modules around
// it prepend nothing.
template <class... Parts>
[[noreturn]] void complain(const std::string& type, const Parts&... parts) {
    TextStream message;
    (message << ... << parts);
    throw Error(Place{.module = nullptr, .path = "", .type = type, .message = message.str()});
}

}  // namespace

ModuleCall::ModuleCall(Module& module, const Tensor& x)
    : module_(module), x_(x), recording_(recording()) {
    if (module.moved_from_) {
        complain("Module",
                 "this module has been moved from: its parameters are in the one that it was moved "
                 "to; call that one");
    }
    if (!recording_) return;
    Calls& here = of_this_thread();
    outer_ = here.innermost;
    if (outer_ != nullptr && !outer_->known().contains(&module)) {
        // A harmless module is not remembered, because by the next call it may have changed.
        const Members members(module);
        const bool to_train = members.to_train && !members.optimized;
        if (to_train || (members.changes && module.training_)) outer_->check_named(module);
    }
    here.innermost = this;
    first_used_ = here.used.size();
    if (outer_ == nullptr) ThreadState::here()->used_members = &here.used;
}

ModuleCall::~ModuleCall() {
    if (!recording_) return;
    Calls& here = of_this_thread();
    here.innermost = outer_;
    here.used.resize(std::min(first_used_, here.used.size()));
    if (outer_ != nullptr) return;
    if (ThreadState* const thread = ThreadState::here()) thread->used_members = nullptr;
}

void ModuleCall::check_named(Module& module) const {
    if (named(&module)) return;
    complain(module_.type(), "its forward calls a ", module.describe(),
             " that its visit does not name, so it is not trained, saved or switched by eval(); "
             "add it to ",
             module_.type(), "::visit: visitor(\"its name\", the member)");
}

void ModuleCall::asked_training(const Module& module) {
    if (calls == nullptr) return;
    ModuleCall* const call = calls->innermost;
    if (call != nullptr && &call->module_ == &module) call->asked_training_ = true;
}

void ModuleCall::check_members() const {
    if (!recording_) return;
    // Catches a module without members that behaves differently in training, such as a user's own
    // dropout.
    if (asked_training_ && outer_ != nullptr && module_.training_) outer_->check_named(module_);
    const std::vector<Tensor>& used = of_this_thread().used;
    for (std::size_t i = first_used_; i < used.size(); ++i) {
        const Tensor& x = used[i];
        if (x.impl().optimizers > 0 || is_input(x) || named(&x.impl())) continue;
        const bool buffer = x.impl().role == Role::buffer;
        complain(module_.type(), "its forward uses a ", buffer ? "Buffer" : "Parameter",
                 " of shape ", x.shape(), " that its visit does not name, so it is not ",
                 buffer ? "saved" : "trained or saved", "; add it to ", module_.type(),
                 "::visit: visitor(\"its name\", the member)");
    }
}

const ModuleCall& ModuleCall::outermost() const {
    const ModuleCall* call = this;
    while (call->outer_ != nullptr) call = call->outer_;
    return *call;
}

ModuleCall::Known& ModuleCall::known() const {
    constexpr std::size_t most = 256;  // a program that keeps making models keeps no more of them
    auto& known_of = of_this_thread().known_of;
    if (known_of.size() >= most) known_of.clear();
    return known_of[outermost().module_.id_];
}

bool ModuleCall::named(const void* what) const {
    Known& known = this->known();
    if (known.contains(what)) return true;
    known.merge(Members(outermost().module_).all);
    return known.contains(what);
}

// For example, an image that is learnt and given to a model whose own parameters stay fixed.
bool ModuleCall::is_input(const Tensor& x) const {
    for (const ModuleCall* call = this; call != nullptr; call = call->outer_) {
        if (call->x_.defined() && &call->x_.impl() == &x.impl()) return true;
    }
    return false;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
