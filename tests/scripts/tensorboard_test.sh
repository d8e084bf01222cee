#!/usr/bin/env bash
# Event files load in TensorBoard, even when they are cut short, and so do those of a training run.
# PRIMER_PYTHON names the Python that has it (python3 otherwise).
# needs: events mnist_mlp
set -euo pipefail

python=${PRIMER_PYTHON:-python3}
"$python" -c "import numpy, PIL, tensorboard" 2> /dev/null ||
    { echo "SKIPPED: $python has no TensorBoard, or no Pillow"; exit 77; }
training=$PRIMER_BINARY_DIR/examples/mnist_mlp
[ -x "$training" ] || { echo "SKIPPED in part: the examples are not built"; training=; }
unset PRIMER_DATA PRIMER_NUM_THREADS
"$python" "$PRIMER_SOURCE_DIR/tests/parity/tensorboard_check.py" "$PRIMER_BINARY_DIR/tests/events" ${training:+"$training"}
# SPDX-License-Identifier: MIT
