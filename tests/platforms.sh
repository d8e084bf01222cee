#!/usr/bin/env bash
# Checks that the library and the examples compile for systems other than this one, with the Clang
# and the system headers that Zig brings (pip install ziglang). Links and runs nothing.
#
#   tests/platforms.sh TARGET...        for example: tests/platforms.sh aarch64-macos x86_64-windows-gnu
#
# PRIMER_ZIG is the command of Zig's Clang, by default "python3 -m ziglang c++". Exit codes: 0 all is
# well, 1 a file does not compile, or with a warning, 77 there is no Zig, or no headers of cereal,
# CLI11, protozero and stb in /usr/include.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: tests/platforms.sh TARGET..." >&2; exit 2; }
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
read -ra zig <<< "${PRIMER_ZIG:-python3 -m ziglang c++}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${zig[@]}" --version > "$work/log" 2>&1 || { echo "SKIPPED: there is no ${zig[*]}: $(tail -n 1 "$work/log")"; exit 77; }
mkdir "$work/others" "$work/objects"
ln -s "$root" "$work/primer"
for folder in cereal CLI protozero stb; do   # not all of /usr/include, which is for this system
    [ -d "/usr/include/$folder" ] || { echo "SKIPPED: there is no /usr/include/$folder"; exit 77; }
    ln -s "/usr/include/$folder" "$work/others/"
done

export TARGET
check() {
    local level=()
    case $1 in core/kernels/isa/*) level=(-DPRIMER_ISA_LEVEL=baseline) ;; esac
    "${@:2}" -target "$TARGET" -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -O0 \
        -DPRIMER_MODELS='""' ${level[@]+"${level[@]}"} -isystem "$work/others" -isystem "$work/others/stb" \
        -I "$work" -c "$1" -o "$(mktemp "$work/objects/XXXXXX.o")"
}
export -f check
export work

cd -- "$root"
for TARGET in "$@"; do
    find core layers optim datasets examples -name '*.cpp' -print0 |
        xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" bash -c 'check "${@: -1}" "${@:1:$#-1}"' check "${zig[@]}" ||
        { echo "$TARGET: see above"; exit 1; }
    echo "$TARGET: $(find "$work/objects" -name '*.o' | wc -l | tr -d ' ') files compile"
    rm -f "$work"/objects/*
done
# SPDX-License-Identifier: MIT
