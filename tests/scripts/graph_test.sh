#!/usr/bin/env bash
# ./primer graph: what it writes and prints for each network, and that Graphviz takes it.
# needs: graph
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

graph=$PRIMER_BINARY_DIR/examples/graph
begin "$graph"

run 0 "$graph" --help
for flag in out profile batch-size steps threads; do expect out "--$flag "; done
expect out 'cifar_cnn, mnist_cnn, mnist_mlp'
run 2 "$graph"
expect err '^error: .*EXAMPLE'
run 2 "$graph" resnet
expect err '^error: .*resnet'
run 2 "$graph" mnist_mlp --batch-size 0
run 2 "$graph" mnist_mlp --out nowhere/x
expect err "^error: --out: $work/nowhere/x\.dot: failed to create a file in its folder when saving a graph for Graphviz"
one_line err

# Without Graphviz: the two texts, and a note on the pictures.
mkdir empty
PATH=$work/empty run 0 "$graph" mnist_mlp
expect out '^There is no Graphviz'
expect out '^Written: graph\.dot graph\.mmd$'
expect out '^0 linear +1 \(Linear\) +\[64, 256\] +201 kB$'
expect out '^Kept until backward: 302 kB'
expect graph.dot '^digraph tape \{$'
expect graph.mmd '^flowchart TD$'
[ ! -e graph.svg ] || fail "a picture without Graphviz"

# The times may be anything; each op and each layer has a row.
PATH=$work/empty run 0 "$graph" mnist_cnn --profile --steps 2 --batch-size 4 --threads 1
[ "$(grep -Ec '^op [0-9]+: ' out)" = 11 ] || fail "expected 11 ops: $(cat out)"
expect out '^op 3: conv2d +3 \(Conv2d\) +\[4, 64, 14, 14\] +[0-9.]+ +[0-9.]+ +[0-9.]+%'
[ "$(grep -Ec '^[0-9]+ \([A-Za-z0-9]+\) +\[4, ' out)" = 10 ] || fail "expected 10 layers: $(cat out)"
expect out '^\(no layer\)'
expect out '^A step: forward [0-9.]+ ms, backward [0-9.]+ ms; medians of 2 steps\.$'

command -v dot > /dev/null || { echo "SKIPPED in part: there is no Graphviz"; exit 77; }
mkdir "a b'c"
for name in mnist_mlp mnist_cnn cifar_cnn; do
    run 0 "$graph" "$name" --batch-size 2 --out "a b'c/$name"
    [ ! -s err ] || fail "$(cat err)"
    expect out "^Written: a b'c/$name.dot a b'c/$name.mmd a b'c/$name.svg a b'c/$name.png$"
    expect "a b'c/$name.svg" '</svg>'
    [ "$(head -c 4 "a b'c/$name.png")" = $'\x89PNG' ] || fail "$name.png is no PNG file"
    # From top to bottom: narrow enough to be read without moving sideways.
    width=$(sed -n 's/^<svg width="\([0-9]*\)pt".*/\1/p' "a b'c/$name.svg")
    [ "$width" -lt 1000 ] || fail "the picture of $name is $width points wide"
done

echo "the graphs of all examples are written and drawn"
# SPDX-License-Identifier: MIT
