#!/usr/bin/env bash
# Pictures from a user's view: predict names those in examples/pictures, and variations of them;
# peek and draw_digits write theirs; a broken picture gives one line.
# needs: examples/all vary
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
pictures=$PRIMER_SOURCE_DIR/examples/pictures
begin "$bin/predict"

no_line() { [ ! -s "$1" ] || fail "expected nothing in $1: $(cat "$1")"; }

# --- right names ---------------------------------------------------------------------------------

# A picture's line is its path and the class, which the file's name begins with.
wrong() { sed -nE 's/^([^ ].*): ([0-9])$/\1 \2/p' out | awk '{ n = split($1, a, "/"); if (substr(a[n], 1, 1) != $2) print a[n], "is taken for", $2 }'; }

run 0 "$bin/predict" "$pictures"/*.png
no_line err
[ "$(grep -c '^[^ ]' out)" = 10 ] || fail "not ten pictures: $(cat out)"
[ "$(grep -Ec '^  [0-9]  +[0-9]+\.[0-9]%(  #+)?$' out)" = 30 ] || fail "not three classes each: $(cat out)"
! grep -q $'[\r\x1b]' out || fail "control codes in output that is not a terminal's"
[ -z "$(wrong)" ] || fail "the pictures that come with it: $(wrong)"

mkdir varied
"$PRIMER_BINARY_DIR/tests/vary" varied "$pictures"/*.png
run 0 "$bin/predict" --top 1 varied/*.png
[ "$(grep -c '^[^ ]' out)" = 100 ] || fail "not a hundred variations: $(cat out)"
wrong > mistakes
cat mistakes
for digit in 0 1 2 3 4 5 6 7 8 9; do
    [ "$(grep -c "^$digit-" mistakes)" -le 1 ] || fail "fewer than 90 % of the variations of $digit"
done
echo "$((100 - $(wc -l < mistakes))) of 100 variations are named right"

# --- what it prints ------------------------------------------------------------------------------

run 0 "$bin/predict" --top 2 --json "$pictures/3.png" "$pictures/7.png"
expect out '^  \{"file": ".*/pictures/3\.png", "classes": \[\{"name": "3", "probability": 0\.[0-9]{6}\}, \{'
if command -v python3 > /dev/null && python3 -c '' 2> /dev/null; then
    names=$(python3 -c "
import json
for picture in json.load(open('out'))['pictures']:
    assert len(picture['classes']) == 2 and 0.5 < picture['classes'][0]['probability'] <= 1, picture
    print(picture['classes'][0]['name'])")
    [ "$names" = $'3\n7' ] || fail "JSON: $names"
else
    echo "SKIPPED in part: there is no python3 to read the JSON with"
fi
run 0 "$bin/predict" --top 1000 "$pictures/3.png"
[ "$(wc -l < out)" = 11 ] || fail "not all ten classes: $(cat out)"
if script -qec true /dev/null > /dev/null 2>&1 < /dev/null; then
    script -qec "cd '$pictures'; stty cols 40; '$bin/predict' 3.png" typescript > /dev/null < /dev/null
    tr -d '\r' < typescript | grep '%' > lines || fail "no classes in a terminal: $(cat typescript)"
    ! grep -E '.{41}' lines || fail "a line is wider than the terminal: $(cat lines)"
else
    echo "SKIPPED in part: there is no 'script' to make a terminal with"
fi

# --- what is broken ------------------------------------------------------------------------------

head -c 700 "$pictures/4.png" > cut.png
echo "no picture" > text.png
: > empty.png
mkdir folder.png
cp "$pictures/5.png" 'a "5".png'
run 1 "$bin/predict" cut.png text.png 'a "5".png' empty.png none.png folder.png $'no\npicture'
expect out '^a "5"\.png: 5$'
[ "$(wc -l < err)" = 6 ] || fail "not one line a broken picture: $(cat err)"
expect err "^error: $work/cut\.png: expected a whole picture, got one that is cut short$"
expect err "^error: $work/text\.png: expected a PNG, JPEG, .*: Image not of any known type, or corrupt$"
expect err "^error: $work/empty\.png: expected a picture, got an empty file$"
expect err "^error: $work/none\.png: expected a picture, got nothing there$"
expect err "^error: $work/folder\.png: expected a picture, got a folder; name the pictures in it"
run 1 "$bin/predict" --json cut.png 'a "5".png'
expect out '"file": "cut\.png", "error": ".*cut short"\},$'
expect out '"file": "a \\"5\\"\.png", "classes": '
# A terminal never gets a name that it would obey, and the JSON stays JSON.
evil=$'e\x1b]0;t\x07\n\x7f\xc2\x9b31m\xe2\x80\xae\xff.png'
cp "$pictures/3.png" "$evil"
for flag in "" --json; do
    # shellcheck disable=SC2086
    run 0 "$bin/predict" $flag "$evil"
    ! grep -q $'[\x1b\x07\x7f]\|\xc2\x9b\|\xe2\x80\xae' out err || fail "control codes: $(cat -v out err)"
    iconv -f UTF-8 -t UTF-8 out > /dev/null || fail "not UTF-8: $(cat -v out)"
done
if command -v python3 > /dev/null && python3 -c '' 2> /dev/null; then
    python3 -c "
import json
name = json.load(open('out'))['pictures'][0]['file']
assert name == 'e\x1b]0;t\x07\n\x7f\x9b31m\u202e\ufffd.png', ascii(name)" || fail "JSON: $(cat -v out)"
fi
echo "no picture" > "$evil"
run 1 "$bin/predict" --json "$evil"
one_line err
! grep -q $'[\x1b\x07\x7f]\|\xc2\x9b\|\xe2\x80\xae' out err || fail "control codes: $(cat -v out err)"
run 2 "$bin/predict"
expect err '^error: '
run 2 "$bin/predict" --top 0 "$pictures/3.png"
expect err '^error: .*expected a whole number from 1 to 1000, got 0$'

# refused PATTERN MODEL
refused() {
    run 1 "$bin/predict" --model "$2" "$pictures/3.png"
    expect err "^error: $1"
    one_line err
    no_line out
}
head -c 1000 "$PRIMER_SOURCE_DIR/examples/models/digits.safetensors" > cut.safetensors
refused "$work/none: expected a safetensors file, got nothing there$" none
refused "$work/folder\.png: expected a safetensors file, got something that is no file$" folder.png
refused "$work/empty\.png: expected " empty.png
refused "$work/cut\.safetensors: expected " cut.safetensors
run 2 "$bin/predict" --model "$pictures/3.png" "$pictures/3.png"
expect err '^error: --model: expected weights \(safetensors\), got .*/3\.png, which is a PNG picture; --save-weights'
refused '.*: expected the weights of mnist_mlp, mnist_cnn or cifar_cnn, got those of an unnamed network' \
    "$PRIMER_SOURCE_DIR/tests/parity/exchange_model.safetensors"
sed 's/mnist_cnn/mnist_mlp/' "$PRIMER_SOURCE_DIR/examples/models/digits.safetensors" > other.safetensors
refused "$work/other\.safetensors: expected the tensors of this model, got those of another; missing: .*; unexpected: " \
    other.safetensors

# A small file that claims a large network does not get its memory.
header='{"__metadata__":{"network":"mnist_cnn"},"0.weight":{"dtype":"U8","shape":[999,1,3,3],"data_offsets":[0,8991]}}'
{ printf "\\x$(printf %x ${#header})"; head -c 7 /dev/zero; printf %s "$header"; head -c 8991 /dev/zero; } > wide.safetensors
refused "$work/wide\.safetensors: expected a tensor \"7\.weight\", got 1 tensors without it" wide.safetensors

# Weights of a training that has diverged.
run 0 "$bin/mnist_mlp" --dry-run --lr 1e38 --quiet --save-weights far.safetensors
refused "$pictures/3\.png: expected probabilities, got numbers that are not finite; " far.safetensors

# --- other models --------------------------------------------------------------------------------

for name in mnist_mlp mnist_cnn cifar_cnn; do
    run 0 "$bin/$name" --dry-run --save-weights "$name.safetensors"
    expect out "^Weights saved to $name\.safetensors$"
    run 0 "$bin/predict" --model "$name.safetensors" --top 10 "$pictures/3.png"
    no_line err
    [ "$(wc -l < out)" = 11 ] || fail "not ten classes: $(cat out)"
done
expect out '^  automobile  +[0-9.]+%'

# Weights as written by PyTorch's wrappers and older versions are read, with a note.
if command -v python3 > /dev/null && python3 -c '' 2> /dev/null; then
    python3 - "$PRIMER_SOURCE_DIR/examples/models/digits.safetensors" wrapped.safetensors << 'END'
import json, sys
bytes = open(sys.argv[1], "rb").read()
size = int.from_bytes(bytes[:8], "little")
tensors, data, kept = json.loads(bytes[8:8 + size]), b"", {}
for name, entry in tensors.items():
    if name == "__metadata__":
        kept[name] = entry
    elif not name.endswith("num_batches_tracked"):
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        first, rest = name.split(".", 1)
        kept[f"module.{first}._orig_mod.{rest}"] = {**entry, "data_offsets": [len(data), len(data) + end - begin]}
        data += bytes[begin:end]
header = json.dumps(kept).encode()
open(sys.argv[2], "wb").write(len(header).to_bytes(8, "little") + header + data)
END
    run 0 "$bin/predict" --model wrapped.safetensors "$pictures/3.png"
    expect out '/3\.png: 3$'
    expect err "^note: $work/wrapped\.safetensors: the names in the file have \"module\.\" in them"
    expect err "^note: $work/wrapped\.safetensors: the names in the file have \"_orig_mod\.\" in them"
    expect err "^note: $work/wrapped\.safetensors: the file has no num_batches_tracked"
fi

# A disk that gets full keeps the old file.
cp mnist_mlp.safetensors before
small() { (ulimit -f 500; exec "$@"); }   # files of 500 kB at most: too little for the weights
run 1 small "$bin/mnist_mlp" --dry-run --seed 2 --save-weights mnist_mlp.safetensors
expect err "^error: $work/mnist_mlp\.safetensors: failed to write the file .*: File too large; .* untouched$"
cmp mnist_mlp.safetensors before
[ "$(ls mnist_mlp*)" = mnist_mlp.safetensors ] || fail "something is left: $(ls)"

# --- pictures that are written -------------------------------------------------------------------

mkdir drawn
run 0 "$bin/draw_digits" --out drawn --seed 1
for digit in 0 1 2 3 4 5 6 7 8 9; do
    "$PRIMER_BINARY_DIR/tests/vary" --same "drawn/$digit.png" "$pictures/$digit.png" ||
        fail "examples/models/README.md says otherwise how examples/pictures was drawn"
done
run 2 "$bin/draw_digits" --out nowhere
expect err "^error: --out: expected a folder that is there, got $work/nowhere$"
one_line err
mkdir mine
echo "no picture" > mine/7.png
run 2 "$bin/draw_digits" --out mine
expect err "^error: --out: $work/mine/7\.png: expected a PNG picture or nothing yet, to write there, got another file"
[ "$(ls mine)" = 7.png ] || fail "drawn all the same: $(ls mine)"
one_line err

# grid COMMAND...: that is a PNG of so many samples.
grid() {
    run 0 "$bin/peek" "$@"
    expect out "^[0-9]+ samples of .*: $work/peek\.png$"
    [ "$(head -c 4 peek.png | tail -c 3)" = PNG ] || fail "no PNG"
    run 0 "$bin/predict" --model cifar_cnn.safetensors peek.png   # which reads it
}
grid
cp peek.png first.png
grid --seed 1
cmp peek.png first.png
grid --seed 2
! cmp -s peek.png first.png || fail "the seed does not matter"
grid --drawn shapes --rows 2
run 0 "$bin/peek" --rows 2 --out other.png
expect out "^12 samples of synthetic digits: $work/other\.png$"
mkdir nothing
run 1 "$bin/peek" --data nothing
expect err "^error: mnist: expected the file .*\./primer fetch mnist --to .*/nothing"
one_line err
# Sets whose files have the names of MNIST's: the folder tells which it is. Two black pictures each.
for set in fashion_mnist:Fashion-MNIST kmnist:KMNIST digits:MNIST; do
    mkdir "${set%:*}"
    for part in train t10k; do
        { printf '\0\0\x08\x03\0\0\0\x02\0\0\0\x1c\0\0\0\x1c'; head -c 1568 /dev/zero; } \
            > "${set%:*}/$part-images-idx3-ubyte"
        printf '\0\0\x08\x01\0\0\0\x02\0\x09' > "${set%:*}/$part-labels-idx1-ubyte"
    done
    run 0 "$bin/peek" --data "${set%:*}" --out of.png
    expect out "^48 samples of ${set#*:}: "
    mv of.png "${set%:*}.png"
done
! cmp -s fashion_mnist.png digits.png || fail "the picture does not name its set"
run 2 "$bin/peek" --out folder.png
expect err "^error: --out: $work/folder\.png: expected a file, or nothing yet, to save a PNG picture to, got a folder$"
run 2 "$bin/peek" --drawn letters
expect err '^error: '
# SPDX-License-Identifier: MIT
