#!/usr/bin/env bash
# The include folder of the build needs no symbolic links, which not every file system has: it has
# none, follows headers that come and go, and the compiler's messages name the real headers.
set -euo pipefail

work=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
cxx=${CXX:-c++}

fail() { echo "FAILED: $*"; exit 1; }
# logged COMMAND...
logged() { "$@" > "$work/log" 2>&1 || fail "'$*': $(cat "$work/log")"; }

preload=()
if [ "$(uname)" = Linux ]; then
    cat > "$work/nolink.cpp" <<'CPP'
#include <cerrno>
extern "C" int symlink(const char*, const char*) { errno = EPERM; return -1; }
extern "C" int symlinkat(const char*, int, const char*) { errno = EPERM; return -1; }
CPP
    logged "$cxx" -shared -fPIC "$work/nolink.cpp" -o "$work/nolink.so"
    preload=(env LD_PRELOAD="$work/nolink.so")
    ! "${preload[@]}" ln -s nowhere "$work/link" 2> /dev/null || fail "the shim lets links through"
fi

# A copy whose name CMake could misread.
source="$work/a @copy@ of primer"
build=$work/build
include=$build/include/primer
mkdir "$source"
for entry in CMakeLists.txt primer.h core layers optim datasets; do cp -R "$PRIMER_SOURCE_DIR/$entry" "$source"; done
# An older build's link must not be written through.
mkdir -p "$include"
ln -s "$source/core" "$include/core"

configure() {
    "${preload[@]}" cmake -G Ninja -S "$source" -B "$build" -DCMAKE_CXX_COMPILER="$cxx" -DPRIMER_DOUBLE=OFF \
        -DPRIMER_EXAMPLES=OFF -DPRIMER_BENCHMARKS=OFF -DPRIMER_TESTS=OFF
}
make() {
    "${preload[@]}" cmake --build "$build" --target CMakeFiles/primer_kernels.dir/core/kernels/real.cpp.o
}
logged configure
logged make
cmp "$source/core/tensor.h" "$PRIMER_SOURCE_DIR/core/tensor.h" || fail "a header was written through a link"
[ -z "$(find "$build" -type l)" ] || fail "there are links: $(find "$build" -type l)"
diff <(cd "$source" && find primer.h core layers optim datasets -name '*.h' | sort) \
    <(cd "$include" && find . -name '*.h' | sed 's#^\./##' | sort) || fail "other headers than those of the source"

# After the next build, without any further command, a new header is there and a removed one is
# gone.
echo '#error new_header' > "$source/layers/new_header.h"
logged make
! "$cxx" -fsyntax-only -x c++ -I "$build/include" - <<< '#include <primer/layers/new_header.h>' 2> "$work/log" ||
    fail "a new header is not found"
grep -qF "$source/layers/new_header.h:1" "$work/log" || fail "messages do not name the real file: $(cat "$work/log")"
rm "$source/layers/new_header.h"
logged make
[ ! -e "$include/layers/new_header.h" ] || fail "a header is still there after it is gone"

# An unchanged header is not written again: that would recompile its users.
touch -d 2020-01-01 "$include/core/tensor.h"
logged configure
[ "$(date -r "$include/core/tensor.h" +%Y)" = 2020 ] || fail "headers that have not changed are written again"

echo "the include folder follows the headers, without links"
# SPDX-License-Identifier: MIT
