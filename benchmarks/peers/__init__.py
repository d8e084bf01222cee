"""The peers that compare.py measures beside Primer, and the modes of each: the only list of them.

A peer's file has these functions, which get the work (see worker.py) and the mode:

    predictor(work, mode)   returns predict(x), which returns the output
    trainer(work, mode)     returns train(x, y), which does one step and returns the loss before it

x and y are NumPy arrays, or what the file's native() makes of them, once, before the timing. Each
mode runs in a process of its own.
"""

import importlib.util
from dataclasses import dataclass

EXACT, BF16 = 1e-3, 1e-1  # bounds of the relative error against eager PyTorch


@dataclass(frozen=True)
class Peer:
    """One library in one mode."""
    name: str          # in the JSON and in --peers
    title: str         # in the tables
    file: str          # in this folder
    mode: str
    packages: tuple    # what `pip install` has to install
    kinds: tuple = ("training", "prediction")
    bound: float = EXACT
    pictures: bool = False  # only for networks that read pictures: the mode is about their layout
    pinned: bool = False    # to as many processors as threads, as it has no other limit

    def missing(self):
        """The packages that this Python lacks."""
        return [p for p in self.packages if importlib.util.find_spec(p) is None]

    def runs(self, kind, shape):
        return kind in self.kinds and (not self.pictures or len(shape) == 3)


TRAIN, PREDICT = ("training",), ("prediction",)
PEERS = [
    Peer("eager", "PyTorch", "pytorch", "", ("torch",)),
    Peer("channels_last", "PyTorch, channels_last", "pytorch", "channels_last", ("torch",),
         pictures=True),
    Peer("compile", "torch.compile", "pytorch", "compile", ("torch",)),
    Peer("bf16", "PyTorch, bf16", "pytorch", "bf16 channels_last", ("torch",), TRAIN, BF16),
    Peer("bf16_compile", "torch.compile, bf16", "pytorch", "bf16 channels_last compile",
         ("torch",), bound=BF16),
    Peer("jax", "JAX", "jax", "", ("jax",), pinned=True),
    Peer("onnxruntime", "ONNX Runtime", "onnxruntime", "", ("onnxruntime", "onnx"), PREDICT),
    Peer("openvino_f32", "OpenVINO, f32", "openvino", "f32", ("openvino", "onnx"), PREDICT),
    # Left to itself OpenVINO computes in bf16 where the processor can.
    Peer("openvino", "OpenVINO", "openvino", "", ("openvino", "onnx"), PREDICT, BF16),
]
# SPDX-License-Identifier: MIT
