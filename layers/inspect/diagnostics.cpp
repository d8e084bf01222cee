#include "diagnostics.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <unordered_map>

#include "../../core/text.h"
#include "table.h"

namespace primer {
namespace {

// The statistics of many numbers, added up as they come.
struct Sums {
    Index count = 0, zeros = 0;
    double sum = 0, squares = 0, largest = 0;

    void add(Real value) {
        const auto v = static_cast<double>(value);
        ++count;
        zeros += v == 0 ? 1 : 0;
        sum += v;
        squares += v * v;
        largest = std::max(largest, std::abs(v));
    }
    double share_of_zeros() const {
        return static_cast<double>(zeros) / static_cast<double>(count);
    }
    double mean() const { return sum / static_cast<double>(count); }
    double stddev() const {
        // Rounding may leave it slightly negative.
        return std::sqrt(std::max(0.0, squares / static_cast<double>(count) - mean() * mean()));
    }
};

struct Watched {
    Sums sums;
    std::vector<bool> woken;  // for each unit, whether it has put out anything but 0
};

// y is, for each example, for each unit, `size` values.
struct Units {
    explicit Units(const Tensor& y)
        : count(y.rank() >= 2 ? y.shape()[1] : y.numel()),
          size(y.rank() >= 2 ? y.shape().slice(2, y.rank()).numel() : 1) {}

    Index count, size;
};

class Watcher : public ForwardHook {
  public:
    void called(Module& module, const Tensor&, const Tensor& y) override {
        if (!module.named_children().empty()) return;
        Watched& seen = of[&module];
        const Units units(y);
        if (static_cast<Index>(seen.woken.size()) < units.count) {
            seen.woken.resize(static_cast<std::size_t>(units.count));
        }
        for (Index i = 0; i < y.numel(); ++i) {
            const Real value = y.data()[i];
            seen.sums.add(value);
            if (value != 0) {
                seen.woken[static_cast<std::size_t>(i / units.size % units.count)] = true;
            }
        }
    }

    std::unordered_map<const Module*, Watched> of;
};

// The units of one layer that nothing has woken so far.
struct Asleep {
    Index units = 0;  // in all
    std::vector<Index> which;
};

class WakeWatcher : public ForwardHook {
  public:
    void called(Module& module, const Tensor&, const Tensor& y) override {
        if (!module.is_activation() || !module.named_children().empty()) return;
        Asleep& asleep = of[&module];
        const Units units(y);
        for (; asleep.units < units.count; ++asleep.units) asleep.which.push_back(asleep.units);
        const Index examples = y.numel() == 0 ? 0 : y.numel() / (units.count * units.size);
        for (Index n = 0; n < examples && !asleep.which.empty(); ++n) {
            std::erase_if(asleep.which, [&](Index unit) {
                if (unit >= units.count) return false;
                const Real* first = y.data() + (n * units.count + unit) * units.size;
                return std::any_of(first, first + units.size, [](Real v) { return v != 0; });
            });
        }
    }

    std::unordered_map<const Module*, Asleep> of;
};

LayerStatistics statistics_of(const std::string& name, const Module& module, const Watched& seen) {
    LayerStatistics row;
    row.name = name;
    row.type = module.type();
    row.outputs = seen.sums.count;
    if (row.outputs == 0) return row;
    row.mean = seen.sums.mean();
    row.stddev = seen.sums.stddev();
    row.zeros = seen.sums.share_of_zeros();
    row.dead_units = static_cast<double>(std::ranges::count(seen.woken, false)) /
                     static_cast<double>(seen.woken.size());
    return row;
}

// Calls f(name, module) for every innermost module, in the order of visit.
void for_each_innermost(const std::string& name, Module& module,
                        const std::function<void(const std::string&, Module&)>& f) {
    const auto children = module.named_children();
    if (children.empty()) f(name, module);
    for (const auto& [child_name, child] : children) {
        for_each_innermost(name.empty() ? child_name : name + "." + child_name, *child, f);
    }
}

std::vector<LayerStatistics> watch(Module& model, const std::function<void()>& evaluate,
                                   bool activations_only) {
    Watcher watcher;
    evaluate();
    std::vector<LayerStatistics> rows;
    for_each_innermost("", model, [&](const std::string& name, Module& module) {
        if (activations_only && !module.is_activation()) return;
        rows.push_back(statistics_of(name, module, watcher.of[&module]));
    });
    return rows;
}

std::string percent(double share) {
    TextStream text;
    text << std::fixed << std::setprecision(1) << 100 * share << '%';
    return text.str();
}

std::string number(double value) {
    TextStream text;
    text << std::setprecision(4) << value;
    return text.str();
}

}  // namespace

std::vector<LayerStatistics> activation_statistics(Module& model,
                                                   const std::function<void()>& evaluate) {
    return watch(model, evaluate, false);
}

std::vector<LayerStatistics> dead_relu_ratio(Module& model, const std::function<void()>& evaluate) {
    return watch(model, evaluate, true);
}

std::vector<DeadUnits> dead_units(Module& model, const std::function<void()>& evaluate) {
    WakeWatcher watcher;
    evaluate();
    std::vector<DeadUnits> rows;
    for_each_innermost("", model, [&](const std::string& name, Module& module) {
        const Asleep& asleep = watcher.of[&module];
        if (asleep.units == 0) return;
        const double share =
            static_cast<double>(asleep.which.size()) / static_cast<double>(asleep.units);
        rows.push_back({name, module.type(), share});
    });
    return rows;
}

std::vector<GradientStatistics> gradient_statistics(Module& model) {
    std::vector<GradientStatistics> rows;
    for (const auto& [name, parameter] : model.named_parameters()) {
        const Tensor grad = parameter.grad();
        if (!grad.defined() || grad.numel() == 0) continue;
        Sums sums;
        for (Real value : grad.values()) sums.add(value);
        rows.push_back({.name = name,
                        .norm = std::sqrt(sums.squares),
                        .mean = sums.mean(),
                        .stddev = sums.stddev(),
                        .largest = sums.largest,
                        .zeros = sums.share_of_zeros()});
    }
    return rows;
}

std::ostream& operator<<(std::ostream& out, const std::vector<LayerStatistics>& rows) {
    std::vector<std::vector<std::string>> lines{
        {"Layer (type)", "Mean", "Std", "Zeros", "Dead units"}};
    for (const LayerStatistics& row : rows) {
        const std::string layer = layer_name(row.name, row.type);
        if (row.outputs == 0) {
            lines.push_back({layer, "-", "-", "-", "not called"});
        } else {
            lines.push_back({layer, number(row.mean), number(row.stddev), percent(row.zeros),
                             percent(row.dead_units)});
        }
    }
    print_table(out, lines);
    return out;
}

std::ostream& operator<<(std::ostream& out, const std::vector<GradientStatistics>& rows) {
    std::vector<std::vector<std::string>> lines{
        {"Parameter", "Norm", "Mean", "Std", "Largest", "Zeros"}};
    for (const GradientStatistics& row : rows) {
        lines.push_back({row.name, number(row.norm), number(row.mean), number(row.stddev),
                         number(row.largest), percent(row.zeros)});
    }
    print_table(out, lines);
    return out;
}

}  // namespace primer
// SPDX-License-Identifier: MIT
