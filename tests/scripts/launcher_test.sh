#!/usr/bin/env bash
# Tests the launcher, primer, in a small tree of its own. The programs that it calls (cmake, ctest,
# apt-get, sudo and so on) are stubs: nothing is built or installed, and no network is needed.
# needs: nothing
set -euo pipefail

source_dir=${PRIMER_SOURCE_DIR:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)}
bash_program=$(command -v bash)
unset CI CXX

tmp=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf -- "$tmp"' EXIT
cd -- "$tmp"

# --- The tree: blanks in its name, to find missing quotes -----------------------------------------

tree="$tmp/a tree"
mkdir -p "$tree/examples/support" "$tree/datasets" elsewhere
# The libraries' headers are looked for in this test's own folder, whatever this machine has.
mkdir -p "$tree/core/io" "$tree/core/kernels" "$tree/docs"
sed -e "s#/usr/include#$tmp/include#g" -e "s#/usr/local/include#$tmp/include#g" -e "s#/opt/homebrew/include#$tmp/include#g" \
    "$source_dir/primer" > "$tree/primer"
sed -e "s#/etc/ssl/#$tmp/include/#" "$source_dir/core/io/dependencies.txt" > "$tree/core/io/dependencies.txt"
cp "$source_dir/core/kernels/real.cpp" "$tree/core/kernels"
chmod +x "$tree/primer"
echo "// tiny: adds two numbers" > "$tree/examples/tiny.cpp"
echo "// other_one: does something else" > "$tree/examples/other_one.cpp"
echo "int helper();" > "$tree/examples/untitled.cpp"
mkdir -p "$tree/tests/scripts"
: > "$tree/tests/test_norm.cpp"
echo "# needs: tiny other_one" > "$tree/tests/scripts/small_test.sh"
echo "# needs: nothing" > "$tree/tests/scripts/alone_test.sh"
: > "$tree/tests/scripts/large_test.sh"
echo "// not an example" > "$tree/examples/support/helper.cpp"
mkdir "$tree/examples/tiny"
echo "// part: not an example" > "$tree/examples/tiny/part.cpp"
cat > "$tree/datasets/fetch.sh" <<'END'
echo "fetch got: $*"
exit 7
END

# --- The stubs: the launcher finds these programs and no others -----------------------------------

# The tools of the system that the launcher may use.
mkdir base
for tool in bash env dirname readlink sed grep sort head cat cp mkdir chmod flock; do
    ln -s "$(command -v "$tool")" base/
done

stub() { # NAME: makes stubs/NAME, its text from standard input
    { echo "#!$bash_program"; cat; } > "stubs/$1"
    chmod +x "stubs/$1"
}

# A machine that has everything, and a user who is not root. Each call is noted in the file calls.
fresh_machine() {
    rm -rf stubs include calls
    mkdir -p stubs include/doctest include/CLI include/cereal include/stb include/protozero include/certs
    : > include/doctest/doctest.h
    : > include/CLI/CLI.hpp
    : > include/cereal/version.hpp
    : > include/stb/stb_image.h
    : > include/jpeglib.h
    : > include/zlib.h
    : > include/protozero/version.hpp
    : > include/certs/ca-certificates.crt
    : > calls
    stub c++ < /dev/null
    stub ninja < /dev/null
    stub curl < /dev/null
    stub id <<< "echo 1000"
    stub cmake <<END
if [ "\$1" = --version ]; then echo "cmake version 3.25.1"; exit; fi
echo "cmake \$*  in \$PWD" >> "$tmp/calls"
echo "noise of cmake"
case "\$*" in
    *--build*)
        [ ! -e "$tmp/build_fails" ] || exit 1
        if [ -e "$tree/build/release/examples/tiny" ]; then
            echo "ninja: no work to do."
        else
            echo "[1/1] Building"
            mkdir -p "$tree/build/release/examples" "$tree/build/release/benchmarks"
            cp "$tmp/program" "$tree/build/release/examples/tiny"
            cp "$tmp/program" "$tree/build/release/benchmarks/bench"
            cp "$tmp/program" "$tree/build/release/benchmarks/bench_kernels"
            mkdir -p "$tree/build/release/tests"
            cp "$tmp/cases" "$tree/build/release/tests/primer_tests"
        fi ;;
    *)
        case "\$*" in *BENCHMARKS=ON*) [ ! -e "$tmp/no_google_benchmark" ] || exit 1 ;; esac
        mkdir -p build/release
        echo "CMAKE_HOME_DIRECTORY:INTERNAL=\$PWD" > build/release/CMakeCache.txt
        case "\$*" in *BENCHMARKS=ON*) echo "PRIMER_KERNEL_BENCHMARKS:BOOL=ON" >> build/release/CMakeCache.txt ;; esac
        : > build/release/build.ninja ;;
