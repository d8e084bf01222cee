# What the test scripts of programs share; they begin with
#
#     . "$PRIMER_SOURCE_DIR/tests/support.sh"
#     begin PROGRAM

fail() { echo "FAILED: $*"; exit 1; }

# begin PROGRAM: skips the test if that is not built; else goes to a folder that is gone when the
# test ends, where nothing of the caller's settings is left.
begin() {
    [ -x "$1" ] || { echo "SKIPPED: there is no $1; is it built?"; exit 77; }
    work=$(cd -- "$(mktemp -d)" && pwd -P)
    trap 'rm -rf "$work"' EXIT
    cd -- "$work"
    unset PRIMER_DATA PRIMER_NUM_THREADS
}

# run CODE COMMAND...: leaves standard output in out, standard error in err.
run() {
    local expected=$1 code=0
    shift
    "$@" > out 2> err < /dev/null || code=$?
    [ "$code" = "$expected" ] || fail "'$*' ended with $code, expected $expected: $(cat out err)"
}

# expect FILE PATTERN
expect() { grep -Eq -- "$2" "$1" || fail "expected /$2/ in $1: $(head -c 5000 "$1")"; }
one_line() { [ "$(wc -l < "$1")" = 1 ] || fail "expected one line in $1: $(cat "$1")"; }
