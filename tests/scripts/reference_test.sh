#!/usr/bin/env bash
# Doxygen makes the API reference without a warning, from headers in which every public name has a
# comment; a name without one makes it fail.
# needs: nothing
set -euo pipefail

command -v doxygen > /dev/null || { echo "SKIPPED: no doxygen here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*"; exit 1; }

for entry in primer primer.h core layers optim datasets docs; do cp -R "$PRIMER_SOURCE_DIR/$entry" "$work"; done
"$work/primer" docs > "$work/out" 2> "$work/log" || fail "$(cat "$work/log")"
html=$work/build/docs/html
[ -s "$html/index.html" ] || fail "no pages"
for name in classprimer_1_1Tensor namespaceprimer classprimer_1_1BatchNorm2d structprimer_1_1AdamOptions; do
    [ -s "$html/$name.html" ] || fail "there is no page $name"
done
# One comment stands for all overloads.
[ "$(grep -o 'One size may be -1' "$html/namespaceprimer.html" | wc -l)" -ge 3 ] || fail "overloads of reshape have no text"

printf 'namespace primer {\nTensor undocumented(const Tensor& a);\n}\n' >> "$work/core/ops.h"
! "$work/primer" docs > "$work/out" 2> "$work/log" || fail "a name without a comment is not noticed"
grep -q 'undocumented.* is not documented' "$work/log" || fail "$(cat "$work/log")"

echo "every public name is documented"
# SPDX-License-Identifier: MIT
