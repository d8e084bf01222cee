#!/usr/bin/env python3
"""Reads event files that Primer has written with TensorBoard, and compares.

    pip install tensorboard pillow
    python3 tests/parity/tensorboard_check.py build/release/tests/events [build/release/examples/mnist_mlp]

tests/parity/events.cpp writes the files. They are read twice: by TensorBoard's classes for event
files, and by the program itself, over HTTP. The second program, where it is named, trains, and the
files of its run are compared with the metrics.jsonl beside them.
"""

import collections
import io
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator, event_file_loader

Expected = collections.namedtuple("Expected", "kind run tag step what")


def require(ok, *message):
    if not ok:
        sys.exit("FAILED: " + " ".join(str(part) for part in message))


def same(a, b):
    """Equal as floats, also where they are no numbers."""
    a, b = np.float32(a), np.float32(b)
    return a == b or (np.isnan(a) and np.isnan(b))


def log(program, folder):
    lines = subprocess.run([program, folder], check=True, stdout=subprocess.PIPE).stdout.decode()
    items = [Expected(*line.split("\t")) for line in lines.splitlines()]
    return [item._replace(step=int(item.step)) for item in items]


def series(items, kind, run):
    """tag -> [(step, what), ...], in the order in which they were logged."""
    tags = collections.defaultdict(list)
    for item in items:
        if item.kind == kind and item.run == run:
            tags[item.tag].append((item.step, item.what))
    return tags


def values_of(folder, name):
    return np.array([float(line) for line in (folder / name).read_text().split()])


def buckets_of(values):
    """The limits and counts that PyTorch gives TensorBoard, by NumPy."""
    limit, positive = 1e-12, []
    while limit < 1e20:
        positive.append(limit)
        limit *= 1.1
    limits = [-limit for limit in reversed(positive)] + [0] + positive
    counts, limits = np.histogram(values, bins=limits)
    if not counts.any():
        return [0], [0]
    used = np.nonzero(counts)[0]
    return list(limits[used[0]:used[-1] + 2]), [0] + list(counts[used[0]:used[-1] + 1])


def check_pixels(png, file, tag):
    got, want = Image.open(io.BytesIO(png)), Image.open(file)
    require(got.mode == want.mode and got.size == want.size, tag, got, "is not like", want)
    require(got.tobytes() == want.tobytes(), tag, "has other pixels")


def check_histogram(got, values, tag):
    finite = values[np.isfinite(values)]
    limits, counts = buckets_of(finite)
    require(len(got.bucket_limit) == len(limits), tag, "has", len(got.bucket_limit), "buckets")
    require(np.allclose(got.bucket_limit, limits, rtol=1e-9, atol=0), tag, "has other limits")
    require(list(got.bucket) == counts, tag, "has other counts")
    require(got.num == len(finite) == sum(got.bucket), tag, "counts", got.num)
    for name, want in [("sum", finite.sum()), ("sum_squares", (finite**2).sum()),
                       ("min", finite.min(initial=math.inf)), ("max", finite.max(initial=-math.inf))]:
        want = want if len(finite) else 0
        require(math.isclose(getattr(got, name), want, rel_tol=1e-9, abs_tol=1e-12), tag, name,
                "is", getattr(got, name), "and not", want)


def check_run(folder, items, run):
    """One folder, as TensorBoard's class for event files reads it."""
    events = event_accumulator.EventAccumulator(
        str(folder / "log" / run), size_guidance={kind: 0 for kind in event_accumulator.DEFAULT_SIZE_GUIDANCE})
    events.Reload()
    tags = events.Tags()

    def pairs(kind, found):
        """(tag, what was logged, what is found) of each point, with all tags and steps compared."""
        wanted = series(items, kind, run)
        require(set(tags[found]) == set(wanted), run, kind, "tags:", tags[found], "for", set(wanted))
        read = {"scalars": events.Scalars, "images": events.Images, "histograms": events.Histograms,
                "tensors": events.Tensors}[found]
        for tag, points in wanted.items():
            got = read(tag)
            require([point.step for point in got] == [step for step, _ in points], tag, "has other steps")
            for (_, what), point in zip(points, got):
                yield tag, what, point

    for tag, what, point in pairs("scalar", "scalars"):
        require(same(point.value, what), tag, point, "is not", what)
    for tag, what, point in pairs("image", "images"):
        check_pixels(point.encoded_image_string, folder / what, tag)
        require(f"{point.width} {point.height}" in (folder / what).open("rb").readline().decode(), tag, "sizes")
    for tag, what, point in pairs("histogram", "histograms"):
        check_histogram(point.histogram_value, values_of(folder, what), tag)
    for tag, what, point in pairs("text", "tensors"):
        require(events.SummaryMetadata(tag).plugin_data.plugin_name == "text", tag, "is no text")
        require(point.tensor_proto.string_val[0] == (folder / what).read_bytes(), tag, "is another text")


