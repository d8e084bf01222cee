#!/usr/bin/env bash
# Builds Primer for other systems, with the Clang, the headers and the libraries that Zig brings (pip
# install ziglang), and runs what this machine can run: the tests of kernels, ops, layers and files,
# and the trainings whose weights are known. Windows programs run in Wine, those for other processors
# in QEMU; for macOS and FreeBSD a training program is only linked, and not optimised.
#
#   tests/platforms.sh TARGET...       for example: tests/platforms.sh x86_64-windows-gnu aarch64-macos
#
# PRIMER_ZIG is the command of Zig's Clang, by default "python3 -m ziglang c++". PRIMER_STB is a
# folder with stb_image 2.30 or newer; without it CMake downloads it. Exit codes: 0 all is well, 1 a
# file does not compile or a test fails, 77 there is no Zig.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: tests/platforms.sh TARGET..." >&2; exit 2; }
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
export PRIMER_ZIG=${PRIMER_ZIG:-python3 -m ziglang c++}
read -ra zig <<< "$PRIMER_ZIG"
said=$("${zig[@]}" --version 2>&1) || { echo "SKIPPED: there is no $PRIMER_ZIG: ${said##*$'\n'}"; exit 77; }

files=""
for name in activation_ops batchnorm checkpoint cifar conv2d elementwise event_file idx image json kernels loader loss \
    parallel pool2d replacement rng safetensors safetensors_write softmax storage tape; do
    files+="${files:+;}test_$name.cpp"
done

# Sets `emulator`, an array, to what runs TARGET's programs here. Fails if nothing does.
find_emulator() {
    emulator=()
    case $1 in
        *-windows-*) emulator=(wine) ;;
        "$(uname -m)"-linux-*) return 0 ;;
        *-linux-*) emulator=("qemu-${1%%-*}") ;;
        *) return 1 ;;
    esac
    command -v "${emulator[0]}" > /dev/null
}

for target in "$@"; do
    folder=build/$target
    build=(bits primer_tests)
    fast=()
    runs=yes
    find_emulator "$target" || { runs=""; build=(bits mnist_cnn predict); fast=(-DCMAKE_CXX_FLAGS_RELEASE=-O0); }
    cmake -S . -B "$folder" -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/zig.cmake -DPRIMER_ZIG_TARGET="$target" \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DPRIMER_DOUBLE=OFF -DPRIMER_BENCHMARKS=OFF \
        -DPRIMER_TEST_FILES="$files" ${fast[@]+"${fast[@]}"} \
        ${PRIMER_STB:+-DFETCHCONTENT_SOURCE_DIR_STB="$PRIMER_STB"} > "$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
    cmake --build "$folder" --target "${build[@]}" > "$folder.log" 2>&1 ||
        { grep -v '^\[' "$folder.log"; echo "$target: does not build"; exit 1; }
    if [ -z "$runs" ]; then
        echo "$target: its programs link; nothing here runs them"
        continue
    fi
    program=$folder/tests/primer_tests
    [ -e "$program" ] || program+=.exe
    # QEMU cannot go on in a child of a process with threads. WINEDEBUG: without Wine's own complaints.
    WINEDEBUG=-all PRIMER_DATA='' ${emulator[@]+"${emulator[@]}"} "$program" \
        --test-case-exclude='*fork*,real data:*' > "$folder.log" 2>&1 || true
    grep -q '^\[doctest\] test cases: .* 0 failed' "$folder.log" ||
        { cat "$folder.log"; echo "$target: a test fails"; exit 1; }
    tail -n 3 "$folder.log"
    if [[ $target = s390x-* ]]; then
        echo "$target: builds and passes its tests; its weights are its own, which no table has"
        continue
    fi
    WINEDEBUG=-all PRIMER_SOURCE_DIR=$PWD PRIMER_BINARY_DIR=$PWD/$folder PRIMER_EMULATOR="${emulator[*]-}" \
        bash tests/scripts/bits_test.sh
    echo "$target: builds, passes its tests and trains the known weights"
done
# SPDX-License-Identifier: MIT
