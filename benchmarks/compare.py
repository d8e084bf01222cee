#!/usr/bin/env python3
"""Compares Primer with its peers on this machine: all train, or predict with, the same networks.

    ./primer bench --help                             # builds Primer's side
    pip install -r benchmarks/requirements.txt
    python3 benchmarks/compare.py --json table.json       # --help lists the flags
    python3 benchmarks/compare.py --markdown table.json   # the tables for README.md and docs/

peers/__init__.py lists the peers and their modes. For each workload and number of threads, Primer
and each peer have one process. All warm up, which includes compiling; then they take turns, one
round each, so that other work on the machine and the clock of a warm processor affect all alike.
Each round gives a ratio of each peer's time to Primer's; the tables have the median, the smallest
and the largest. The best peer of a row is the one with the highest median speed.

The same for all: networks (their numbers of parameters are compared), batches, 4096 examples of
uniform random numbers in memory, a step that gathers the next shuffled batch from them, forward,
cross-entropy, zero_grad, backward and SGD with momentum 0.9; for the workloads predict..., the
gathering and the forward in eval mode. Computation is in float32 except where a mode says bf16;
OpenVINO without a mode chooses for itself. Primer's networks fuse BatchNorm and ReLU into one
layer; the formulas agree. Each peer starts from the same weights and must agree with eager PyTorch
on one batch: in its outputs, or in the losses of the first training steps.

Each library is told the number of threads (JAX, which has no such setting, is pinned to as many
processors), and variables that steer the libraries are removed from the environment. Batches are
gathered by one indexing operation (PyTorch's DataLoader, which assembles batches from single
examples, would be far slower).

Compare on an idle machine: OpenMP's threads spin while they wait for one another, so with a thread
on every core PyTorch suffers from other work far more than Primer.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version

from peers import PEERS
from peers.networks import WORKLOADS

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REQUIREMENTS = os.path.join(ROOT, "benchmarks", "requirements.txt")

# Variables with these prefixes (a number of threads, a kind of processor) would slow
# a library down or override our settings.
STEERING = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "NVPL_", "DNNL_",
            "ONEDNN_", "ATEN_", "TORCH", "XLA_", "JAX_", "ORT_", "OV_", "OPENVINO_")


class Failure(Exception):
    """An error whose text explains it."""


# --- Processes -----------------------------------------------------------------------------------

def last_line(file):
    """The last line of what a process wrote to its stderr: in Python, the error."""
    file.seek(0)
    lines = [line.strip() for line in file.read().splitlines() if line.strip()]
    errors = [line for line in lines if "Error: " in line]
    return (errors or lines or [""])[-1]


class Side:
    """A process that runs rounds on request."""

    def __init__(self, title, command, environment):
        self.title = title
        self.times = []
        self.stderr = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, env=environment, text=True, stderr=self.stderr,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            _, parameters, *error = self.answer().split()
        except Failure:
            self.stop()
            raise
        self.parameters = int(parameters)
        self.error = float(error[0]) if error else 0.0

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise Failure(last_line(self.stderr) or f"{self.title} ended early, exit code {code}")
        return line

    def ask(self, what):
        try:
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended; answer() says why
        return float(self.answer())

    def stop(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.stderr.close()


def worker_command(*arguments):
    return [sys.executable, __file__, "--worker", *map(str, arguments)]


def primer_command(flags, workload, threads):
    result = [flags.bench, "--serve", "--workloads", workload, "--threads", str(threads)]
    if flags.steps:
        result += ["--steps", str(flags.steps)]
    if flags.batch:
        result += ["--batch", str(flags.batch)]
    if flags.inference:
        result += ["--inference"]
    return result


def run_worker(what, *arguments):
    """The other processes: see peers/worker.py."""
    from peers import worker
    if what == "prepare":
        folder, workload, batch, kind = arguments
        worker.prepare(folder, workload, int(batch), kind == "training")
    else:
        folder, name, workload, batch, threads, steps, kind = arguments
        worker.serve(folder, name, workload, int(batch), int(threads), int(steps),
                     kind == "training")


# --- One row: a workload and a number of threads -------------------------------------------------

def kind_of(flags, workload):
    inference = flags.inference or workload.startswith("predict")
    return "prediction" if inference else "training"


def start(flags, workload, threads, folder, environment):
    """Primer's side, the peers' sides by name, and the errors of those that did not start."""
    kind, shape = kind_of(flags, workload), WORKLOADS[workload][1]
    batch = flags.batch or WORKLOADS[workload][2]
    prepared = subprocess.run(worker_command("prepare", folder, workload, batch, kind),
                              env=environment, text=True, stderr=subprocess.PIPE)
    if prepared.returncode != 0:
        raise Failure(f"{workload}: the networks were not prepared:\n{prepared.stderr}")
    ours = Side("Primer", primer_command(flags, workload, threads), environment)
    peers, failed = {}, {}
    for peer in flags.peers:
        if peer.missing() or not peer.runs(kind, shape):
            continue
        try:
            peers[peer.name] = Side(peer.title, worker_command(
                "serve", folder, peer.name, workload, batch, threads, flags.steps, kind),
                environment)
        except Failure as error:
            failed[peer.name] = {"failed": str(error)}
    return ours, peers, failed


def take_turns(ours, peers, failed, rounds):
    """Fills the sides' times. A peer that fails moves to failed."""
    for round_number in range(rounds):
        # The order turns round every time, so no side always follows the same one.
        order = [(None, ours), *peers.items()]
        for name, side in order if round_number % 2 == 0 else reversed(order):
            try:
                side.times.append(side.ask("run"))
            except Failure as error:
                if side is ours:
                    raise
                failed[name] = {"failed": str(error)}
                peers.pop(name).stop()
            time.sleep(0.02)  # its threads may spin for a while