def ends_of_records(data):
    """Where each record ends, from the lengths alone."""
    ends, at = [], 0
    while at < len(data):
        at += 16 + int.from_bytes(data[at:at + 8], "little")
        ends.append(at)
    return ends


def check_cut(folder):
    """A file cut short gives the records before the cut: tried at every byte around the ends of
    records, at every byte of the first ones, and here and there between."""
    data = next((folder / "log" / "run").glob("events.out.tfevents.*")).read_bytes()
    ends = ends_of_records(data)
    whole = [bytes(event) for event in read_events(folder, data)]
    require(len(whole) == len(ends), "a whole file reads as", len(whole), "records of", len(ends))
    lengths = set(range(ends[20])) | set(range(0, len(data), 9973))
    for end in ends:
        lengths |= {max(end - 1, 0), end, min(end + 1, len(data)), min(end + 13, len(data))}
    for length in sorted(lengths):
        records = sum(end <= length for end in ends)
        got = read_events(folder, data[:length])
        require(got == whole[:records], "cut at", length, "it reads as", len(got), "records, not", records)
    return len(lengths)


def read_events(folder, data):
    path = folder / "events.out.tfevents.cut"
    path.write_bytes(data)
    return list(event_file_loader.RawEventFileLoader(str(path)).Load())


class Server:
    """TensorBoard itself, on a free port of this machine."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", folder / "log", "--port", "0",
             "--host", "127.0.0.1", "--samples_per_plugin", "scalars=1000,images=100,histograms=100"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.url = None
        for line in self.process.stdout:
            found = re.search(r"http://[^ ]+", line)
            if found:
                self.url = found.group(0).rstrip("/")
                return
        sys.exit("FAILED: TensorBoard did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, route, post=None, **query):
        url = f"{self.url}/data/plugin/{route}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        body = None if post is None else json.dumps(post).encode()
        # A separate opener, to bypass any proxy.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {"Content-Type": "application/json"}
        with opener.open(urllib.request.Request(url, body, headers), timeout=600) as answer:
            return answer.read()

    def json(self, route, post=None, **query):
        return json.loads(self.get(route, post, **query))

    def wait(self, items):
        """It reads the files after it has started, and does not say when it is done."""
        self.wait_for({item.run: item.tag for item in items if item.kind == "scalar"})

    def wait_for(self, last):
        """run -> the tag of a scalar that is logged late"""
        for _ in range(1000):
            tags = self.json("scalars/tags")
            if all(tag in tags.get(run, {}) for run, tag in last.items()):
                break
            time.sleep(0.2)


def check_server(folder, items):
    runs = {item.run for item in items}
    with Server(folder) as server:
        server.wait(items)
        for plugin, kind in [("scalars", "scalar"), ("images", "image"), ("histograms", "histogram")]:
            tags = server.json(f"{plugin}/tags")
            for run in runs:
                wanted = series(items, kind, run)
                require(set(tags.get(run, {})) == set(wanted), plugin, run, "tags:", tags.get(run))
        for run in runs:
            for tag, points in series(items, "scalar", run).items():
                got = server.json("scalars/scalars", run=run, tag=tag)
                require(len(got) == len(points), tag, "has", len(got), "points")
                for (step, what), (_, got_step, value) in zip(points, got):
                    require(step == got_step and same(value, what), tag, step, value, "is not", what)
        for tag, points in series(items, "image", "run").items():
            got = server.json("images/images", run="run", tag=tag, sample=0)
            for (step, what), picture in zip(points, got, strict=True):
                require(picture["step"] == step, tag, "step", picture["step"])
                query = dict(urllib.parse.parse_qsl(picture["query"]))
                check_pixels(server.get("images/individualImage", **query), folder / what, tag)
        for tag, points in series(items, "histogram", "run").items():
            got = server.json("histograms/histograms", run="run", tag=tag)
            for (step, what), (_, got_step, buckets) in zip(points, got, strict=True):
                finite = values_of(folder, what)
                finite = finite[np.isfinite(finite)]
                require(step == got_step, tag, "step", got_step)
                # (It may spread them over other buckets to draw.)
                require(math.isclose(sum(bucket[2] for bucket in buckets), len(finite), abs_tol=1e-3),
                        tag, "has", buckets, "for", len(finite), "values")
        require("note" in server.json("text/tags")["run"], "there is no text")
        require("Title" in server.json("text/text", run="run", tag="note")[0]["text"], "another text")
        check_hparams(server)


def check_hparams(server):
    experiment = server.json("hparams/experiment", post={"experimentName": ""})
    require({info["name"]: info["type"] for info in experiment["hparamInfos"]} ==
            {"batch size": "DATA_TYPE_FLOAT64", "lr": "DATA_TYPE_FLOAT64", "optimizer": "DATA_TYPE_STRING"},
            "settings:", experiment)
    require([info["name"]["tag"] for info in experiment["metricInfos"]] == ["result/accuracy"],
            "results:", experiment)
    request = {"experimentName": "", "startIndex": 0, "sliceSize": 10,
               "allowedStatuses": ["STATUS_SUCCESS"],
               "colParams": [{"metric": {"tag": "result/accuracy"}}]}
    groups = server.json("hparams/session_groups", post=request)["sessionGroups"]
    require(len(groups) == 1, "session groups:", groups)
    require(groups[0]["hparams"] == {"batch size": 64, "lr": 0.1, "optimizer": "sgd"}, groups)
    require(groups[0]["metricValues"][0]["value"] == 0.75, groups)


def logged(run):
    """tag -> [(step, value), ...] of the scalars in metrics.jsonl, and the epochs' steps."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    scalars, epochs = collections.defaultdict(list), []
    for line in lines:
        step = line["step"]
        if line["kind"] == "step":
            named = {"loss/train": line["loss"], "accuracy/train": line["accuracy"], "lr": line["lr"],
                     "images_per_s": line["images_per_s"]}
            named |= {f"gradient_norm/{name}": norm for name, norm in line["gradient_norms"].items()}
        else:
            epochs.append(step)
            named = {"loss/test": line["test_loss"], "accuracy/test": line["test_accuracy"]}
            named |= {f"dead_units/{name}": share for name, share in line["dead_units"].items()}
        for tag, value in named.items():
            scalars[tag].append((step, value))
    return scalars, epochs


