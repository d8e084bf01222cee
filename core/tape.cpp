#include "tape.h"

#include <algorithm>
#include <atomic>

#include "creation.h"
#include "error.h"
#include "internal.h"
#include "kernels/elementwise.h"
#include "kernels/reduce.h"
#include "thread_state.h"

namespace primer {

namespace {

std::atomic<std::uint64_t> tapes_made{0};

// The sum of g over the dimensions along which `shape` was broadcast to g's shape: if y[i, j] =
// x[j], then dL/dx[j] is the sum over i of dL/dy[i, j], because x[j] acts through each of them.
Tensor undo_broadcast(const Tensor& g, const Shape& shape) {
    check(broadcast(g.shape(), shape, internal::op_in_backward) == g.shape(),
          internal::op_in_backward, ": backward has a gradient of shape ", g.shape(),
          " for an input of shape ", shape);
    Tensor sum = zeros(shape);
    kernels::sum_to(g.shape(), g.data(), shape, sum.mutable_data());
    return sum;
}

// Whether nothing else shares this gradient's memory, so it can be changed in place. An op may pass
// the same dy, or a view of it, to several of its inputs.
bool sole_owner(const Tensor& grad) {
    return grad.handle().use_count() == 1 && grad.impl().storage.use_count() == 1;
}

void accumulate(Tensor& a, const Tensor& b) {
    Tensor sum = sole_owner(a) ? a : empty(a.shape());
    kernels::add(a.numel(), a.data(), b.data(), sum.mutable_data("backward"));
    a = sum;
}

void check_unchanged(const char* op, const Tensor::Impl& x, Index version) {
    check(version == x.storage->version(), op, ": a tensor of shape ", x.shape,
          " has been changed in place by ", x.storage->writer(),
          " through another tensor that shares its memory, so its recorded past is not what made "
          "it; use the changed tensor, or change a clone()");
}

// Other threads may be adding to the same leaf.
void add_to_leaf(const Tensor& leaf, const Tensor& dx) {
    const std::lock_guard lock(internal::grad_mutex(leaf));
    std::shared_ptr<Tensor::Impl>& kept = leaf.impl().grad;
    if (kept == nullptr) {
        kept = (sole_owner(dx) ? dx : dx.clone()).handle();
        return;
    }
    const bool holds_last_step =
        kept->used_before || kept->used_version == kept->storage->version();
    Tensor grad(std::move(kept));  // so that it is the sole owner and can be added to in place
    accumulate(grad, dx);
    kept = grad.handle();
    kept->used_before = holds_last_step;
}

// Checks that the ops recorded on `tape` still describe how x's values were computed.
void check_past(const char* op, const Tensor::Impl& x, std::uint64_t tape) {
    check(x.tape == tape, op, ": a tensor of shape ", x.shape,
          " was computed while another Tape was recording, so its past is not on this one; use "
          "detach() to take its values as constants");
    check_unchanged(op, x, x.version);
}

// Whether a write to x's memory would change a leaf whose gradient is wanted.
bool on_leaf(const Tensor::Impl& x) { return x.requires_grad && (x.is_leaf || x.of_leaf); }

}  // namespace

Tape::Tape() : thread_(ThreadState::share()), id_(++tapes_made) {
    check(thread_->tape == nullptr,
          "Tape: this thread has a Tape that is still recording; call its backward() or end its "
          "scope first");
    thread_->tape = this;
}

Tape::~Tape() { stop_recording(); }

void Tape::stop_recording() {
    recording_ = false;
    if (thread_->tape == this) thread_->tape = nullptr;
}

NoGrad::NoGrad() : thread_(ThreadState::share()) { ++thread_->no_grad; }

NoGrad::~NoGrad() { --thread_->no_grad; }

bool recording() {
    const ThreadState* const here = ThreadState::here();
    return here != nullptr && here->tape != nullptr && here->no_grad == 0;
}

std::uint64_t recording_tape() {
    const ThreadState* const here = ThreadState::here();
    const Tape* const tape = here != nullptr ? here->tape.load() : nullptr;
    return tape != nullptr ? tape->id_ : 0;
}

// The node of an input, or -1 if its gradient is not wanted. A leaf gets its node at first use.
int Tape::node_of(const char* op, const Tensor& input) {
    if (!input.defined()) return -1;
    const Tensor::Impl& impl = input.impl();
    if (!impl.requires_grad) {
        if (impl.role == Tensor::Impl::Role::buffer) note_use(input);
        return -1;
    }
    if (!impl.is_leaf) {
        check_past(op, impl, id_);
        return impl.node;
    }
    const auto [known, is_new] = leaves_.try_emplace(
        &impl, LeafUse{static_cast<int>(nodes_.size()), impl.storage->version()});
    const LeafUse use = known->second;
    if (!is_new) {
        check_unchanged(op, impl, use.version);
        return use.node;
    }
    nodes_.push_back({.op = "leaf", .shape = impl.shape, .leaf = input});
    if (impl.role == Tensor::Impl::Role::parameter && impl.optimizers == 0) note_use(input);
    return use.node;
}

// Reports the use of a parameter or buffer to the module whose forward is running.
void Tape::note_use(const Tensor& member) const {
    if (thread_->used_members != nullptr) thread_->used_members->push_back(member);
}

int Tape::find(const Tensor& x) const {
    const Tensor::Impl& impl = x.impl();
    if (!impl.is_leaf) return impl.tape == id_ ? impl.node : -1;
    const auto found = leaves_.find(&impl);
    return found == leaves_.end() ? -1 : found->second.node;
}

Tensor record(const Op& op, Tensor y, std::span<const Tensor> inputs, Backward backward) {
    OpHook::tell(op);
    if (!recording() || std::ranges::none_of(inputs, internal::wants_grad)) return y;
    Tensor::Impl& impl = y.impl();
    check(!impl.is_leaf || !impl.requires_grad, op.name, ": the output, of shape ", impl.shape,
          ", is a leaf that asks for its gradient, such as a parameter; return a new tensor");

    Tape* const tape = ThreadState::here()->tape;
    const std::size_t first = tape->inputs_.size();
    bool view = false, of_leaf = false;
    for (const Tensor& input : inputs) {
        const int node = tape->node_of(op.name, input);
        tape->inputs_.push_back({.node = node,
                                 .tensor = input.handle().get(),
                                 .shape = input.defined() ? input.shape() : Shape()});
        const bool shares_memory = input.defined() && input.impl().storage == impl.storage;
        view = view || (shares_memory && &input.impl() != &impl);
        of_leaf = of_leaf || (shares_memory && on_leaf(input.impl()));
    }
    impl.of_leaf = of_leaf;
    impl.requires_grad = true;
    impl.is_leaf = false;
    impl.version = impl.storage->version();
    impl.tape = tape->id_;
    impl.node = static_cast<int>(tape->nodes_.size());
    tape->nodes_.push_back({.op = op,
                            .shape = impl.shape,
                            .backward = std::move(backward),
                            .first_input = first,
                            .input_count = inputs.size(),
                            .view = view});
    if (tape->watcher_) tape->watcher_(Tape::Pass::forward, tape->ops_);
    ++tape->ops_;
    return y;
}

void Tape::backward(const Tensor& loss) {
    check(recording_,
          "backward: this Tape is spent: each Tape runs backward once; make a new one "
          "for each step");
    check(loss.numel() == 1, "backward: expected a loss of one element, got shape ", loss.shape(),
          "; did you forget mean() or sum()?");
    check(thread_.get() == ThreadState::here(),
          "backward: this Tape was made on another thread; a Tape belongs to the thread that made "
          "it, so call backward() there");
    const int last = loss.requires_grad() ? find(loss) : -1;
    check(last >= 0, "backward: the loss of shape ", loss.shape(),
          " is not on this Tape: it was computed before the Tape was made, under NoGrad, or from "
          "tensors none of which requires a gradient");
    check_unchanged("backward", loss.impl(),
                    loss.impl().is_leaf ? leaves_.at(&loss.impl()).version : loss.impl().version);

    stop_recording();
    const NoGrad closures_are_not_recorded;
    nodes_[static_cast<std::size_t>(last)].grad = ones(loss.shape());
    // Each node is released as soon as it has run, so its captures and its gradient go back to the
    // cache just when the nodes before it need memory for theirs.
    Index op = ops_;
    while (!nodes_.empty()) {
        Node node = std::move(nodes_.back());
        nodes_.pop_back();
        if (!node.leaf.defined()) --op;
        if (!node.grad.defined()) continue;
        run(node);
        if (watcher_ && !node.leaf.defined()) watcher_(Pass::backward, op);
    }
}

void Tape::run(Node& node) {
    if (node.leaf.defined()) {
        add_to_leaf(node.leaf, node.grad);
        return;
    }
    internal::op_in_backward = node.op.name;
    std::vector<Grad> grads;
    grads.reserve(node.input_count);
    for (const Input& input : std::span(inputs_).subspan(node.first_input, node.input_count)) {
        grads.push_back(Grad(*this, input.node));
    }
    node.backward(node.grad, grads);
}

void Grad::add(const Tensor& dx) {
    if (!wanted()) return;
    Tape::Node& node = tape_->nodes_[static_cast<std::size_t>(node_)];
    const Tensor g = dx.shape() == node.shape ? dx : undo_broadcast(dx, node.shape);
    if (node.grad.defined()) {
        accumulate(node.grad, g);
    } else {
        node.grad = g;
    }
}

Real* Grad::accumulated() {
    if (!wanted()) return nullptr;
    Tape::Node& node = tape_->nodes_[static_cast<std::size_t>(node_)];
    if (!node.grad.defined()) node.grad = zeros(node.shape);
    if (!sole_owner(node.grad)) node.grad = node.grad.clone();
    return node.grad.mutable_data("backward");
}

Real* begin_overwrite(const char* op, const Tensor& x) {
    Tensor::Impl& impl = x.impl();
    check(!recording() || !on_leaf(impl), op, impl.is_leaf ? ": a leaf" : ": a view", " of shape ",
          impl.shape, impl.is_leaf ? "" : " of a leaf",
          " that asks for its gradient cannot be changed in place while a Tape is recording; use "
          "the form of the op that returns a new tensor");
    check(recording() || impl.is_leaf || impl.tape != recording_tape(), op, ": a tensor of shape ",
          impl.shape,
          " that the running Tape has recorded cannot be changed in place under NoGrad: its "
          "gradient would be wrong; change a clone()");
    if (recording() && !impl.is_leaf) check_past(op, impl, recording_tape());
    impl.storage->written_by(op);
    impl.version = impl.storage->version();
    return impl.data;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
