#!/usr/bin/env bash
# Arguments that are nearly right: the message says what was found and what to do, before any work
# is done, and the exit code is 2.
# needs: examples/all
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
pictures=$PRIMER_SOURCE_DIR/examples/pictures
begin "$bin/mnist_mlp"

# wrong PATTERN PROGRAM ARGUMENTS...: one line (two, where it names --help), and nothing is written.
wrong() {
    local pattern=$1 program=$2 before
    shift 2
    before=$(ls -AR | grep -vx 'out\|err')
    run 2 "$bin/$program" "$@"
    expect err "^error: $pattern"
    ! grep -qv '^error: \|^Run with --help' err || fail "more than one line: $(cat err)"
    [ ! -s out ] || fail "it has begun to work: $(cat out)"
    [ "$(ls -AR | grep -vx 'out\|err')" = "$before" ] || fail "it has written something: $(ls -AR)"
}

# --- flags ---------------------------------------------------------------------------------------

wrong '.* --epoch; did you mean --epochs\?$' mnist_mlp --epoch 3
wrong '.* --epoch=3; did you mean --epochs\?$' mnist_cnn --epoch=3
wrong '.* --batch_size; did you mean --batch-size\?$' cifar_cnn --batch_size 3
wrong '.* --Seed; did you mean --seed\?$' relu_variants --Seed 3
wrong '.* --modle; did you mean --model\?$' predict --modle x "$pictures/3.png"
wrong '.* --output; did you mean --out\?$' peek --output x.png
wrong '.* --colour$' peek --colour red

# An empty name, as "$NAME" leaves it where NAME is not set.
for flag in --data --checkpoint --save-weights --resume --run-dir; do
    wrong "$flag: .* empty" mnist_mlp "$flag" ''
done
# --flag= does not take the next word as its value, and a switch has none.
for flag in --checkpoint --save-weights --run-dir --data --epochs --dry-run; do
    wrong "$flag: expected a value behind '=', got nothing$" mnist_mlp "$flag=" --quiet
done
wrong "--out: expected a value behind '=', got nothing$" peek --out= --quiet
for value in on yes tRue 010 5 -3; do
    wrong '--dry-run: expected no value, or true or false, got ' mnist_mlp "--dry-run=$value"
done
for command in "peek --out" "peek --data" "graph mnist_mlp --out" "draw_digits --out" \
    "relu_images --run-dir" "relu_images --data" "report --out" report predict \
    "predict $pictures/3.png --model"; do
    # shellcheck disable=SC2086
    wrong '.* empty' $command ''
done

# --- one thing in place of another -----------------------------------------------------------------

run 0 "$bin/mnist_mlp" --dry-run --run-dir run --save-weights w.safetensors
wrong "--resume: expected a checkpoint, got $work/run/report\.html, which is a report of Primer; $work/run/checkpoint\.ckpt beside it is one$" \
    mnist_mlp --resume run/report.html
wrong "--resume: .* got $work/w\.safetensors, which is weights \(safetensors\); a training run saves one" \
    mnist_mlp --resume w.safetensors
wrong "--resume: .* got the folder $pictures without a checkpoint\.ckpt$" mnist_mlp --resume "$pictures"
wrong "$work/run/checkpoint\.ckpt: expected a run directory, got a file; name its folder: $work/run$" \
    report run/checkpoint.ckpt
wrong "$work/w\.safetensors: expected a run directory, got a file; a training run makes it" report w.safetensors
wrong "$pictures: expected a run directory, got a folder without run\.json" report "$pictures"
wrong "--model: expected weights .*, got $work/run/checkpoint\.ckpt, which is a checkpoint; " \
    predict --model run/checkpoint.ckpt "$pictures/3.png"
wrong "$pictures: expected a picture, got a folder; name the pictures in it" predict "$pictures"
wrong "--data: expected a folder with .*, got $work/w\.safetensors, which is weights" peek --data w.safetensors
wrong ".* --data|The following argument was not expected: w" peek w.safetensors
wrong "--run-dir: expected a folder, or nothing yet, got $work/w\.safetensors, which is a file$" \
    mnist_mlp --run-dir w.safetensors

# The folder above the one with the data.
mkdir -p above/mnist above/cifar10
for name in mnist_mlp:mnist cifar_cnn:cifar10; do
    run 1 "$bin/${name%:*}" --data above
    expect err "there is a folder '$work/above/${name#*:}': is that the one to name\?$"
    one_line err
done

# The data of the other kind.
: > above/mnist/train-images-idx3-ubyte
: > above/cifar10/test_batch.bin
wrong "--data: expected a folder with CIFAR-10's files, got $work/above/mnist with MNIST's$" cifar_cnn --data above/mnist
wrong "--data: expected a folder with MNIST's files, got $work/above/cifar10 with CIFAR-10's$" mnist_cnn --data above/cifar10

# --- one file for two things ---------------------------------------------------------------------

wrong "--save-weights: expected a file of its own, got $work/one, which is also the --checkpoint; " \
    mnist_mlp --no-run-dir --checkpoint one --save-weights "$work/./one"
mkdir new
for name in checkpoint.ckpt run.json metrics.jsonl; do
    wrong "--save-weights: .*, which is the run directory's own $name; " \
        mnist_mlp --run-dir new --save-weights "new/$name"
done
wrong "--checkpoint: .*, which is the run directory's own run\.json; " mnist_mlp --run-dir new --checkpoint new/run.json

# --- where the result goes -----------------------------------------------------------------------

echo mine > mine.png
cp mine.png mine.dot
for command in "peek --out" "graph mnist_mlp --out" "draw_digits --out" "relu_images --run-dir"; do
    # shellcheck disable=SC2086
    wrong '--(out|run-dir): ' $command mine.png/below/x
done
wrong "--out: $work/mine\.png: expected a PNG picture or nothing yet, .* left as it is" peek --out mine.png
wrong "--out: $work/mine\.dot: expected a graph for Graphviz or nothing yet, .* left as it is" graph mnist_mlp --out mine
wrong "--out: $work/mine\.png: expected a report of Primer or nothing yet, .* left as it is" report run --out mine.png
cmp mine.png mine.dot
for i in 1 2; do run 0 "$bin/graph" mnist_mlp --out ours; done   # its own may be replaced

# --- what run.json says --------------------------------------------------------------------------

run 0 "$bin/mnist_mlp" --dry-run --run-dir 007 --seed 18446744073709551615 --lr 007e-3
expect 007/run.json '"run-dir": "007"'
expect 007/run.json '"seed": 18446744073709551615[,}]'
expect 007/run.json '"lr": 0\.007,'
expect 007/report.html '18446744073709551615'
if python3 -c '' 2> /dev/null; then
    python3 -c 'import json; json.load(open("007/run.json"))' || fail "not JSON: $(cat 007/run.json)"
fi
run 0 "$bin/mnist_mlp" --resume 007 --dry-run
echo "arguments that are nearly right get the right answer"
# SPDX-License-Identifier: MIT
