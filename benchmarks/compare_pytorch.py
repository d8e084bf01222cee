#!/usr/bin/env python3
"""Compares Primer with PyTorch on this machine: both train the networks of workloads.cpp.

    ./primer bench --help                       # builds Primer's side
    pip install torch==2.13.0
    python3 benchmarks/compare_pytorch.py       # --help lists the flags

For each workload and number of threads each side has one process. Both warm up; then they take
turns, one round each, so that other work on the machine and the clock of a warm processor affect
both alike. Each round gives a ratio of the two speeds; the table has the median, the smallest and
the largest.

The same on both sides: networks (their numbers of parameters are compared), batches, 4096 examples
of uniform random numbers in memory, a step that gathers the next shuffled batch from them, forward,
cross-entropy, zero_grad, backward and SGD with momentum 0.9, all in float32; for the workloads
predict..., the gathering and the forward in eval mode, under inference_mode. Five steps to warm up.
Primer's networks fuse BatchNorm and ReLU into one layer; the formulas agree.

PyTorch runs eagerly with its defaults: oneDNN and MKL on, set_num_threads and OMP_NUM_THREADS at
the number of threads, all variables that steer its libraries removed from the environment, batches
gathered by one indexing operation (its DataLoader, which assembles batches from single examples,
would be far slower). ReLU(inplace=True) makes it no faster.

Compare on an idle machine: OpenMP's threads spin while they wait for one another, so with a thread
on every core PyTorch suffers from other work far more than Primer.
"""

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TORCH_VERSION = "2.13.0"

EXAMPLES = 4096
CLASSES = 10
WARM_UP_STEPS = 5
ROUND_SECONDS = 0.3

FLAT, MNIST, CIFAR = (784,), (1, 28, 28), (3, 32, 32)

# name: network, shape of an example, batch. As in workloads.cpp; predict... is forward only.
WORKLOADS = {
    "mlp64": ("mlp", FLAT, 64),
    "mlp256": ("mlp", FLAT, 256),
    "lenet": ("lenet", MNIST, 64),
    "mnist_cnn": ("mnist_cnn", MNIST, 64),
    "cifar_cnn": ("cifar_cnn", CIFAR, 128),
    "resnet": ("resnet", CIFAR, 128),
    "predict1_mlp": ("mlp", FLAT, 1),
    "predict1_cifar": ("cifar_cnn", CIFAR, 1),
    "predict1000_mlp": ("mlp", FLAT, 1000),
    "predict1000_cifar": ("cifar_cnn", CIFAR, 1000),
}

# Variables with these prefixes (a number of threads, a kind of processor) would slow
# a library down or override our settings.
STEERING = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "NVPL_", "DNNL_",
            "ONEDNN_", "ATEN_", "TORCH")


class Failure(Exception):
    """An error whose text explains it."""


# --- PyTorch's side: a process that runs this file with --worker ---------------------------------

def build(network):
    """The networks of workloads.cpp, layer by layer."""
    from torch import nn

    def cbr(i, o):
        return [nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU()]

    class Residual(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.body = nn.Sequential(*cbr(channels, channels), *cbr(channels, channels))

        def forward(self, x):
            return x + self.body(x)

    def pool():
        return nn.MaxPool2d(2)

    layers = {
        "mlp": lambda: [
            nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(),
            nn.Linear(128, CLASSES)],
        "lenet": lambda: [
            nn.Conv2d(1, 10, 5), pool(), nn.ReLU(),
            nn.Conv2d(10, 20, 5), nn.Dropout2d(), pool(), nn.ReLU(),
            nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, CLASSES)],
        "mnist_cnn": lambda: [
            *cbr(1, 32), pool(), *cbr(32, 64), pool(),
            nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, CLASSES)],
        "cifar_cnn": lambda: [
            *cbr(3, 32), *cbr(32, 32), pool(),
            *cbr(32, 64), *cbr(64, 64), pool(),
            *cbr(64, 128), *cbr(128, 128), pool(),
            nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, CLASSES)],
        "resnet": lambda: [
            *cbr(3, 64), Residual(64),
            *cbr(64, 128), pool(), Residual(128),
            *cbr(128, 256), pool(), Residual(256),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, CLASSES)],
    }
    return nn.Sequential(*layers[network]())


def make_step(model, shape, batch, inference):
    """The timed function, and a function that returns the last loss, for a check."""
    import torch
    from torch import nn

    images = torch.rand(EXAMPLES, *shape)
    labels = torch.randint(CLASSES, (EXAMPLES,))

    def endless_batches():
        while True:
            order = torch.randperm(EXAMPLES)
            for first in range(0, EXAMPLES - batch + 1, batch):
                index = order[first:first + batch]
                yield images[index], labels[index]

    batches = endless_batches()
    if inference:
        model.eval()

        def predict():
            with torch.inference_mode():
                x, _ = next(batches)
                model(x)
        return predict, lambda: 0.0

    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss = None

    def train():
        nonlocal loss
        x, y = next(batches)
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return train, lambda: loss.item()


