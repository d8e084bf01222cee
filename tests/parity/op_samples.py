#!/usr/bin/env python3
"""Runs the inputs with which PyTorch tests its own ops and layers on Primer (the sample inputs of
OpInfo and ModuleInfo).

    python3 tests/parity/op_samples.py build/release/tests/sweep [--table FILE] [OP...]

Each sample becomes a case of tests/parity/sweep.cpp, or is counted with the reason why Primer's
functions cannot express it. Results and gradients must be PyTorch's, as in sweep.py, which also
lists the deliberate deviations. --table writes the counts as docs/op-samples.md.
"""

import argparse
import collections
import copy
import os
import random
import sys
import tempfile
import types
import unittest
import warnings

import torch
from torch import is_tensor

import sweep

# PyTorch's test utilities import this package, but the samples use nothing of it.
sys.modules.setdefault("expecttest", types.SimpleNamespace(TestCase=unittest.TestCase))
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402
from torch.testing._internal.common_modules import module_db  # noqa: E402


VERSION = torch.__version__.split("+")[0]


class Inexpressible(Exception):
    """Primer has no such function or argument; the message says which."""


# By PyTorch's function: sweep.cpp's op, and the function's arguments in their order, with sweep.cpp's
# names (PyTorch's=sweep.cpp's, where a sample uses the former). "-" marks an argument that Primer
# lacks, "~" one that does not matter here.
BINARY = "eq ge gt le lt maximum minimum mul ne pow"
UNARY = "abs cos exp log neg sigmoid sin sqrt tanh"
ACTIVATIONS = "hardsigmoid hardswish logsigmoid mish relu relu6 selu silu softsign"
LOSS = "x target -size_average -reduce reduction"
POOL = "x kernel_size=kernel stride padding"
SIGNATURES = {name: f"{name} a b" for name in BINARY.split()}
SIGNATURES |= {name: f"{name} x" for name in UNARY.split()}
SIGNATURES |= {f"nn.functional.{name}": f"{name} x" for name in ACTIVATIONS.split()}
SIGNATURES |= {
    # elementwise
    "add": "add a b -alpha", "sub": "sub a b -alpha", "div": "div a b -rounding_mode",
    "true_divide": "div a b", "rsub": "sub b a -alpha",
    "__radd__": "add b a", "__rsub__": "sub b a", "__rmul__": "mul b a", "__rdiv__": "div b a",
    "__rpow__": "pow b a",
    "clamp": "clamp x min max", "clamp_min": "clamp x min", "clamp_max": "clamp x max",
    "where": "where a condition b", "masked_fill": "where b condition a",
    # activations
    "nn.functional.leaky_relu": "leaky_relu x negative_slope",
    "nn.functional.prelu": "prelu x weight",
    "nn.functional.elu": "elu x alpha", "nn.functional.celu": "celu x alpha",
    "nn.functional.gelu": "gelu x approximate",
    "nn.functional.hardtanh": "hardtanh x min_val max_val",
    "nn.functional.softplus": "softplus x beta threshold",
    "nn.functional.glu": "glu x dim",
    "softmax": "softmax x dim -dtype", "log_softmax": "log_softmax x dim -dtype",
    # products
    "matmul": "matmul a b", "__rmatmul__": "matmul b a", "mm": "matmul a b", "bmm": "matmul a b",
    "mv": "matmul a b", "dot": "matmul a b", "nn.functional.linear": "linear x weight bias",
    # shapes
    "reshape": "reshape x sizes", "reshape_as": "reshape x sizes",
    "view": "reshape x sizes", "view_as": "reshape x sizes", "view_copy": "reshape x sizes",
    "flatten": "flatten x start_dim=start end_dim=end", "ravel": "flatten x",
    "transpose": "transpose x dim dim1", "transpose_copy": "transpose x dim dim1",
    "t": "transpose x", "t_copy": "transpose x", "mT": "transpose x",
    "permute": "permute x dims", "permute_copy": "permute x dims",
    "squeeze": "squeeze x dim", "squeeze_copy": "squeeze x dim",
    "unsqueeze": "unsqueeze x dim", "unsqueeze_copy": "unsqueeze x dim",
    "expand": "expand x sizes", "expand_as": "expand x sizes", "expand_copy": "expand x sizes",
    "broadcast_to": "expand x sizes",
    "slice": "slice x dim start end step", "narrow": "slice x dim start length",
    "narrow_copy": "slice x dim start length", "select": "select x dim index",
    "__getitem__": "slice x at",
    "split": "split x size dim", "unsafe_split": "split x size dim",
    "split_with_sizes": "split x sizes dim", "split_with_sizes_copy": "split x sizes dim",
    "chunk": "chunk x chunks dim", "unsafe_chunk": "chunk x chunks dim",
    "cat": "concat tensors dim", "stack": "stack tensors dim",
    "index_select": "index_select x dim index",
    "nn.functional.embedding": "embedding weight index padding_idx -max_norm ~norm_type "
                               "-scale_grad_by_freq -sparse",
    "nn.functional.pad": "pad x sizes mode value", "constant_pad_nd": "pad x sizes value",
    # reductions
    "sum": "sum x dim=dims keepdim -dtype", "mean": "mean x dim=dims keepdim -dtype",
    "amax": "amax x dim=dims keepdim", "amin": "amin x dim=dims keepdim",
    "logsumexp": "logsumexp x dim=dims keepdim",
    "max": "max x dim keepdim", "min": "min x dim keepdim",
    "argmax": "argmax x dim keepdim", "argmin": "argmin x dim keepdim",
    "var": "var x dim=dims unbiased correction keepdim",
    "std": "stddev x dim=dims unbiased correction keepdim",
    "norm": "norm x p dim=dims keepdim -dtype", "linalg.norm": "norm x ord=p dim=dims keepdim -dtype",
    "linalg.vector_norm": "norm x ord=p dim=dims keepdim -dtype",
    "linalg.matrix_norm": "norm x ord=p dim=dims keepdim -dtype",
    # convolution, pooling, normalisation, dropout
    "nn.functional.conv2d": "conv2d x weight bias stride padding dilation groups",
    "nn.functional.conv_transpose2d": "conv_transpose2d x weight bias stride padding output_padding "
                                      "groups dilation",
    "nn.functional.max_pool2d": f"max_pool2d {POOL} dilation ceil_mode -return_indices",
    "nn.functional.avg_pool2d": f"avg_pool2d {POOL} ceil_mode count_include_pad divisor_override",
    "nn.functional.adaptive_avg_pool2d": "adaptive_avg_pool2d x output",
    "nn.functional.adaptive_max_pool2d": "adaptive_max_pool2d x output -return_indices",
    "nn.functional.batch_norm": "batch_norm x running_mean running_var weight bias training "
                                "momentum eps",
    "native_batch_norm": "batch_norm x weight bias running_mean running_var training momentum eps",
    "nn.functional.layer_norm": "layer_norm x sizes weight bias eps",
    "native_layer_norm": "layer_norm x sizes weight bias eps",
    "nn.functional.group_norm": "group_norm x groups weight bias eps",
    "native_group_norm": "group_norm x weight bias ~N ~C ~HxW groups eps",
    "nn.functional.dropout": "dropout x p training ~inplace",
    "nn.functional.dropout2d": "dropout2d x p training ~inplace",
    # losses
    "nn.functional.mse_loss": f"mse_loss {LOSS} -weight",
    "nn.functional.l1_loss": f"l1_loss {LOSS} -weight",
    "nn.functional.smooth_l1_loss": f"smooth_l1_loss {LOSS} beta",
    "nn.functional.huber_loss": "huber_loss x target reduction delta -weight",
    "nn.functional.kl_div": f"kl_div {LOSS} log_target",
    "nn.functional.binary_cross_entropy":
        "binary_cross_entropy x target weight -size_average -reduce reduction",
    "nn.functional.binary_cross_entropy_with_logits":
        "binary_cross_entropy_with_logits x target weight -size_average -reduce reduction pos_weight",
    "nn.functional.cross_entropy": "cross_entropy x target weight -size_average ignore_index -reduce "
                                   "reduction label_smoothing",
    "nn.functional.nll_loss": "nll_loss x target weight -size_average ignore_index -reduce reduction",
}  # fmt: skip

