#!/usr/bin/env bash
# Weights go to PyTorch and come back, through its own safetensors package, and predict the same; so
# do those of docs/exchange.md. PRIMER_PYTHON names the Python that has both (python3 otherwise).
# needs: exchange
set -euo pipefail

python=${PRIMER_PYTHON:-python3}
"$python" -c "import torch, safetensors.torch" 2> /dev/null ||
    { echo "SKIPPED: $python has no PyTorch, or no safetensors"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

data=()
if [ -d "${PRIMER_DATA:-}/mnist" ]; then data=("$PRIMER_DATA/mnist"); fi
"$python" "$PRIMER_SOURCE_DIR/tests/parity/exchange.py" "$PRIMER_BINARY_DIR/tests/exchange" "${data[@]}"

# The page's code, which reads from the repository and writes where it runs.
cd "$work"
ln -s "$PRIMER_SOURCE_DIR/examples" examples
sed -n '/^```python$/,/^```$/{/^```/!p}' "$PRIMER_SOURCE_DIR/docs/exchange.md" > page.py
[ -s page.py ]
"$python" page.py
# Not with cmp: the package writes the metadata in an order that changes from run to run.
"$python" - mine.safetensors examples/models/digits.safetensors << 'END'
import sys
from safetensors import safe_open

mine, theirs = (safe_open(path, "pt") for path in sys.argv[1:])
assert mine.metadata() == theirs.metadata(), mine.metadata()
assert sorted(mine.keys()) == sorted(theirs.keys()) and len(mine.keys()) > 0
for name in mine.keys():
    a, b = mine.get_tensor(name), theirs.get_tensor(name)
    assert a.dtype == b.dtype and a.equal(b), name
END
echo "the code in docs/exchange.md takes the weights and gives them back as they were"
# SPDX-License-Identifier: MIT
