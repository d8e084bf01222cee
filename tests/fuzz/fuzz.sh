#!/usr/bin/env bash
# Builds fuzz targets and runs them: what ./primer fuzz does. See README.md beside this file.
#
# Exit codes: 0 nothing was found, 1 something was (or the build failed), 2 wrong usage.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$here/../..
cd -- "$root"
root=$PWD

say() { echo "primer: $*" >&2; }
die() { say "$*"; exit 1; }
wrong_usage() { say "$*"; exit 2; }

targets() { sed -n 's/^primer_fuzz(\([a-z0-9_]*\).*/\1/p' "$here/CMakeLists.txt" | grep -vx planted; }

usage() {
    local name
    cat <<'TEXT'
usage: ./primer fuzz TARGET [SECONDS] [--coverage] [FLAG ...]
       ./primer fuzz all [SECONDS]

Feeds a reader with broken files, under AddressSanitizer and UndefinedBehaviorSanitizer, for 60
seconds, or as many as are given; all: each target in turn. Flags of libFuzzer, which begin with
one '-', go to it: -runs=10000000. With --coverage: which lines of the reader the inputs found so far
reach. What was found lies in build/fuzz/crashes/TARGET.

targets
TEXT
    for name in $(targets); do
        printf '  %-12s %s\n' "$name" "$(sed -n "1s|^// $name: ||p" "$here/$name.cpp")"
    done
}

[ $# -gt 0 ] || { usage; exit 0; }
case $1 in -h | --help) usage; exit 0 ;; esac
what=$1
shift
seconds=60 coverage="" flags=()
for argument in "$@"; do
    case $argument in
        --coverage) coverage=yes ;;
        -*) flags+=("$argument") ;;
        *[!0-9]* | "" | 0*) wrong_usage "fuzz: expected a number of seconds from 1 on, got '$argument'" ;;
        *) seconds=$argument ;;
    esac
done
case $what in
    all) read -ra chosen <<< "$(targets | xargs)" ;;
    *)
        # No pipe into grep -q: it may end early, and then the writer fails, and so does the pipe.
        [[ " $(targets | xargs) planted " == *" $what "* ]] ||
            wrong_usage "fuzz: no target '$what'; there are: $(targets | xargs), and all"
        chosen=("$what") ;;
esac

compiler=${PRIMER_FUZZ_CXX:-clang++-14}
for tool in "$compiler" python3 cmake ninja; do
    command -v "$tool" > /dev/null || die "fuzzing needs $tool (Debian: clang-14 libclang-rt-14-dev llvm-14 python3 cmake ninja-build)"
done

# build PRESET: the chosen targets.
build() {
    local names=("${chosen[@]/#/fuzz_}")
    {
        [ "build/$1/build.ninja" -nt CMakePresets.json ] || cmake --preset "$1" -DCMAKE_CXX_COMPILER="$compiler"
        cmake --build --preset "$1" --target "${names[@]}"
    } >&2 || die "building failed; the messages above say why"
}

fuzz() {
    local target=$1 found=build/fuzz/found/$1 crashes=build/fuzz/crashes/$1 code=0
    local words=build/fuzz/corpus/$1.dict
    mkdir -p "$found" "$crashes"
    [ -e "$words" ] || words=""
    say "fuzz $target: $seconds s"
    # What was found in earlier runs comes first, to begin where those ended. -timeout: seconds that
    # one input may take, so many that a busy machine is no finding. The other settings double the
    # speed: allocations are not traced (running a finding again by hand shows them), the quarantine
    # of freed memory holds only a few inputs' worth, inputs are short, and the choice of the next
    # one to change is not weighted.
    ASAN_OPTIONS=malloc_context_size=0:quarantine_size_mb=4:${ASAN_OPTIONS:-} \
        "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
        -entropic=0 -print_funcs=0 -max_len="$(sed -n 's|^// longest: ||p' "$here/$target.cpp")" \
        -artifact_prefix="$crashes/" -print_final_stats=1 -verbosity=0 \
        ${words:+-dict="$words"} "${flags[@]}" "$found" "build/fuzz/corpus/$target" > "build/fuzz/$target.log" 2>&1 || code=$?
    grep -E '^stat::number_of_executed_units|^stat::average_exec_per_sec' "build/fuzz/$target.log" || true
    if [ "$code" != 0 ]; then
        tail -n 60 "build/fuzz/$target.log"
        say "fuzz $target: FOUND something; the input is in $root/$crashes; to run it again:" \
            "build/fuzz/tests/fuzz/fuzz_$target $crashes/FILE"
        return 1
    fi
}

cover() {
    local target=$1 bin=build/fuzz-coverage/tests/fuzz/fuzz_$1 data=build/fuzz-coverage/$1 sources
    mkdir -p "build/fuzz/found/$target"
    LLVM_PROFILE_FILE=$data.profraw "$bin" -runs=0 "build/fuzz/corpus/$target" "build/fuzz/found/$target" > "$data.log" 2>&1 ||
        die "an input of $target ends it: $(tail -n 5 "$data.log")"
    llvm-profdata-14 merge -sparse "$data.profraw" -o "$data.profdata"
    read -ra sources <<< "$(sed -n 's|^// covers: ||p' "$here/$target.cpp" | xargs)"
    llvm-cov-14 report "$bin" -instr-profile="$data.profdata" "${sources[@]/#/$root/}" |
        awk -v target="$target" -v root="$root/" 'NF > 9 && $1 != "Filename" { sub(root, "", $1); print target ": " $1 ": lines " $10 }'
}

mkdir -p build/fuzz
python3 "$here/make_corpus.py" build/fuzz/corpus
if [ -n "$coverage" ]; then
    build fuzz-coverage
    for target in "${chosen[@]}"; do cover "$target"; done
    exit 0
fi
build fuzz
failed=0
for target in "${chosen[@]}"; do fuzz "$target" || failed=1; done
exit "$failed"
# SPDX-License-Identifier: MIT