# Defaults that sweep.cpp does not know, or that the DEVIATIONS of sweep.py ask for.
DEFAULTS = {
    "batch_norm": {"training": 0, "relu": 0}, "chunk": {"dim": 0}, "concat": {"dim": 0},
    "cross_entropy": {"label_smoothing": 0.0}, "glu": {"dim": -1}, "huber_loss": {"delta": 1.0},
    "slice": {"dim": 0}, "split": {"dim": 0}, "stack": {"dim": 0},
}  # fmt: skip

# The arguments that are tensors. A number in place of one becomes a tensor of shape [].
TENSORS = "a b bias condition pos_weight running_mean running_var target weight x".split()
INT_TENSORS = ["labels", "index"]


# --- arguments that sweep.cpp wants in another form ----------------------------------------------
# Each function changes the arguments, and returns the op.


def clamp(op, given):
    """With bounds that are tensors it is maximum, minimum, or one after the other."""
    bounds = [name for name in ("min", "max") if name in given]
    if not any(is_tensor(given[name]) for name in bounds):
        return "clamp" if len(bounds) == 2 else f"clamp_{bounds[0]}"
    if len(bounds) == 2:
        return "clamp"
    given["a"], given["b"] = given.pop("x"), given.pop(bounds[0])
    return "maximum" if bounds == ["min"] else "minimum"


