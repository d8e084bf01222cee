#!/usr/bin/env bash
# Builds the library for WebAssembly, with Zig's Clang (pip install ziglang), and runs in Node: the
# tests, but those of files, threads and processes; and trainings, whose weights are the baseline's in
# scripts/bits.txt, bit for bit. Such a program asks for little, which a page can offer.
#
#   tests/wasm.sh
#
# PRIMER_ZIG is the command of Zig's Clang, by default "python3 -m ziglang c++". Exit codes: 0 all is
# well, 1 something is not, 77 there is no Zig or no Node of version 20 or newer.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
read -ra zig <<< "${PRIMER_ZIG:-python3 -m ziglang c++}"
said=$("${zig[@]}" --version 2>&1) || { echo "SKIPPED: there is no ${zig[*]}: $(tail -n 1 <<< "$said")"; exit 77; }
version=$(node --version 2> /dev/null) || version=none
[[ $version =~ ^v([0-9]+) && ${BASH_REMATCH[1]} -ge 20 ]] || { echo "SKIPPED: no Node 20 or newer: $version"; exit 77; }

cmake --preset wasm > /dev/null
cmake --build --preset wasm

node=(node --no-warnings cmake/wasm/run.mjs)
tests=build/wasm/tests
"${node[@]}" $tests/primer_tests "--test-case-exclude=real data:*"

"${node[@]}" $tests/bits | tee $tests/bits.txt
grep '^baseline ' tests/scripts/bits.txt | diff - $tests/bits.txt ||
    { echo "FAILED: other weights than bits.txt has (<)"; exit 1; }

asks=$(node -p "WebAssembly.Module.imports(new WebAssembly.Module(fs.readFileSync('$tests/bits'))).map(i => i.name).join(' ')")
if [[ " $asks" =~ \ (path|poll|sched|sock|thread|clock)_ ]]; then
    echo "FAILED: a training asks for files, threads or a clock: $asks"
    exit 1
fi
echo "the baseline's weights; a training asks for: $asks"
# SPDX-License-Identifier: MIT
