#!/usr/bin/env bash
# The examples from a user's view: what they print, where they look for data, how they fail.
# needs: examples/all
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
begin "$bin/mnist_mlp"

# Without data, it says so, says how to get it, and trains all the same.
run 0 "$bin/mnist_mlp" --dry-run --threads 1
expect out '^No MNIST found.*\./primer fetch mnist'
expect out '^Training on synthetic digits: [0-9]+ images, [0-9]+ to test, 1 thread\.$'
tail -n 1 out > last
expect last '^test accuracy: [0-9]+\.[0-9]{2}%$'
! grep -q $'[\r\x1b]' out || fail "control codes in output that is not a terminal's"

# A folder that is not there is an error, not a reason to train on something else.
for program in mnist_mlp cifar_cnn; do
    run 1 env PRIMER_DATA="$work/nowhere" "$bin/$program" --dry-run
    expect err "^error: PRIMER_DATA: expected a folder with the datasets' folders .*, got \".*/nowhere\","
    one_line err
done

# The same seed gives the same output, for any number of threads; another seed, another output.
accuracy() { run 0 "$bin/mnist_mlp" --dry-run "$@"; tail -n 1 out; }
[ "$(accuracy --seed 3 --threads 1)" = "$(accuracy --seed 3 --threads 2)" ] || fail "threads matter"
[ "$(accuracy --seed 3)" != "$(accuracy --seed 4)" ] || fail "the seed does not matter"

# Help and wrong flags.
run 0 "$bin/mnist_mlp" --help
for flag in data epochs batch-size test-batch-size lr momentum weight-decay seed threads dry-run \
            checkpoint save-every save-required resume run-dir no-run-dir quiet; do
    expect out "--$flag "
done
expect out '--epochs N=5 '
for flags in '--bogus' '--epochs 0' '--epochs x' '--batch-size -1' '--lr nan' '--lr -1' '--threads -1' \
             '--seed 1.5' '--seed -1' '--save-every -1' 'stray'; do
    # shellcheck disable=SC2086
    run 2 "$bin/mnist_mlp" $flags
    expect err '^error: '
done
run 2 "$bin/mnist_mlp" --batch-size 3000000000
expect err 'expected a whole number from 1 to 2147483647, got 3000000000'

# Data that is given and wrong is an error, never a fallback.
run 1 "$bin/mnist_mlp" --data "$work/nowhere"
expect err "^error: .*$work/nowhere"
one_line err
mkdir -p data/mnist
echo garbage > data/mnist/train-images-idx3-ubyte
run 1 "$bin/mnist_mlp"
expect err "^error: .*$work/data/mnist"
one_line err
rm -r data
mkdir -p elsewhere/mnist
echo garbage > elsewhere/mnist/train-images-idx3-ubyte
PRIMER_DATA=$work/elsewhere run 1 "$bin/mnist_mlp"
expect err "^error: .*$work/elsewhere/mnist"
PRIMER_DATA=$work/elsewhere/mnist run 1 "$bin/mnist_mlp"
expect err "^error: PRIMER_DATA: .* which has MNIST's files themselves; .* the folder around"
one_line err
PRIMER_DATA=$work/elsewhere/mnist run 1 "$bin/cifar_cnn"
expect err "^error: PRIMER_DATA: .* which has MNIST's files themselves"
PRIMER_NUM_THREADS=many run 1 "$bin/mnist_mlp"
expect err '^error: PRIMER_NUM_THREADS'
one_line err

# Training that diverges stops and names the step.
run 1 "$bin/mnist_mlp" --lr 1e30 --epochs 1
expect err '^error: step [0-9]+: the loss is not finite'
one_line err

# The study, with one seed: its table has a row for each of the four.
run 0 "$bin/prelu_study" --epochs 1 --seeds 1
for row in 'ReLU            He normal' 'ParametricReLU  He normal' 'ReLU            PyTorch' 'ParametricReLU  PyTorch'; do
    expect out "^$row.* [89][0-9]\\.[0-9]{2} \\+- 0\\.00$"
done
run 2 "$bin/prelu_study" --seeds 0

# Pictures of one's own, in a folder for each class: the network gets as many outputs, and files
# that are no pictures are named. Without training and test folders a fifth is kept for the test.
if command -v python3 > /dev/null; then
    python3 - <<'END'
import pathlib, random
random.seed(1)
for name, low in [("dark", 0), ("light", 128), ("middle", 64)]:
    folder = pathlib.Path("own") / name
    folder.mkdir(parents=True)
    for i in range(20):
        pixels = bytes(random.randrange(low, low + 60) for _ in range(12 * 9))
        (folder / f"{i}.pgm").write_bytes(b"P5 12 9 255\n" + pixels)