def transposed(op, given):
    rank = given["x"].dim()
    if rank < 2:
        raise Inexpressible("fewer than two dimensions")
    given |= {"dim": rank - 2, "dim1": rank - 1}
    return op


def shape(op, given):
    """A tensor stands for its shape."""
    if is_tensor(given["sizes"]):
        given["sizes"] = given["sizes"].shape
    if op == "expand" and -1 in given["sizes"]:
        raise Inexpressible("-1 for a size that stays")
    return op


def squeeze(op, given):
    if isinstance(given.get("dim"), tuple):
        if len(given["dim"]) != 1:
            raise Inexpressible("a list of dimensions")
        given["dim"] = given["dim"][0]
    return op


def part(op, given):
    """slice, and narrow, which has a length in place of an end."""
    size = given["x"].shape[given.get("dim", 0)]
    start = int(given.get("start", 0))
    if "length" in given:
        start %= max(size, 1)
        given["end"] = start + given.pop("length")
    given |= {"start": start, "end": given.get("end", size)}
    return op


def getitem(op, given):
    """x[at], if it is one of slice, select and index_select."""
    at = given.pop("at")
    at = list(at) if isinstance(at, tuple) else [at]
    at = [item for item in at if item is not Ellipsis] if at[-1] is Ellipsis else at
    used = [(dim, item) for dim, item in enumerate(at) if item != slice(None)]
    if len(used) != 1:
        raise Inexpressible("indices for several dimensions")
    dim, item = used[0]
    if isinstance(item, slice):
        start, end, step = item.indices(given["x"].shape[dim])
        given |= {"dim": dim, "start": start, "end": end, "step": step}
        return "slice"
    if isinstance(item, int):
        given |= {"dim": dim, "index": item}
        return "select"
    index = torch.as_tensor(item)
    if index.dtype == torch.bool or index.dim() != 1:
        raise Inexpressible("a mask, or indices of several dimensions")
    given |= {"dim": dim, "index": index}
    return "index_select"


def split(op, given):
    if not isinstance(given.get("size", 0), int):
        given["sizes"] = given.pop("size")
    return op


