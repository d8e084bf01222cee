#!/usr/bin/env bash
# Tests PRIMER_NUM_THREADS, which a process reads only once: each value gets a process of its own.
# needs: primer_tests
set -euo pipefail

tests=${PRIMER_BINARY_DIR:?}/tests/primer_tests
failures=0

# run EXPECTED: runs the test case with the current PRIMER_NUM_THREADS; the test case explains
# EXPECTED.
run() {
    local output
    # A filter that matches nothing would succeed, too.
    if ! output=$(PRIMER_TEST_THREADS=$1 "$tests" --test-case='parallel: PRIMER_NUM_THREADS' 2>&1) ||
        ! grep -Eq 'test cases: *1 \| *1 passed' <<< "$output"; then
        echo "FAILED with PRIMER_NUM_THREADS='${PRIMER_NUM_THREADS-(unset)}', expecting '$1':"
        echo "$output"
        failures=$((failures + 1))
    fi
}

for value in 1 2 3 8 1024 007; do
    PRIMER_NUM_THREADS=$value run "$((10#$value))"
done
for value in 0 -1 1025 99999999999999999999 four 2x 2.5 ' 2' '2 ' +2 0x2; do
    PRIMER_NUM_THREADS=$value run error
done

# Unset and empty are the same: the processors that this process may use.
(unset PRIMER_NUM_THREADS && run available && exit "$failures") || failures=$((failures + 1))
PRIMER_NUM_THREADS='' run available
# Bound to one processor, it uses one.
if command -v taskset > /dev/null; then
    first=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
    (unset PRIMER_NUM_THREADS
     taskset -cp "$first" $BASHPID > /dev/null && run 1 && exit "$failures") || failures=$((failures + 1))
fi

# A system that cannot provide so many threads: with room for some hundred stacks of 8 MB, the
# result is the same. (The sanitizers' own programs do not start in so little room.)
if { (ulimit -s 8192 && ulimit -v 2000000 && "$tests" --count); } > /dev/null 2>&1; then
    (ulimit -s 8192 && ulimit -v 2000000 && PRIMER_NUM_THREADS=1024 run 1024 && exit "$failures") ||
        failures=$((failures + 1))
fi

[ "$failures" -eq 0 ]
# SPDX-License-Identifier: MIT
