#!/usr/bin/env python3
"""./primer cifar_cnn in PyTorch, to compare the accuracy and time of a whole training run.

    pip install torch==2.13.0
    python3 benchmarks/cifar_pytorch.py --data DIR    # with CIFAR-10's binary files in it

The same network with the same initialisation, batches, padding and crop, flip, normalisation,
one-cycle schedule and SGD with Nesterov momentum. Only the random numbers differ. Pictures are
transformed one batch at a time, which is the fastest way in PyTorch here.
"""

import argparse
import os
import sys
import time

for name in list(os.environ):  # settings that would slow PyTorch's libraries down
    if name.startswith(("OPENBLAS_", "MKL_", "GOTO_", "NVPL_")):
        del os.environ[name]

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit("error: PyTorch is not installed; pip install torch==2.13.0")

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
STDDEV = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1)
RECORD = 1 + 3 * 32 * 32


def load(folder, names):
    records = []
    for name in names:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                raw = file.read()
        except OSError as error:
            sys.exit(f"error: {path}: {error.strerror}")
        if len(raw) != 10000 * RECORD:
            sys.exit(f"error: {path}: expected {10000 * RECORD} bytes, found {len(raw)}")
        records.append(torch.frombuffer(bytearray(raw), dtype=torch.uint8).view(-1, RECORD))
    whole = torch.cat(records)
    return whole[:, 1:].reshape(-1, 3, 32, 32).clone(), whole[:, 0].long()


def make_model():
    layers = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        for channels in (before, after):
            layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False),
                       nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(inplace=True), nn.Linear(128, 10)]
    model = nn.Sequential(*layers)
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return model


def augment(images):
    """A crop of 32x32 from the picture with 4 black pixels around it; half of them mirrored."""
    count = len(images)
    padded = nn.functional.pad(images, (4, 4, 4, 4))
    rows = torch.randint(0, 9, (count, 1)) + torch.arange(32)
    columns = torch.randint(0, 9, (count, 1)) + torch.arange(32)
    flip = torch.rand(count) < 0.5
    columns[flip] = columns[flip].flip(1)
    picture = torch.arange(count).view(-1, 1, 1, 1)
    channel = torch.arange(3).view(1, 3, 1, 1)
    return padded[picture, channel, rows.view(-1, 1, 32, 1), columns.view(-1, 1, 1, 32)]


def normalize(images):
    return (images.float() / 255 - MEAN) / STDDEV


def evaluate(model, images, labels):
    model.eval()
    with torch.inference_mode():
        correct = sum((model(normalize(x)).argmax(1) == y).sum().item()
                      for x, y in zip(images.split(1000), labels.split(1000)))
    model.train()
    return correct / len(images)


def main():
    parser = argparse.ArgumentParser(description="Trains primer's cifar_cnn in PyTorch.")
    parser.add_argument("--data", required=True, help="folder with CIFAR-10's binary files")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    flags = parser.parse_args()

    torch.set_num_threads(flags.threads)
    torch.manual_seed(flags.seed)
    images, labels = load(flags.data, [f"data_batch_{i}.bin" for i in range(1, 6)])
    test_images, test_labels = load(flags.data, ["test_batch.bin"])
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4,
                                nesterov=True)
    batch = 128
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, cycle_momentum=False,
                                                   total_steps=flags.epochs * steps)
    print(f"PyTorch {torch.__version__}, {flags.threads} threads")
    begin = time.time()
    for epoch in range(1, flags.epochs + 1):
        start, total = time.time(), 0.0
        order = torch.randperm(len(images))
        for step in range(steps):
            chosen = order[step * batch:(step + 1) * batch]
            loss = nn.functional.cross_entropy(model(normalize(augment(images[chosen]))),
                                               labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        accuracy = evaluate(model, test_images, test_labels)
        print(f"epoch {epoch}/{flags.epochs}  loss {total / steps:.4f}  "
              f"test {100 * accuracy:.2f}%  {time.time() - start:.1f} s", flush=True)
    print(f"test accuracy: {100 * accuracy:.2f}% after {time.time() - begin:.0f} s")


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT
