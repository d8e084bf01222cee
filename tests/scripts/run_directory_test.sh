#!/usr/bin/env bash
# What a training run writes down: everything it should, without changing the weights, in the same
# place after a resume, and never at the cost of the training.
# needs: examples/all
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
begin "$bin/mnist_mlp"

count() { grep -c -- "$2" "$1" || true; }

# --- what there is -------------------------------------------------------------------------------

flags=(--epochs 2 --seed 3)
run 0 "$bin/mnist_mlp" "${flags[@]}" --save-weights with.safetensors
directory=$(echo runs/mnist_mlp-????????-??????)
[ -d "$directory" ] || fail "no run directory: $(ls runs)"
expect out "^Report: $directory/report\.html$"
for name in run.json metrics.jsonl evaluation.json checkpoint.ckpt report.html events.out.tfevents.* \
            'pictures/step-938/filters.png' pictures/step-938/mistake-01.png; do
    # shellcheck disable=SC2086
    [ -s "$(echo $directory/$name)" ] || fail "no $name: $(ls -R "$directory")"
done
expect "$directory/run.json" '"command": \["mnist_mlp", "--epochs", "2", "--seed", "3", "--save-weights"'
expect "$directory/run.json" '"epochs": 2, .*"lr": 0\.05, .*"seed": 3, .*"dry-run": false'
expect "$directory/run.json" '"source": "synthetic digits", "train": 30000, "test": 5000'
metrics=$directory/metrics.jsonl
[ "$(count "$metrics" '"kind": "epoch"')" = 2 ] || fail "not an epoch's line for each: $(cat "$metrics")"
[ "$(count "$metrics" '"kind": "step", .*"epoch": 1,')" = 10 ] || fail "469 steps, a line every 50: $(cat "$metrics")"
expect "$metrics" '"step": 938, .*"gradient_norms": \{"1.weight": [0-9.]+, .*"5.bias": [0-9.e-]+\}\}$'
expect "$metrics" '"epoch": 2, "step": 938, .*"dead_units": \{"2 \(ReLU\)": [0-9.e-]+, "4 \(ReLU\)":'

# TensorBoard gets all of it.
for tag in loss/train loss/test accuracy/train accuracy/test lr images_per_s gradient_norm/1.weight \
           weights/1.weight 'dead_units/2 (ReLU)' filters mistakes model result/test_accuracy _hparams_/experiment; do
    grep -aqF "$tag" "$directory"/events.out.tfevents.* || fail "no $tag in the event file"
done

# The epoch's line and the last one printed agree with what is written.
printed=$(sed -n 's/^test accuracy: \(.*\)%$/\1/p' out)
written=$(sed -n 's/.*"epoch": 2, .*"test_accuracy": \([0-9.]*\),.*/\1/p' "$metrics")
awk -v a="$printed" -v b="$written" 'BEGIN { exit !(a - 100 * b < 0.006 && 100 * b - a < 0.006) }' ||
    fail "printed $printed, written $written"

if python3 -c '' 2> /dev/null; then
    python3 - "$directory" <<'END' || fail "not what it should be"
import json, pathlib, sys
run = pathlib.Path(sys.argv[1])
json.loads((run / "run.json").read_text())
lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
last = [line for line in lines if line["kind"] == "epoch"][-1]
evaluation = json.loads((run / "evaluation.json").read_text())
confusion = evaluation["confusion"]
assert sum(map(sum, confusion)) == 5000
right = sum(confusion[i][i] for i in range(10))
assert abs(right / 5000 - last["test_accuracy"]) < 1e-6, (right, last)
mistakes = evaluation["mistakes"]
assert len(mistakes) == min(24, 5000 - right)
assert [m["probability"] for m in mistakes] == sorted((m["probability"] for m in mistakes), reverse=True)
for mistake in mistakes:
    assert mistake["truth"] != mistake["predicted"]
    assert confusion[mistake["truth"]][mistake["predicted"]] > 0
    assert mistake["truth"] == mistake["index"] % 10  # as the drawn digits are labelled
    assert (run / mistake["picture"]).read_bytes().startswith(b"\x89PNG")
