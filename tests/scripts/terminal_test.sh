#!/usr/bin/env bash
# What a training run shows: in a terminal one line that is redrawn, never wider than the terminal,
# even after a resize; elsewhere plain lines. Needs python3, which makes the terminals.
# needs: examples/all
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

bin=$PRIMER_BINARY_DIR/examples
python3 -c 'import pty' 2> /dev/null || { echo "SKIPPED: no python3 to make a terminal with"; exit 77; }
begin "$bin/mnist_mlp"

# Plain lines, without control codes, where there is no terminal.
"$bin/mnist_mlp" --epochs 1 --no-run-dir > out
! LC_ALL=C grep -q '[^[:print:]]' out || { echo "FAILED: control codes in a pipe: $(cat -v out)"; exit 1; }
[ "$(grep -c '^epoch 1/1  batch .* left$' out)" = 3 ] || { echo "FAILED: $(cat out)"; exit 1; }
[ "$("$bin/mnist_mlp" --dry-run --quiet --no-run-dir | wc -l)" = 1 ] || { echo "FAILED: not quiet"; exit 1; }

cat > terminal.py <<'END'
import fcntl, os, pty, re, select, struct, sys, termios, time

program = sys.argv[1]

def resize(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

def run(columns, *flags, then=None, **environment):
    """The bytes that the program writes to a terminal of that width; `then`: (text, columns)
    of a change of it, when the text has been seen. Also the seconds it took."""
    start = time.monotonic()
    child, terminal = pty.fork()
    if child == 0:
        for name in ("NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG"):
            os.environ.pop(name, None)
        os.environ.update({"TERM": "xterm", "LANG": "C.UTF-8"}, **environment)
        resize(0, columns)  # here, so that the program finds it, however late the parent comes
        os.execv(program, [program, "--no-run-dir", *flags])
    output = b""
    while True:
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # what Linux says at the end
            break
        if not piece:
            break
        output += piece
        if then and then[0] in output:
            resize(terminal, then[1])
            then = None
    os.waitpid(child, 0)
    os.close(terminal)
    return output, time.monotonic() - start

def drawn(output):
    """The lines that were begun by going back to the first column, as they are seen."""
    text = output.replace(b"\r\n", b"\n").decode()
    lines = [line for line in re.findall(r"\r([^\r\n]*)", text)]
    return [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line) for line in lines]

def check(condition, what, output):
    if not condition:
        sys.exit(f"FAILED: {what}: {output[-3000:]!r}")

ends = re.compile(rb"\r\ntest accuracy: [0-9.]+%\r\n$")

tested = re.compile(r"test [0-9]")  # in the line that stays after an epoch
parts = {  # what is to be seen, from how many columns on
    r"\d/4 ": 20, r"loss +\d": 20, r"acc(uracy)? +\d+(\.\d+)?%": 40, r"\|[█▏▎▍▌▋▊▉ ]+\|": 40,
    r"\d+:\d\d( left)?$": 40, r"\d+/469 |testing ": 80, r"[▁▂▃▄▅▆▇]": 80, r"lr \d": 80,
    r"\d[kM]? im(g|ages)/s": 80, r"\|[^|]+\|[^|]+\|[^|]+\|": 100,
    r"^epoch ": 200, "accuracy": 200, r"batch +\d+/469|testing": 200, "images/s": 200, "left$": 200,
}

for columns in (20, 40, 80, 100, 200):
    output, seconds = run(columns, "--epochs", "4", "--threads", "1")
    lines = drawn(output)
    live = [line for line in lines if "loss" in line and not tested.search(line)]
    check(len(live) >= 2, f"no live line at {columns}", output)
    # Ten per second, and for each epoch one before its test, one erased, and the one that stays.
    check(len(lines) <= 10 * seconds + 13, f"drawn too often at {columns}: {len(lines)}", output)
    for line in lines:
        check(len(line) < columns, f"a line of {len(line)} at {columns}: {line}", output)
    check(len({len(line) for line in live}) == 1, f"lines of several widths at {columns}", output)
    check(sum(bool(tested.search(line)) for line in lines) == 4,
          f"not a line for each epoch at {columns}", output)
    check(ends.search(output), f"no result at {columns}", output)
    for part, least in parts.items():
        if columns >= least:
            for line in live:
                check(re.search(part, line), f"no {part} at {columns} in {line!r}", output)
    check(sum("testing" in line for line in live) == (4 if columns >= 80 else 0),
          f"not told of each test at {columns}", output)

output, _ = run(80, "--epochs", "1")
check(b"\x1b[32m" in output, "no colours", output)
check("█".encode() in output, "no blocks", output)
output, _ = run(80, "--epochs", "1", NO_COLOR="1")
check(not re.search(rb"\x1b\[[0-9;]*m", output), "colours in spite of NO_COLOR", output)
check(b"\x1b[K" in output, "NO_COLOR takes the live line away", output)
output, _ = run(80, "--epochs", "1", LC_ALL="C")
check(output.isascii() and b"|#" in output, "not ASCII where the locale is C", output)
for name in ("dumb", ""):
    output, _ = run(80, "--epochs", "1", TERM=name)
    check(b"\x1b" not in output and not drawn(output), f"control codes with TERM={name}", output)
    check(b"\r\nepoch 1/1  batch" in output, f"no plain lines with TERM={name}", output)
    check(all(len(line) < 80 for line in output.decode().split("\r\n") if line.startswith("epoch")),
          f"a line that wraps with TERM={name}", output)
output, _ = run(80, "--epochs", "1", "--quiet")
check(re.fullmatch(rb"test accuracy: [0-9.]+%\r\n", output), "not quiet", output)

# Narrower while it runs: later lines fit, and the line that no longer fits is left.
output, seconds = run(120, "--epochs", "12", "--threads", "1", then=(b"epoch 2/12", 40))
widths = [len(line) for line in drawn(output)]
check(widths[0] > 100, "not as wide as it could be", output)
check(any(width < 40 for width in widths), "the change was not seen", output)
first = next(i for i, width in enumerate(widths) if 0 < width < 40 and "/12 " in drawn(output)[i]
             and not tested.search(drawn(output)[i]))
check(all(width < 40 for width in widths[first:]), "too wide after the change", output)

# An error is not appended to the live line.
output, _ = run(80, "--lr", "1e30")
check(b"\r\x1b[Kerror: step" in output, "the error is not on a line of its own", output)
END
python3 terminal.py "$bin/mnist_mlp"

echo "the progress display fits its terminal"
# SPDX-License-Identifier: MIT
