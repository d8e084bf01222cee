"""ONNX Runtime: the network as PyTorch exports it, on the CPU."""

import onnxruntime


def predictor(work, _):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = work.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(work.onnx, options,
                                           providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]
# SPDX-License-Identifier: MIT