seconds = [line["seconds"] for line in lines if line["kind"] == "step"]
assert seconds == sorted(seconds)
END
else
    echo "SKIPPED in part: no python3 to read JSON with"
fi

# --- nothing, and the same weights ---------------------------------------------------------------

mkdir without
(cd without && run 0 "$bin/mnist_mlp" "${flags[@]}" --no-run-dir --quiet --save-weights ../without.safetensors
 one_line out
 [ "$(ls)" = "$(printf 'err\nout')" ] || fail "--no-run-dir writes: $(ls)")
cmp with.safetensors without.safetensors || fail "the log changes the weights"

# --- stopped, and diverged -----------------------------------------------------------------------

start "$bin/mnist_mlp" --epochs 1000 --run-dir stopped
until_there grep -q 'batch' out
kill -INT "$pid"
ended 130
one_line err
expect stopped/report.html '; 1.{1,3}000 were planned|The last step logged is [0-9]+\.'
# The last step is written down, wherever it was, and none twice when the run goes on.
steps() { sed -n 's/^{"kind": "step", "step": \([0-9]*\),.*/\1/p' stopped/metrics.jsonl; }
last=$(sed -n 's/^interrupted after step \([0-9]*\);.*/\1/p' err)
[ "$(steps | tail -n 1)" = "$last" ] || fail "stopped after step $last, written down: $(steps)"
run 0 "$bin/mnist_mlp" --resume latest --run-dir stopped --epochs $((last / 469 + 1))
steps | sort -nuC || fail "steps that do not rise: $(steps)"
[ "$(steps | tail -n 1)" = $(((last / 469 + 1) * 469)) ] || fail "not to the end: $(steps)"
run 1 "$bin/mnist_mlp" --lr 1e30 --run-dir diverged
expect err '^error: step [0-9]+: the loss is not finite'
one_line err
expect diverged/report.html 'No epoch was finished, so nothing was tested\.'

# --- going on ------------------------------------------------------------------------------------

run 1 "$bin/mnist_cnn" --resume latest
expect err "^error: --resume latest: expected a run of mnist_cnn with a checkpoint, got none in $work/runs$"
one_line err

mkdir going_on
cd going_on
start "$bin/mnist_mlp" "${flags[@]}" --save-every 20 --save-weights ../resumed.safetensors
saved() { compgen -G 'runs/*/checkpoint.ckpt' > saved_files; }
until_there saved
kill -KILL "$pid" 2> /dev/null || true
{ wait "$pid"; } 2> /dev/null || true
metrics=$(echo runs/*/metrics.jsonl)
printf '{"kind": "step", "st' >> "$metrics"   # half a line, as a killed process leaves it
started=$(grep -o '"started": "[^"]*"' runs/*/run.json)
sleep 1.1
run 0 "$bin/mnist_mlp" --resume latest --save-weights ../resumed.safetensors
[ "$(echo runs/*)" = "${metrics%/*}" ] || fail "not the same directory: $(ls runs)"
cmp ../resumed.safetensors ../with.safetensors || fail "what is resumed ends otherwise"
expect out '^Resumed from .*/runs/mnist_mlp-.*/checkpoint\.ckpt: [0-9]+ steps are done\.$'
! grep -q '"st$\|"st{' "$metrics" || fail "half a line is left: $(cat "$metrics")"
[ "$(count "$metrics" '"kind": "epoch"')" = 2 ] || fail "an epoch is missing: $(cat "$metrics")"
grep -qF "$started" runs/*/run.json || fail "the run begins anew: $(cat runs/*/run.json)"
if python3 -c '' 2> /dev/null; then
    python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$metrics" ||
        fail "not JSON: $(cat "$metrics")"
fi

# Moved elsewhere, and from another folder.
mv "${metrics%/*}" ../moved
run 0 "$bin/mnist_mlp" --resume ../moved/checkpoint.ckpt --epochs 3
[ -z "$(ls runs)" ] || fail "a new directory for a run that has one: $(ls runs)"
[ "$(count ../moved/metrics.jsonl '"kind": "epoch", "epoch": 3')" = 1 ] || fail "$(cat ../moved/metrics.jsonl)"