pathlib.Path("own/notes.txt").write_text("mine")
END
    for name in mnist_mlp mnist_cnn cifar_cnn; do
        run 0 "$bin/$name" --data own --epochs 2 --batch-size 8
        expect out '^Training on the pictures in own: 48 images, 12 to test'
        expect out '^Not used: notes.txt is not a picture\.$'
        expect out ' 3\]|out_features=3, '
    done
    mkdir parted
    cp -r own parted/train
    cp -r own parted/val
    run 0 "$bin/mnist_mlp" --data parted --dry-run
    expect out ': 60 images, 60 to test'
    rm -r parted/val/dark
    run 1 "$bin/mnist_mlp" --data parted --dry-run
    expect err '^error: --data: expected the same classes'
    echo broken > own/dark/0.pgm
    run 1 "$bin/mnist_mlp" --data own
    expect err 'dark/0\.pgm'
    rm -r own parted
fi

# Every other training example.
for name in mnist_cnn cifar_cnn relu_variants; do
    run 0 "$bin/$name" --help
    for flag in data epochs seed threads dry-run checkpoint save-every resume run-dir quiet; do expect out "--$flag "; done
    run 2 "$bin/$name" --bogus
    expect err '^error: '
done
for name in mnist_cnn cifar_cnn; do
    run 0 "$bin/$name" --dry-run
    expect out '^No (MNIST|CIFAR-10) found.*\./primer fetch (mnist|cifar10) '
    tail -n 1 out > last
    expect last '^test accuracy: [0-9]+\.[0-9]{2}%$'
done

# The comparison: a finite row for each activation, in the order asked for, and slopes that moved.
row=' +[0-9]+\.[0-9]{2}% +[0-9]+\.[0-9]{4} +[0-9.]+% +[0-9.]+$'
run 0 "$bin/relu_variants" --activations sigmoid,gelu_tanh --dry-run
for name in sigmoid gelu_tanh; do expect out "^$name$row"; done
run 0 "$bin/relu_variants" --activations prelu,relu --epochs 1 --batch-size 500
sed -n '/^activation /,$p' out > table
sed -i 1d table
[ "$(cut -d ' ' -f 1 table | grep . | tr '\n' ' ')" = 'prelu relu ' ] || fail "order: $(cat table)"
for name in prelu relu; do expect table "^$name$row"; done
awk '/slope learnt: from 0.25 to/ { moved += $NF < 0.249 || $NF > 0.251 } END { exit moved != 3 }' \
    table || fail "the slopes have not moved: $(cat table)"

# If one diverges, its row says so, and the next one is trained all the same.
run 0 "$bin/relu_variants" --lr 1e30 --activations relu,leaky_relu --epochs 1
expect out '^relu +diverged at step [0-9]+'
expect out '^leaky_relu +diverged at step [0-9]+'
run 2 "$bin/relu_variants" --activations relu,maxout
expect err '^error: --activations: maxout'

# The teaching examples. They have no flags but --help.
for name in 01_tensors 02_autograd 04_module own_layer; do
    run 0 "$bin/$name" --help
    expect out '--help'
    [ "$(wc -l < out)" -lt 8 ] || fail "$name --help runs the example: $(cat out)"
    run 2 "$bin/$name" --bogus
    expect err '^error: '
done
run 0 "$bin/01_tensors"
expect out '^        \[4\., 5\., 6\.\]\]\)$'
expect out 'matmul: \[2, 3\] x \[2, 3\]'
run 0 "$bin/02_autograd"
expect out '^dL/dw1   8 +8$'
expect out '^dL/dw2   -4 +-4$'
expect out '^dL/db    4 +4$'
run 0 "$bin/03_training"
[ "$(grep -c '^epoch [123]  test loss 0\.[0-9]*  test accuracy [89][0-9]\.' out)" = 3 ] || fail "03_training: $(cat out)"
# Killed after an epoch, or later, and started again, it ends with the same bits; then it is done.
mv runs/03_training.ckpt trained.ckpt
start "$bin/03_training"
until_there test -s runs/03_training.ckpt
kill -KILL "$pid" 2> /dev/null || true
{ wait "$pid"; } 2> /dev/null || true
run 0 "$bin/03_training"
cmp runs/03_training.ckpt trained.ckpt || fail "03_training, resumed, ends with other weights"
run 0 "$bin/03_training"
! grep -q '^epoch' out || fail "03_training trains on when it is done: $(cat out)"
expect out '^Trained\. Without runs/03_training\.ckpt the next start begins anew\.$'
echo garbage > runs/03_training.ckpt
run 1 "$bin/03_training"
expect err '^error: .*/runs/03_training\.ckpt: expected a checkpoint'
one_line err
run 0 "$bin/04_module"
expect out '^  \(block\): Block\($'
expect out '^block\.conv1\.weight \[16, 16, 3, 3\]$'
expect out '^loss before [0-9.]+, after an epoch 0\.'
run 0 "$bin/own_layer"
expect out '^largest difference: 0\.00'
expect out '^step   0   loss [1-9]'
expect out '^step 500   loss 0\.0[0-9]+$'
expect out '^the slopes were 1; now they are between 0\.'

echo "all examples do what they should"
# SPDX-License-Identifier: MIT
