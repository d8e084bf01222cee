#include "primer/layers/summary.h"

#include <iomanip>
#include <ostream>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "primer/core/tape.h"
#include "primer/layers/table.h"

namespace primer {
namespace {

class OutputShapes : public ForwardHook {
  public:
    void called(Module& module, const Tensor&, const Tensor& y) override {
        of[&module] = y.shape();
    }

    std::unordered_map<const Module*, Shape> of;
};

class EvalMode {
  public:
    explicit EvalMode(Module& model) {
        remember(model);
        model.eval();
    }
    ~EvalMode() {
        // train() reaches into the module, so the outer ones come first and the inner ones last.
        for (const auto& [module, training] : modes_) module->train(training);
    }
    EvalMode(const EvalMode&) = delete;
    EvalMode& operator=(const EvalMode&) = delete;

  private:
    void remember(Module& module) {
        modes_.emplace_back(&module, module.training());
        for (const auto& [name, child] : module.named_children()) remember(*child);
    }

    std::vector<std::pair<Module*, bool>> modes_;
};

// Walks the model and writes a row for each module, the outer before the inner.
class Rows : public Visitor {
  public:
    explicit Rows(const OutputShapes& shapes) : shapes_(shapes) {}

    using Visitor::operator();

    void operator()(const std::string& name, Module& module) override {
        SummaryRow row{
            .depth = depth_, .name = name, .type = module.type(), .output = {}, .parameters = 0};
        if (const auto y = shapes_.of.find(&module); y != shapes_.of.end()) row.output = y->second;

        const std::size_t outer = current_;
        current_ = result.rows.size();
        result.rows.push_back(std::move(row));
        ++depth_;
        module.visit(*this);
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
    const OutputShapes& shapes_;
    int depth_ = 0;
    std::size_t current_ = 0;  // the row of the module that is being visited
    std::unordered_set<const void*> seen_;
};

std::string with_commas(Index n) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
    return digits;
}

}  // namespace

Summary summary(Module& model, const Shape& input_shape) {
    const NoGrad unrecorded;
    const EvalMode eval(model);
    OutputShapes shapes;
    model(zeros(input_shape));
    Rows rows(shapes);
    rows("", model);
    return std::move(rows.result);
}

std::ostream& operator<<(std::ostream& out, const Summary& summary) {
    std::vector<std::vector<std::string>> lines{{"Layer (type)", "Output shape", "Parameters"}};
    for (const SummaryRow& row : summary.rows) {
        const std::string indent(static_cast<std::size_t>(2 * row.depth), ' ');
        lines.push_back({indent + (row.name.empty() ? row.type : row.name + " (" + row.type + ")"),
                         row.output ? row.output->str() : "not called",
                         row.parameters > 0 ? with_commas(row.parameters) : "-"});
    }
    const std::string rule = print_table(out, lines);
    std::ostringstream megabytes;
    megabytes << std::fixed << std::setprecision(2)
              << static_cast<double>(summary.parameters * Index{sizeof(Real)}) / 1e6;
    return out << rule << "\nParameters: " << with_commas(summary.parameters) << " ("
               << with_commas(summary.trainable) << " trainable), " << megabytes.str() << " MB\n";
}

}  // namespace primer
