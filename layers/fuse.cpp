// What is computed once for prediction, on one page.
//
// In eval mode, batch normalisation maps each channel c of its input z by
//
//     y = (z - mean) scale + beta        where scale = gamma / sqrt(var + eps)
//
// and nothing in it depends on the batch. If z is the output of a convolution or a linear layer, z
// = weight * x + bias, this is the same kind of layer with other numbers:
//
//     y = weight * x scale + (bias - mean) scale + beta
//       = weight' * x + bias'            weight' = weight scale,  bias' = (bias - mean) scale +
//       beta
//
// where each output channel's part of the weight has its own scale. So normalisation costs nothing.
// ReLU and pooling of 2x2 windows only need values that have just been computed, and the kernels
// apply them before these leave the cache. Each network of examples/networks.h becomes a few passes
// over memory, one for each convolution or linear layer.
//
// A Module prepared by fuse_for_prediction has a Prepared: weight' and bias', the kernel's form of
// weight', and which tensors they were computed from. A Sequential finds anew at each call which
// modules a layer can take over. This takes less than a microsecond, and so no change to the model
// can be missed.

#include "fuse.h"

#include <array>
#include <cmath>
#include <mutex>
#include <typeinfo>

#include "../core/creation.h"
#include "../core/internal.h"
#include "../core/prepared.h"
#include "../core/tape.h"
#include "../core/thread_state.h"
#include "activations.h"
#include "batchnorm.h"
#include "conv2d.h"
#include "dropout.h"
#include "fusion.h"
#include "linear.h"
#include "pooling.h"

namespace primer {
namespace {

// Null if the module is of another class, even one derived from T, whose forward may differ.
template <class T>
const T* exactly(const Module& module) {
    return typeid(module) == typeid(T) ? static_cast<const T*>(&module) : nullptr;
}

// The values of a tensor as they were at some time. Keeps the storage, so that no other can have
// its address.
class Seen {
  public:
    Seen() = default;
    explicit Seen(const Tensor& x) {
        if (!x.defined()) return;
        storage_ = x.impl().storage;
        data_ = x.data();
        shape_ = x.shape();
        version_ = storage_->version();
    }
    bool is_still(const Tensor& x) const {
        if (!x.defined()) return storage_ == nullptr;
        return storage_ == x.impl().storage && data_ == x.data() && shape_ == x.shape() &&
               version_ == storage_->version();
    }

  private:
    std::shared_ptr<Storage> storage_;
    const Real* data_ = nullptr;
    Shape shape_;
    Index version_ = 0;
};

// What a layer computes with.
struct Source {
    const Tensor &weight, &bias;
    const BatchNorm* norm;

    std::array<Tensor, 6> tensors() const {
        if (norm == nullptr) return {weight, bias, {}, {}, {}, {}};
        return {weight, bias, norm->weight, norm->bias, norm->running_mean, norm->running_var};
    }
    double eps() const { return norm != nullptr ? static_cast<double>(norm->options().eps) : 0; }

    // Whether the op of the normalisation takes these tensors and options.
    bool norm_fits() const {
        if (norm == nullptr) return true;
        const double momentum = norm->options().momentum.value_or(0);
        if (!(momentum >= 0 && momentum <= 1) || !(eps() >= 0)) return false;
        const Shape channels{weight.shape()[0]};
        for (const Tensor& x : {norm->weight, norm->bias}) {
            if (x.defined() && x.shape() != channels) return false;
        }
        for (const Tensor& x : {norm->running_mean, norm->running_var}) {
            if (!x.defined() || x.shape() != channels) return false;
        }
        return !bias.defined() || bias.shape() == channels;
    }
};

// weight' and bias'; null if they are not finite, which the plain results may still be.
std::shared_ptr<internal::PreparedWeight> fold(const Source& s) {
    if (s.norm == nullptr) {
        return std::make_shared<internal::PreparedWeight>(
            s.weight.detach(), s.bias.defined() ? s.bias.detach() : Tensor());
    }
    const Index channels = s.weight.shape()[0], size = s.weight.numel() / channels;
    const Tensor weight = empty(s.weight.shape()), bias = empty({channels});
    Real *const to_weight = weight.mutable_data(), *const to_bias = bias.mutable_data();
    const auto value = [](const Tensor& x, Index c, double otherwise) {
        return x.defined() ? static_cast<double>(x.data()[c]) : otherwise;
    };
    for (Index c = 0; c < channels; ++c) {
        const double scale =
            value(s.norm->weight, c, 1) / std::sqrt(value(s.norm->running_var, c, 1) + s.eps());
        for (Index i = c * size; i < (c + 1) * size; ++i) {
            to_weight[i] = static_cast<Real>(static_cast<double>(s.weight.data()[i]) * scale);
        }
        to_bias[c] =
            static_cast<Real>((value(s.bias, c, 0) - value(s.norm->running_mean, c, 0)) * scale +
                              value(s.norm->bias, c, 0));
    }
    if (!internal::all_finite(weight) || !internal::all_finite(bias)) return nullptr;
    return std::make_shared<internal::PreparedWeight>(weight, bias);
}

}  // namespace

// What a Module keeps.
class Prepared {
  public:
    // Null if the layers must run one by one.
    std::shared_ptr<internal::PreparedWeight> weight_of(const Source& source) {
        const std::lock_guard lock(mutex_);
        const std::array<Tensor, 6> tensors = source.tensors();
        bool same = made_ && eps_ == source.eps() && has_norm_ == (source.norm != nullptr);
        for (std::size_t i = 0; same && i < tensors.size(); ++i) {
            same = seen_[i].is_still(tensors[i]);
        }
        if (same) return weight_;
        for (std::size_t i = 0; i < tensors.size(); ++i) seen_[i] = Seen(tensors[i]);
        eps_ = source.eps();
        has_norm_ = source.norm != nullptr;
        weight_ = source.norm_fits() ? fold(source) : nullptr;
        made_ = true;
        return weight_;
    }

