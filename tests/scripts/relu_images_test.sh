#!/usr/bin/env bash
# relu_images from a user's view: the files it writes, what it prints, how it fails.
# needs: relu_images
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

program=$PRIMER_BINARY_DIR/examples/relu_images
begin "$program"

"$program" --batches 2 > out
grep -q '^No CIFAR-10 found.*\./primer fetch cifar10' out || fail "no word of the missing data: $(cat out)"
grep -q '^2 batches of synthetic shapes went through it' out || fail "printed: $(cat out)"
[ "$(tail -n 1 out)" = "  tensorboard --logdir $work/runs/relu_images" ] || fail "last line: $(tail -n 1 out)"
for picture in input output; do
    grep -qx "  $work/runs/relu_images/$picture.png" out || fail "$picture.png is not named: $(cat out)"
    [ "$(head -c 4 "runs/relu_images/$picture.png" | tail -c 3)" = PNG ] || fail "$picture.png is no PNG"
done
events=(runs/relu_images/events.out.tfevents.*)
[ "${#events[@]}" = 1 ] && [ "$(grep -ac 'brain.Event:2' "${events[0]}")" -ge 1 ] || fail "event file: ${events[*]}"
! cmp -s runs/relu_images/input.png runs/relu_images/output.png || fail "ReLU changed nothing"

code=0
: > file
"$program" --batches 1 --run-dir file/inside > out 2> err || code=$?
[ "$code" = 2 ] && [ "$(wc -l < err)" = 1 ] || fail "a folder that cannot be: $code, $(cat err)"
grep -q "^error: --run-dir: expected a folder, or nothing yet, got $work/file/inside; $work/file is no folder" err || fail "says: $(cat err)"
# SPDX-License-Identifier: MIT
