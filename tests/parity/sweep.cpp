// Primer's side of sweep.py:
//
//     sweep CASES RESULTS
//
// runs every case of the safetensors file CASES, forward and backward, and writes its results, or
// the message of the Error, to RESULTS. A case is one text of the metadata, "7": "softmax dim=-1
// wants=x": the op, its options, and the inputs whose gradients are wanted. Its inputs are the
// tensors "7/x", ..., and "7/dy" is the upstream gradient.

#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <primer/core/kernels/isa.h>
#include <primer/primer.h>

using namespace primer;

namespace {

class Case {
  public:
    Case(const SafetensorsFile& file, const std::string& id, const std::string& text)
        : file_(file), id_(id) {
        std::istringstream words(text);
        words >> op;
        for (std::string word; words >> word;) {
            const std::size_t equals = word.find('=');
            options_[word.substr(0, equals)] = word.substr(equals + 1);
        }
        for (const std::string& name : list("wants")) (*this)[name].requires_grad_();
    }

    // An input; undefined if the case has no input of that name.
    const Tensor& operator[](const std::string& name) const {
        const auto [at, is_new] = inputs_.emplace(name, Tensor());
        if (is_new && file_.contains(entry(name))) at->second = file_.tensor(entry(name));
        return at->second;
    }
    IntTensor ints(const std::string& name) const { return file_.int_tensor(entry(name)); }
    // The inputs "a", "b", ...
    std::vector<Tensor> tensors() const {
        std::vector<Tensor> found;
        for (std::string name = "a"; (*this)[name].defined(); ++name[0])
            found.push_back((*this)[name]);
        return found;
    }

    bool has(const std::string& option) const { return options_.contains(option); }
    std::string text(const std::string& option, const std::string& otherwise) const {
        return has(option) ? options_.at(option) : otherwise;
    }
    double number(const std::string& option, double otherwise) const {
        return has(option) ? std::strtod(options_.at(option).c_str(), nullptr) : otherwise;
    }
    Index whole(const std::string& option, Index otherwise) const {
        return has(option) ? std::stoll(options_.at(option)) : otherwise;
    }
    // Without the option, none: over all dimensions.
    Dims dims() const {
        const std::vector<Index> numbers = wholes("dims");
        const std::vector<int> dims(numbers.begin(), numbers.end());
        return std::span(dims);
    }
    int dim() const { return static_cast<int>(whole("dim", 0)); }
    bool flag(const std::string& option, bool otherwise = false) const {
        return whole(option, otherwise ? 1 : 0) != 0;
    }
    // "2,3" as {"2", "3"}
    std::vector<std::string> list(const std::string& option) const {
        std::vector<std::string> parts;
        std::istringstream in(text(option, ""));
        for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
        return parts;
    }
    std::vector<Index> wholes(const std::string& option) const {
        std::vector<Index> numbers;
        for (const std::string& part : list(option)) numbers.push_back(std::stoll(part));
        return numbers;
    }
    Size2 size(const std::string& option, Index otherwise) const {
        if (!has(option)) return otherwise;
        const std::vector<Index> both = wholes(option);
        return {both.at(0), both.at(both.size() - 1)};
    }
    Reduction reduction() const {
        const std::string name = text("reduction", "mean");
        return name == "sum"         ? Reduction::sum
               : name == "none"      ? Reduction::none
               : name == "batchmean" ? Reduction::batchmean
                                     : Reduction::mean;
    }

    std::string op;

  private:
    std::string entry(const std::string& name) const { return id_ + '/' + name; }