def joined(op, given):
    """A list of tensors: a, b, ..."""
    given |= dict(zip("abcdefgh", given.pop("tensors")))
    return op


def pad(op, given):
    mode = given.pop("mode", "constant")
    if mode not in ("constant", "reflect"):
        raise Inexpressible(f"mode {mode}")
    given["reflect"] = mode == "reflect"
    return op


def one_dim(op, given):
    if given.get("keepdim") and "dim" not in given:
        raise Inexpressible("keepdim without a dimension")
    return {"max": "maximum", "min": "minimum"}[op] if "b" in given else op


def extreme(op, given):
    """max and min are those of two tensors, too."""
    if is_tensor(given.get("dim")):
        given["a"], given["b"] = given.pop("x"), given.pop("dim")
    return one_dim(op, given)


def variance(op, given):
    if isinstance(given.get("dims"), bool):
        given["unbiased"] = given.pop("dims")
    if "unbiased" in given:
        given["correction"] = int(given.pop("unbiased"))
    return op


def norm(op, given):
    """The Frobenius norm is that of all elements as one vector."""
    p = given.get("p", "fro")
    if p == "nuc":
        raise Inexpressible("nuclear norm")
    given["p"] = 2 if p == "fro" else p
    return op


def vector_norm(op, given):
    given.setdefault("p", 2)
    return op


def linalg_norm(op, given):
    """The norm of a matrix, unless there is one dimension, or no p."""
    dims = given.get("dims", range(given["x"].dim()))
    is_matrix = not isinstance(dims, int) and len(dims) == 2
    if is_matrix and given.get("p", "fro") != "fro":
        raise Inexpressible("a matrix norm other than Frobenius")
    return norm(op, given)


def matrix_norm(op, given):
    given.setdefault("dims", (-2, -1))
    return linalg_norm(op, given)


def avg_pool(op, given):
    if given.get("stride") == ():  # the kernel's
        del given["stride"]
    return op


def dropout(op, given):
    training, p = given.pop("training", True), given.setdefault("p", 0.5)
    if not training:  # sweep.cpp asks the layer
        given["training"] = False
        return {"dropout": "Dropout", "dropout2d": "Dropout2d"}[op]
    if p not in (0, 1):
        raise Inexpressible("random results")
    return op


def labels(op, given):
    if not given["target"].is_floating_point():
        given["labels"] = given.pop("target")
    return op


ADJUST = {
    "clamp clamp_min clamp_max": clamp, "t t_copy mT": transposed,
    "reshape reshape_as view view_as view_copy expand expand_as expand_copy broadcast_to": shape,
    "squeeze squeeze_copy": squeeze, "slice narrow narrow_copy": part, "__getitem__": getitem,
    "split unsafe_split": split, "cat stack": joined, "nn.functional.pad": pad,
    "max min": extreme, "argmax argmin": one_dim, "var std": variance, "norm": norm,
    "linalg.vector_norm": vector_norm, "linalg.norm": linalg_norm, "linalg.matrix_norm": matrix_norm,
    "nn.functional.avg_pool2d": avg_pool,
    "nn.functional.dropout nn.functional.dropout2d": dropout,
    "nn.functional.cross_entropy nn.functional.nll_loss": labels,
}  # fmt: skip
ADJUST = {name: adjust for names, adjust in ADJUST.items() for name in names.split()}


# --- from a sample to a case -----------------------------------------------------------------------


def bind(words, sample):
    """The arguments of a sample by sweep.cpp's names, without those that are None."""
    ours = dict(word.split("=") if "=" in word else (word.lstrip("-~"), word) for word in words)
    values = [sample.input, *sample.args]
    given = {}
    for name, value in [*zip(ours, values), *sample.kwargs.items()]:
        word = ours.get(name, "-" + name)
        if value is None or word.startswith("~") or (word.startswith("-") and value is False):
            continue
        if word.startswith("-"):
            raise Inexpressible(f"argument {name}")
        given[word] = value
    assert len(values) <= len(ours), (words, sample)
    return given


