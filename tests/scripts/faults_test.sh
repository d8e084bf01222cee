#!/usr/bin/env bash
# Training while system calls fail, one after another: see ../faults/shim.cpp. Whatever fails, the
# program does not crash, it says what it could not do, and its checkpoint is the last one or the
# one before: resumed from it, training reaches the same weights as an undisturbed run.
# needs: faults mnist_mlp
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

case ${PRIMER_CXX_FLAGS:-} in
    *-fsanitize*) echo "SKIPPED: a sanitizer takes malloc's place, too"; exit 77 ;;
esac
shim=$PRIMER_BINARY_DIR/tests/libfaults.so
[ -e "$shim" ] || { echo "SKIPPED: there is no $shim; is it built?"; exit 77; }
begin "$PRIMER_BINARY_DIR/examples/mnist_mlp"
train=("$PRIMER_BINARY_DIR/examples/mnist_mlp" --data "$work/data" --batch-size 10 --threads 1 --seed 3)

# --- a dataset of a few pictures, and a run of three epochs -----------------------------------------

# bytes NUMBER...: a byte for each.
bytes() { for byte in "$@"; do printf '%b' "\\x$(printf %02x "$byte")"; done; }
# idx NAME COUNT
idx() {
    { bytes 0 0 8 3 0 0 0 "$2" 0 0 0 28 0 0 0 28
      for ((i = 0; i < $2; ++i)); do
          head -c $((78 * (i % 10))) /dev/zero | tr '\0' '\377'
          head -c $((784 - 78 * (i % 10))) /dev/zero
      done; } > "data/$1-images-idx3-ubyte"
    { bytes 0 0 8 1 0 0 0 "$2"
      for ((i = 0; i < $2; ++i)); do bytes $((i % 10)); done; } > "data/$1-labels-idx1-ubyte"
}
mkdir data
idx train 40
idx t10k 20
run 0 "${train[@]}" --epochs 3 --no-run-dir --save-weights undisturbed.safetensors
# Its checkpoint stays that of the first epoch: no later one gets its name.
export FAULT_LOG=$work/fault_log
run 0 env FAULT='rename:EIO:2+/checkpoint.ckpt' LD_PRELOAD="$shim" "${train[@]}" --epochs 3 --run-dir base
[ "$(grep -c rename fault_log)" -gt 1 ] || fail "not two saves have failed: $(cat fault_log)"

# --- one fault after another -----------------------------------------------------------------------

# with FAULT [FLAG...]: two more epochs from the first one's checkpoint, with the fault in it; leaves
# the exit code in `code`.
with() {
    rm -rf run fault_log
    cp -r base run
    code=0
    FAULT=$1 LD_PRELOAD=$shim \
        "${train[@]}" --resume run/checkpoint.ckpt --save-every 1 "${@:2}" > out 2> err < /dev/null || code=$?
    [ -s fault_log ] || fail "$1 has not come about: what is written must have another name: $(cat out err)"
    [ "$code" = 0 ] || [ "$code" = 1 ] || fail "$1 ends it with $code: $(cat out err)"
    [ "$code" = 0 ] || expect err '^error: '
}
# goes_on FAULT: from the checkpoint that is there, to the same weights.
goes_on() {
    run 0 "${train[@]}" --resume run/checkpoint.ckpt --save-weights weights.safetensors
    cmp weights.safetensors undisturbed.safetensors || fail "$1: what goes on ends otherwise"
}
said() { grep -Eq '^(warning|error): ' err || fail "$1: nobody is told: $(cat out err)"; }
silent() {
    [ "$code" = 0 ] && [ ! -s err ] || fail "$1 is no failure, but ends with $code: $(cat err)"
}

count=0
for fault in write:ENOSPC:1 write:ENOSPC:1+ write:EIO:2 fsync:EIO:1 fsync:EIO:1+ rename:ENOSPC:1 \
             rename:EACCES:1+ open:EROFS:1+; do
    case $fault in open*) fault+=/tmp- ;; *) fault+=/checkpoint.ckpt ;; esac   # not the lock
    # A checkpoint is saved after each step.
    with "$fault"
    said "$fault"
    [ "$code" = 0 ] || fail "$fault ends the training: $(cat err)"
    goes_on "$fault"
    with "$fault" --save-required
    [ "$code" = 1 ] || fail "--save-required: $fault is no error: $(cat out err)"
    goes_on "$fault --save-required"
    count=$((count + 2))
done
for file in metrics.jsonl events.out run.json evaluation.json report.html pictures; do
    for fault in write:ENOSPC:1 write:EIO:1+ open:EACCES:1+; do
        case $fault/$file in
            open*/pictures | */run.json) continue ;;   # a run that is resumed leaves run.json alone
        esac
        with "$fault/$file"
        [ "$code" = 0 ] || fail "$fault/$file ends the training: $(cat err)"
        said "$fault/$file"
        # Whatever else fails, the checkpoint is that of the last step.
        run 0 "${train[@]}" --resume run/checkpoint.ckpt --no-run-dir
        expect out ': 12 steps are done\.'
        goes_on "$fault/$file"
        count=$((count + 1))
    done
done
with truncate:EIO:1/metrics.jsonl
expect err '^warning: .*metrics\.jsonl: failed to cut the file: Input/output error; '
goes_on "truncate:EIO:1"
count=$((count + 1))
# Neither failure nor success: a call that a signal interrupts, and one that writes only a part.
# There is no message, and every file comes out the same.
with fsync:count:1/run --save-required
cp -r run calm
lines() { sed 's/"\(images_per_s\|seconds\)": [^,}]*//g' "$1/metrics.jsonl"; }
for file in checkpoint.ckpt metrics.jsonl events.out evaluation.json report.html pictures .lock; do
    for fault in write:short:1+ write:EINTR:1 write:EINTR:2 fsync:EINTR:1 open:EINTR:1 \
                 truncate:EINTR:1 rename:EINTR:1; do
        case $file:$fault in
            .lock:open:* | metrics.jsonl:truncate:*) ;;   # the only ones of these
            .lock:* | *:truncate:* | metrics.jsonl:fsync:* | metrics.jsonl:rename:*) continue ;;
            events.out:rename:* | *.json:write:EINTR:2 | *.html:write:EINTR:2 | pictures:write:EINTR:2) continue ;;
        esac
        with "$fault/$file" --save-required
        silent "$fault/$file"
        cmp run/checkpoint.ckpt calm/checkpoint.ckpt || fail "$fault/$file: another checkpoint"
        [ "$(lines run)" = "$(lines calm)" ] || fail "$fault/$file: other metrics: $(lines run)"
        cmp run/evaluation.json calm/evaluation.json || fail "$fault/$file: another evaluation"
        tail -c 20 run/report.html | cmp - <(tail -c 20 calm/report.html) || fail "$fault/$file: no whole page"
        count=$((count + 1))
    done
done
goes_on "calls that signals break off"
# The time of day jumps: only dates depend on it.
for fault in clock:-100000:3 clock:100000:3; do
    with "$fault"
    silent "$fault"
    goes_on "$fault"
    count=$((count + 1))
done
# No memory for large things: an error, the old checkpoint, and never a crash.
for number in 1 2 3 5 8 13 21; do
    with "malloc:ENOMEM:$number/100000"
    goes_on "malloc:ENOMEM:$number"
    count=$((count + 1))
done

echo "$count faults: no crash, no lost checkpoint"
# SPDX-License-Identifier: MIT
