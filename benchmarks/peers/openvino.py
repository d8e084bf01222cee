"""OpenVINO: the network as PyTorch exports it, on the CPU; in f32, or in what OpenVINO chooses."""

import openvino


def predictor(work, mode):
    options = {"INFERENCE_NUM_THREADS": work.threads, "PERFORMANCE_HINT": "LATENCY"}
    if mode == "f32":
        options["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = openvino.Core().compile_model(work.onnx, "CPU", options)
    return lambda x: compiled([x])[0]
# SPDX-License-Identifier: MIT