def figures(ours, side, batch):
    """What the table says about a peer."""
    ratios = [theirs / mine for mine, theirs in zip(ours.times, side.times)]
    return {
        "images_per_s": 1e3 * batch / statistics.median(side.times),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "mb": side.ask("peak"),
        "error": side.error,
    }


def best_peer(results):
    """The name of the fastest, or None if all have failed."""
    speeds = {name: r["images_per_s"] for name, r in results.items() if "failed" not in r}
    return max(speeds, key=speeds.get, default=None)


def compare(flags, workload, threads, environment):
    environment = dict(environment, OMP_NUM_THREADS=str(threads))
    batch = flags.batch or WORKLOADS[workload][2]
    with tempfile.TemporaryDirectory() as folder:
        ours, peers, failed = start(flags, workload, threads, folder, environment)
        try:
            for side in peers.values():
                if ours.parameters != side.parameters:
                    raise Failure(f"{workload} is not the same network on both sides: Primer has "
                                  f"{ours.parameters} parameters, PyTorch {side.parameters}")
            take_turns(ours, peers, failed, flags.rounds)
            measured = dict(failed)
            for name, side in peers.items():
                try:
                    measured[name] = figures(ours, side, batch)
                except Failure as error:  # it ended after its last round
                    measured[name] = {"failed": str(error)}
            return {
                "workload": workload,
                "threads": threads,
                "ours": 1e3 * batch / statistics.median(ours.times),
                "ours_mb": ours.ask("peak"),
                "best": best_peer(measured),
                "peers": {p.name: measured[p.name] for p in PEERS if p.name in measured},
            }
        finally:
            for side in [ours, *peers.values()]:
                side.stop()


# --- Tables and plot -----------------------------------------------------------------------------

def title_of(name):
    return next(peer.title for peer in PEERS if peer.name == name)


def best_cells(row):
    """The cells of the short table, which has only the best peer."""
    cells = [row["workload"], str(row["threads"]), f"{row['ours']:.0f}"]
    if row["best"] is None:
        return cells + ["failed", "", ""]
    best = row["peers"][row["best"]]
    return cells + [title_of(row["best"]), f"{best['images_per_s']:.0f}", f"{best['ratio']:.2f}"]


def full_cells(row):
    """The lines of the full table: Primer, then each peer, the best in bold."""
    place = [row["workload"], str(row["threads"])]
    lines = [place + ["Primer", f"{row['ours']:.0f}", "", f"{row['ours_mb']:.0f}"]]
    for name, peer in row["peers"].items():
        if "failed" in peer:
            lines.append(place + [title_of(name), "failed: " + peer["failed"].replace("|", "/"),
                                  "", ""])
            continue
        title = f"**{title_of(name)}**" if name == row["best"] else title_of(name)
        ratio = f"{peer['ratio']:.2f} ({peer['ratio_min']:.2f} to {peer['ratio_max']:.2f})"
        lines.append(place + [title, f"{peer['images_per_s']:.0f}", ratio, f"{peer['mb']:.0f}"])
    return lines


def markdown(heads, lines):
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, *lines]).replace(
        "\n", "\n" + "|---" * len(heads) + "|\n", 1)


def machine_text(table):
    versions = ", ".join(f"{name} {number}" for name, number in table["versions"].items())
    return (f"{table['machine']}; {versions}. Medians of {table['rounds']} interleaved rounds.")


