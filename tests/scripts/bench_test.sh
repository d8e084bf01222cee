#!/usr/bin/env bash
# The benchmark from a user's view: its flags, its table and its JSON. Speed is not tested here.
# compare.py is tested only as far as it runs without its peers.
# needs: bench
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bench=$PRIMER_BINARY_DIR/benchmarks/bench
begin "$bench"

lines() { [ "$(grep -Ec -- "$2" "$1")" = "$3" ] || fail "expected $3 lines /$2/ in $1: $(cat "$1")"; }

# Help and wrong flags.
run 0 "$bench" --help
for flag in threads workloads inference json rounds steps batch; do
    expect out "--$flag "
done
for name in mlp64 mlp256 lenet mnist_cnn cifar_cnn resnet predict1_mlp predict1_cifar; do
    expect out "${name}[,.]"
done
for flags in '--bogus' '--threads 0' '--threads 1,x' '--workloads mlp64,tinny' '--workloads ,' \
             '--rounds 0' '--steps 0' '--batch -1' '--json nowhere/file' 'stray'; do
    # shellcheck disable=SC2086
    run 2 "$bench" $flags
    expect err '^error: '
done
echo mine > mine
run 2 "$bench" --workloads mlp64 --json mine
expect err "^error: --json: $work/mine: expected an earlier table or nothing yet, .* left as it is"
run 2 "$bench" --json ''
run 2 "$bench" --workloads tinny
expect err "no workload 'tinny'; there are: mlp64, "

# The table: a line for each workload and number of threads, each once and in their own order.
run 0 "$bench" --workloads predict1,mlp64 --threads 2,1,2 --batch 8 --rounds 2 --steps 1 --json rows.json
expect out '^peak on 1 thread: [0-9]+ GFLOP/s$'
expect out '^peak on 2 threads: [0-9]+ GFLOP/s$'
lines out '^[a-z0-9_]+ +[12]( +[0-9.]+%?){4}$' 10
lines out '^mlp64 +[12] ' 2
lines out '^predict1000_cifar +[12] ' 2
[ "$(ls rows.json*)" = rows.json ] || fail "an unfinished file is left: $(ls)"

# The same in JSON.
if command -v python3 > /dev/null; then
    python3 - <<'END' || fail "the JSON says something else"
import json
rows = json.load(open("rows.json"))
names = ["mlp64", "predict1_mlp", "predict1_cifar", "predict1000_mlp", "predict1000_cifar"]
assert [(r["workload"], r["threads"]) for r in rows] == [(n, t) for n in names for t in (1, 2)], rows
for row in rows:
    assert list(row) == ["workload", "threads", "images_per_s", "ms_per_step", "share_of_peak",
                         "peak_mb"], row
    assert all(row[k] > 0 for k in list(row)[2:5]) and row["peak_mb"] >= 0, row
    assert abs(row["images_per_s"] * row["ms_per_step"] / 1000 / 8 - 1) < 1e-6, row
END
fi

# Every network trains; forward only.
run 0 "$bench" --workloads lenet,mnist_cnn,cifar_cnn,resnet --threads 2 --batch 2 --rounds 1 --steps 1
lines out '^[a-z0-9_]+ +2( +[0-9.]+%?){4}$' 4
run 0 "$bench" --workloads lenet --threads 1 --rounds 1 --steps 1 --inference
lines out '^lenet +1 ' 1
run 1 "$bench" --workloads mlp64 --threads 1 --batch 5000
expect err 'error: .*at most 4096'

# What compare.py says to the program.
printf 'run\npeak\nrun\n' | "$bench" --serve --workloads mlp64 --threads 1 --steps 1 > out
# 784 x 256 + 256, 256 x 128 + 128 and 128 x 10 + 10 parameters.
[ "$(sed -n 1p out)" = "ready 235146" ] || fail "not ready: $(cat out)"
lines out '^[0-9.e+-]+$' 3
run 1 "$bench" --serve
expect err '^error: --serve'

# The comparison's own flags, and what it does without measuring.
if command -v python3 > /dev/null; then
    compare=$PRIMER_SOURCE_DIR/benchmarks/compare.py
    export PYTHONDONTWRITEBYTECODE=1
    run 0 python3 "$compare" --help
    for flags in '--bogus' '--threads 0' '--workloads tinny' '--peers tinny' '--rounds 0'; do
        # shellcheck disable=SC2086
        run 2 python3 "$compare" $flags
    done
    run 1 python3 -S "$compare" --bench "$bench" --workloads mlp64   # -S: without packages
    expect err '^error: PyTorch is not installed .*pip install -r .*requirements.txt'
    run 1 python3 "$compare" --markdown mine
    expect err '^error: mine: expected a table that --json wrote'
    run 1 python3 "$compare" --markdown none
    expect err '^error: .*none'
    run 0 python3 -S "$PRIMER_SOURCE_DIR/tests/scripts/compare_check.py" "$PRIMER_SOURCE_DIR"
    run 0 python3 -S "$compare" --markdown table.json
    expect out '^\| mlp64 \| 1 \| 1000 \| JAX \| 500 \| 2.00 \|$'
    expect out '^\| mlp64 \| 1 \| \*\*JAX\*\* \| 500 \| 2.00 \(1.50 to 3.00\) \| 300 \|$'
    expect out '^\| mlp64 \| 1 \| torch.compile \| failed: no compiler / none \|'
    expect out '^\| lenet \| 2 \| 1000 \| failed \|'
fi

echo "the benchmark does what it should"
# SPDX-License-Identifier: MIT