def told(value):
    """An option as sweep.cpp reads it; raises Inexpressible."""
    if isinstance(value, (tuple, list)):
        if None in value:
            raise Inexpressible("None for a size that stays")
        return ",".join(str(int(v)) for v in value)
    return int(value) if isinstance(value, bool) else value


def put_in(value, tensors):
    """`value`, a tensor or a list with some, with these in place of tensors of the sample."""
    if is_tensor(value):
        return tensors.get(id(value), value)
    if type(value) in (list, tuple):
        return type(value)(put_in(v, tensors) for v in value)
    return value


def result(y, op, options):
    """The tensor that sweep.cpp gives: of several results the first, or all pieces in one."""
    if op == "split":
        y = torch.cat(y, options["dim"])
    if isinstance(y, (tuple, list)):
        y = y[0]
    return y if y.is_floating_point() else y.double()


def convert(info, sample):
    """The case for a sample; raises Inexpressible."""
    op, *words = SIGNATURES[info.name].split()
    given = bind(words, sample)
    if info.name in ADJUST:
        op = ADJUST[info.name](op, given)
    given = DEFAULTS.get(op, {}) | given
    of_sample = {n: v for n, v in given.items() if n in TENSORS or is_tensor(v)}
    options = {n: told(v) for n, v in given.items() if n not in of_sample}
    inputs = {}
    for name, value in of_sample.items():
        x = torch.as_tensor(value).detach()
        inputs[name] = x.long() if name in INT_TENSORS else x.float()
    replaced = {id(v): n for n, v in of_sample.items() if is_tensor(v) and v.is_floating_point()}

    def function(t):
        tensors = {key: t[name] for key, name in replaced.items()}
        values = [put_in(v, tensors) for v in (sample.input, *sample.args)]
        keywords = {k: put_in(v, tensors) for k, v in sample.kwargs.items()}
        return result(info(*values, **keywords), op, options)

    wants = [n for n, v in of_sample.items() if is_tensor(v) and v.requires_grad]
    after = [name for name in ("running_mean", "running_var") if name in inputs]
    y = function({name: x.clone() for name, x in inputs.items()})
    inputs["dy"] = sweep.numbers(*y.shape, seed=5)
    return sweep.Case(op, function, inputs, wants, after, options)


# --- layers ----------------------------------------------------------------------------------------

# sweep.cpp's options for the attributes of PyTorch's layer (attribute=option where they differ).
CONVOLUTION = "in_channels=in out_channels=out kernel_size=kernel stride padding dilation groups bias"
BATCH_NORM = "num_features=in eps momentum affine track_running_stats=track"
PLAIN = "Hardswish LogSigmoid Mish ReLU ReLU6 SELU SiLU Sigmoid Softsign Tanh"
LAYERS = {name: "" for name in PLAIN.split()} | {
    "Linear": "in_features=in out_features=out bias",
    "Conv2d": CONVOLUTION, "ConvTranspose2d": CONVOLUTION + " output_padding",
    "BatchNorm1d": BATCH_NORM, "BatchNorm2d": BATCH_NORM,
    "LayerNorm": "normalized_shape=sizes eps elementwise_affine bias",
    "GroupNorm": "num_groups=groups num_channels=in eps affine bias",
    "MaxPool2d": f"{POOL[2:]} dilation ceil_mode return_indices",
    "AvgPool2d": f"{POOL[2:]} ceil_mode count_include_pad divisor_override",
    "AdaptiveAvgPool2d": "output_size=output", "AdaptiveMaxPool2d": "output_size=output return_indices",
    "Embedding": "num_embeddings=in embedding_dim=out padding_idx",
    "LeakyReLU": "negative_slope", "PReLU": "num_parameters=in", "ELU": "alpha", "CELU": "alpha",
    "GELU": "approximate", "Softplus": "beta threshold", "Hardtanh": "min_val max_val", "GLU": "dim",
    "Softmax": "dim", "LogSoftmax": "dim",
}  # fmt: skip


