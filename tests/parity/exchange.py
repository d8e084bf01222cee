#!/usr/bin/env python3
"""Exchanges weights between Primer and PyTorch, through the safetensors package, and compares.

    pip install torch safetensors numpy
    python3 tests/parity/exchange.py build/release/tests/exchange   # tests, both ways
    python3 tests/parity/exchange.py --fixture                      # makes exchange*.safetensors

tests/parity/exchange.cpp is the other side. The fixture is for machines without PyTorch: the file
of a model that PyTorch has trained a little, and that model's outputs for a few pictures.
"""

import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-5


def network():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.PReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(4 * 14 * 14, 16), nn.ReLU(), nn.Linear(16, 10))


def trained():
    """A network that has learnt to find a light bar in noise."""
    torch.manual_seed(1)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(100):
        images, labels = torch.rand(32, 1, 28, 28) / 2, torch.randint(10, (32,))
        for image, label in zip(images[:, 0], labels):
            image[4 + 2 * label:7 + 2 * label] += 0.5
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def predictions(model, images):
    return model(images).softmax(1)


def compare(what, ours, theirs):
    assert ours.shape == theirs.shape and torch.isfinite(ours).all(), what
    assert theirs.std(0).min() > 0.01, f"{what}: the pictures are all the same to it"
    difference = (ours - theirs).abs().max().item()
    print(f"{what}: {len(ours)} pictures, largest difference {difference:.1e}")
    assert difference <= TOLERANCE, what


def exchange(program, data):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "save", folder, *data], check=True)
        images = load_file(folder / "images.safetensors")["images"]
        assert len(images) == 1000
        model = network()
        state = load_file(folder / "primer.safetensors")
        assert state["1.num_batches_tracked"].dtype == torch.int64
        assert all(state[name].shape == mine.shape for name, mine in model.state_dict().items())
        model.load_state_dict(state)
        said = load_file(folder / "primer_said.safetensors")["predictions"]
        compare("Primer's weights in PyTorch", said, predictions(model.eval(), images))
        # The format's own library makes the same file from the same tensors.
        save_file(state, folder / "again.safetensors", metadata={"format": "pt"})
        again = (folder / "again.safetensors").read_bytes()
        assert again == (folder / "primer.safetensors").read_bytes(), "the files differ"

        model = trained()
        save_file(model.state_dict(), folder / "pytorch.safetensors")
        subprocess.run([program, "load", folder], check=True)
        said = load_file(folder / "primer_said.safetensors")["predictions"]
        compare("PyTorch's weights in Primer", said, predictions(model, images))


def fixture():
    model = trained()
    images = torch.randint(0, 65, (4, 1, 28, 28)).float() / 64
    save_file(model.state_dict(), HERE / "exchange_model.safetensors", metadata={"format": "pt"})
    save_file({"images": images, "predictions": predictions(model, images)},
              HERE / "exchange_says.safetensors",
              metadata={"made by": f"tests/parity/exchange.py with PyTorch {torch.__version__}"})


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "--fixture":
        fixture()
    else:
        exchange(sys.argv[1], sys.argv[2:])
# SPDX-License-Identifier: MIT
