#!/usr/bin/env bash
# Checks that a fault would be found at all: the target "planted" has one of each kind.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

planted=build/fuzz/tests/fuzz/fuzz_planted
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

# Run like any target, from nothing; the input is left where the message says.
rm -rf build/fuzz/crashes/planted build/fuzz/found/planted
code=0
bash tests/fuzz/fuzz.sh planted 300 > "$folder/log" 2>&1 || code=$?
[ "$code" = 1 ] || fail "five minutes do not find a planted fault: exit code $code: $(cat "$folder/log")"
grep -q 'FOUND something' "$folder/log" || fail "it does not say so: $(cat "$folder/log")"
grep -aq '^BUG' build/fuzz/crashes/planted/crash-* || fail "no input is left: $(ls build/fuzz/crashes/planted)"
rm -rf build/fuzz/crashes/planted build/fuzz/found/planted

# Each kind by itself.
# finds BYTES MESSAGE
finds() {
    printf '%s' "$1" > "$folder/input"
    ! "$planted" "$folder/input" > "$folder/log" 2>&1 || fail "the fault planted at $1 is not noticed"
    grep -q "$2" "$folder/log" || fail "the fault planted at $1 is taken for another: $(tail -n 20 "$folder/log")"
}
finds BUGa 'AddressSanitizer: heap-buffer-overflow'
finds BUGu 'runtime error: signed integer overflow'
finds BUGe 'logic_error'
finds BUGl 'deadly signal'
printf 'BUG' > "$folder/input"
"$planted" "$folder/input" > "$folder/log" 2>&1 || fail "an input without a fault ends it: $(cat "$folder/log")"
echo "what is planted is found"
# SPDX-License-Identifier: MIT