def layer_options(name, layer):
    """What sweep.cpp is told of a layer; raises Inexpressible."""
    options = {"training": int(layer.training)}
    for word in LAYERS[name].split():
        attribute, _, option = word.partition("=")
        value = getattr(layer, attribute)
        if attribute == "bias":
            value = value is not None
        if attribute == "momentum" and value is None:
            value = "None"
        if value is not None:
            options[option or attribute] = told(value)
    if options.pop("return_indices", False):
        raise Inexpressible("argument return_indices")
    if options.get("affine") and layer.bias is None and "bias" not in options:
        raise Inexpressible("argument bias")
    return options


def convert_layer(info, sample, training):
    """The case for a sample of a layer; raises Inexpressible."""
    name = info.name.split(".")[-1]
    arguments = sample.constructor_input
    layer = info.module_cls(*arguments.args, **arguments.kwargs).train(training)
    options = layer_options(name, layer)
    (x,) = [*sample.forward_input.args, *sample.forward_input.kwargs.values()]
    inputs = {n: p.detach() for n, p in layer.named_parameters()} | {"x": x.detach().float()}

    def function(t):
        used = copy.deepcopy(layer).to(t["x"].dtype)
        parameters = {n: t[n] for n, _ in layer.named_parameters()}
        at = t["x"] if x.is_floating_point() else x
        y = torch.func.functional_call(used, parameters, (at,))
        t["buffers"] = dict(used.named_buffers())
        return y

    wants = [n for n in inputs if n != "x" or x.requires_grad]
    y = function({n: v.clone() for n, v in inputs.items()})
    inputs["dy"] = sweep.numbers(*y.shape, seed=5)
    return sweep.Case(name, function, inputs, wants, ["buffers"], options)


def collect_layers(names):
    """As collect."""
    rows, cases = {}, []
    for info in sorted(module_db, key=lambda i: i.name):
        name = info.name.split(".")[-1]
        if name not in LAYERS or names and name not in names:
            continue
        row = rows[info.name] = Row()
        for training in (True, False):
            torch.manual_seed(0)
            random.seed(0)
            for sample in info.module_inputs_func(
                info, device="cpu", dtype=torch.float32, requires_grad=True, training=training
            ):
                try:
                    cases.append((info.name, convert_layer(info, sample, training)))
                except Inexpressible as reason:
                    row.reasons[str(reason)] += 1
    return rows, cases


# --- running and counting ------------------------------------------------------------------------


class Row:
    """The counts of one op or layer of PyTorch, and the ops of Primer that do its work."""

    def __init__(self):
        self.ops = {}  # in order
        self.verdicts = collections.Counter()
        self.reasons = collections.Counter()

    def expressed(self):
        return self.verdicts.total()

    def samples(self):
        return self.expressed() + self.reasons.total()


def collect(names):
    """The rows by PyTorch's names, and the cases with the names of their rows."""
    rows, cases = {}, []
    for info in sorted(op_db, key=lambda i: i.full_name):
        if info.name not in SIGNATURES or torch.float32 not in info.dtypes:
            continue
        op = SIGNATURES[info.name].split()[0]
        if names and op not in names and info.name not in names:
            continue
        row = rows[info.full_name] = Row()
        torch.manual_seed(0)
        random.seed(0)
        for sample in info.sample_inputs("cpu", torch.float32, requires_grad=info.supports_autograd):
            try:
                cases.append((info.full_name, convert(info, sample)))
            except Inexpressible as reason:
                row.reasons[str(reason)] += 1
    return rows, cases


def run(program, rows, named):
    """Fills in the verdicts and prints the faults. Returns the deviations that were met."""
    cases = [c for _, c in named]
    references = [[sweep.reference(c, t) for t in (torch.float32, torch.float64)] for c in cases]
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("cases", "results")]
        sweep.write_cases(files[0], cases)
        results, errors = sweep.run_primer(program, None, files)
    met = {}
    for i, (name, c) in enumerate(named):
        assert None not in references[i], f"PyTorch raises for its own sample: {name} {c.options}"
        found, fault = sweep.verdict(c, references[i], results[i], errors.get(i))
        rows[name].ops[c.op] = None
        rows[name].verdicts[found] += 1
        if found == "meant":
            met[sweep.deviation(c)] = None
        if found == "wrong":
            options = " ".join(f"{k}={v}" for k, v in c.options.items())
            print(f"FAILED: {name}: {c.op} {options}: {fault}")
    return list(met)


def listed(reasons):
    return ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))


def totals(rows):
    every = Row()
    for row in rows.values():
        every.verdicts += row.verdicts
        every.reasons += row.reasons
    return every


def print_table(rows):
    for name, row in rows.items():
        n = row.verdicts
        text = f"{name}: {row.samples()} samples, {row.expressed()} expressed, {n['passed']} passed"
        text += f", {n['meant']} otherwise on purpose" if n["meant"] else ""
        text += f", {n['wrong']} WRONG" if n["wrong"] else ""
        print(text + (f"; not expressed: {listed(row.reasons)}" if row.reasons else ""))


def summary(rows):
    every = totals(rows)
    n = every.verdicts
    return (
        f"{len(rows)} ops and layers: {every.samples()} samples, {every.expressed()} expressed, "
        f"of which {n['passed']} as PyTorch {VERSION}, {n['meant']} otherwise on purpose, "
        f"{n['wrong']} wrong"
    )


HEAD = """# PyTorch's sample inputs

PyTorch tests its ops and layers with sample inputs (OpInfo and ModuleInfo in
`torch.testing._internal`). Primer is tested with those of PyTorch {version} for the ops and layers
that both have, on the CPU and in float32. The table says how many of them Primer's functions can
express, and how many of these give PyTorch's results and gradients. It is made by

    python3 tests/parity/op_samples.py build/release/tests/sweep --table docs/op-samples.md

and `tests/scripts/op_samples_test.sh` checks that it is up to date.

| PyTorch | Primer | samples | expressed | passed | otherwise on purpose | not expressed |
|---|---|---:|---:|---:|---:|---|
"""


def write_table(path, rows, met):
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD.format(version=VERSION))
        for name, row in rows.items():
            n = row.verdicts
            counts = [row.samples(), row.expressed(), n["passed"], n["meant"] or ""]
            ops = ", ".join(f"`{op}`" for op in row.ops)
            cells = [f"`{name}`", ops, *map(str, counts), listed(row.reasons)]
            file.write("| " + " | ".join(cells) + " |\n")
        file.write(f"\n{summary(rows)}.\n")
        if met:
            file.write("\nOtherwise on purpose:\n\n" + "".join(f"- {reason}\n" for reason in met))
        reasons = sorted(totals(rows).reasons.items(), key=lambda r: (-r[1], r[0]))
        file.write("\nNot expressed:\n\n" + "".join(f"- {count}: {why}\n" for why, count in reasons))


def main():
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="the sweep that CMake builds")
    parser.add_argument("ops", nargs="*", help="only these, by either name; default: all")
    parser.add_argument("--table", metavar="FILE", help="write the counts there, as Markdown")
    arguments = parser.parse_args()
    rows, cases = collect(arguments.ops)
    layer_rows, layer_cases = collect_layers(arguments.ops)
    rows |= layer_rows
    cases += layer_cases
    met = run(arguments.program, rows, cases)
    print_table(rows)
    print("".join(f"on purpose otherwise: {reason}\n" for reason in met), end="")
    if arguments.table:
        write_table(arguments.table, rows, met)
    print(summary(rows))
    sys.exit(1 if totals(rows).verdicts["wrong"] else 0)


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT
