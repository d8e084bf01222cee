"""The process of one peer: checks it against eager PyTorch, warms up, and runs rounds on request.

A folder holds what all peers of a workload share: weights, the batch for the check with eager
PyTorch's results, and the ONNX file. Another process writes it (prepare), so that peers other than
PyTorch need not load PyTorch, which would count as their memory.
"""

import importlib
import importlib.util
import math
import os
import pickle
import sys
import time
from dataclasses import dataclass

import numpy as np

from . import PEERS
from .networks import CLASSES, NETWORKS, WORKLOADS

EXAMPLES = 4096
ROUND_SECONDS = 0.3
CHECKED_STEPS = 3


@dataclass
class Work:
    network: str
    threads: int
    weights: list
    onnx: str
    parameters: int = 0


def draw(count, shape, seed):
    """Examples of uniform random numbers, and labels."""
    rng = np.random.default_rng(seed)
    return (rng.random((count, *shape), dtype=np.float32),
            rng.integers(CLASSES, size=count, dtype=np.int64))


def native_of(module):
    """Makes of a NumPy array what the library computes with."""
    return getattr(module, "native", lambda array: array)


def results(module, work, mode, training, x, y):
    """What the check compares, and the step: the outputs, or the losses of some steps."""
    x, y = map(native_of(module), (x, y))
    if training:
        step = module.trainer(work, mode)
        return np.array([float(step(x, y)) for _ in range(CHECKED_STEPS)]), step
    step = module.predictor(work, mode)
    return np.array(step(x)), step


def prepare(folder, workload, batch, training):
    """Writes the folder; needs PyTorch."""
    from . import pytorch
    network, shape, _ = WORKLOADS[workload]
    weights, parameters = pytorch.draw_weights(network)
    work = Work(network, 1, weights, os.path.join(folder, "network.onnx"), parameters)
    x, y = draw(batch, shape, seed=2)
    # The trainer copies the weights, so they are still the first ones below.
    expected, _ = results(pytorch, work, "", training, x, y)
    if not training and importlib.util.find_spec("onnx"):
        pytorch.export_onnx(work, x, work.onnx)
    with open(os.path.join(folder, "work"), "wb") as file:
        pickle.dump((work, x, y, expected), file)


def relative_error(got, expected):
    """The largest difference as a share of the largest expected value; infinite if not finite."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return math.inf
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def bound_of(peer, network, training):
    # Dropout draws other random numbers in each peer: losses agree only roughly.
    dropout = any(kind.startswith("dropout") for kind, *_ in NETWORKS[network])
    return 0.2 if training and dropout else peer.bound


def endless_batches(images, labels, batch, native):
    images, labels = native(images), native(labels)
    rng = np.random.default_rng(3)
    while True:
        order = native(rng.permutation(EXAMPLES))
        for first in range(0, EXAMPLES - batch + 1, batch):
            index = order[first:first + batch]
            yield images[index], labels[index]


def time_round(step, steps, seconds=ROUND_SECONDS):
    """Milliseconds per step; steps = 0: as many as fit into the seconds, at least one."""
    start = time.perf_counter()
    done = 0
    while True:
        step()
        done += 1
        passed = time.perf_counter() - start
        if (done >= steps) if steps else (passed >= seconds):
            return 1e3 * passed / done


def warm_up(step):
    """Until a short round is no longer clearly faster than the one before."""
    last = time_round(step, 5)
    for _ in range(10):
        now = time_round(step, 0, 0.1)
        if now > 0.95 * last:
            return
        last = now


def peak_mb():
    """The peak memory of this process."""
    # getrusage would also count the process that started this one.
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def serve(folder, name, workload, batch, threads, steps, training):
    """Answers the lines "run" and "peak" as `bench --serve` does."""
    # Libraries may print; that goes to stderr, so that stdout has only the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peer = next(p for p in PEERS if p.name == name)
    if peer.pinned:  # before the library starts a thread for each processor that it may use
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    with open(os.path.join(folder, "work"), "rb") as file:
        work, x, y, expected = pickle.load(file)
    work.threads = threads
    module = importlib.import_module("." + peer.file, __package__)
    got, step = results(module, work, peer.mode, training, x, y)
    error = relative_error(got, expected)
    if error > bound_of(peer, work.network, training):
        raise ValueError(f"differs from eager PyTorch by {error:.1e}")
    batches = endless_batches(*draw(EXAMPLES, WORKLOADS[workload][1], seed=1), batch,
                              native_of(module))
    loss = 0.0

    def timed():
        nonlocal loss
        images, labels = next(batches)
        if training:
            loss = step(images, labels)
        else:
            step(images)

    warm_up(timed)
    print("ready", work.parameters, error, file=answers, flush=True)
    for line in sys.stdin:
        if line.strip() == "run":
            ms = time_round(timed, steps)
            if not math.isfinite(float(loss)):
                raise ValueError("the loss is not finite: training has diverged")
            print(ms, file=answers, flush=True)
        else:
            print(peak_mb(), file=answers, flush=True)
# SPDX-License-Identifier: MIT
