#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "op.h"
#include "saved.h"
#include "tensor.h"

namespace primer {

class Tape;

/// Where a backward leaves the gradient of one input of its op.
class Grad {
  public:
    /// Whether this gradient is wanted. If not, there is no need to compute it.
    bool wanted() const { return node_ >= 0; }
    /// Adds `dx`, which has the input's shape or one it was broadcast to; in that case the tape
    /// sums over the broadcast dimensions. Does nothing for a gradient that is not wanted.
    void add(const Tensor& dx);
    /// The gradient accumulated so far, for writing, in the input's shape. It serves an op that
    /// adds to only part of it, such as slice: add() would need a full tensor of zeros for each
    /// slice. Null for a gradient that is not wanted.
    Real* accumulated();

  private:
    friend class Tape;
    Grad(Tape& tape, int node) : tape_(&tape), node_(node) {}
    Tape* tape_;
    int node_;  // -1: not wanted
};

/// Records the ops of the thread that made it, from its construction until backward() or its
/// destruction, and runs them backwards. There is at most one recording Tape per thread.
///
/// Several threads may each have a Tape and share leaves, and their gradients add up in x.grad(),
/// in no fixed order. Each thread records on its own Tape, and backward() throws Error on any
/// thread but the one that made the Tape; a Tape may end on any thread.
///
/// This is reverse-mode differentiation over a list. Each op that has an input whose gradient is
/// wanted appends one node: its inputs' nodes and a closure that turns dL/dy into dL/dx. Since an
/// op can only use what exists already, the list is in topological order, and backward is one loop
/// from its end, without a graph search and without recursion, however deep the network is.
class Tape {
  public:
    /// Throws Error if this thread has a recording Tape already.
    [[nodiscard("it lives only as long as its name: write Tape tape;")]] Tape();
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// Adds dloss/dx to x.grad() for every leaf x that requires a gradient and contributed to
    /// `loss`. The tape is then spent: it has stopped recording, and its memory is released. Throws
    /// Error if `loss` has more than one element or is not on this tape, or if the tape is spent;
    /// and if `loss`, or a value that some op's backward needs, has been changed in place.
    void backward(const Tensor& loss);

    /// How many ops have been recorded.
    Index size() const { return ops_; }

    /// Which of an op's two passes watch() reports.
    enum class Pass { forward, backward };
    /// From now on calls f(pass, i) after op i, counted from 0, is recorded and after its backward
    /// has run. For timing.
    void watch(std::function<void(Pass pass, Index op)> f) { watcher_ = std::move(f); }

  private:
    friend class Grad;
    friend class GraphReader;
    friend std::uint64_t recording_tape();
    friend Tensor record(const Op& op, Tensor y, std::span<const Tensor> inputs, Backward backward);

    struct Node {
        Op op;
        Shape shape;                  // of the output (or leaf)
        Tensor leaf = {};             // the leaf itself; undefined for an op's output
        Backward backward = {};       // empty for a leaf
        std::size_t first_input = 0;  // its inputs are inputs_[first_input, ...)
        std::size_t input_count = 0;
        bool view = false;  // the output lies in the memory of an input
        Tensor grad = {};   // of the output, accumulated so far
    };
    struct Input {
        int node;                    // -1: its gradient is not wanted
        const Tensor::Impl* tensor;  // identifies it, and may be gone; null if it was undefined
        Shape shape;
    };

    struct LeafUse {
        int node;
        Index version;  // of the leaf's storage at its first use
    };

    int node_of(const char* op, const Tensor& input);
    void note_use(const Tensor& member) const;
    int find(const Tensor& x) const;  // its node, or -1 for a tensor that is not on this tape
    void run(Node& node);
    void stop_recording();

    std::shared_ptr<ThreadState> thread_;  // of the thread that made it
    std::uint64_t id_;
    bool recording_ = true;
    Index ops_ = 0;
    std::vector<Node> nodes_;
    std::vector<Input> inputs_;
    // Not kept in the leaves, because a leaf may be on the tapes of several threads.
    std::unordered_map<const Tensor::Impl*, LeafUse> leaves_;
    std::function<void(Pass, Index)> watcher_;
};

/// While it exists, its thread records nothing. Use it to evaluate in the middle of a training
/// step. (Without a Tape nothing is recorded anyway.)
class NoGrad {
  public:
    [[nodiscard("it lives only as long as its name: write NoGrad guard;")]] NoGrad();
    ~NoGrad();
    NoGrad(const NoGrad&) = delete;
    NoGrad& operator=(const NoGrad&) = delete;

  private:
    std::shared_ptr<ThreadState> thread_;
};

/// Whether ops called now, on this thread, are recorded.
bool recording();

/// The id of this thread's recording tape, even under NoGrad; 0 if there is none.
std::uint64_t recording_tape();

/// Called by every differentiable op as its last act. If a tape is recording and some input wants a
/// gradient, appends the op to it and marks `y`, the output, as wanting one. Returns y.
///
/// An input may be undefined, such as an omitted bias. Its place in the op's backward then holds a
/// Grad that is not wanted. Op explains the costs in `op`. Throws Error for a `y` that is a leaf
/// and requires a gradient, since it would no longer be a leaf; for an input that was recorded on
/// another tape, since this one does not know its past; and for an input whose values have been
/// changed in place through another tensor that shares its memory, since its past no longer
/// describes them.
Tensor record(const Op& op, Tensor y, std::span<const Tensor> inputs, Backward backward);
inline Tensor record(const Op& op, Tensor y, std::initializer_list<Tensor> inputs,
                     Backward backward) {
    return record(op, std::move(y), std::span(inputs.begin(), inputs.size()), std::move(backward));
}

/// Called by an op that is about to write its result over its input x: marks x as changed by `op`
/// and returns the memory to write to. Such an op is recorded with x as both input and output, and
/// every handle to x then holds the result. Throws Error, before anything is written, for a leaf
/// whose gradient a recording tape would want, or a view of one, since it would no longer be the
/// leaf; for whatever record() would refuse; and, under NoGrad, for a tensor that the tape has
/// recorded, since the tape would not see the change.
Real* begin_overwrite(const char* op, const Tensor& x);

}  // namespace primer
// SPDX-License-Identifier: MIT