def check_training(program, folder):
    """Checks that the program shows what a training run has logged."""
    run = folder / "log" / "training"
    subprocess.run([program, "--epochs", "2", "--batch-size", "500", "--quiet", "--run-dir", run],
                   check=True, cwd=folder, stdout=subprocess.DEVNULL)
    scalars, epochs = logged(run)
    norms = [tag for tag in scalars if tag.startswith("gradient_norm/")]
    require(len(norms) == 6, "gradient norms:", norms)
    require(sum(tag.startswith("dead_units/") for tag in scalars) == 2, "dead units:", list(scalars))
    require(len(epochs) == 2 and len(scalars["loss/train"]) >= 8, "logged:", scalars)
    with Server(folder) as server:
        server.wait_for({"training": "result/test_accuracy"})  # which is logged last
        tags = set(server.json("scalars/tags")["training"])
        require(tags == set(scalars) | {"result/test_accuracy"}, "scalars:", tags)
        for tag, points in scalars.items():
            got = server.json("scalars/scalars", run="training", tag=tag)
            check_rising([step for _, step, _ in got], [step for step, _ in points], tag)
            for (_, value), (_, _, shown) in zip(points, got):
                # Event files have floats, and metrics.jsonl enough digits to distinguish them.
                require(math.isclose(shown, value, rel_tol=1e-6), tag, "is", shown, "and not", value)
        weights = {tag.replace("gradient_norm/", "weights/") for tag in norms}
        tags = set(server.json("histograms/tags")["training"])
        require(tags == weights, "histograms:", tags)
        for tag in weights:
            got = server.json("histograms/histograms", run="training", tag=tag)
            check_rising([step for _, step, _ in got], epochs, tag)
            require(all(sum(bucket[2] for bucket in buckets) >= 1 for _, _, buckets in got), tag, "is empty")
        tags = set(server.json("images/tags")["training"])
        require(tags == {"filters", "mistakes"}, "images:", tags)
        for tag in tags:
            got = server.json("images/images", run="training", tag=tag, sample=0)
            check_rising([picture["step"] for picture in got], epochs, tag)
            for picture in got:
                query = dict(urllib.parse.parse_qsl(picture["query"]))
                png = Image.open(io.BytesIO(server.get("images/individualImage", **query)))
                png.load()
                require(png.format == "PNG" and png.width > 28, tag, "is", png)
        tags = set(server.json("text/tags")["training"])
        require(tags == {"mistakes_table", "model"}, "texts:", tags)
    return len(scalars) + len(weights) + 2


def check_rising(got, wanted, tag):
    require(got == wanted, tag, "has the steps", got, "and not", wanted)
    require(all(a < b for a, b in zip(got, got[1:])), tag, "has steps that do not rise:", got)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        items = log(sys.argv[1], folder)
        for run in sorted({item.run for item in items}):
            check_run(folder, items, run)
        print(f"{len(items)} things logged are all found, and nothing else")
        print(f"cut at {check_cut(folder)} places, the file reads up to the last whole record")
        check_server(folder, items)
        print("the program shows the same")
    if len(sys.argv) < 3:
        return
    with tempfile.TemporaryDirectory() as name:
        count = check_training(sys.argv[2], pathlib.Path(name))
        print(f"of a training run it shows {count} tags, as metrics.jsonl has them")


main()
# SPDX-License-Identifier: MIT
