#!/usr/bin/env bash
# Programs in adverse surroundings: closed descriptors, a full disk behind standard output, another
# run in the same directory, files of others, signals of batch systems.
# needs: examples/all
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
begin "$bin/mnist_mlp"

# --- descriptors ---------------------------------------------------------------------------------

"$bin/mnist_mlp" --dry-run --run-dir closed >&- 2> err <&- || fail "closed output: $(cat err)"
! grep -qv '^{' closed/metrics.jsonl || fail "printed lines in the metrics: $(cat closed/metrics.jsonl)"
if [ -w /dev/full ]; then
    for command in "mnist_mlp --dry-run --no-run-dir" "mnist_mlp --help" 01_tensors "report closed"; do
        code=0
        # shellcheck disable=SC2086
        "$bin"/$command > /dev/full 2> err || code=$?
        [ "$code" = 1 ] || fail "$command > /dev/full ends with $code"
        expect err '^error: standard output: failed to write'
    done
fi

# --- files of others -----------------------------------------------------------------------------

echo mine > mine
ln -s mine link
for flag in --checkpoint --save-weights; do
    for file in mine link; do
        run 2 "$bin/mnist_mlp" --dry-run --no-run-dir "$flag" "$file"
        expect err "^error: $flag: $work/$file: expected .* to write there, got (another file|a link)"
        one_line err
    done
done
rm closed/report.html
ln -s ../mine closed/report.html
run 2 "$bin/report" closed --out closed/report.html
run 1 "$bin/report" closed
rm closed/report.html closed/metrics.jsonl
ln -s ../mine closed/metrics.jsonl
run 0 "$bin/mnist_mlp" --resume closed
expect err '^warning: .*metrics\.jsonl: expected JSON or nothing yet, to write there, got a link'
[ "$(cat mine)" = mine ] || fail "written through a link: $(cat mine)"
# A checkpoint does not say where to write.
run 0 "$bin/mnist_mlp" --dry-run --no-run-dir --checkpoint first.ckpt --save-weights weights
rm weights
mv first.ckpt second.ckpt
run 0 "$bin/mnist_mlp" --resume second.ckpt
[ ! -e weights ] && [ ! -e first.ckpt ] || fail "a checkpoint says where to write: $(ls)"

# --- arguments -----------------------------------------------------------------------------------

for flag in --save-weights --checkpoint --data --resume; do
    code=0
    "$bin/mnist_mlp" --dry-run --no-run-dir "$flag" '' > out 2> err || code=$?
    [ "$code" = 2 ] || fail "$flag '' ends with $code"
    expect err '^error: '
done
run 0 "$bin/mnist_mlp" --dry-run --batch-size 0100 --epochs 010 --run-dir 007
expect 007/run.json '"epochs": 10, "batch-size": 100,'
# Names of folders that are not UTF-8, or that a terminal would obey, break neither a page nor JSON
# nor the log for TensorBoard, and never reach a terminal.
name=$'caf\xe9\x1b[31m\xc2\x9b32m'
mkdir "$name"
idx() { { printf "\\x00\\x00\\x08\\x0$1\\x00\\x00\\x00\\x10$2"; head -c "$3" /dev/zero; } > "$name/$4"; }
for part in train t10k; do
    idx 3 '\x00\x00\x00\x1c\x00\x00\x00\x1c' $((16 * 784)) $part-images-idx3-ubyte
    idx 1 '' 16 $part-labels-idx1-ubyte
done
run 0 "$bin/mnist_mlp" --epochs 1 --data "$name" --run-dir "$name/run" --save-weights "$name/w"
[ ! -s err ] || fail "it says: $(cat -v err)"
cp out shown
# A resumed run continues with the data that it began with, wherever that was found, not with data
# found from the new place.
mkdir -p one/data other/data
cp -r "$name" one/data/mnist
cp -r "$name" other/data/mnist
run 0 env -C one "$bin/mnist_mlp" --epochs 1 --run-dir run
run 0 env -C other "$bin/mnist_mlp" --epochs 2 --resume "$work/one/run"
expect out "^Training on MNIST from $work/one/data/mnist:"
run 0 env PRIMER_DATA="$work/one/data" "$bin/mnist_mlp" --epochs 1 --run-dir found
run 0 env -C other "$bin/mnist_mlp" --epochs 2 --resume "$work/found"
expect out "^Training on MNIST from $work/one/data/mnist:"
run 0 "$bin/mnist_mlp" --resume "$name/run" --epochs 2
cat out err >> shown
run 0 "$bin/report" "$name/run"
cat out err >> shown
run 0 "$bin/report" "$name/run" "$name/run" --out "$name/two.html"
cat out err >> shown
run 1 "$bin/mnist_mlp" --data "$name/run"
cat out err >> shown
run 2 "$bin/mnist_mlp" --resume "$name/run/report.html"
cat out err >> shown
! grep -q $'\x1b\|\xc2\x9b' shown || fail "control codes: $(cat -v shown)"
for file in shown "$name"/run/{run.json,metrics.jsonl,evaluation.json,report.html} "$name/two.html"; do
    [ -s "$file" ] && iconv -f UTF-8 -t UTF-8 "$file" > /dev/null || fail "not UTF-8: $(cat -v "$file")"
done
expect "$name/run/run.json" '"data": ".*/caf'
if python3 -c '' 2> /dev/null; then
    python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$name/run/run.json" || fail "not JSON"
fi

# --- two runs in one directory, and signals ------------------------------------------------------

start "$bin/mnist_mlp" --epochs 100000 --save-every 5 --run-dir live
until_there [ -e live/checkpoint.ckpt ]
code=0
"$bin/mnist_mlp" --resume live > out2 2> err2 || code=$?
[ "$code" = 1 ] || fail "two runs in one directory: $(cat out2 err2)"
expect err2 "^error: $work/live: .* another run, process $pid, is writing there"
kill -HUP "$pid"
ended 129
expect err '^interrupted after step [0-9]+; saved: go on with --resume live/checkpoint\.ckpt$'
[ -s live/report.html ] || fail "no page after SIGHUP"

for number in USR1 XCPU XFSZ; do
    rm -rf stopped
    start "$bin/mnist_mlp" --epochs 100000 --run-dir stopped
    until_there grep -q batch out
    kill "-$number" "$pid"
    ended $((128 + $(kill -l "$number")))
    [ -s stopped/report.html ] && [ -s stopped/checkpoint.ckpt ] || fail "no page or checkpoint: $(ls stopped)"
done
code=0
{ env --default-signal "$bin/mnist_mlp" --epochs 100000 --run-dir pipe 2> err || echo $? > code; } | head -n 1 > out
[ "$(cat code)" = 141 ] || fail "a closed pipe ends it with $(cat code)"
[ -s pipe/report.html ] && [ -s pipe/checkpoint.ckpt ] || fail "no page or checkpoint: $(ls pipe)"

# --- the latest ----------------------------------------------------------------------------------

TZ=Asia/Tokyo run 0 "$bin/mnist_mlp" --dry-run --seed 1
TZ=UTC run 0 "$bin/mnist_mlp" --dry-run --seed 2
newest=$(tail -n 1 runs/.order)
run 0 "$bin/mnist_mlp" --resume latest
expect out "^Resumed from $work/runs/$newest/checkpoint\.ckpt"

echo "the surroundings are heeded"
# SPDX-License-Identifier: MIT
