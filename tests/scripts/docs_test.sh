#!/usr/bin/env bash
# The code in docs/add-a-layer.md is right: its files compile unchanged, without a warning, and link
# against the library; their test passes, in float and in double; and their model learns. The test
# also fails when a gradient is made wrong, as the page says.
set -euo pipefail

[ -f /usr/include/doctest/doctest.h ] || { echo "SKIPPED: no doctest in /usr/include"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cxx=${CXX:-c++}
read -ra flags <<< "${PRIMER_CXX_FLAGS:-}"
page=$PRIMER_SOURCE_DIR/docs/add-a-layer.md

fail() { echo "FAILED: $*"; exit 1; }

# A line `NAME`: with the name of a file, and the next block is that file.
# The page's layer among the headers of the library, as it would stand in the repository.
mkdir -p "$work/primer" "$work/tests" "$work/examples"
for entry in primer.h core layers optim datasets; do cp -R "$PRIMER_SOURCE_DIR/$entry" "$work/primer"; done
awk -v to="$work" '
    /^`[^`]+`:$/ { name = substr($0, 2, length($0) - 3); next }
    /^```cpp$/   { if (name == "") exit 1
                   file = to (name ~ /^layers\// ? "/primer/" : "/") name
                   printf "" > file; print name; next }
    /^```$/      { file = name = ""; next }
    file != ""   { print > file }' "$page" > "$work/names" || fail "a block without a file name"
names=$(tr '\n' ' ' < "$work/names")
[ "$names" = "layers/snake.h layers/snake.cpp tests/test_snake.cpp examples/fit_sine.cpp " ] ||
    fail "unexpected blocks: $names"
# Readers who follow the page make these files; the library must not have any of the same name.
for name in $names; do
    page_file=$work/$name
    [ -e "$page_file" ] || page_file=$work/primer/$name
    [ ! -e "$PRIMER_SOURCE_DIR/$name" ] || cmp -s "$PRIMER_SOURCE_DIR/$name" "$page_file" ||
        fail "the library has another $name than the page, which calls it new"
done

# build VARIANT SOURCE... -- FLAG...: the page's layer and these files as $work/test, linked with the
# libraries of that variant.
build() {
    local variant=$1 room sources=() libraries=()
    shift
    while [ "$1" != -- ]; do sources+=("$1"); shift; done
    shift
    for room in layers optim core kernels; do
        libraries+=("$PRIMER_BINARY_DIR/libprimer_$room$variant.a")
        [ -f "${libraries[-1]}" ] || fail "${libraries[-1]} is not built"
    done
    "$cxx" -std=c++20 -O1 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -ffp-contract=off \
        "${flags[@]}" "$@" -I "$work" -I "$PRIMER_SOURCE_DIR/tests" \
        "$work/primer/layers/snake.cpp" "${sources[@]}" "${libraries[@]}" -pthread -o "$work/test" \
        > "$work/log" 2>&1 || fail "the page's code does not compile: $(cat "$work/log")"
}
tests=("$work/tests/test_snake.cpp" "$PRIMER_SOURCE_DIR/tests/main.cpp")

for variant in "" _double; do
    definitions=()
    [ -z "$variant" ] || definitions=(-DPRIMER_REAL_DOUBLE)
    build "$variant" "${tests[@]}" -- "${definitions[@]}"
    "$work/test" > "$work/out" || fail "the page's test fails: $(cat "$work/out")"
    grep -Eq 'test cases: +4 \| +4 passed' "$work/out" || fail "not four tests: $(cat "$work/out")"
done

# The model learns.
build "" "$work/examples/fit_sine.cpp" --
"$work/test" > "$work/out" || fail "the page's model fails: $(cat "$work/out")"
grep -Eq '^step 500: loss 0\.0' "$work/out" || fail "the page's model does not learn: $(cat "$work/out")"

# A wrong sign in the gradient of the slope must be found.
cp "$work/primer/layers/snake.cpp" "$work/right.cpp"
sed -i 's/2 \* std::cos(u) - s)/2 * std::cos(u) + s)/' "$work/primer/layers/snake.cpp"
! cmp -s "$work/right.cpp" "$work/primer/layers/snake.cpp" || fail "no sign to make wrong"
build _double "${tests[@]}" -- -DPRIMER_REAL_DOUBLE
! "$work/test" --test-case='*gradients*' > "$work/out" || fail "a wrong gradient passes the test"
grep -q 'gradcheck' "$work/out" || fail "it is not gradcheck that finds it: $(cat "$work/out")"

echo "the layer of docs/add-a-layer.md compiles and passes its test in float and in double"
# SPDX-License-Identifier: MIT
