#!/usr/bin/env python3
"""Compares single ops with PyTorch's on this machine: forward, and a step with its backward.

    cmake --build build/release --target bench_ops
    pip install torch==2.13.0
    python3 benchmarks/compare_ops.py [OP ...] [--threads 1,2] [--elements 1024,65536,1048576]

Primer's side is a process of ops.cpp, PyTorch's is this one. They take turns, one round each, so that
other work on the machine affects both alike. The table has the microseconds of a forward on both
sides and the ratio of the two, PyTorch's time by Primer's: the median of the rounds, and the smallest
and the largest; and the median for a step, which also runs the backward of sum(op(x) * dy). Above 1
Primer is faster. --markdown FILE also writes the ratios of the forward, an op a line, as docs/speed.md
has them. float32, x [elements / 64, 64], from -2 to 2, or from 0 to 1 for log, sqrt, pow and
binary_cross_entropy.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STEERING = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "DNNL_", "ONEDNN_", "ATEN_", "TORCH")


def torch_op(name, x):
    """The op of PyTorch with this name in ops.cpp, as a function of x."""
    import torch
    import torch.nn.functional as F
    other = torch.rand_like(x) + 0.5
    target = torch.rand_like(x)
    if name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "lt", "eq"):
        return lambda v: getattr(torch, name)(v, other)
    if name.startswith("pow_"):
        exponent = {"2": 2, "half": 0.5, "2.5": 2.5}[name[4:]]
        return lambda v: v ** exponent
    if name == "clamp":
        return lambda v: v.clamp(0.2, 0.8)
    if name == "where":
        condition = target > 0.5
        return lambda v: torch.where(condition, v, other)
    if name in ("softmax", "log_softmax", "logsumexp"):
        return lambda v: getattr(torch, name)(v, 1)
    if name == "softmax_of_8":
        return lambda v: v.reshape(-1, 8).softmax(1)
    if name == "softmax_columns":
        return lambda v: v.softmax(0)
    if name == "prelu":
        slopes = torch.full((64,), 0.25)
        return lambda v: F.prelu(v, slopes)
    if name == "gelu_tanh":
        return lambda v: F.gelu(v, approximate="tanh")
    if name == "maxout":
        return lambda v: v.view(len(v), 32, 2).max(2).values
    if name == "layer_norm":
        weight, bias = torch.ones(64), torch.zeros(64)
        return lambda v: F.layer_norm(v, (64,), weight, bias)
    if name == "group_norm":
        weight, bias = torch.ones(64), torch.zeros(64)
        return lambda v: F.group_norm(v, 8, weight, bias)
    if name == "norm":
        return torch.linalg.vector_norm
    if name in ("var", "amax"):
        return lambda v: getattr(v, name)(1)
    if name == "sum":
        return torch.sum
    if name == "mean":
        return lambda v: v.mean(1)
    if name in ("cross_entropy", "nll_loss"):
        labels = torch.randint(0, 64, (len(x),))
        return lambda v: getattr(F, name)(v, labels)
    if name == "kl_div":
        return lambda v: F.kl_div(v, target, reduction="batchmean")
    if name.endswith("_loss") or name.startswith("binary"):
        return lambda v: getattr(F, name)(v, target)
    return getattr(torch, name, None) or getattr(F, name)


def seconds_of_each(repeats, f):
    start = time.perf_counter()
    for _ in range(repeats):
        f()
    return (time.perf_counter() - start) / repeats


def of_pytorch(name, elements, repeats):
    import torch
    positive = name in ("log", "sqrt", "binary_cross_entropy") or name.startswith("pow")
    x = torch.rand(elements // 64, 64)
    x = x * 0.98 + 0.01 if positive else x * 4 - 2
    op = torch_op(name, x)
    with torch.no_grad():
        forward = seconds_of_each(repeats, lambda: op(x))
        dy = torch.rand_like(op(x).float())
    if name in ("lt", "eq"):
        return forward, 0.0
    leaf = x.clone().requires_grad_()

    def step():
        leaf.grad = None
        (op(leaf) * dy).sum().backward()

    return forward, seconds_of_each(repeats, step)


def compare(program, name, elements, rounds):
    def of_primer(repeats):
        program.stdin.write(f"{name} {elements} {repeats}\n")
        program.stdin.flush()
        return tuple(float(word) for word in program.stdout.readline().split())

    once = max(of_primer(3)[0], of_pytorch(name, elements, 3)[0], 1e-6)
    repeats = max(3, min(2000, int(0.02 / once)))
    primer, pytorch = [], []
    for _ in range(rounds):
        primer.append(of_primer(repeats))
        pytorch.append(of_pytorch(name, elements, repeats))
    ratios = [t[0] / p[0] for t, p in zip(pytorch, primer)]
    steps = [t[1] / p[1] for t, p in zip(pytorch, primer) if p[1] > 0]
    median = lambda times: 1e6 * statistics.median(t[0] for t in times)
    step = f"{statistics.median(steps):6.2f}" if steps else "     -"
    print(f"{name:34}{elements:9}{median(primer):10.1f}{median(pytorch):10.1f}"
          f"{statistics.median(ratios):8.2f}  {min(ratios):.2f} to {max(ratios):.2f}{step:>10}", flush=True)
    return statistics.median(ratios)


def write_markdown(path, names, sizes, ratios):
    """A table of the ratios: an op a line, with a column for each number of threads and elements."""
    columns = [(threads, n) for threads in sorted({t for t, _, _ in ratios}) for n in sizes]
    with open(path, "w") as file:
        file.write("| op | " + " | ".join(f"{n}, {threads} thread{'s' if threads > 1 else ''}"
                                          for threads, n in columns) + " |\n")
        file.write("|---" * (1 + len(columns)) + "|\n")
        for name in names:
            cells = [f"{ratios[threads, name, n]:.2f}" for threads, n in columns]
            file.write(f"| {name} | {' | '.join(cells)} |\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("ops", nargs="*", help="only these; default: all")
    parser.add_argument("--bench", default=f"{ROOT}/build/release/benchmarks/bench_ops")
    parser.add_argument("--elements", default="1024,65536,1048576")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--markdown", metavar="FILE")
    arguments = parser.parse_args()
    for variable in [v for v in os.environ if v.startswith(STEERING)]:
        del os.environ[variable]
    if not os.path.exists(arguments.bench):
        sys.exit(f"no {arguments.bench}; build it: cmake --build build/release --target bench_ops")
    listed = subprocess.run([arguments.bench, "--list"], capture_output=True, text=True, check=True)
    names = arguments.ops or listed.stdout.split()
    sizes = [int(word) for word in arguments.elements.split(",")]
    ratios = {}
    for threads in (int(word) for word in arguments.threads.split(",")):
        import torch
        torch.set_num_threads(threads)
        print(f"\n{threads} thread(s); PyTorch {torch.__version__}\n"
              f"{'op':34}{'elements':>9}{'Primer us':>10}{'PyTorch':>10}{'ratio':>8}  {'range':12}{'step':>10}")
        environment = os.environ | {"PRIMER_NUM_THREADS": str(threads)}
        program = subprocess.Popen([arguments.bench], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, env=environment)
        slower = []
        for name in names:
            for elements in sizes:
                ratio = compare(program, name, elements, arguments.rounds)
                ratios[threads, name, elements] = ratio
                if ratio < 1:
                    slower.append(f"{name} ({elements})")
        program.stdin.close()
        program.wait()
        print(f"\nslower than PyTorch: {', '.join(slower) or 'none'}")
    if arguments.markdown:
        write_markdown(arguments.markdown, names, sizes, ratios)


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT
