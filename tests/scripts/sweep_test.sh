#!/usr/bin/env bash
# Every op, layer and optimizer compared with PyTorch's, at special values, sizes of 0 and with
# every option, with the kernels of every instruction set that this processor has. PRIMER_PYTHON
# names the Python that has PyTorch (python3 otherwise).
# needs: sweep
set -euo pipefail

sweep=$PRIMER_BINARY_DIR/tests/sweep
[ -x "$sweep" ] || { echo "SKIPPED: there is no $sweep; is it built?"; exit 77; }
python=${PRIMER_PYTHON:-python3}
"$python" -c "import torch, safetensors.torch" 2> /dev/null ||
    { echo "SKIPPED: $python has no PyTorch, or no safetensors"; exit 77; }
version=$("$python" -c "import torch; print(torch.__version__.split('+')[0])")
[ "$version" = 2.13.0 ] ||
    { echo "SKIPPED: $python has PyTorch $version; the deviations are listed for 2.13.0"; exit 77; }

unset PRIMER_ISA
"$python" "$PRIMER_SOURCE_DIR/tests/parity/sweep.py" "$sweep" \
    --isa reference --isa baseline --isa avx2 --isa avx512
# SPDX-License-Identifier: MIT