esac
END
    stub ctest <<END
case "\$*" in *--show-only*) cat "$tmp/chosen"; exit ;; esac
echo "ctest \$*" >> "$tmp/calls"
echo "summary of ctest"
exit 8
END
    # apt-get "installs" the tools by making them.
    stub apt-get <<END
echo "apt-get \$*  frontend=\$DEBIAN_FRONTEND" >> "$tmp/calls"
case "\$*" in *install*) for tool in c++ ninja curl; do echo > "$tmp/stubs/\$tool"; chmod +x "$tmp/stubs/\$tool"; done ;; esac
END
    stub sudo <<END
echo "sudo \$*" >> "$tmp/calls"
[ "\$1" != -n ] || exit 1
"\$@"
END
}

cat > program <<'END'
#!/usr/bin/env bash
echo "program got:$(printf ' <%s>' "$@")"
echo "program runs in $PWD"
exit 5
END
chmod +x program

# Stands for the program of all test cases: one is in the file test_norm.cpp, and one elsewhere has
# "layer" in its name.
cat > cases <<'END'
#!/usr/bin/env bash
here=0
case "$*" in
    *"--source-file=*/test_*norm*.cpp"* | *"--test-case=*layer*"*) here=1 ;;
esac
if [ "$1" = --count ]; then
    echo "[doctest] unskipped test cases passing the current filters: $here"
else
    echo "cases got:$(printf ' <%s>' "$@")"
    [ ! -e "$0.fails" ] || exit 1
fi
END
chmod +x cases
: > chosen

# --- Helpers --------------------------------------------------------------------------------------

# primer EXPECTED_EXIT_CODE ARGUMENTS...; output goes to the files out and err.
primer() {
    local expected=$1 code=0
    shift
    PATH=$tmp/stubs:$tmp/base "${launcher:-$tree/primer}" "$@" > "$tmp/out" 2> "$tmp/err" < /dev/null || code=$?
    [ "$code" = "$expected" ] || fail "primer $*: exit code $code, expected $expected"
}

fail() {
    cd -- "$tmp"
    echo "FAILED: $test: $*"
    for file in out err calls; do
        echo "--- $file:"
        cat "$file"
    done
    exit 1
}

expect()    { grep -qF -e "$2" "$tmp/$1" || fail "expected to read '$2' in $1"; }
expect_no() { ! grep -qF -e "$2" "$tmp/$1" || fail "did not expect to read '$2' in $1"; }

begin() {
    test=$1
    cd -- "$tmp"
    rm -rf "$tree/build" build_fails no_google_benchmark
    fresh_machine
    : > out; : > err
}

# --- The tests ------------------------------------------------------------------------------------

begin "without arguments it lists what there is"
primer 0
expect out "setup "
expect out "test "
expect out "bench "
expect out "fetch "
grep -qE '^  tiny +adds two numbers$' out || fail "the title of tiny is not shown"
grep -qE '^  other_one +does something else$' out || fail "the title of other_one is not shown"
grep -qE '^  untitled *$' out || fail "an example without a title is not listed"
expect_no out "not an example"
expect_no out "helper"
cp out list
primer 0 --help
cmp -s out list || fail "--help shows another list"
primer 0 -h
cmp -s out list || fail "-h shows another list"
[ ! -s calls ] || fail "listing called other programs"

begin "an unknown name is wrong usage, and the message lists the names"
primer 2 tinny
[ "$(wc -l < err)" = 1 ] || fail "the message is not one line"
expect err "'tinny'"
expect err "setup test bench fetch fuzz docs other_one tiny untitled"
expect err "; did you mean tiny?"
primer 2 bnech
expect err "; did you mean bench?"
primer 2 quite_another
expect_no err "did you mean"
primer 2 --flag
primer 2 ../examples/tiny
primer 2 support/helper
primer 2 ""
primer 2 setup now
[ ! -s calls ] || fail "wrong usage called other programs"

begin "an example is configured, built and run; standard output is the program's alone"
primer 5 tiny --flag "two words" ""
[ "$(sed -n 1p out)" = "program got: <--flag> <two words> <>" ] || fail "the flags did not arrive as they were"
[ "$(wc -l < out)" = 2 ] || fail "something else wrote to standard output"
expect err "noise of cmake"
expect err "[1/1] Building"
expect calls "--preset release  in $tree"
expect calls "--build --preset release --target tiny"
expect_no calls "apt-get"
expect_no calls "WARNING_AS_ERROR"

test="the second time it is not configured again, and ninja's remark is not shown"
: > calls
primer 5 tiny
[ "$(wc -l < calls)" = 1 ] || fail "expected one call of cmake"
expect calls "--build"
expect_no err "no work to do"

test="it works from another directory, and the program runs there"
cd elsewhere
primer 5 tiny
expect out "program runs in $tmp/elsewhere"
ln -sf "$tree/primer" "$tmp/elsewhere/link"
launcher=./link primer 5 tiny
expect out "program runs in $tmp/elsewhere"
[ ! -e build ] || fail "a build directory appeared in the current directory"

test="a tree that was moved is configured anew"
cd -- "$tmp"
echo "CMAKE_HOME_DIRECTORY:INTERNAL=/where/it/was" > "$tree/build/release/CMakeCache.txt"
: > calls
primer 5 tiny
expect calls "--fresh --preset release"

begin "a build that fails: exit code 1, the program does not run"
touch build_fails
primer 1 tiny
expect err "building 'tiny' failed"
[ ! -s out ] || fail "something was written to standard output"
primer 1 test
expect_no calls "ctest"

begin "cmake fails to configure: exit code 1, nothing is built"
stub cmake <<END
if [ "\$1" = --version ]; then echo "cmake version 3.30"; exit; fi
echo "cmake \$*" >> "$tmp/calls"
exit 1
END
primer 1 tiny
expect_no calls "--build"

begin "test builds everything and passes the exit code of ctest back"
primer 8 test
expect calls "--build --preset release --target all  in"
expect calls "ctest --test-dir $tree/build/release --output-on-failure"
[ "$(cat out)" = "summary of ctest" ] || fail "standard output should be that of ctest"

begin "test with flags hands them to ctest and builds what its choice needs"
printf '  Test  #7: %s\n' "float: norm" "float: tape" "script: small_test" > chosen
primer 8 test -R "some test"
expect calls "--build --preset release --target build.ninja  in"
expect calls "--build --preset release --target primer_tests --target tiny --target other_one  in"
expect calls "ctest --test-dir $tree/build/release --output-on-failure -R some test"
printf '  Test  #7: %s\n' "double: norm" "script: alone_test" > chosen
: > calls
primer 8 test -R norm
expect calls "--build --preset release --target primer_tests_double  in"
printf '  Test  #7: %s\n' "script: alone_test" > chosen
: > calls
primer 8 test -R alone
[ "$(grep -c -e --build calls)" = 1 ] || fail "built something for a script that needs nothing"
printf '  Test  #7: %s\n' "script: large_test" > chosen  # does not say what it needs
primer 8 test -R large
expect calls "--build --preset release --target all  in"
: > chosen

begin "test NAME builds one program and runs the cases of that name, and those of such files"
primer 0 test norm
[ "$(cat out)" = "cases got: <--source-file=*/test_*norm*.cpp>" ] || fail "expected the cases of one file"
expect calls "--build --preset release --target primer_tests  in"
expect_no calls "ctest"
primer 0 test layer
[ "$(cat out)" = "cases got: <--test-case=*layer*> <--source-file-exclude=*/test_*layer*.cpp>" ] ||
    fail "expected the cases with that name"
touch "$tree/build/release/tests/primer_tests.fails"
primer 1 test norm

test="test NAME runs scripts of that name as well"
rm "$tree/build/release/tests/primer_tests.fails"
printf '  Test  #7: %s\n' "script: small_test" > chosen
primer 1 test small
expect calls "--target tiny --target other_one  in"
expect calls "ctest --test-dir $tree/build/release --output-on-failure -R ^script: .*small.*_test\$"
: > chosen

test="test NAME without a match is wrong usage, and says what is near"
primer 2 test nrom
expect err "no test case, file or script has 'nrom' in its name; did you mean norm?"
primer 2 test smalll
expect err "did you mean small?"
primer 2 test zzzzzzzz
expect_no err "did you mean"
primer 2 test norm -V
expect err "flags go to ctest"
primer 2 test 'a*'
primer 2 test ""

begin "while another one builds it waits and says so; a program that runs holds up nobody"
mkdir -p "$tree/build"
exec 8> "$tree/build/.lock"
flock 8
PATH=$tmp/stubs:$tmp/base "$tree/primer" tiny > out 2> err < /dev/null 8>&- &
waiting=$!
for ((i = 0; i < 600; i++)); do
    ! grep -qF "waiting for it to end" err || break
    sleep 0.1
