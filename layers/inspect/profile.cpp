#include "profile.h"

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <ostream>
#include <utility>

#include "../../core/error.h"
#include "../../core/op.h"
#include "graph.h"
#include "layer_ops.h"
#include "table.h"

namespace primer {
namespace {

using Kind = GraphNode::Kind;

// --- What an op costs ----------------------------------------------------------------------------

class Costs {
  public:
    // `in_all` are the multiply-adds of the forward with those of ops that are not recorded.
    Costs(const Graph& graph, const GraphNode& node, std::optional<Index> in_all)
        : node_(node), in_all_(in_all) {
        largest_ = node.shape.numel();
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            const GraphNode& from = graph.nodes[static_cast<std::size_t>(node.inputs[i])];
            const bool wanted = from.kind != Kind::constant;
            largest_ = std::max(largest_, from.shape.numel());
            read_ += from.shape.numel();
            if (wanted) written_back_ += from.shape.numel();
            if (wanted && static_cast<int>(i) < node.factors.value_or(0)) ++products_back_;
        }
    }

    PassCost forward() const {
        if (node_.view) return {};
        return {.seconds = 0,
                .operations = operations(in_all_),
                .bytes = static_cast<double>((read_ + node_.shape.numel()) * kEach)};
    }

    PassCost backward() const {
        if (node_.view) return {};
        Index kept = 0;
        for (const GraphKept& k : node_.kept) kept += k.size;
        const Index elements = node_.shape.numel() + written_back_;
        const bool known = node_.factors || in_all_ == 0;
        return {.seconds = 0,
                .operations = known ? operations(products_back_ * node_.multiply_adds.value_or(0))
                                    : operations({}),
                .bytes = static_cast<double>(elements * kEach + kept)};
    }

  private:
    static constexpr Index kEach = sizeof(Real);

    std::optional<double> operations(std::optional<Index> multiply_adds) const {
        if (!multiply_adds) return std::nullopt;
        return static_cast<double>(std::max(2 * *multiply_adds, largest_));
    }

    const GraphNode& node_;
    std::optional<Index> in_all_;
    Index largest_ = 0, read_ = 0, written_back_ = 0;  // elements
    Index products_back_ = 0;                          // gradients that are products
};

// --- What time it takes --------------------------------------------------------------------------

class Clock {
  public:
    double lap() {
        const auto now = std::chrono::steady_clock::now();
        const std::chrono::duration<double> passed = now - last_;
        last_ = now;
        return passed.count();
    }

  private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

struct Times {
    std::vector<double> forward, backward;
};

double median(std::vector<double> times) {
    if (times.empty()) return 0;
    std::ranges::sort(times);
    // An even count has two in the middle; for an odd one they coincide.
    return (times[(times.size() - 1) / 2] + times[times.size() / 2]) / 2;
}

// Adds up the multiply-adds of all ops since the last one that was recorded.
class Sum : public OpHook {
  public:
    void called(const Op& op) override {
        sum_ = sum_ && op.multiply_adds ? std::optional(*sum_ + *op.multiply_adds) : std::nullopt;
    }
    std::optional<Index> take() { return std::exchange(sum_, 0); }

  private:
    std::optional<Index> sum_ = 0;
};

// Times each op's laps of one step after another.
class Stopwatch {
  public:
    // Returns the recorded graph.
    Graph step(Module& model, const std::function<Tensor()>& loss, bool measure) {
        for (Parameter& parameter : model.parameters()) parameter.set_grad({});
        Tape tape;
        Clock clock;
        Sum sum;
        multiply_adds.clear();
        tape.watch([&](Tape::Pass pass, Index op) {
            const double seconds = clock.lap();
            if (pass == Tape::Pass::forward) multiply_adds.push_back(sum.take());
            if (!measure) return;
            if (static_cast<std::size_t>(op) >= ops.size()) ops.resize(ops.size() + 1);
            Times& times = ops[static_cast<std::size_t>(op)];
            (pass == Tape::Pass::forward ? times.forward : times.backward).push_back(seconds);
        });
        const LayerOps layers(model, tape);
        Clock whole;
        clock.lap();
        const Tensor result = loss();
        const double forward = whole.lap();
        Graph graph = graph_of(tape, {}, layers.groups());
        whole.lap();
        clock.lap();
        tape.backward(result);
        if (measure) {
            all.forward.push_back(forward);
            all.backward.push_back(whole.lap());
        }
        return graph;
    }

