#!/usr/bin/env python3
"""Measures the cost of logging: mnist_cnn with everything on (display, run directory, TensorBoard,
report) against --no-run-dir --quiet.

    ./primer mnist_cnn --help                            # builds it
    python3 benchmarks/logging_cost.py --data data/mnist

Runs come in pairs, alternately with logging first and without it first. Use an idle machine.
Prints the median, smallest and largest ratio of the two times of a pair, each of a whole process.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def seconds(command, flags, folder):
    start = time.perf_counter()
    subprocess.run(command + flags, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True, metavar="DIR", help="folder with MNIST's files")
    parser.add_argument("--pairs", type=int, default=7, metavar="N")
    parser.add_argument("--epochs", type=int, default=1, metavar="N")
    parser.add_argument("--program", metavar="FILE",
                        default=os.path.join(ROOT, "build/release/examples/mnist_cnn"))
    flags = parser.parse_args()
    command = [os.path.abspath(flags.program), "--data", os.path.abspath(flags.data),
               "--epochs", str(flags.epochs), "--seed", "1"]
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(flags.pairs):
            kinds = [["--run-dir", f"run-{pair}"], ["--no-run-dir", "--quiet"]]
            order = (0, 1) if pair % 2 == 0 else (1, 0)
            taken = [0.0, 0.0]
            for kind in order:
                taken[kind] = seconds(command, kinds[kind], folder)
            ratios.append(taken[0] / taken[1])
            print(f"pair {pair + 1}: {taken[0]:.2f} s with, {taken[1]:.2f} s without", flush=True)
    print(f"ratio: median {statistics.median(ratios):.3f}, from {min(ratios):.3f} to "
          f"{max(ratios):.3f}")


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT
