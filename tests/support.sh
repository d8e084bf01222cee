# What the test scripts of programs share; they begin with
#
#     . "$PRIMER_SOURCE_DIR/tests/support.sh"
#     begin PROGRAM

fail() { echo "FAILED: $*"; exit 1; }

# begin PROGRAM: skips the test if that is not built; else goes to a temporary folder, removed when
# the test ends, and clears the caller's settings.
begin() {
    [ -x "$1" ] || { echo "SKIPPED: there is no $1; is it built?"; exit 77; }
    work=$(cd -- "$(mktemp -d)" && pwd -P)
    trap 'rm -rf "$work"' EXIT
    cd -- "$work"
    unset PRIMER_DATA PRIMER_NUM_THREADS
}

# run CODE COMMAND...: runs it; standard output goes to out, standard error to err.
run() {
    local expected=$1 code=0
    shift
    "$@" > out 2> err < /dev/null || code=$?
    [ "$code" = "$expected" ] || fail "'$*' ended with $code, expected $expected: $(cat out err)"
}

# expect FILE PATTERN
expect() { grep -Eq -- "$2" "$1" || fail "expected /$2/ in $1: $(head -c 5000 "$1")"; }
one_line() { [ "$(wc -l < "$1")" = 1 ] || fail "expected one line in $1: $(cat "$1")"; }

# start COMMAND...: the same in the background, as process $pid. A script's background ignores
# Ctrl-C unless told otherwise. The files are emptied here, not only by the process: a wait for a
# line must not find one of the previous run.
start() {
    : > out
    : > err
    env --default-signal "$@" > out 2> err < /dev/null &
    pid=$!
}
# ended CODE: waits for it.
ended() {
    local code=0
    { wait "$pid"; } 2> /dev/null || code=$?
    [ "$code" = "$1" ] || fail "ended with $code, expected $1: $(cat out err)"
}
# until_there COMMAND...: waits until the command succeeds, for longer than any busy machine needs.
until_there() {
    local end=$((SECONDS + 300))
    while [ "$SECONDS" -lt "$end" ]; do
        if "$@" 2> /dev/null; then return; fi
        sleep 0.02
    done
    fail "waited for five minutes for: $*: $(cat out err)"
}
# SPDX-License-Identifier: MIT