def time_round(step, steps):
    """Milliseconds per step; steps = 0: as many as ROUND_SECONDS allow, at least one."""
    start = time.perf_counter()
    done = 0
    while True:
        step()
        done += 1
        seconds = time.perf_counter() - start
        if (done >= steps) if steps else (seconds >= ROUND_SECONDS):
            return 1e3 * seconds / done


def peak_mb():
    """The peak memory of this process."""
    # getrusage would also count the process that started this one.
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def worker(flags):
    """Answers the lines "run" and "peak" as `bench --serve` does."""
    import torch

    torch.set_num_threads(flags.threads[0])
    torch.manual_seed(1)
    name = flags.workloads[0]
    network, shape, batch = WORKLOADS[name]
    model = build(network)
    inference = flags.inference or name.startswith("predict")
    step, last_loss = make_step(model, shape, flags.batch or batch, inference)
    for _ in range(WARM_UP_STEPS):
        step()
    print("ready", sum(p.numel() for p in model.parameters()), flush=True)
    for line in sys.stdin:
        if line.strip() == "run":
            ms = time_round(step, flags.steps)
            if not math.isfinite(last_loss()):
                sys.exit("the loss is not finite: training has diverged")
            print(ms, flush=True)
        else:
            print(peak_mb(), flush=True)


# --- The comparison ------------------------------------------------------------------------------

class Side:
    """A process that runs rounds on request."""

    def __init__(self, title, command, environment):
        self.title = title
        self.process = subprocess.Popen(command, env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.parameters = int(self.answer().split()[1])

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.title} ended before its work was done (exit code "
                          f"{self.process.wait()}); its message above, if any, says why")
        return line

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return float(self.answer())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def passed_on(flags, workload, threads):
    """The flags that both sides' processes understand."""
    result = ["--workloads", workload, "--threads", str(threads)]
    if flags.steps:
        result += ["--steps", str(flags.steps)]
    if flags.batch:
        result += ["--batch", str(flags.batch)]
    if flags.inference:
        result += ["--inference"]
    return result


def compare(flags, workload, threads, environment):
    """One row of the result."""
    environment = dict(environment, OMP_NUM_THREADS=str(threads))
    shared = passed_on(flags, workload, threads)
    sides = []
    try:
        sides.append(Side("Primer", [flags.bench, "--serve", *shared], environment))
        sides.append(Side("PyTorch", [sys.executable, __file__, "--worker", *shared], environment))
        ours, theirs = sides
        if ours.parameters != theirs.parameters:
            raise Failure(f"{workload} is not the same network on both sides: Primer has "
                          f"{ours.parameters} parameters, PyTorch {theirs.parameters}")
        times = {ours: [], theirs: []}
        for round_number in range(flags.rounds):
            # Each side goes first in every other round, so neither always follows the other.
            for side in sides if round_number % 2 == 0 else reversed(sides):
                times[side].append(side.ask("run"))
                time.sleep(0.02)  # its threads may spin for a while
        batch = flags.batch or WORKLOADS[workload][2]
        ratios = [b / a for a, b in zip(times[ours], times[theirs])]
        return {
            "workload": workload,
            "threads": threads,
            "ours": 1e3 * batch / statistics.median(times[ours]),
            "pytorch": 1e3 * batch / statistics.median(times[theirs]),
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
            "ours_mb": ours.ask("peak"),
            "pytorch_mb": theirs.ask("peak"),
        }
    finally:
        for side in sides:
            side.stop()


def clean_environment():
    """The environment without variables that steer the libraries, and the names of those."""
    removed = sorted(name for name in os.environ if name.startswith(STEERING))
    return {k: v for k, v in os.environ.items() if k not in removed}, removed


def write_whole(path, write):
    """Calls write(name) with a temporary name first, so that nobody ever reads half a file."""
    base, extension = os.path.splitext(path)
    unfinished = base + ".part" + extension
    write(unfinished)
    os.replace(unfinished, path)


def write_json(rows, path):
    def write(name):
        with open(name, "w") as file:
            file.write("[\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n]\n")
    write_whole(path, write)


