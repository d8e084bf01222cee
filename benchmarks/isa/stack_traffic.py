#!/usr/bin/env python3
"""Counts how often the innermost loops of the vectorised kernels store a register on the stack.

A loop that works in registers does not. If a compiler keeps a sum on the stack, the loop takes two
or three times as long, and no test fails. (Loads from the stack are not counted: constants for which
there is no register cost little.)

    benchmarks/isa/stack_traffic.py COMPILER [FLAG...] [--only FILE[,FILE...]] [--most N]

compiles core/kernels/isa/FILE to assembly, with the library's options and FLAGs such as -mavx2
-mfma, and lists the loops with such stores. --most N: exit code 1 if a loop has more than N.
Understands the assembly of x86-64 and AArch64.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As in CMakeLists.txt.
OPTIONS = ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
FUSED = {"gemm_tile.cpp", "depthwise.cpp", "winograd.cpp"}

LABEL = re.compile(r"^(\.?[A-Za-z_$][\w$.]*):")
JUMP = re.compile(r"^\s+(?:j[a-z]+|b\.?[a-z]*|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#?\d+,)\s+(\.?L[\w$.]+)")
VECTOR = re.compile(r"^\s+\w+p[sd]\s|\bv\d+\.\d[sd]\b")  # packed arithmetic, moves and shuffles
STORE = r"^\s+v?mov\w+\s+%[xyz]mm\d+, \S*\(%{0}|^\s+st[rp]\s+q\d+.*\[(?:sp|x29)\b"
STACK, STACK_OR_FRAME = re.compile(STORE.format("rsp")), re.compile(STORE.format("r[sb]p"))
FRAME = re.compile(r"^\s+movq?\s+%rsp, %rbp")  # otherwise %rbp may point anywhere
LEAVES = re.compile(r"^\s+ret|^\s+(?:jmp|b)\s+(\S+)")


def assembly(command, source):
    options = [*OPTIONS]
    if source.name in FUSED:
        options.append("-ffp-contract=fast")
    return subprocess.run(
        [*command, *options, "-DPRIMER_ISA_LEVEL=level", "-S", "-o", "-", str(source)],
        check=True, capture_output=True, text=True).stdout.splitlines()


def innermost_loops(lines):
    """Yields for each innermost loop, from a label to a jump back, its function, its lines and a
    pattern of what stores on the stack."""
    where, functions, loops, framed = {}, {}, [], set()
    function = ""
    for number, line in enumerate(lines):
        label = LABEL.match(line)
        if label:
            where[label[1]] = number
            if not label[1].startswith((".L", "L")):
                function = label[1]
        functions[number] = function
        if FRAME.match(line):
            framed.add(function)
        jump = JUMP.match(line)
        if jump and jump[1] in where:
            loops.append((where[jump[1]], number))
    for begin, end in loops:
        inside = [loop for loop in loops if loop != (begin, end) and begin <= loop[0] and loop[1] <= end]
        # A body that another jump leaves for good is no loop: blocks may stand in any order.
        leaves = any(LEAVES.match(line) for line in lines[begin:end])
        if not inside and not leaves:
            name = functions[begin]
            yield name, lines[begin:end + 1], STACK_OR_FRAME if name in framed else STACK


def readable(name):
    text = subprocess.run(["c++filt", name], capture_output=True, text=True).stdout.strip()
    text = re.sub(r"primer::kernels::\w+::|\(anonymous namespace\)::", "", text)
    return text[:70]


def main():
    words, most, only = sys.argv[1:], None, None
    for flag in ("--most", "--only"):
        if flag in words:
            at = words.index(flag)
            value = words[at + 1]
            del words[at:at + 2]
            most, only = (int(value), only) if flag == "--most" else (most, value)
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    worst, count = 0, 0
    for source in sorted((ROOT / "core/kernels/isa").glob("*.cpp")):
        if only and source.name not in only.split(","):
            continue
        for function, body, stack in innermost_loops(assembly(words, source)):
            vectors = sum(1 for line in body if VECTOR.search(line))
            stores = sum(1 for line in body if stack.search(line))
            if vectors == 0:
                continue
            count += 1
            if stores:
                print(f"{source.name:16} {stores:3} of {len(body):4} lines, {vectors:3} vector  {readable(function)}")
                worst = max(worst, stores)
    print(f"{words[0]}: {count} vectorised loops, at most {worst} stores on the stack in one")
    sys.exit(most is not None and worst > most)


if __name__ == "__main__":
    main()
# SPDX-License-Identifier: MIT
