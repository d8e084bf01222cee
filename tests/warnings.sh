#!/usr/bin/env bash
# Checks that a compiler warns of nothing in the whole tree. It compiles nothing: it checks each
# file's syntax, which is quick.
#
#   tests/warnings.sh COMPILER [FLAG...]        for example: tests/warnings.sh clang++-19 -stdlib=libc++
#
# Exit codes: 0 no warnings, 1 warnings, 77 there is no such compiler, or no such library for it.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: tests/warnings.sh COMPILER [FLAG...]" >&2; exit 2; }
compiler=$1
shift
who=$compiler${*:+ $*}
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo '#include <vector>' > "$work/try.cpp"
"$compiler" -std=c++20 "$@" -fsyntax-only "$work/try.cpp" 2> "$work/log" ||
    { echo "SKIPPED: $who does not work here: $(head -n 1 "$work/log")"; exit 77; }
cmake -G Ninja -S "$root" -B "$work/build" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$*" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DPRIMER_FUZZ=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# The command of each file, once: the build in double is the same code, and so are the instruction sets.
sed -nE 's/^ *"command": "(.*) -o [^ ]+ -c (.*)",?$/\1 -fsyntax-only -Werror \2/p' "$work/build/compile_commands.json" |
    sed -E 's/\\(.)/\1/g' | grep -v -e '-DPRIMER_REAL_DOUBLE' -e '-DPRIMER_ISA_LEVEL=avx2' > "$work/commands"
count=$(wc -l < "$work/commands")
[ "$count" -ge 200 ] || { echo "only $count files; is the form of compile_commands.json another?"; exit 1; }
xargs -d '\n' -n 1 -P "$(nproc)" sh -c < "$work/commands" || { echo "$who warns; see above"; exit 1; }
echo "$who does not warn of anything in $count files"
# SPDX-License-Identifier: MIT
