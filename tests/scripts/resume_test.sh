#!/usr/bin/env bash
# A training run that is killed at any moment and resumed ends with the same bits as one that was
# never stopped; Ctrl-C, SIGTERM and a full disk do what --help promises.
#
# Runs are told to write no run directory, and a resumed run remembers that: for run directories see
# run_directory_test.sh.
#
# PRIMER_KILLS is how many times a process is killed: 50, or 5 under the sanitizers, which are slow.
# needs: examples/all
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
kills=${PRIMER_KILLS:-50}
case ${PRIMER_CXX_FLAGS:-} in
    *-fsanitize*)
        kills=${PRIMER_KILLS:-5}
        echo "sanitizers: $kills kills instead of 50, and relu_variants is left out" ;;
esac
begin "$bin/mnist_mlp"

# --- kill -9 -------------------------------------------------------------------------------------

result() { tail -n 2 "$1" | sed 's/ *[0-9.]* s$//'; }   # the epoch's line and the last, but no time
flags=(--epochs 1 --seed 3 --save-every 10 --checkpoint run.ckpt --no-run-dir)
mkdir whole killed
begin=$(date +%s%N)
(cd whole && "$bin/mnist_mlp" "${flags[@]}" > out)
milliseconds=$((($(date +%s%N) - begin) / 1000000))

cd killed
killed=0 in_training=0 compared=0
# On a machine that gets busier, the moments come too early: then more are tried.
enough() { [ "$killed" -ge "$kills" ] && [ "$in_training" -gt 0 ]; }
while ! enough || [ -e run.ckpt ]; do
    # The number of threads differs each time: it must not matter.
    export PRIMER_NUM_THREADS=$((1 + RANDOM % 2))
    if [ -e run.ckpt ]; then
        start "$bin/mnist_mlp" --resume run.ckpt
    else
        start "$bin/mnist_mlp" "${flags[@]}"
    fi
    if ! enough; then
        moment=$((RANDOM * milliseconds / 32768))
        sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
        kill -KILL "$pid" 2> /dev/null || true
    fi
    code=0
    { wait "$pid"; } 2> /dev/null || code=$?
    if [ "$code" = 137 ]; then
        killed=$((killed + 1))
        if [ -e run.ckpt ]; then in_training=$((in_training + 1)); fi
    elif [ "$code" = 0 ]; then
        # The whole file: weights, optimizer, generators, position, sums, command line.
        cmp run.ckpt ../whole/run.ckpt || fail "the resumed run differs from the uninterrupted one"
        [ "$(result out)" = "$(result ../whole/out)" ] || fail "another result: $(cat out ../whole/out)"
        compared=$((compared + 1))
        rm run.ckpt
    else
        fail "ended with $code: $(cat out err)"
    fi
    rm -f run.ckpt.tmp-*   # of a process that was killed while it saved
done
cd ..
unset PRIMER_NUM_THREADS
echo "killed $killed times, $in_training of them after a save; $compared whole runs compared"

# --- Ctrl-C and SIGTERM --------------------------------------------------------------------------

start "$bin/mnist_mlp" --epochs 1000 --save-every 10 --checkpoint i.ckpt --no-run-dir
until_there [ -e i.ckpt ]
kill -INT "$pid"
ended 130
expect err '^interrupted after step [0-9]+; saved: go on with --resume i\.ckpt$'
one_line err
first=$(sed 's/.*step \([0-9]*\);.*/\1/' err)

start "$bin/mnist_mlp" --resume i.ckpt
until_there grep -q 'batch' out
expect out "^Resumed from $work/i\.ckpt: $first steps are done\.$"
kill -TERM "$pid"
ended 143
second=$(sed 's/.*step \([0-9]*\);.*/\1/' err)
[ "$second" -gt "$first" ] || fail "no progress after resuming: $first, then $second"
[ "$(ls)" = "$(printf '%s\n' err i.ckpt killed out whole)" ] || fail "something is left: $(ls)"

start "$bin/mnist_mlp" --epochs 1000 --no-run-dir
until_there grep -q 'batch' out
kill -INT "$pid"
ended 130
expect err '^interrupted after step [0-9]+; nothing is saved: there is no --checkpoint FILE$'

# A second one does not wait for the batch, which is a long one here. (If the first one comes at
# the end of a batch, there is no time for a second one: try again.)
for attempt in 1 2 3 4 5 6 7 8; do
    start "$bin/mnist_mlp" --epochs 1000 --batch-size 30000 --threads 1 --no-run-dir
    until_there grep -q 'epoch 1/' out
    kill -INT "$pid"
    sleep 0.15
    kill -INT "$pid" 2> /dev/null || true
    ended 130
    if [ ! -s err ]; then break; fi
    [ "$attempt" -lt 8 ] || fail "a second Ctrl-C does not leave at once"
done

# Two signals at once count as one: timeout sends its signal to the program and to its group. So
# does the first SIGTERM after another signal. (Of two signals that wait together, the system
# delivers either first. And on a busy machine a moment may pass between them: try again.)
for signals in "TERM TERM" "HUP TERM"; do
    for attempt in 1 2 3 4 5 6 7 8; do
        start "$bin/mnist_mlp" --epochs 1000 --batch-size 30000 --threads 1 --no-run-dir
        until_there grep -q 'epoch 1/' out
        for signal in $signals; do kill -"$signal" "$pid" 2> /dev/null || true; done
        code=0
        { wait "$pid"; } 2> /dev/null || code=$?
        case "$signals $code" in "TERM TERM 143" | "HUP TERM 129" | "HUP TERM 143") ;; *) fail "$signals: ended with $code" ;; esac
        if [ -s err ]; then break; fi
        [ "$attempt" -lt 8 ] || fail "$signals: does not end in order"
    done
done

# A program that was started to ignore Ctrl-C goes on.
start env --ignore-signal=INT "$bin/mnist_mlp" --epochs 1000 --no-run-dir
until_there grep -q 'batch' out
kill -INT "$pid"
sleep 0.2
kill -TERM "$pid"
ended 143

# --- a full disk ---------------------------------------------------------------------------------

run 0 "$bin/mnist_mlp" --dry-run --checkpoint full.ckpt --no-run-dir
cp full.ckpt before
small() { (ulimit -f 500; exec "$@"); }   # files of 500 kB at most: too little for the weights
run 0 small "$bin/mnist_mlp" --resume full.ckpt
expect err "^warning: $work/full\.ckpt: failed to write the file .*: File too large; .* untouched; the next save will be tried all the same, training goes on$"
one_line err
run 1 small "$bin/mnist_mlp" --resume full.ckpt --save-required
expect err "^error: $work/full\.ckpt: failed to write the file"
one_line err
cmp full.ckpt before
[ "$(ls full.ckpt*)" = full.ckpt ] || fail "something is left: $(ls)"
run 0 "$bin/mnist_mlp" --resume full.ckpt
expect out "^Resumed from $work/full\.ckpt: 1 steps are done\.$"

# --- files that are not what they should be ------------------------------------------------------

# refused PATTERN FLAGS...: exit code 1, for a broken file. misused: the same with exit code 2.
refused() { ends 1 "$@"; }
misused() { ends 2 "$@"; }
ends() {
    local code=$1 pattern=$2
    shift 2
    run "$code" "$bin/mnist_mlp" "$@"
    expect err "^error: $pattern"
    one_line err
}
cp full.ckpt before
: > empty.ckpt
head -c 1000 full.ckpt > cut.ckpt
mkdir folder.ckpt
misused "--resume: expected a checkpoint, or a run directory with one in it, got the folder $work/folder.ckpt" \
    --resume folder.ckpt
refused "$work/none.ckpt: expected a checkpoint, got nothing there" --resume none.ckpt
refused "$work/no.x0afile: expected a checkpoint, got nothing there" --resume $'no\nfile'
refused "$work/empty.ckpt: expected a checkpoint, got an empty file" --resume empty.ckpt
refused "$work/cut.ckpt: expected [0-9]+ bytes after the header" --resume cut.ckpt
refused "$work/full.ckpt: .* epochs of 30000 examples in 300 batches, got one of 30000 in 469" \
    --resume full.ckpt --batch-size 100
misused '--checkpoint: expected a file in a folder that is there' --no-run-dir --checkpoint nowhere/x.ckpt
misused '--checkpoint: expected a file, got the folder' --no-run-dir --checkpoint folder.ckpt
misused '--save-every: expected --checkpoint FILE as well' --no-run-dir --save-every 5
run 1 "$bin/mnist_cnn" --resume full.ckpt
expect err "^error: $work/full.ckpt: expected a checkpoint of mnist_cnn, got one of mnist_mlp$"
cmp full.ckpt before

# Flags are kept, and new ones win.
run 0 "$bin/mnist_mlp" --dry-run --batch-size 1000 --checkpoint flags.ckpt --no-run-dir
run 0 "$bin/mnist_mlp" --resume=flags.ckpt --dry-run=false --epochs 2
expect out "^Resumed from $work/flags\.ckpt: 1 steps are done\.$"
expect out '^epoch 2/2  batch 15/30'
run 0 "$bin/mnist_mlp" --resume flags.ckpt   # finished: evaluates once more
expect out "^Resumed from $work/flags\.ckpt: 60 steps are done\.$"
expect out '^test accuracy: 9[0-9]\.'
refused "$work/flags.ckpt: expected a checkpoint from the first 1 epochs, .* epoch 2" \
    --resume flags.ckpt --epochs 1

# --- one network after another -------------------------------------------------------------------

case ${PRIMER_CXX_FLAGS:-} in *-fsanitize*) echo "the rest is as it should be"; exit 0 ;; esac
flags=(--activations relu,tanh --epochs 1 --batch-size 500 --save-every 5 --checkpoint variants.ckpt --no-run-dir)
run 0 "$bin/relu_variants" "${flags[@]}"
sed -n '/^activation /,$p' out | sed 's/ *[0-9.]*$//' > whole_table   # without the seconds
# Stopped within the second network's training. (If this script is held up, that training may have
# ended: try again.)
for attempt in 1 2 3 4 5 6 7 8; do
    rm variants.ckpt
    start "$bin/relu_variants" "${flags[@]}"
    until_there grep -q '^tanh' out
    : > mark
    until_there [ variants.ckpt -nt mark ]
    kill -TERM "$pid" 2> /dev/null || true
    code=0
    { wait "$pid"; } 2> /dev/null || code=$?
    [ "$code" = 0 ] || break
done
[ "$code" = 143 ] || fail "ended with $code, expected 143: $(cat out err)"
run 0 "$bin/relu_variants" --resume variants.ckpt
! grep -q '^relu$' out || fail "what was done is done again: $(cat out)"
sed -n '/^activation /,$p' out | sed 's/ *[0-9.]*$//' > table
cmp table whole_table || fail "the tables differ: $(cat table whole_table)"

[ ! -e runs ] || fail "run directories in spite of --no-run-dir"
echo "what is resumed ends as if it had never stopped"
# SPDX-License-Identifier: MIT
