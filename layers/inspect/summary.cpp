#include "summary.h"

#include <iomanip>
#include <ostream>
#include <unordered_map>
#include <unordered_set>

#include "../../core/creation.h"
#include "../../core/op.h"
#include "../../core/tape.h"
#include "../../core/text.h"
#include "../eval_mode.h"
#include "table.h"

namespace primer {
namespace {

struct Calls {
    std::optional<Shape> output;  // of the last one
    Index multiply_adds = 0, output_bytes = 0;
    bool unknown_cost = false;
};

// Counts each op for the innermost module of the model that is being called.
class Watcher : public ForwardHook, public OpHook {
  public:
    explicit Watcher(Module& model) {
        for (const Module* module : model.modules()) of[module];
    }

    void entered(Module& module, const Tensor&) override {
        if (of.contains(&module)) open_.push_back(&module);
    }

    void called(const Op& op) override {
        if (open_.empty()) return;  // another hook's
        Calls& calls = of[open_.back()];
        calls.multiply_adds += op.multiply_adds.value_or(0);
        if (!op.multiply_adds) calls.unknown_cost = true;
    }

    void called(Module& module, const Tensor&, const Tensor& y) override {
        if (!of.contains(&module)) return;
        while (open_.back() != &module) open_.pop_back();  // calls that threw
        open_.pop_back();
        Calls& calls = of[&module];
        calls.output = y.shape();
        if (module.named_children().empty()) calls.output_bytes += y.numel() * Index{sizeof(Real)};
    }

    std::unordered_map<const Module*, Calls> of;

  private:
    std::vector<const Module*> open_;  // whose calls have not returned
};

// Walks the model and writes a row for each module, the outer before the inner.
class Rows : public Visitor {
  public:
    explicit Rows(const Watcher& watcher) : watcher_(watcher) {}

    using Visitor::operator();

    void operator()(const std::string& name, Module& module) override {
        SummaryRow row;
        row.depth = depth_;
        row.name = name;
        row.type = module.type();
        count(watcher_.of.at(&module), !module.parameters().empty(), row);
        const std::size_t outer = current_;
        current_ = result.rows.size();
        result.rows.push_back(std::move(row));
        ++depth_;
        module.walk(*this);
        --depth_;
        current_ = outer;
    }

    void operator()(const std::string&, Parameter& parameter) override {
        if (!seen_.insert(&parameter.impl()).second) return;
        result.rows[current_].parameters += parameter.numel();
        result.parameters += parameter.numel();
        if (parameter.requires_grad()) result.trainable += parameter.numel();
    }

    Summary result;

  private:
    void count(const Calls& calls, bool has_parameters, SummaryRow& row) {
        row.output = calls.output;
        row.multiply_adds = calls.multiply_adds;
        row.unknown_cost = calls.unknown_cost;
        row.output_bytes = calls.output_bytes;
        if (!counted_.insert(&calls).second) return;  // a module that stands in two places
        result.multiply_adds += calls.multiply_adds;
        result.unknown_cost = result.unknown_cost || calls.unknown_cost;
        if (has_parameters) result.forward_backward_bytes += 2 * calls.output_bytes;
    }

    const Watcher& watcher_;
    int depth_ = 0;
    std::size_t current_ = 0;                  // the row of the module that is being visited
    std::unordered_set<const void*> seen_;     // parameters
    std::unordered_set<const void*> counted_;  // calls of modules
};

std::string with_commas(Index n) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

// What is known of them is in the total.
std::string multiply_adds(const SummaryRow& row) {
    if (row.unknown_cost) return "?";
    return row.multiply_adds > 0 ? with_commas(row.multiply_adds) : "-";
}

std::string megabytes(Index bytes) {
    TextStream text;
    text << std::fixed << std::setprecision(2) << static_cast<double>(bytes) / 1e6 << " MB";
    return text.str();
}

}  // namespace

Summary summary(Module& model, const Shape& input_shape) {
    const NoGrad unrecorded;
    const EvalMode eval(model);
    const Tensor x = zeros(input_shape);
    Watcher watcher(model);
    model(x);
    Rows rows(watcher);
    rows("", model);
    rows.result.input_bytes = input_shape.numel() * Index{sizeof(Real)};
    return std::move(rows.result);
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) {
    std::vector<std::vector<std::string>> lines{
        {"Layer (type)", "Output shape", "Parameters", "Multiply-adds"}};
    for (const SummaryRow& row : summary.rows) {
        const std::string indent(static_cast<std::size_t>(2 * row.depth), ' ');
        lines.push_back(
            {indent + layer_name(row.name, row.type), row.output ? row.output->str() : "not called",
             row.parameters > 0 ? with_commas(row.parameters) : "-", multiply_adds(row)});
    }
    const std::string rule = print_table(out, lines);
    return out << rule << "\nParameters: " << with_commas(summary.parameters) << " ("
               << with_commas(summary.trainable)
               << " trainable)\nMultiply-adds: " << with_commas(summary.multiply_adds)
               << (summary.unknown_cost ? " and more: those marked with ? are not known" : "")
               << "\nMemory: input " << megabytes(summary.input_bytes) << ", forward and backward "
               << megabytes(summary.forward_backward_bytes) << ", parameters "
               << megabytes(summary.parameter_bytes()) << ", in all "
               << megabytes(summary.total_bytes()) << '\n';
}

}  // namespace primer
// SPDX-License-Identifier: MIT