def print_markdown(table):
    print(machine_text(table))
    print("\n" + markdown(["workload", "threads", "Primer", "best peer", "its speed", "ratio"],
                          map(best_cells, table["rows"])))
    print("\n" + markdown(["workload", "threads", "library", "images/s", "ratio", "peak MB"],
                          [line for row in table["rows"] for line in full_cells(row)]))


def plot_data(rows):
    """For each number of threads: (workload, best peer, ratio, spread below, spread above)."""
    result = {}
    for row in rows:
        if row["best"] is None:
            continue
        best = row["peers"][row["best"]]
        result.setdefault(row["threads"], []).append(
            (row["workload"], title_of(row["best"]), best["ratio"],
             best["ratio"] - best["ratio_min"], best["ratio_max"] - best["ratio"]))
    return result


def plot(table, path):
    """Draws a bar for each row: the ratio to the best peer's speed, with the rounds' spread."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    data = plot_data(table["rows"])
    if not data:
        raise Failure("--plot: no peer has run, so there is nothing to draw")
    workloads = list(dict.fromkeys(row["workload"] for row in table["rows"]))
    height = 0.8 / len(data)
    figure, axes = pyplot.subplots(figsize=(8, 1 + 0.35 * len(table["rows"])))
    for i, (threads, bars) in enumerate(data.items()):
        names, titles, ratios, below, above = zip(*bars)
        at = [workloads.index(name) + (i - (len(data) - 1) / 2) * height for name in names]
        drawn = axes.barh(at, ratios, height, xerr=[below, above], capsize=2, ecolor="0.4",
                          label=f"{threads} thread{'s' if threads > 1 else ''}")
        axes.bar_label(drawn, [f"{r:.2f}x {t}" for r, t in zip(ratios, titles)], padding=4,
                       fontsize=7)
    axes.axvline(1, color="black", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(workloads)), workloads)
    axes.invert_yaxis()
    axes.set_xlim(left=0, right=1.4 * max(b[2] + b[4] for bars in data.values() for b in bars))
    axes.set_xlabel("images per second, best peer = 1")
    axes.set_title("Primer against the best peer of each workload, on the CPU")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncol=len(data), frameon=False)
    figure.tight_layout()
    write_whole(path, lambda name: figure.savefig(name, dpi=150))
    pyplot.close(figure)


def write_whole(path, write):
    """Calls write(name) with a temporary name first, so that nobody ever reads half a file."""
    base, extension = os.path.splitext(path)
    unfinished = base + ".part" + extension
    write(unfinished)
    os.replace(unfinished, path)


def write_json(table, path):
    def write(name):
        with open(name, "w") as file:
            json.dump(table, file, indent=1)
            file.write("\n")
    write_whole(path, write)


# --- The command ---------------------------------------------------------------------------------

def clean_environment():
    """The environment without variables that steer the libraries, and the names of those."""
    removed = sorted(name for name in os.environ if name.startswith(STEERING))
    return {k: v for k, v in os.environ.items() if k not in removed}, removed


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


def peers_named(text):
    names = [peer.name for peer in PEERS]
    for name in text.split(","):
        if name not in names:
            raise argparse.ArgumentTypeError(f"no peer '{name}'; there are: {', '.join(names)}")
    return [peer for peer in PEERS if peer.name in text.split(",")]


def read_flags():
    cores = os.cpu_count()
    parser = argparse.ArgumentParser(
        description="Compares the speed of Primer and its peers on this machine.")
    parser.add_argument("--workloads", type=workload_names, default=list(WORKLOADS), metavar="A,B",
                        help="which to run, by names or their beginnings (default: all of "
                             + ", ".join(WORKLOADS) + ")")
    parser.add_argument("--peers", type=peers_named, default=PEERS, metavar="A,B",
                        help="which to compare with (default: all that are installed of "
                             + ", ".join(peer.name for peer in PEERS) + ")")
    parser.add_argument("--threads", type=thread_counts, default=sorted({1, cores}), metavar="N,M",
                        help="numbers of threads for each run; by default 1 and all cores")
    parser.add_argument("--inference", action="store_true", help="forward only, in eval mode")
    parser.add_argument("--rounds", type=positive, default=7, metavar="N",
                        help="rounds of each side (default: 7)")
    parser.add_argument("--steps", type=positive, default=0, metavar="N",
                        help="steps in a round; by default as many as 0.3 s allow")
    parser.add_argument("--batch", type=positive, default=0, metavar="N",
                        help="examples in a step, instead of the workload's own")
    parser.add_argument("--json", metavar="FILE", help="also write the table to this file; rows "
                        "that it has already are kept unless they are measured again")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the ratios; needs matplotlib")
    parser.add_argument("--markdown", metavar="FILE", help="measure nothing: print the tables of "
                        "the documentation from a file that --json wrote; with --plot, draw them")
    parser.add_argument("--bench", metavar="FILE", help="Primer's program, if it is not where "
                        "./primer bench builds it",
                        default=os.path.join(ROOT, "build", "release", "benchmarks", "bench"))
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def check_first(flags):
    """Fails now if saving would fail at the end."""
    for path in filter(None, [flags.json, flags.plot]):
        if not os.path.isdir(os.path.dirname(path) or "."):
            raise Failure(f"there is no folder {os.path.dirname(path)}")
    if flags.plot and importlib.util.find_spec("matplotlib") is None:
        raise Failure("--plot needs matplotlib, which is not installed for this Python; try: "
                      "pip install matplotlib")
    if flags.markdown:
        return
    if importlib.util.find_spec("torch") is None:
        raise Failure("PyTorch is not installed for this Python, and every peer is checked against "
                      f"it; try: pip install -r {REQUIREMENTS}")
    if not os.access(flags.bench, os.X_OK):
        raise Failure(f"there is no program {flags.bench}; './primer bench --help' builds it")


def pinned(package):
    """The package with the version of requirements.txt."""
    with open(REQUIREMENTS) as file:
        lines = [line.strip() for line in file]
    return next((line for line in lines if line.split("==")[0] == package), package)


def missing_text(peers):
    """A line for each peer that is not installed, with the command that installs it."""
    return [f"not installed, and left out: {peer.title}; try: pip install "
            + " ".join(map(pinned, peer.missing())) for peer in peers if peer.missing()]


def versions(peers):
    result = {}
    for package in dict.fromkeys(package for peer in peers for package in peer.packages):
        try:
            result[package] = version(package).split("+")[0]
        except PackageNotFoundError:
            pass
    return result


def processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(": ", 1)[1].strip()
    return "unknown processor"


def earlier_rows(table, path):
    """The rows of the file, if they come from the same machine, versions and rounds."""
    if not path or not os.path.exists(path):
        return []
    earlier = read_table(path)
    for key in ("machine", "versions", "rounds"):
        if earlier[key] != table[key]:
            raise Failure(f"{path} was measured with other {key} ({earlier[key]}); name another "
                          "file, or delete it")
    return earlier["rows"]


def read_table(path):
    with open(path) as file:
        try:
            table = json.load(file)
        except ValueError:
            table = None
    if not isinstance(table, dict) or not {"machine", "versions", "rounds", "rows"} <= set(table):
        raise Failure(f"{path}: expected a table that --json wrote")
    return table


def merge(earlier, new):
    """The rows of both, the new ones in place of earlier ones, in the order of WORKLOADS."""
    rows = {(row["workload"], row["threads"]): row for row in [*earlier, *new]}
    return sorted(rows.values(),
                  key=lambda row: (list(WORKLOADS).index(row["workload"]), row["threads"]))


def print_row(row):
    for cells in full_cells(row):
        workload, threads, title, speed, ratio, mb = (cell.replace("**", "") for cell in cells)
        star = "*" if title == (row["best"] and title_of(row["best"])) else " "
        print(f"{workload:17} {threads:>7}  {title:22}{star} {speed:>9}  {ratio:22} {mb:>7}",
              flush=True)


def measure(flags):
    environment, removed = clean_environment()
    table = {"machine": f"{processor()}, {os.cpu_count()} cores", "versions": versions(flags.peers),
             "rounds": flags.rounds, "rows": []}
    table["rows"] = earlier_rows(table, flags.json)
    print(machine_text(table))
    print("\n".join(missing_text(flags.peers)))
    if removed:
        print("taken out of the environment of all:", ", ".join(removed))
    print(f"{'workload':17} {'threads':>7}  {'library (* best peer)':23} {'images/s':>9}  "
          f"{'ratio (spread)':22} {'peak MB':>7}", flush=True)
    for workload in flags.workloads:
        for threads in flags.threads:
            row = compare(flags, workload, threads, environment)
            print_row(row)
            table["rows"] = merge(table["rows"], [row])
            if flags.json:
                write_json(table, flags.json)
    return table


def main(flags):
    check_first(flags)
    if flags.markdown:
        table = read_table(flags.markdown)
        print_markdown(table)
    else:
        table = measure(flags)
    if flags.plot:
        plot(table, flags.plot)


if __name__ == "__main__":
    arguments = read_flags()
    if arguments.worker:
        run_worker(*arguments.worker)
        sys.exit()
    try:
        main(arguments)
    except (Failure, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
# SPDX-License-Identifier: MIT
