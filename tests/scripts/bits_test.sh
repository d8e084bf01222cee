#!/usr/bin/env bash
# A training gives the weights of bits.txt, bit for bit: with any compiler, on any system, with any
# number of threads, at each instruction set. Who changes a kernel's bits on purpose writes the table
# anew: PRIMER_NEW_BITS=1 ./primer test bits
#
# PRIMER_EMULATOR runs a program that was built for another processor, such as qemu-aarch64.
# needs: bits
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

table=$PRIMER_SOURCE_DIR/tests/scripts/bits.txt
program=$PRIMER_BINARY_DIR/tests/bits
[ -e "$program" ] || program+=.exe
read -ra emulator <<< "${PRIMER_EMULATOR:-}"

begin "$program"
found=0
# What has no plain definition runs at the baseline's level, so on AArch64 reference differs.
levels="baseline reference avx2 avx512"
if ! PRIMER_ISA=baseline ${emulator[@]+"${emulator[@]}"} "$program" > out 2> err; then levels=neon; fi
for isa in $levels; do
    for threads in 1 2 3; do
        if ! PRIMER_ISA=$isa PRIMER_NUM_THREADS=$threads ${emulator[@]+"${emulator[@]}"} "$program" > out 2> err; then
            expect err "^error: PRIMER_ISA: expected one that this processor has \(.*\), got \"$isa\""
            echo "not here: $isa"
            break
        fi
        tr -d '\r' < out > lines && mv lines out   # Windows ends lines so
        if [ "${PRIMER_NEW_BITS:-}" = 1 ] && [ "$threads" = 1 ]; then
            { grep -v "^$isa " "$table"; cat out; } > new
            cat new > "$table"
        fi
        grep "^$isa " "$table" | diff - out > differences ||
            fail "$isa, $threads threads: other weights than bits.txt has (<): $(cat differences)"
        found=$((found + 1))
    done
done
[ "$found" -ge 3 ] || fail "only $found trainings have run"
echo "$found times the weights of bits.txt"
# SPDX-License-Identifier: MIT