  private:
    std::mutex mutex_;
    bool made_ = false, has_norm_ = false;
    double eps_ = 0;
    std::array<Seen, 6> seen_;
    std::shared_ptr<internal::PreparedWeight> weight_;
};

// A layer, and what follows it in its Sequential.
struct Fusion::Run {
    const Module* layer = nullptr;
    const BatchNorm* norm = nullptr;
    bool relu = false, max_pool = false;
    std::size_t modules = 1;
};

bool Fusion::predicts(const Module& module) { return !module.training_ && !module.moved_from_; }

bool Fusion::allowed() {
    const ThreadState* const thread = ThreadState::here();
    const bool watched =
        thread != nullptr && (thread->hook != nullptr || thread->op_hook != nullptr);
    return !watched && !recording();
}

namespace {

bool pools_by_2(const MaxPool2d& pool) {
    const MaxPool2dOptions& o = pool.options();
    return o.kernel_size == 2 && o.stride == 2 && o.padding == 0 && o.dilation == 1 && !o.ceil_mode;
}

}  // namespace

Fusion::Run Fusion::find_run(std::span<const std::unique_ptr<Module>> modules) {
    Run run{.layer = modules[0].get()};
    const bool images = exactly<Conv2d>(*run.layer) != nullptr;
    for (; run.modules < modules.size(); ++run.modules) {
        const Module& next = *modules[run.modules];
        if (!predicts(next)) break;
        const BatchNorm* norm = exactly<BatchNorm1d>(next);
        if (images) norm = exactly<BatchNorm2d>(next);
        const MaxPool2d* const pool = exactly<MaxPool2d>(next);
        const bool first = run.norm == nullptr && !run.relu && !run.max_pool;
        if (norm != nullptr && first && norm->running_mean.defined()) {
            run.norm = norm;
            run.relu = norm->options().relu;
        } else if (pool != nullptr && images && !run.max_pool && pools_by_2(*pool)) {
            run.max_pool = true;
        } else if (exactly<ReLU>(next) != nullptr) {
            run.relu = true;
        } else if (exactly<Dropout>(next) == nullptr &&
                   (exactly<Dropout2d>(next) == nullptr || !images)) {
            break;
        }
    }
    return run;
}

std::optional<Tensor> Fusion::compute(const Run& run, const Tensor& x) {
    if (!x.defined()) return std::nullopt;
    if (const auto* conv = exactly<Conv2d>(*run.layer)) {
        if (!conv->weight.defined() || conv->weight.rank() != 4) return std::nullopt;
        const auto weight = run.layer->prepared_->weight_of({conv->weight, conv->bias, run.norm});
        if (weight == nullptr) return std::nullopt;
        return weight->conv2d(x, conv->options(), {.relu = run.relu, .max_pool = run.max_pool});
    }
    const auto* linear = exactly<Linear>(*run.layer);
    // BatchNorm1d takes the second dimension for the channels.
    if (run.norm != nullptr && x.rank() != 2) return std::nullopt;
    if (!linear->weight.defined() || linear->weight.rank() != 2) return std::nullopt;
    const auto weight = run.layer->prepared_->weight_of({linear->weight, linear->bias, run.norm});
    return weight != nullptr ? weight->linear(x, run.relu) : std::nullopt;
}

std::optional<Fusion::Result> Fusion::run(std::span<const std::unique_ptr<Module>> modules,
                                          const Tensor& x) {
    const Module& layer = *modules[0];
    if (layer.prepared_ == nullptr || !predicts(layer)) return std::nullopt;
    const Run run = find_run(modules);
    std::optional<Tensor> y = compute(run, x);
    if (!y) return std::nullopt;
    return Result{.y = *y, .modules = run.modules};
}

std::optional<Tensor> Fusion::run_alone(const Module& layer, const Tensor& x) {
    if (layer.prepared_ == nullptr || !predicts(layer) || !allowed()) return std::nullopt;
    return compute({.layer = &layer}, x);
}

bool Fusion::add(Module& module) {
    const bool can_be = exactly<Conv2d>(module) != nullptr || exactly<Linear>(module) != nullptr;
    if (!can_be || module.prepared_ != nullptr) return false;
    module.prepared_ = std::make_shared<Prepared>();
    return true;
}

void Fusion::remove(Module& module) { module.prepared_ = nullptr; }

void fuse_for_prediction(Module& model) {
    for (Module* module : model.modules()) Fusion::add(*module);
}

FusedForPrediction::FusedForPrediction(Module& model) {
    for (Module* module : model.modules()) {
        if (Fusion::add(*module)) fused_.push_back(module);
    }
}

FusedForPrediction::~FusedForPrediction() {
    for (Module* module : fused_) Fusion::remove(*module);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
