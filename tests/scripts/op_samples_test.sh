#!/usr/bin/env bash
# The inputs with which PyTorch tests its ops give PyTorch's results and gradients, and
# docs/op-samples.md has the right counts. PRIMER_PYTHON names the Python that has PyTorch (python3
# otherwise).
# needs: sweep
set -euo pipefail

sweep=$PRIMER_BINARY_DIR/tests/sweep
[ -x "$sweep" ] || { echo "SKIPPED: there is no $sweep; is it built?"; exit 77; }
python=${PRIMER_PYTHON:-python3}
"$python" -c "import torch, numpy, safetensors.torch" 2> /dev/null ||
    { echo "SKIPPED: $python has no PyTorch, no NumPy or no safetensors"; exit 77; }
version=$("$python" -c "import torch; print(torch.__version__.split('+')[0])")
[ "$version" = 2.13.0 ] ||
    { echo "SKIPPED: $python has PyTorch $version; the table is that of 2.13.0"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

"$python" "$PRIMER_SOURCE_DIR/tests/parity/op_samples.py" "$sweep" --table "$work/op-samples.md"
diff -u "$PRIMER_SOURCE_DIR/docs/op-samples.md" "$work/op-samples.md" ||
    fail "docs/op-samples.md is out of date; it says how to make it"
# SPDX-License-Identifier: MIT
