"""Makes run directories for the tests of the report:

    make_run.py DIR KIND

DIR is made. KIND: whole (5 epochs), cut, bare (run.json alone), one, long (1000 epochs), resumed,
odd (files as no program should write them).
"""
import json
import math
import os
import random
import struct
import sys
import zlib

folder, kind = sys.argv[1:]
os.makedirs(os.path.join(folder, "pictures"))
rng = random.Random(1)
epochs, batches = {"one": 1, "long": 1000}.get(kind, 5), 40
classes = ["airplane", "cat", "ship"] if kind != "odd" else ['<script>alert("x")</script>', None, 3]
EVIL = '<img src=x onerror=alert(1)>"&\x01'


def path(name):
    return os.path.join(folder, name)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(name, side=8):
    rows = b"".join(b"\0" + bytes(rng.randrange(256) for _ in range(side * 3)) for _ in range(side))
    with open(path(name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def step_line(step, loss):
    return {"kind": "step", "step": step, "epoch": (step - 1) // batches + 1, "loss": loss,
            "accuracy": 0.5, "lr": 0.1 / step, "images_per_s": 12345.0, "seconds": step / 10,
            "gradient_norms": {"2.weight": 1 / step, "10.weight": 0.5, "fc.bias": 1e-5}}


def epoch_line(epoch, test_accuracy=None):
    return {"kind": "epoch", "epoch": epoch, "step": epoch * batches, "train_loss": 1 / epoch,
            "train_accuracy": 1 - 0.5 / epoch, "test_loss": 1.25 / epoch,
            "test_accuracy": 1 - 0.6 / epoch if test_accuracy is None else test_accuracy,
            "seconds": 4.0, "images_per_s": 12345.0, "dead_units": {"2 (ReLU)": 0.01 * epoch / epochs}}


def write_head():
    evil = EVIL if kind == "odd" else ""
    head = {"format": 1, "example": "tiny" + evil, "command": ["tiny", "--data", "some where"],
            "started": "2026-01-31T12:00:00Z",
            "settings": {"data": "some where", "threads": 0, "epochs": epochs, "batch_size": 10, "lr": 0.1, "note" + evil: evil},
            "data": {"source": "pictures from data/pictures", "train": batches * 10, "test": 300,
                     "classes": classes, "shape": [3, 8, 8]},
            "machine": {"threads": 2, "isa": "avx2", "processor": evil},
            "model": {"summary": "Layer" + evil + "\n  0 (Conv2d)", "parameters": 1234}}
    with open(path("run.json"), "w") as file:
        json.dump(head, file)


def write_metrics():
    lines = []
    for epoch in range(1, epochs + 1):
        steps = range((epoch - 1) * batches + 10, epoch * batches + 1, 10)
        lines += [step_line(step, 2 * math.exp(-step / 50) + 0.1) for step in steps]
        if kind == "cut" and epoch == 3:
            break
        if kind == "resumed" and epoch == 4:   # begun again after epoch 2: this and the third are void
            lines += [epoch_line(3, 0.111), epoch_line(4, 0.111)]
            lines += [step_line(2 * batches + 10, 0.5), epoch_line(3), step_line(4 * batches, 0.4)]
        lines.append(epoch_line(epoch))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if kind == "cut":
        text += '{"kind": "step", "step": 13'
    if kind == "odd":
        text += ('\n\n{"kind": "step", "step"\n{"kind": "epoch", "step": -3, "epoch": 6}\n[]\n'
                 '{"kind": 7}\n"text"\n' + "[" * 100000 + "\n\xff\n"
                 '{"kind": "step", "step": 1e300}\n{"kind": "epoch", "step": 220, "epoch": 0.5}\n'
                 '{"kind": "step", "step": 210, "loss": NaN}\n')
        text += json.dumps({"kind": "step", "step": 210, "loss": "2", "lr": None, "images_per_s": [],
                            "gradient_norms": {EVIL: 1e308, "2.weight": None, "a": {}}}) + "\n"
        text += json.dumps({"kind": "epoch", "epoch": 6, "step": 240, "test_loss": None,
                            "train_loss": 1e300, "test_accuracy": "x", "dead_units": []}) + "\n"
        text += '{"kind": "epoch", "epoch": 7, "step": 280, "test_loss": 0.2, "test_accuracy": 0.9, "x": 1}'
    with open(path("metrics.jsonl"), "wb") as file:
        file.write(text.encode("latin-1"))


def write_evaluation():
    mistakes = []
    for i in range(24):
        name = f"pictures/mistake-{i + 1:02}.png"
        write_png(name)
        mistakes.append({"index": i * 7, "truth": i % 3, "predicted": (i + 1) % 3,
                         "probability": 0.99 - i / 100, "picture": name})
    write_png("pictures/filters.png", 16)
    evaluation = {"confusion": [[90, 4, 6], [0, 100, 0], [3, 5, 92]], "mistakes": mistakes,
                  "filters": "pictures/filters.png"}
    if kind == "odd":
        secret = os.path.abspath(folder) + "-secret.png"
        os.rename(path("pictures/filters.png"), secret)
        os.symlink(secret, path("pictures/link.png"))
        with open(path("pictures/text.png"), "w") as file:
            file.write("no picture")
        names = [secret, "../" + os.path.basename(secret), "pictures/link.png", "pictures/text.png",
                 "pictures", "pictures/none.png", "\0", 7, None, "x" * 5000, EVIL]
        for mistake, name in zip(mistakes, names):
            mistake["picture"] = name
        mistakes[12] = {"truth": -1, "predicted": 10**30, "probability": "high"}
        mistakes[13] = "text"
        evaluation["confusion"][1] = [0, 100]
        evaluation["filters"] = "pictures/link.png"
    with open(path("evaluation.json"), "w") as file:
        json.dump(evaluation, file)


write_head()
if kind != "bare":
    write_metrics()
if kind not in ("bare", "cut"):
    write_evaluation()
# SPDX-License-Identifier: MIT