# A checkpoint elsewhere is saved to again; the place of the log is stated again.
run 0 "$bin/mnist_mlp" --dry-run --checkpoint elsewhere.ckpt
[ ! -e runs/*/checkpoint.ckpt ] || fail "two checkpoints"
run 0 "$bin/mnist_mlp" --resume elsewhere.ckpt --checkpoint elsewhere.ckpt --run-dir "$(echo runs/*)"
[ "$(ls runs | wc -l)" = 1 ] || fail "a new directory for a run that has one: $(ls runs)"
# shellcheck disable=SC2086
[ "$(cat runs/*/metrics.jsonl | wc -l)" = 4 ] || fail "four lines of two steps: $(cat runs/*/metrics.jsonl)"

# A folder with a run in it is not overwritten.
run 2 "$bin/mnist_mlp" --dry-run --run-dir ../moved
expect err "^error: --run-dir: expected a folder without a run in it, got $work/moved with run\.json; name another"
one_line err
cp ../moved/checkpoint.ckpt before.ckpt
run 1 "$bin/mnist_mlp" --dry-run --resume elsewhere.ckpt --run-dir ../moved
expect err "^error: --run-dir: expected the folder of the run that is resumed, .* got $work/moved with another checkpoint\.ckpt$"
one_line err
cmp ../moved/checkpoint.ckpt before.ckpt
# With --run-dir, the latest run is the one in it, even if the folder runs has a newer one.
run 0 "$bin/mnist_mlp" --resume latest --run-dir ../moved
expect out "^Resumed from $work/moved/checkpoint\.ckpt: 1407 steps are done\.$"
run 1 "$bin/mnist_mlp" --resume latest --run-dir empty
expect err "^error: $work/going_on/empty/checkpoint\.ckpt: expected a checkpoint, got nothing there$"
run 2 "$bin/mnist_mlp" --resume ""
expect err '^error: --resume: expected a name, got an empty one$'
run 2 "$bin/mnist_mlp" --dry-run --no-run-dir --save-every 5
expect err '^error: --save-every: expected --checkpoint FILE as well'
rm -r runs

# Runs that begin in the same second have a directory each.
for i in 1 2 3; do "$bin/mnist_mlp" --dry-run --threads 1 > "out$i" 2>&1 & done
wait
[ "$(cat out? | grep -o '^Report: .*' | sort -u | wc -l)" = 3 ] || fail "shared directories: $(cat out?)"
[ "$(ls runs | wc -l)" = 3 ] || fail "not three directories: $(ls runs)"
cd ..

# --- a directory that cannot be written to ------------------------------------------------------

# stops_logging COMMAND...: one warning, and the training ends as ever.
stops_logging() {
    run 0 "$@"
    expect err '^warning: .*training (goes on|and all other logging and saving go on)$'
    ! grep -qv '^warning: ' err || fail "more than warnings: $(cat err)"
    [ -z "$(sort err | uniq -d)" ] || fail "warned twice of the same: $(cat err)"
    expect out '^epoch 2/2  loss .*  test 9'
    expect out '^test accuracy: 9[0-9]\.'
}
# Limits files to so many kB, like a full disk. (But not out and err, which are files as well.)
limited() {
    local kilobytes=$1
    shift
    { (ulimit -f "$kilobytes"; exec "$@") 2>&1 1>&3 | cat >&2; } 3>&1 | cat
}

: > file
stops_logging "$bin/mnist_mlp" "${flags[@]}" --run-dir file/below
expect err "file/below"
stops_logging limited 0 "$bin/mnist_mlp" "${flags[@]}" --run-dir full0
stops_logging limited 8 "$bin/mnist_mlp" "${flags[@]}" --run-dir full8    # the metrics
stops_logging limited 400 "$bin/mnist_mlp" "${flags[@]}" --run-dir full400  # the checkpoint
run 0 limited 0 "$bin/relu_variants" --activations relu,tanh --epochs 1 --batch-size 1000 --run-dir variants0
[ -z "$(sort err | uniq -d)" ] || fail "warned twice of the same: $(cat err)"
expect out '^tanh  '
run 1 limited 400 "$bin/mnist_mlp" "${flags[@]}" --run-dir full --save-required
expect err '^error: .*full/checkpoint\.ckpt: failed to write the file'

# --- one run after another in one directory ------------------------------------------------------

run 0 "$bin/relu_variants" --activations relu,tanh --epochs 1 --batch-size 500 --run-dir variants
expect out '^Report: variants/report\.html$'
[ "$(count out '^Report')" = 1 ] || fail "more than one report is named: $(cat out)"
for part in relu tanh; do
    for name in run.json metrics.jsonl evaluation.json report.html; do
        [ -s "variants/$part/$name" ] || fail "no $name of $part: $(ls -R variants)"
    done
done
[ -s variants/checkpoint.ckpt ] || fail "no checkpoint: $(ls variants)"
[ -s variants/report.html ] || fail "no report: $(ls variants)"

# --- what others have put there -------------------------------------------------------------------

mkdir -p mine/pictures/step-by-step mine/pictures/step-1 mine/pictures/step-2-old
echo x | tee mine/pictures/step-by-step/holiday.jpg mine/pictures/step-1/holiday.jpg > mine/pictures/step-2-old/x
run 0 "$bin/mnist_mlp" --dry-run --run-dir mine
expect mine/evaluation.json '"pictures/step-1-2/'
for file in step-by-step/holiday.jpg step-1/holiday.jpg step-2-old/x; do
    [ -s "mine/pictures/$file" ] || fail "somebody's $file is gone: $(ls -R mine/pictures)"
done

# A file in the place of the folder of pictures: the next name is taken.
mkdir -p taken/pictures
: > taken/pictures/step-1
run 0 "$bin/mnist_mlp" --dry-run --run-dir taken
expect taken/evaluation.json '"pictures/step-1-2/'

# A switch is true or false, and the contents of an older run.json are used only if they are valid.
run 0 "$bin/mnist_mlp" --dry-run=true --run-dir switch
expect switch/run.json '"dry-run": true'
sed -i 's/"started": "[^"]*"/"started": {"a": [1, "x"]}/' switch/run.json
run 0 "$bin/mnist_mlp" --resume switch --dry-run=true
expect switch/run.json '"started": "20[0-9-]*T[0-9:]*Z"'

# Pipes block nothing.
for name in metrics.jsonl run.json; do
    rm -rf pipe
    cp -r switch pipe
    rm "pipe/$name"
    mkfifo "pipe/$name"
    run 0 timeout 600 "$bin/mnist_mlp" --resume pipe
    [ -p "pipe/$name" ] || [ -f "pipe/$name" ] || fail "$name is gone"
done
(
    mkdir order
    cd order
    mkdir runs
    mkfifo runs/.order
    code=0
    timeout 600 "$bin/mnist_mlp" --resume latest > out 2>&1 < /dev/null || code=$?
    [ "$code" != 124 ] || fail "--resume latest waits for a pipe"
)

# A run of another program in the folder of a part.
mkdir -p parts
cp -r switch parts/relu
cp parts/relu/metrics.jsonl before.jsonl
run 2 "$bin/relu_variants" --activations relu --dry-run --run-dir parts
expect err "^error: --run-dir: expected a folder without a run in it, got $work/parts/relu with "
cmp -s before.jsonl parts/relu/metrics.jsonl || fail "another run's log has been changed"

# A file that cannot be read may be the user's own.
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
    mkdir open
    cp -r switch open/run
    echo precious > open/page.html
    chown -R 65534:65534 open
    chmod 000 open/page.html
    chmod 755 . open
    run 2 setpriv --reuid 65534 --regid 65534 --clear-groups "$bin/report" open/run --out open/page.html
    expect err 'got a file that cannot be read, which is left as it is'
    [ "$(cat open/page.html)" = precious ] || fail "a file that cannot be read has been replaced"
fi

echo "run directories are as they should be"
# SPDX-License-Identifier: MIT