    std::vector<Times> ops;
    std::vector<std::optional<Index>> multiply_adds;  // of each op's forward, in the last step
    Times all;
};

std::vector<ProfileRow> rows_of_ops(const Graph& graph, const Stopwatch& watch) {
    std::vector<ProfileRow> rows;
    for (const GraphNode& node : graph.nodes) {
        if (node.kind != Kind::op) continue;
        const auto op = static_cast<std::size_t>(node.op);
        const Times& taken = watch.ops[op];
        const int group = group_of(graph, node.op);
        const Costs costs(graph, node, watch.multiply_adds[op]);
        ProfileRow row{.name = "op " + std::to_string(node.op) + ": " + node.name,
                       .layer = group < 0 ? "" : graph.groups[static_cast<std::size_t>(group)].name,
                       .output = node.shape,
                       .calls = std::ssize(taken.forward),
                       .forward = costs.forward(),
                       .backward = taken.backward.empty() ? PassCost() : costs.backward()};
        row.forward.seconds = median(taken.forward);
        row.backward.seconds = median(taken.backward);
        rows.push_back(std::move(row));
    }
    return rows;
}

void add(PassCost& to, const PassCost& cost) {
    to.seconds += cost.seconds;
    if (!cost.operations) to.operations = std::nullopt;
    if (to.operations) *to.operations += *cost.operations;
    to.bytes += cost.bytes;
}

std::vector<ProfileRow> rows_of_layers(const std::vector<ProfileRow>& ops) {
    std::vector<ProfileRow> rows;
    for (const ProfileRow& op : ops) {
        auto row = std::ranges::find(rows, op.layer, &ProfileRow::name);
        if (row == rows.end())
            row = rows.insert(rows.end(), ProfileRow{.name = op.layer,
                                                     .layer = {},
                                                     .output = {},
                                                     .calls = 0,
                                                     .forward = {},
                                                     .backward = {}});
        row->output = op.output;
        row->calls += op.calls;
        add(row->forward, op.forward);
        add(row->backward, op.backward);
    }
    return rows;
}

// --- As tables -----------------------------------------------------------------------------------

std::string fixed(double value, int digits) {
    TextStream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

// A rate in units of 10^9 a second; the clock may not have moved.
std::string rate(std::optional<double> amount, double seconds) {
    if (!amount) return "?";
    return *amount > 0 && seconds > 0 ? fixed(*amount / seconds / 1e9, 1) : "-";
}

void print_rows(std::ostream& out, const char* what, const std::vector<ProfileRow>& rows,
                bool of_ops) {
    std::vector<const ProfileRow*> slowest_first;
    double total = 0;
    for (const ProfileRow& row : rows) {
        slowest_first.push_back(&row);
        total += row.seconds();
    }
    std::ranges::sort(slowest_first, [](const ProfileRow* a, const ProfileRow* b) {
        return a->seconds() != b->seconds() ? a->seconds() > b->seconds() : a < b;
    });
    std::vector<std::vector<std::string>> lines{{what, "Output", "Fwd ms", "Bwd ms", "Share",
                                                 "Fwd GFLOP/s", "Bwd GFLOP/s", "Fwd MB", "Bwd MB",
                                                 "GB/s"}};
    if (of_ops) lines[0].insert(lines[0].begin() + 1, "Layer");
    for (const ProfileRow* each : slowest_first) {
        const ProfileRow& row = *each;
        const PassCost &f = row.forward, &b = row.backward;
        lines.push_back({row.name.empty() ? "(no layer)" : row.name, row.output.str(),
                         fixed(1e3 * f.seconds, 3), fixed(1e3 * b.seconds, 3),
                         fixed(total > 0 ? 100 * row.seconds() / total : 0, 1) + '%',
                         rate(f.operations, f.seconds), rate(b.operations, b.seconds),
                         fixed(f.bytes / 1e6, 2), fixed(b.bytes / 1e6, 2),
                         rate(f.bytes + b.bytes, row.seconds())});
        if (of_ops) {
            auto& line = lines.back();
            line.insert(line.begin() + 1, row.layer.empty() ? "-" : row.layer);
        }
    }
    print_table(out, lines);
}

}  // namespace

Profile profile(Module& model, const std::function<Tensor()>& loss, const ProfileOptions& options) {
    check(options.steps >= 1 && options.warm_up >= 0, "profile: expected at least one step, and a ",
          "warm-up of at least 0, got ", options.steps, " and ", options.warm_up);
    Stopwatch watch;
    Graph graph;
    for (Index i = 0; i < options.warm_up + options.steps; ++i) {
        const std::size_t before = graph.nodes.size();
        graph = watch.step(model, loss, i >= options.warm_up);
        check(i == 0 || graph.nodes.size() == before,
              "profile: expected the same ops in every step, got ", before, " and ",
              graph.nodes.size(), " inputs and ops");
    }
    for (Parameter& parameter : model.parameters()) parameter.set_grad({});
    Profile result;
    result.steps = options.steps;
    result.ops = rows_of_ops(graph, watch);
    result.layers = rows_of_layers(result.ops);
    result.forward_seconds = median(watch.all.forward);
    result.backward_seconds = median(watch.all.backward);
    return result;
}

std::ostream& operator<<(std::ostream& out, const Profile& profile) {
    print_rows(out, "Op", profile.ops, true);
    out << '\n';
    print_rows(out, "Layer", profile.layers, false);
    return out << "\nA step: forward " << fixed(1e3 * profile.forward_seconds, 3)
               << " ms, backward " << fixed(1e3 * profile.backward_seconds, 3) << " ms; medians of "
               << profile.steps << " steps.\n";
}

}  // namespace primer
// SPDX-License-Identifier: MIT