def plot(rows, path):
    """Draws a bar for each row: the ratio to PyTorch's speed, with the spread of the rounds."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    workloads = list(dict.fromkeys(row["workload"] for row in rows))
    threads = list(dict.fromkeys(row["threads"] for row in rows))
    height = 0.8 / len(threads)
    figure, axes = pyplot.subplots(figsize=(8, 1 + 0.35 * len(rows)))
    for i, count in enumerate(threads):
        mine = [row for row in rows if row["threads"] == count]
        at = [workloads.index(row["workload"]) + (i - (len(threads) - 1) / 2) * height
              for row in mine]
        ratio = [row["ratio"] for row in mine]
        spread = [[row["ratio"] - row["ratio_min"] for row in mine],
                  [row["ratio_max"] - row["ratio"] for row in mine]]
        bars = axes.barh(at, ratio, height, xerr=spread, capsize=2, ecolor="0.4",
                         label=f"{count} thread{'s' if count > 1 else ''}")
        axes.bar_label(bars, [f"{r:.2f}x" for r in ratio], padding=4, fontsize=8)
    axes.axvline(1, color="black", linewidth=1, linestyle="--")
    axes.text(1, -0.65, "PyTorch ", ha="right", fontsize=8)
    axes.set_yticks(range(len(workloads)), workloads)
    axes.invert_yaxis()
    axes.set_xlim(left=0, right=1.15 * max(row["ratio_max"] for row in rows))
    axes.set_xlabel("images per second, PyTorch = 1")
    axes.set_title(f"Primer against PyTorch {torch_version()}, on the CPU")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncol=len(threads), frameon=False)
    figure.tight_layout()
    write_whole(path, lambda name: figure.savefig(name, dpi=150))


def torch_version():
    from importlib.metadata import version
    return version("torch").split("+")[0]


def positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got '{text}'")
    return int(text)


def thread_counts(text):
    return sorted({positive(part) for part in text.split(",")})


def workload_names(text):
    result = []
    for beginning in text.split(","):
        found = [name for name in WORKLOADS if beginning and name.startswith(beginning)]
        if not found:
            raise argparse.ArgumentTypeError(
                f"no workload '{beginning}'; there are: {', '.join(WORKLOADS)}")
        result += found
    return [name for name in WORKLOADS if name in result]


def read_flags():
    cores = os.cpu_count()
    parser = argparse.ArgumentParser(
        description="Compares the speed of Primer and PyTorch on this machine.")
    parser.add_argument("--workloads", type=workload_names, default=list(WORKLOADS), metavar="A,B",
                        help="which to run, by names or their beginnings (default: all of "
                             + ", ".join(WORKLOADS) + ")")
    parser.add_argument("--threads", type=thread_counts, default=sorted({1, cores}), metavar="N,M",
                        help="numbers of threads for each run; by default 1 and all cores")
    parser.add_argument("--inference", action="store_true", help="forward only, in eval mode")
    parser.add_argument("--rounds", type=positive, default=7, metavar="N",
                        help="rounds of each side (default: 7)")
    parser.add_argument("--steps", type=positive, default=0, metavar="N",
                        help="steps in a round; by default as many as 0.3 s allow")
    parser.add_argument("--batch", type=positive, default=0, metavar="N",
                        help="examples in a step, instead of the workload's own")
    parser.add_argument("--json", metavar="FILE", help="also write the table to this file")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the ratios; needs matplotlib")
    parser.add_argument("--bench", metavar="FILE", help="Primer's program, if it is not where "
                        "./primer bench builds it",
                        default=os.path.join(ROOT, "build", "release", "benchmarks", "bench"))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def check_first(flags):
    """Fails now if saving would fail at the end."""
    for path in filter(None, [flags.json, flags.plot]):
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise Failure(f"there is no folder {os.path.dirname(path)}")
    if importlib.util.find_spec("torch") is None:
        raise Failure("PyTorch is not installed for this Python; try: "
                      f"pip install torch=={TORCH_VERSION}")
    if flags.plot and importlib.util.find_spec("matplotlib") is None:
        raise Failure("--plot needs matplotlib, which is not installed for this Python; try: "
                      "pip install matplotlib")
    if not os.access(flags.bench, os.X_OK):
        raise Failure(f"there is no program {flags.bench}; './primer bench --help' builds it")


def processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(": ", 1)[1].strip()
    return "unknown processor"


def main(flags):
    check_first(flags)
    environment, removed = clean_environment()
    print(f"{processor()}, {os.cpu_count()} cores; PyTorch {torch_version()}")
    if removed:
        print("taken out of the environment of both:", ", ".join(removed))
    print(f"\n{'':25} {'images/s':^19}  {'ratio':^23}  {'peak MB':^17}")
    print(f"{'workload':17} {'threads':>7} {'Primer':>9} {'PyTorch':>9}  "
          f"{'median':>7} {'min':>7} {'max':>7}  {'Primer':>8} {'PyTorch':>8}", flush=True)
    rows = []
    for workload in flags.workloads:
        for threads in flags.threads:
            row = compare(flags, workload, threads, environment)
            rows.append(row)
            print("{workload:17} {threads:7} {ours:9.1f} {pytorch:9.1f}  {ratio:6.2f}x "
                  "{ratio_min:6.2f}x {ratio_max:6.2f}x  {ours_mb:8.1f} {pytorch_mb:8.1f}"
                  .format(**row), flush=True)
    if flags.json:
        write_json(rows, flags.json)
    if flags.plot:
        plot(rows, flags.plot)


if __name__ == "__main__":
    arguments = read_flags()
    try:
        worker(arguments) if arguments.worker else main(arguments)
    except (Failure, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
# SPDX-License-Identifier: MIT
