#include "primer/core/tape.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "primer/core/error.h"
#include "primer/core/kernels/elementwise.h"
#include "primer/core/kernels/reduce.h"

namespace primer {

thread_local Tape* Tape::current = nullptr;
thread_local int NoGrad::depth = 0;

namespace {

std::atomic<std::uint64_t> tapes_made{0};
thread_local const char* op_in_backward = "backward";
thread_local std::vector<Kept>* captures = nullptr;  // where copies tell of themselves

// The sum of g over the dimensions along which `shape` was broadcast to g's shape: if y[i, j] =
// x[j], then dL/dx[j] is the sum over i of dL/dy[i, j], because x[j] acts through each of them.
Tensor undo_broadcast(const Tensor& g, const Shape& shape) {
    check(broadcast(g.shape(), shape, op_in_backward) == g.shape(), op_in_backward,
          ": backward has a gradient of shape ", g.shape(), " for an input of shape ", shape);
    Tensor sum = zeros(shape);
    kernels::sum_to(g.shape(), g.data(), shape, sum.mutable_data());
    return sum;
}

// Whether nobody else can see the values of this gradient: an op may pass the same dy on to several
// of its inputs, or a view of it.
bool alone(const Tensor& grad) {
    return grad.handle().use_count() == 1 && grad.impl().storage.use_count() == 1;
}

void accumulate(Tensor& a, const Tensor& b) {
    Tensor sum = alone(a) ? a : empty(a.shape());
    kernels::add(a.numel(), a.data(), b.data(), sum.mutable_data("backward"));
    a = sum;
}

// Makes sure that what `tape` has recorded of a tensor is what made its values.
void check_past(const char* op, const Tensor::Impl& x, std::uint64_t tape) {
    check(x.tape == tape, op, ": a tensor of shape ", x.shape,
          " was computed while another Tape was recording, so its past is not on this one; use "
          "detach() to take its values as constants");
    check(x.version == x.storage->version(), op, ": a tensor of shape ", x.shape,
          " has been changed in place by ", x.storage->writer(),
          " through another tensor that shares its memory, so its recorded past is not what made "
          "it; use the changed tensor, or change a clone()");
}

// Whether a write to x's memory would change a leaf whose gradient is wanted.
bool on_leaf(const Tensor::Impl& x) { return x.requires_grad && (x.leaf || x.of_leaf); }

}  // namespace

Tape::Tape() : id_(++tapes_made) {
    check(current == nullptr,
          "Tape: this thread has a Tape that is still recording; call its backward() or end its "
          "scope first");
    current = this;
}

Tape::~Tape() {
    if (current == this) current = nullptr;
}

NoGrad::NoGrad() { ++depth; }

NoGrad::~NoGrad() { --depth; }

bool recording() { return Tape::current != nullptr && NoGrad::depth == 0; }

std::uint64_t recording_tape() { return Tape::current != nullptr ? Tape::current->id_ : 0; }

// The node of an input, or -1 if its gradient is not wanted. A leaf gets its node at first use.
int Tape::node_of(const char* op, const Tensor& input) {
    Tensor::Impl& impl = input.impl();
    if (!impl.requires_grad) return -1;
    if (!impl.leaf || impl.tape == id_) {
        check_past(op, impl, id_);
        return impl.node;
    }
    impl.tape = id_;
    impl.version = impl.storage->version();
    impl.node = static_cast<int>(nodes_.size());
    nodes_.push_back({.op = "leaf",
                      .backward = {},
                      .leaf = input,
                      .shape = impl.shape,
                      .grad = {},
                      .first_input = 0,
                      .input_count = 0});
    return impl.node;
}

Tensor record(const char* op, Tensor y, std::span<const Tensor> inputs, Backward backward) {
    if (!recording() || std::ranges::none_of(inputs, &Tensor::requires_grad)) return y;

    Tape* const tape = Tape::current;
    const std::size_t first = tape->inputs_.size();
    for (const Tensor& input : inputs) {
        const int node = tape->node_of(op, input);
        tape->inputs_.push_back(
            {.node = node, .tensor = &input.impl(), .shape = node < 0 ? input.shape() : Shape()});
    }
    Tensor::Impl& impl = y.impl();
    impl.of_leaf = std::ranges::any_of(inputs, [&](const Tensor& x) {
        return x.impl().storage == impl.storage && on_leaf(x.impl());
    });
    impl.requires_grad = true;
    impl.leaf = false;
    impl.version = impl.storage->version();
    impl.tape = tape->id_;
    impl.node = static_cast<int>(tape->nodes_.size());
    tape->nodes_.push_back({.op = op,
                            .backward = std::move(backward),
                            .leaf = {},
                            .shape = y.shape(),
                            .grad = {},
                            .first_input = first,
                            .input_count = inputs.size()});
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
    check(loss.requires_grad() && loss.impl().tape == id_, "backward: the loss of shape ",
          loss.shape(),
          " is not on this Tape: it was computed before the Tape was made, under NoGrad, or from "
          "tensors of which none asks for a gradient");
    check_past("backward", loss.impl(), id_);

    recording_ = false;
    if (current == this) current = nullptr;
    const NoGrad closures_are_not_recorded;
    nodes_[static_cast<std::size_t>(loss.impl().node)].grad = ones(loss.shape());
    // Each node is left as soon as it has run, so its captures and its gradient go back to the
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
        Tensor grad = node.leaf.grad();
        node.leaf.set_grad({});  // so that `grad` is alone and can be added to in place
        if (grad.defined()) {
            accumulate(grad, node.grad);
        } else {
            grad = alone(node.grad) ? node.grad : node.grad.clone();
        }
        node.leaf.set_grad(grad);
        return;
    }
    op_in_backward = node.op;
    std::vector<Grad> grads;
    grads.reserve(node.input_count);
    for (std::size_t i = 0; i < node.input_count; ++i) {
        grads.push_back(Grad(*this, inputs_[node.first_input + i].node));
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

const Tensor& Saved::get() const {
    const Storage& storage = *tensor_.impl().storage;
    check(storage.version() == version_, op_in_backward, ": backward needs a value of shape ",
          tensor_.shape(), " that ", storage.writer(),
          " has changed in place since; call backward() before that, or change a clone()");
    return tensor_;
}

Saved::Saved(const Saved& other) : tensor_(other.tensor_), version_(other.version_) {
    if (!tensor_.defined()) return;
    const Storage& storage = *tensor_.impl().storage;
    tell_captured({&storage, storage.size() * Index{sizeof(Real)}, tensor_});
}

SavedBytes::SavedBytes(Index count) {
    constexpr Index each = sizeof(Real);
    memory_ = std::make_shared<Storage>((count + each - 1) / each);
}

SavedBytes::SavedBytes(const SavedBytes& other) : memory_(other.memory_) {
    tell_captured({memory_.get(), memory_->size() * Index{sizeof(Real)}, {}});
}

std::uint8_t* SavedBytes::data() const { return reinterpret_cast<std::uint8_t*>(memory_->data()); }

void tell_captured(const Kept& kept) {
    if (captures != nullptr) captures->push_back(kept);
}

std::vector<Kept> captures_of(const Backward& backward) {
    std::vector<Kept> found;
    struct Listening {
        explicit Listening(std::vector<Kept>& list) { captures = &list; }
        ~Listening() { captures = nullptr; }
    };
    const Listening listening(found);
    const Backward copy = backward;
    return found;
}

Real* overwrite(const char* op, const Tensor& x) {
    Tensor::Impl& impl = x.impl();
    check(!recording() || !on_leaf(impl), op, impl.leaf ? ": a leaf" : ": a view", " of shape ",
          impl.shape, impl.leaf ? "" : " of a leaf",
          " that asks for its gradient can not be changed in place while a Tape is recording; use "
          "the form of the op that returns a new tensor");
    check(recording() || impl.leaf || impl.tape != recording_tape(), op, ": a tensor of shape ",
          impl.shape,
          " that the running Tape has recorded can not be changed in place under NoGrad, for its "
          "gradient would be wrong; change a clone()");
    if (recording() && !impl.leaf) check_past(op, impl, recording_tape());
    impl.storage->written_by(op);
    impl.version = impl.storage->version();
    return impl.data;
}

}  // namespace primer