    const SafetensorsFile& file_;
    std::string id_;
    std::map<std::string, std::string> options_;
    mutable std::map<std::string, Tensor> inputs_;
};

using Compute = std::function<Tensor(const Case& in)>;

Tensor as_tensor(const IntTensor& numbers) {
    const Tensor x = empty(numbers.shape);
    Real* to = x.mutable_data();
    for (const Index value : numbers.values) *to++ = static_cast<Real>(value);
    return x;
}

// The function of an op of x alone.
Compute of_x(Tensor (*op)(const Tensor&)) {
    return [op](const Case& in) { return op(in["x"]); };
}
Compute of_two(Tensor (*op)(const Tensor&, const Tensor&)) {
    return [op](const Case& in) { return op(in["a"], in["b"]); };
}

Conv2dOptions conv_options(const Case& in) {
    const std::string word = in.text("padding", "");
    const ConvPadding padding = word == "same"    ? ConvPadding("same")
                                : word == "valid" ? ConvPadding("valid")
                                                  : in.size("padding", 0);
    return {.stride = in.size("stride", 1),
            .padding = padding,
            .dilation = in.size("dilation", 1),
            .groups = in.whole("groups", 1)};
}
ConvTranspose2dOptions conv_transpose_options(const Case& in) {
    return {.stride = in.size("stride", 1),
            .padding = in.size("padding", 0),
            .output_padding = in.size("output_padding", 0),
            .groups = in.whole("groups", 1),
            .dilation = in.size("dilation", 1)};
}
MaxPool2dOptions max_pool_options(const Case& in) {
    return {.kernel_size = in.size("kernel", 0),
            .stride = in.size("stride", 0),
            .padding = in.size("padding", 0),
            .dilation = in.size("dilation", 1),
            .ceil_mode = in.flag("ceil_mode")};
}
AvgPool2dOptions avg_pool_options(const Case& in) {
    std::optional<Only<Index>> divisor;
    if (in.has("divisor_override")) divisor = in.whole("divisor_override", 1);
    return {.kernel_size = in.size("kernel", 0),
            .stride = in.size("stride", 0),
            .padding = in.size("padding", 0),
            .ceil_mode = in.flag("ceil_mode"),
            .count_include_pad = in.flag("count_include_pad", true),
            .divisor_override = divisor};
}
EmbeddingOptions embedding_options(const Case& in) {
    EmbeddingOptions options;
    if (in.has("padding_idx")) options.padding_idx = in.whole("padding_idx", 0);
    return options;
}
SoftplusOptions softplus_options(const Case& in) {
    return {.beta = in.number("beta", 1), .threshold = in.number("threshold", 20)};
}
HardtanhOptions hardtanh_options(const Case& in) {
    return {.min_val = in.number("min_val", -1), .max_val = in.number("max_val", 1)};
}
Approximation approximation(const Case& in) {
    return in.text("approximate", "none") == "tanh" ? Approximation::tanh : Approximation::none;
}

VarOptions var_options(const Case& in) {
    return {.correction = in.number("correction", 1), .keepdim = in.flag("keepdim")};
}

std::map<std::string, Compute> ops() {
    return {
        {"add", of_two(add)},
        {"sub", of_two(sub)},
        {"mul", of_two(mul)},
        {"div", of_two(div)},
        {"pow", of_two(pow)},
        {"neg", of_x(neg)},
        {"exp", of_x(exp)},
        {"log", of_x(log)},
        {"sqrt", of_x(sqrt)},
        {"abs", of_x(abs)},
        {"sin", of_x(sin)},
        {"cos", of_x(cos)},
        {"maximum", of_two(maximum)},
        {"minimum", of_two(minimum)},
        {"clamp",
         [](const Case& in) {
             if (in["min"].defined()) return minimum(maximum(in["x"], in["min"]), in["max"]);
             return clamp(in["x"], in.number("min", 0), in.number("max", 0));
         }},
        {"clamp_min", [](const Case& in) { return clamp_min(in["x"], in.number("min", 0)); }},
        {"clamp_max", [](const Case& in) { return clamp_max(in["x"], in.number("max", 0)); }},
        {"where", [](const Case& in) { return where(in["condition"], in["a"], in["b"]); }},
        {"lt", of_two(lt)},
        {"le", of_two(le)},
        {"gt", of_two(gt)},
        {"ge", of_two(ge)},
        {"eq", of_two(eq)},
        {"ne", of_two(ne)},
        {"relu", of_x(relu)},
        {"relu_", [](const Case& in) { return relu_(in["x"] + 0); }},
        {"leaky_relu",
         [](const Case& in) { return leaky_relu(in["x"], in.number("negative_slope", 0.01)); }},
        {"leaky_relu_",
         [](const Case& in) {
             return leaky_relu_(in["x"] + 0, in.number("negative_slope", 0.01));
         }},
        {"prelu", [](const Case& in) { return prelu(in["x"], in["weight"]); }},
        {"elu", [](const Case& in) { return elu(in["x"], in.number("alpha", 1)); }},
        {"selu", of_x(selu)},
        {"gelu", [](const Case& in) { return gelu(in["x"], approximation(in)); }},
        {"silu", of_x(silu)},
        {"sigmoid", of_x(sigmoid)},
        {"tanh", of_x(tanh)},
        {"softplus", [](const Case& in) { return softplus(in["x"], softplus_options(in)); }},
        {"relu6", of_x(relu6)},
        {"hardtanh", [](const Case& in) { return hardtanh(in["x"], hardtanh_options(in)); }},
        {"celu", [](const Case& in) { return celu(in["x"], in.number("alpha", 1)); }},
        {"mish", of_x(mish)},
        {"logsigmoid", of_x(logsigmoid)},
        {"softsign", of_x(softsign)},
        {"hardsigmoid", of_x(hardsigmoid)},
        {"glu", [](const Case& in) { return glu(in["x"], in.dim()); }},
        {"hardswish", of_x(hardswish)},
        {"softmax", [](const Case& in) { return softmax(in["x"], in.dim()); }},
        {"log_softmax", [](const Case& in) { return log_softmax(in["x"], in.dim()); }},
        {"maxout", [](const Case& in) { return maxout(in["x"], in.whole("pieces", 2)); }},
        {"matmul", of_two(matmul)},
        {"linear", [](const Case& in) { return linear(in["x"], in["weight"], in["bias"]); }},
        {"reshape", [](const Case& in) { return reshape(in["x"], in.wholes("sizes")); }},
        {"flatten",
         [](const Case& in) {
             return flatten(in["x"], static_cast<int>(in.whole("start", 0)),
                            static_cast<int>(in.whole("end", -1)));
         }},
        {"transpose",
         [](const Case& in) {
             return transpose(in["x"], in.dim(), static_cast<int>(in.whole("dim1", 0)));
         }},
        {"slice",
         [](const Case& in) {
             return slice(in["x"], in.whole("start", 0), in.whole("end", 0),
                          {.dim = in.dim(), .step = in.whole("step", 1)});
         }},
        {"squeeze",
         [](const Case& in) {
             return in.has("dim") ? squeeze(in["x"], in.dim()) : squeeze(in["x"]);
         }},
        {"unsqueeze", [](const Case& in) { return unsqueeze(in["x"], in.dim()); }},
        {"permute",
         [](const Case& in) {
             const std::vector<Index> dims = in.wholes("dims");
             return permute(in["x"], std::vector<int>(dims.begin(), dims.end()));
         }},
        {"select", [](const Case& in) { return select(in["x"], in.dim(), in.whole("index", 0)); }},
        {"split",
         [](const Case& in) {
             return concat(in.has("sizes") ? split(in["x"], in.wholes("sizes"), in.dim())
                                           : split(in["x"], in.whole("size", 0), in.dim()),
                           in.dim());
         }},
        {"chunk",
         [](const Case& in) { return chunk(in["x"], in.whole("chunks", 0), in.dim()).front(); }},
        {"stack", [](const Case& in) { return stack(in.tensors(), in.dim()); }},
        {"index_select",
         [](const Case& in) { return index_select(in["x"], in.dim(), in.ints("index")); }},
        {"embedding",
         [](const Case& in) {
             return embedding(in.ints("index"), in["weight"], embedding_options(in));
         }},
        {"pad",
         [](const Case& in) {
             return pad(in["x"], in.wholes("sizes"),
                        {.mode = in.flag("reflect") ? PadMode::reflect : PadMode::constant,
                         .value = in.number("value", 0)});
         }},
        {"concat", [](const Case& in) { return concat(in.tensors(), in.dim()); }},
        {"expand",
         [](const Case& in) {
             return expand(in["x"], Shape(std::span<const Index>(in.wholes("sizes"))));
         }},
        {"sum", [](const Case& in) { return sum(in["x"], in.dims(), in.flag("keepdim")); }},
        {"mean", [](const Case& in) { return mean(in["x"], in.dims(), in.flag("keepdim")); }},
        {"max",
         [](const Case& in) {
             return in.has("dim") ? max(in["x"], in.dim(), in.flag("keepdim")) : max(in["x"]);
         }},
        {"min",
         [](const Case& in) {
             return in.has("dim") ? min(in["x"], in.dim(), in.flag("keepdim")) : min(in["x"]);
         }},
        {"argmax",
         [](const Case& in) {
             return as_tensor(in.has("dim") ? argmax(in["x"], in.dim(), in.flag("keepdim"))
                                            : argmax(in["x"]));
         }},
        {"argmin",
         [](const Case& in) {
             return as_tensor(in.has("dim") ? argmin(in["x"], in.dim(), in.flag("keepdim"))
                                            : argmin(in["x"]));
         }},
        {"amax", [](const Case& in) { return amax(in["x"], in.dims(), in.flag("keepdim")); }},
        {"amin", [](const Case& in) { return amin(in["x"], in.dims(), in.flag("keepdim")); }},
        {"var", [](const Case& in) { return var(in["x"], in.dims(), var_options(in)); }},
        {"stddev", [](const Case& in) { return stddev(in["x"], in.dims(), var_options(in)); }},
        {"logsumexp",
         [](const Case& in) { return logsumexp(in["x"], in.dims(), in.flag("keepdim")); }},
        {"norm",
         [](const Case& in) {
             return norm(in["x"], in.number("p", 2), in.dims(), in.flag("keepdim"));
         }},
        {"conv2d",
         [](const Case& in) {
             return conv2d(in["x"], in["weight"], in["bias"], conv_options(in));
         }},
        {"conv_transpose2d",
         [](const Case& in) {
             return conv_transpose2d(in["x"], in["weight"], in["bias"], conv_transpose_options(in));
         }},
        {"max_pool2d", [](const Case& in) { return max_pool2d(in["x"], max_pool_options(in)); }},
        {"avg_pool2d", [](const Case& in) { return avg_pool2d(in["x"], avg_pool_options(in)); }},
        {"adaptive_avg_pool2d",
         [](const Case& in) { return adaptive_avg_pool2d(in["x"], in.size("output", 1)); }},
        {"adaptive_max_pool2d",
         [](const Case& in) { return adaptive_max_pool2d(in["x"], in.size("output", 1)); }},
        {"batch_norm",
         [](const Case& in) {
             return batch_norm(in["x"], in["running_mean"], in["running_var"], in["weight"],
                               in["bias"],
                               {.training = in.flag("training"),
                                .momentum = in.number("momentum", 0.1),
                                .eps = in.number("eps", 1e-5),
                                .relu = in.flag("relu")});
         }},
        {"layer_norm",
         [](const Case& in) {
             return layer_norm(in["x"], Shape(std::span<const Index>(in.wholes("sizes"))),
                               in["weight"], in["bias"], {.eps = in.number("eps", 1e-5)});
         }},
        {"group_norm",
         [](const Case& in) {
             return group_norm(in["x"], in.whole("groups", 1), in["weight"], in["bias"],
                               {.eps = in.number("eps", 1e-5)});
         }},
        {"dropout",
         [](const Case& in) {
             Rng rng(1);
             return dropout(in["x"], in.number("p", 0), rng);
         }},
        {"dropout2d",
         [](const Case& in) {
             Rng rng(1);
             return dropout2d(in["x"], in.number("p", 0), rng);
         }},
        {"cross_entropy",
         [](const Case& in) {
             const CrossEntropyOptions options{.weight = in["weight"],
                                               .ignore_index = in.whole("ignore_index", -100),
                                               .reduction = in.reduction(),
                                               .label_smoothing = in.number("label_smoothing", 0)};
             if (in["target"].defined()) return cross_entropy(in["x"], in["target"], options);
             return cross_entropy(in["x"], in.ints("labels"), options);
         }},
        {"nll_loss",
         [](const Case& in) {
             return nll_loss(in["x"], in.ints("labels"),
                             {.weight = in["weight"],
                              .ignore_index = in.whole("ignore_index", -100),
                              .reduction = in.reduction()});
         }},
        {"mse_loss",
         [](const Case& in) { return mse_loss(in["x"], in["target"], in.reduction()); }},
        {"l1_loss", [](const Case& in) { return l1_loss(in["x"], in["target"], in.reduction()); }},
        {"smooth_l1_loss",
         [](const Case& in) {
             return smooth_l1_loss(in["x"], in["target"],
                                   {.reduction = in.reduction(), .beta = in.number("beta", 1)});
         }},
        {"huber_loss",
         [](const Case& in) {
             return huber_loss(in["x"], in["target"],
                               {.reduction = in.reduction(), .delta = in.number("delta", 1)});
         }},
        {"binary_cross_entropy",
         [](const Case& in) {
             return binary_cross_entropy(in["x"], in["target"],
                                         {.weight = in["weight"], .reduction = in.reduction()});
         }},
        {"kl_div",
         [](const Case& in) {
             return kl_div(in["x"], in["target"],
                           {.reduction = in.reduction(), .log_target = in.flag("log_target")});
         }},
        {"binary_cross_entropy_with_logits",
         [](const Case& in) {
             return binary_cross_entropy_with_logits(in["x"], in["target"],
                                                     {.weight = in["weight"],
                                                      .reduction = in.reduction(),
                                                      .pos_weight = in["pos_weight"]});
         }},
        {"l1_penalty",
         [](const Case& in) {
             return l1_penalty(std::vector{Parameter(in["a"]), Parameter(in["b"])});
         }},
        {"clip_grad_norm_",
         [](const Case& in) {
             const std::vector<Parameter> p{Parameter(in["a"]), Parameter(in["b"])};
             for (const Parameter& x : p) x.set_grad(x.clone());
             const Tensor norm = static_cast<double>(clip_grad_norm_(p, in.number("max_norm", 1)));
             return concat({reshape(norm, {1}), flatten(p[0].grad()), flatten(p[1].grad())});
         }},
    };
}

// The case's parameters replace those that the layer was made with.
struct TakeOver : Visitor {
    explicit TakeOver(const Case& from) : in(from) {}
    void operator()(const std::string& name, Parameter& parameter) override {
        if (in[name].defined()) parameter = Parameter(in[name]);
    }
    void operator()(const std::string& name, Buffer& buffer) override {
        if (in[name].defined()) buffer.copy_(in[name]);
    }
    const Case& in;
};

BatchNormLayerOptions batch_norm_options(const Case& in) {
    BatchNormLayerOptions options{.eps = in.number("eps", 1e-5),
                                  .affine = in.flag("affine", true),
                                  .track_running_stats = in.flag("track", true),
                                  .relu = in.flag("relu")};
    options.momentum = in.number("momentum", 0.1);
    if (in.text("momentum", "") == "None") options.momentum.reset();
    return options;
}

template <class M>
std::unique_ptr<Module> made(M&& module) {
    return std::make_unique<std::remove_cvref_t<M>>(std::move(module));
}

std::unique_ptr<Module> layer(const Case& in) {
    Rng rng(1);
    const std::string& type = in.op;
    const Index a = in.whole("in", 1), b = in.whole("out", 1);
    if (type == "Linear") return made(Linear(a, b, {.bias = in.flag("bias", true)}, rng));
    if (type == "Conv2d") {
        const Conv2dOptions o = conv_options(in);
        return made(Conv2d(a, b,
                           {.kernel_size = in.size("kernel", 0),
                            .stride = o.stride,
                            .padding = o.padding,
                            .dilation = o.dilation,
                            .groups = o.groups,
                            .bias = in.flag("bias", true)},
                           rng));
    }
    if (type == "ConvTranspose2d") {
        const ConvTranspose2dOptions o = conv_transpose_options(in);
        return made(ConvTranspose2d(a, b,
                                    {.kernel_size = in.size("kernel", 0),
                                     .stride = o.stride,
                                     .padding = o.padding,
                                     .output_padding = o.output_padding,
                                     .groups = o.groups,
                                     .bias = in.flag("bias", true),
                                     .dilation = o.dilation},
                                    rng));
    }
    if (type == "BatchNorm1d") return made(BatchNorm1d(a, batch_norm_options(in)));
    if (type == "BatchNorm2d") return made(BatchNorm2d(a, batch_norm_options(in)));
    if (type == "LayerNorm") {
        return made(LayerNorm(Shape(std::span<const Index>(in.wholes("sizes"))),
                              {.eps = in.number("eps", 1e-5),
                               .elementwise_affine = in.flag("elementwise_affine", true),
                               .bias = in.flag("bias", true)}));
    }
    if (type == "GroupNorm") {
        return made(GroupNorm(in.whole("groups", 1), a,
                              {.eps = in.number("eps", 1e-5),
                               .affine = in.flag("affine", true),
                               .bias = in.flag("bias", true)}));
    }
    if (type == "MaxPool2d") return made(MaxPool2d(max_pool_options(in)));
    if (type == "AvgPool2d") return made(AvgPool2d(avg_pool_options(in)));
    if (type == "AdaptiveAvgPool2d") return made(AdaptiveAvgPool2d(in.size("output", 1)));
    if (type == "AdaptiveMaxPool2d") return made(AdaptiveMaxPool2d(in.size("output", 1)));
    if (type == "Flatten") {
        return made(Flatten(static_cast<int>(in.whole("start", 1)),  //
                            static_cast<int>(in.whole("end", -1))));
    }
    if (type == "Embedding") return made(Embedding(a, b, embedding_options(in), rng));
    if (type == "Dropout") return made(Dropout(in.number("p", 0.5), rng));
    if (type == "Dropout2d") return made(Dropout2d(in.number("p", 0.5), rng));
    if (type == "Identity") return made(Identity());
    if (type == "ReLU") return made(ReLU());
    if (type == "LeakyReLU") return made(LeakyReLU(in.number("negative_slope", 0.01)));
    if (type == "PReLU") return made(PReLU(a));
    if (type == "ELU") return made(ELU(in.number("alpha", 1)));
    if (type == "SELU") return made(SELU());
    if (type == "GELU") return made(GELU(approximation(in)));
    if (type == "SiLU") return made(SiLU());
    if (type == "Sigmoid") return made(Sigmoid());
    if (type == "Tanh") return made(Tanh());
    if (type == "Softplus") return made(Softplus(softplus_options(in)));
    if (type == "ReLU6") return made(ReLU6());
    if (type == "Hardtanh") return made(Hardtanh(hardtanh_options(in)));
    if (type == "CELU") return made(CELU(in.number("alpha", 1)));
    if (type == "Mish") return made(Mish());
    if (type == "LogSigmoid") return made(LogSigmoid());
    if (type == "Softsign") return made(Softsign());
    if (type == "Hardsigmoid") return made(Hardsigmoid());
    if (type == "GLU") return made(GLU(in.dim()));
    if (type == "Hardswish") return made(Hardswish());
    if (type == "Softmax") return made(Softmax(in.dim()));
    if (type == "LogSoftmax") return made(LogSoftmax(in.dim()));
    return nullptr;
}

// As many forwards as the case says; the last gives the result.
Tensor call(Module& module, const Case& in) {
    TakeOver visitor(in);
    module.visit(visitor);
    module.train(in.flag("training", true));
    const Index calls = in.whole("calls", 1);
    for (Index i = 1; i < calls; ++i) module(in["x"]);
    return module(in["x"]);
}

// One row of the weights after each step.
Tensor steps(Optimizer&& optimizer, const Case& in) {
    const Parameter& w = optimizer.parameters()[0];
    std::vector<Tensor> rows;
    for (Index step = 0; step < in["g"].shape()[0]; ++step) {
        w.set_grad(reshape(slice(in["g"], step, step + 1), w.shape().dims()));
        optimizer.step();
        rows.push_back(reshape(w.clone(), Shape{1}.concat(w.shape()).dims()));
    }
    return concat(rows);
}

std::optional<Tensor> optimizer(const Case& in) {
    if (!in["w"].defined()) return std::nullopt;
    const std::vector<Parameter> w{Parameter(in["w"])};
    const double lr = in.number("lr", 0.1), decay = in.number("weight_decay", 0);
    const double momentum = in.number("momentum", 0), eps = in.number("eps", 1e-8);
    const bool amsgrad = in.flag("amsgrad"), maximize = in.flag("maximize");
    const Betas betas{in.number("beta1", 0.9), in.number("beta2", 0.999)};
    if (in.op == "SGD") {
        return steps(SGD(w, {.lr = lr,
                             .momentum = momentum,
                             .dampening = in.number("dampening", 0),
                             .weight_decay = decay,
                             .nesterov = in.flag("nesterov"),
                             .maximize = maximize}),
                     in);
    }
    const auto with_flags = [&](auto options) {  // AdamOptions or AdamWOptions
        options.lr = lr;
        options.betas = betas;
        options.eps = eps;
        options.weight_decay = decay;
        options.amsgrad = amsgrad;
        options.maximize = maximize;
        return options;
    };
    if (in.op == "Adam") return steps(Adam(w, with_flags(AdamOptions{})), in);
    if (in.op == "AdamW") return steps(AdamW(w, with_flags(AdamWOptions{})), in);
    if (in.op == "RMSprop") {
        return steps(RMSprop(w, {.lr = lr,
                                 .alpha = in.number("alpha", 0.99),
                                 .eps = eps,
                                 .weight_decay = decay,
                                 .momentum = momentum,
                                 .centered = in.flag("centered"),
                                 .maximize = maximize}),
                     in);
    }
    return std::nullopt;
}

// Adds the results of a case to `results`: "7/y", the gradients "7/grad.x", and the inputs that it
// changes, "7/after.x".
void run(const std::string& id, const Case& in, StateDict& results) {
    const auto keep = [&](const std::string& name, const Tensor& x) {
        results.push_back({id + '/' + name, x.clone()});
    };
    if (const auto trajectory = optimizer(in)) return keep("y", *trajectory);
    static const std::map<std::string, Compute> all = ops();
    const std::unique_ptr<Module> module = layer(in);
    check(module || all.contains(in.op), "the sweep knows no op ", in.op);
    const auto compute = [&] { return module ? call(*module, in) : all.at(in.op)(in); };
    const std::vector<std::string> wanted = in.list("wants");
    if (wanted.empty()) {
        keep("y", compute());
    } else {
        Tape tape;
        const Tensor y = compute();
        keep("y", y);
        tape.backward(sum(y * in["dy"]));
        for (const std::string& name : wanted) {
            const Tensor grad = in[name].grad();
            keep("grad." + name, grad.defined() ? grad : zeros(in[name].shape()));
        }
    }
    if (module) {
        for (const auto& [name, buffer] : module->named_buffers()) keep("after." + name, buffer);
    }
    for (const std::string& name : in.list("after")) keep("after." + name, in[name]);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: sweep CASES RESULTS\n";
        return 2;
    }
    try {
        kernels::isa();  // throws if this processor lacks it: no fault of a case
        const SafetensorsFile file = SafetensorsFile::load(argv[1]);
        StateDict results;
        std::map<std::string, std::string> errors{{"format", "pt"}};
        for (const auto& [id, text] : file.metadata()) {
            if (id == "format") continue;
            try {
                run(id, Case(file, id, text), results);
            } catch (const Error& error) {
                errors[id] = error.what();
                std::erase_if(results,
                              [&](const auto& entry) { return entry.name.starts_with(id + '/'); });
            }
        }
        save_safetensors(argv[2], results, errors);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << '\n';
        return 1;
    }
}
// SPDX-License-Identifier: MIT