done
expect err "another ./primer is building here; waiting for it to end"
[ ! -s calls ] || fail "it built all the same"
exec 8>&-
code=0
wait "$waiting" || code=$?
[ "$code" = 5 ] || fail "exit code $code, expected the program's"
cat > program2 <<'END'
#!/usr/bin/env bash
flock --nonblock 7 7> "$1" && echo "the lock is free"
END
chmod +x program2
cp program2 "$tree/build/release/examples/tiny"
primer 0 tiny "$tree/build/.lock"
expect out "the lock is free"

begin "in CI, warnings are errors"
CI=true primer 8 test
expect calls "--preset release -DCMAKE_COMPILE_WARNING_AS_ERROR=ON"

begin "bench is built and run like an example"
primer 5 bench --threads 1,2
[ "$(sed -n 1p out)" = "program got: <--threads> <1,2>" ] || fail "the flags did not arrive as they were"
expect calls "--build --preset release --target bench  in"
expect_no calls "KERNEL"

test="bench --kernels is another program, for which the build is configured once more, but only once"
: > calls
primer 5 bench --kernels --filter "a b"
[ "$(sed -n 1p out)" = "program got: <--filter> <a b>" ] || fail "the flags did not arrive as they were"
expect calls "cmake --preset release -DPRIMER_KERNEL_BENCHMARKS=ON"
expect calls "--target bench_kernels"
expect_no calls "--fresh"
expect_no calls "apt-get"
: > calls
primer 5 bench --kernels
[ "$(wc -l < calls)" = 1 ] || fail "expected one call of cmake"

begin "bench --kernels gets Google Benchmark from apt for root, which nothing else does"
stub id <<< "echo 0"
primer 5 bench
expect_no calls "apt-get"
primer 5 bench --kernels
expect calls " libbenchmark-dev  "
rm -r "$tree/build"
: > calls
mkdir include/benchmark
: > include/benchmark/benchmark.h
primer 5 bench --kernels
expect_no calls "apt-get"

begin "without Google Benchmark the other commands work on"
primer 5 bench
touch no_google_benchmark
primer 1 bench --kernels
expect err "libbenchmark-dev"
expect calls "-DPRIMER_KERNEL_BENCHMARKS=OFF"
primer 5 tiny

begin "fetch passes its arguments on"
primer 7 fetch mnist --to "some where"
[ "$(cat out)" = "fetch got: mnist --to some where" ] || fail "the arguments did not arrive"

begin "setup does nothing when nothing is missing"
primer 0 setup
expect err "nothing to install"
[ ! -s calls ] || fail "it called other programs"

begin "setup installs as root what is missing"
stub id <<< "echo 0"
rm -r stubs/ninja stubs/curl include/CLI include/cereal include/stb include/jpeglib.h include/zlib.h include/protozero
primer 0 setup
[ "$(sed -n 1p calls | grep -c 'update  frontend=noninteractive')" = 1 ] || fail "apt-get update should come first"
expect calls "--no-install-recommends"
expect calls " ninja-build curl libcli11-dev libcereal-dev libstb-dev libjpeg-dev zlib1g-dev libprotozero-dev  "
expect_no calls "g++"
expect_no calls "sudo"

begin "setup uses sudo when not root"
rm stubs/ninja
primer 0 setup
expect calls "sudo env DEBIAN_FRONTEND=noninteractive apt-get"
expect calls "ninja-build"

begin "setup without root and without sudo says what to run"
rm stubs/ninja stubs/sudo
primer 1 setup
expect err "as root, run: apt-get install ninja-build"
[ ! -s calls ] || fail "it called apt-get all the same"

begin "setup without a package manager names Debian's packages"
rm stubs/apt-get stubs/c++ stubs/ninja include/CLI/CLI.hpp
primer 1 setup
expect err "missing here: g++ ninja-build libcli11-dev (the names of the Debian packages)"
expect err "none of apt-get, dnf, pacman, zypper, apk and brew"
primer 1 tiny
expect err "g++ ninja-build"
expect_no calls "cmake"

# The other systems: what their managers are told, what they are not asked for, and what somebody
# without root is told.
other_system() { # MANAGER INSTALL PACKAGES SHORT
    begin "setup with $1"
    rm stubs/apt-get stubs/c++ stubs/ninja include/CLI/CLI.hpp include/zlib.h include/protozero/version.hpp
    stub "$1" <<END
echo "$1 \$*" >> "$tmp/calls"
case "\$*" in *install*|*add*|*-S*) for tool in c++ ninja; do echo > "$tmp/stubs/\$tool"; chmod +x "$tmp/stubs/\$tool"; done ;; esac
END
    stub id <<< "echo 0"
    primer 0 setup
    [ "$(cat calls)" = "$1 $2 $3" ] || fail "expected: $1 $2 $3"
    [ "$1" != brew ] || return 0
    rm stubs/c++ stubs/ninja stubs/sudo
    : > calls
    stub id <<< "echo 1000"
    primer 1 setup
    expect err "as root, run: $4 $3"
    [ ! -s calls ] || fail "it called $1 all the same"
}
other_system dnf "install --assumeyes" "gcc-c++ ninja-build cli11-devel zlib-devel protozero-devel" "dnf install"
other_system pacman "-S --needed --noconfirm" "gcc ninja cli11 zlib protozero" "pacman -S"
other_system zypper "--non-interactive install" "gcc-c++ ninja cli11-devel zlib-devel protozero-devel" "zypper install"
other_system apk "add" "g++ samurai cli11 zlib-dev protozero-dev" "apk add"
other_system brew "install" "ninja cli11 protozero" "brew install"

begin "brew needs no root"
rm stubs/apt-get stubs/ninja stubs/sudo
stub brew <<END
echo "brew \$*" >> "$tmp/calls"
echo > "$tmp/stubs/ninja"
chmod +x "$tmp/stubs/ninja"
END
primer 0 setup
[ "$(cat calls)" = "brew install ninja" ] || fail "expected: brew install ninja"

begin "docs runs doxygen, or says that there is none"
primer 1 docs
expect err "there is no doxygen here; install it, for example with: apt-get install doxygen"
stub doxygen <<< "echo \"doxygen \$*  in \$PWD\" >> '$tmp/calls'"
primer 0 docs
expect calls "doxygen docs/Doxyfile  in $tree"
expect out "build/docs/html/index.html"
primer 2 docs now

begin "--version prints what CMakeLists.txt reads"
primer 0 --version
grep -Eqx 'Primer [0-9]+\.[0-9]+\.[0-9]+' out || fail "no version"

begin "without apt, but with all tools, the other commands work"
rm stubs/apt-get
primer 5 tiny
primer 8 test
primer 7 fetch mnist

begin "libraries are missing: root gets them from apt, others do without, unasked"
rm -r include/doctest
primer 5 tiny
expect_no calls "apt-get"
rm -r "$tree/build"
stub id <<< "echo 0"
primer 5 tiny
expect calls " doctest-dev  "
rm -r "$tree/build"
stub apt-get <<< "exit 100"
primer 5 tiny
expect err "going on without"

begin "another compiler will do"
rm stubs/c++
stub clang++ < /dev/null
primer 5 tiny
expect_no calls "g++"
rm stubs/clang++
stub my_compiler < /dev/null
CXX="my_compiler --some-flag" primer 5 tiny
expect_no calls "g++"

begin "running an example on a bare machine sets it up first"
stub id <<< "echo 0"
rm stubs/c++ stubs/ninja stubs/curl
primer 5 tiny
expect calls " g++ ninja-build curl"
[ "$(wc -l < out)" = 2 ] || fail "something else wrote to standard output"

begin "apt-get fails: exit code 1 and a message"
rm stubs/ninja
stub apt-get <<< "exit 100"
primer 1 setup
expect err "could not install ninja-build"

begin "an old CMake is refused, with what to do"
stub cmake <<< 'echo "cmake version 3.22.1"'
primer 1 tiny
expect err "3.25 or newer"
expect err "3.22.1"
primer 1 setup
stub cmake <<< 'echo "cmake version 4.0.2"'
primer 0 setup

# Git for Windows may check out CRLF, whose CR bash takes as part of each line's last word.
begin "a checkout with core.autocrlf=true has scripts that bash reads"
if git -c safe.directory='*' -C "$source_dir" rev-parse HEAD > /dev/null 2>&1; then
    git -c safe.directory='*' clone -q -c core.autocrlf=true -c safe.directory='*' "$source_dir" crlf
    for script in crlf/primer crlf/.ci/run crlf/tests/scripts/*.sh crlf/datasets/fetch.sh; do
        ! grep -q $'\r' "$script" || fail "$script has carriage returns"
        bash -n "$script" || fail "$script is no script"
    done
    cmp crlf/examples/models/digits.safetensors "$source_dir/examples/models/digits.safetensors"
else
    echo "SKIPPED in part: no git here, or no checkout"
fi

echo "all tests of the launcher passed"
# SPDX-License-Identifier: MIT
