#!/usr/bin/env bash
# If a library that Primer uses is older than docs/building.md allows, it is ignored, and the
# download is used. Without a network, one message says what is missing and how to get it. What is
# not built needs nothing. Nothing is downloaded here.
# needs: nothing
set -euo pipefail

work=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*"; exit 1; }
expect() { grep -Eq -- "$2" "$1" || fail "expected /$2/ in $1: $(cat "$1")"; }
expect_no() { ! grep -Eq -- "$2" "$1" || fail "did not expect /$2/ in $1: $(cat "$1")"; }

source=$PRIMER_SOURCE_DIR
# configure FLAG...: with these and nothing else of this machine; all downloads fail.
configure() {
    rm -f "$work/taken"
    https_proxy=http://127.0.0.1:9 cmake -G Ninja -S "$source" -B "$work/build" \
        -DCMAKE_CXX_COMPILER="$(command -v "${CXX:-c++}")" -DCMAKE_MAKE_PROGRAM="$(command -v ninja)" \
        -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF "$@" > "$work/log" 2>&1
}
# includes NAME FOLDER: whether the sources that include that library find it in that folder.
includes() { grep "INCLUDES = .*$2" "$work/build/build.ninja" > /dev/null || fail "$1 is not from $2"; }

# --- nothing is here ------------------------------------------------------------------------------

! configure -DPRIMER_KERNEL_BENCHMARKS=ON || fail "configured without any library"
for name in cereal protozero stb_image CLI11 doctest "Google Benchmark"; do
    [ "$(grep -c "^ *$name .*or newer.* for " "$work/log")" = 1 ] || fail "$name is not named once: $(cat "$work/log")"
done
[ "$(grep -c 'CMake Error' "$work/log")" = 1 ] || fail "more than one message: $(cat "$work/log")"
expect "$work/log" 'Debian, Ubuntu  apt install doctest-dev libcli11-dev libcereal-dev libstb-dev libjpeg-dev libprotozero-dev libbenchmark-dev$'
expect "$work/log" '^ *Fedora +dnf install doctest-devel .*protozero-devel'
expect "$work/log" '^ *Arch +pacman -S doctest cli11 cereal stb libjpeg-turbo protozero benchmark$'
expect "$work/log" '^ *openSUSE +zypper install .* libjpeg8-devel'
expect "$work/log" '^ *Alpine +apk add .* protozero-dev'
expect "$work/log" '^ *Homebrew +brew install doctest cli11 cereal jpeg-turbo protozero google-benchmark$'
expect "$work/log" '^ *vcpkg +vcpkg install'
expect "$work/log" 'PRIMER_IO=OFF'
expect "$work/log" 'FETCHCONTENT_SOURCE_DIR_CEREAL=FOLDER'

# The library alone needs less, and without core/io nothing.
! configure -DPRIMER_TESTS=OFF -DPRIMER_EXAMPLES=OFF -DPRIMER_BENCHMARKS=OFF || fail "configured without cereal"
expect_no "$work/log" 'doctest|CLI11|enchmark'
expect "$work/log" 'apt install libcereal-dev libstb-dev libjpeg-dev libprotozero-dev$'
configure -DPRIMER_IO=OFF -DPRIMER_KERNEL_BENCHMARKS=ON || fail "$(cat "$work/log")"
[ ! -e "$work/build/include/primer/core/io/image.h" ] || fail "PRIMER_IO=OFF offers pictures"
rm -r "$work/build"

# A proxy that accepts and never answers must not hold up anybody either: CMake asks once, for three
# seconds, and not once for each library. (Counted, not timed: a busy machine takes longer.)
if command -v python3 > /dev/null; then
    python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
s.settimeout(600)
asked = []
while True:
    asked.append(s.accept())
    print("asked", flush=True)' > "$work/proxy" &
    silent=$!
    until grep -q . "$work/proxy"; do sleep 0.1; done
    ! https_proxy=http://127.0.0.1:$(head -n 1 "$work/proxy") cmake -S "$source" -B "$work/build" \
        -DCMAKE_CXX_COMPILER="$(command -v "${CXX:-c++}")" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF \
        > "$work/log" 2>&1 || fail "configured without any library"
    kill "$silent" || fail "waited for the silent proxy"
    [ "$(grep -c asked "$work/proxy")" = 1 ] || fail "asked a silent proxy $(grep -c asked "$work/proxy") times"
    expect "$work/log" 'apt install'
    rm -r "$work/build"
fi

# --- what is here is too old ----------------------------------------------------------------------

# package NAME VERSION: an installed one that must not be used.
package() {
    local folder=$work/old/lib/cmake/$1
    mkdir -p "$folder"
    echo "set($1_FOUND TRUE)
file(APPEND \"$work/taken\" \"$1 \")" > "$folder/$1Config.cmake"
    cat > "$folder/$1ConfigVersion.cmake" <<CMAKE
set(PACKAGE_VERSION $2)
if(NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
CMAKE
}
# header FILE NAME VERSION: installed headers of that version.
header() {
    local file=$work/old/include/$1 numbers
    IFS=. read -ra numbers <<< "$3"
    mkdir -p "$(dirname "$file")"
    printf '#define %s_VERSION_%s %s\n' "$2" MAJOR "${numbers[0]}" "$2" MINOR "${numbers[1]}" "$2" PATCH "${numbers[2]}" > "$file"
}
# stb IMAGE IMAGE_WRITE: installed headers of these versions.
stb() {
    mkdir -p "$work/old/include/stb"
    echo "/* stb_image - v$1 - public domain image loader" > "$work/old/include/stb/stb_image.h"
    echo "/* stb_image_write - v$2 - public domain" > "$work/old/include/stb/stb_image_write.h"
}
# given NAME: a folder that stands for its download; only Google Benchmark's CMakeLists.txt is read.
given=()
given() {
    mkdir -p "$work/new/$1/include"
    echo "add_library(benchmark::benchmark INTERFACE IMPORTED GLOBAL)" > "$work/new/$1/CMakeLists.txt"
    given+=("-DFETCHCONTENT_SOURCE_DIR_$(tr '[:lower:]' '[:upper:]' <<< "$1")=$work/new/$1")
}
package benchmark 1.5.6
header cereal/version.hpp CEREAL 1.3.0
: > "$work/old/include/cereal/cereal.hpp"
header CLI/Version.hpp CLI11 2.0.0
: > "$work/old/include/CLI/CLI.hpp"
header doctest/doctest.h DOCTEST 2.4.8
header protozero/version.hpp PROTOZERO 1.6.8
: > "$work/old/include/protozero/pbf_builder.hpp"
stb 2.30 1.16
for name in cereal CLI11 doctest benchmark protozero; do given "$name"; done
old() { configure -DCMAKE_PREFIX_PATH="$work/old" -DPRIMER_KERNEL_BENCHMARKS=ON "$@"; }

! old || fail "libraries that are too old were taken"
[ ! -e "$work/taken" ] || fail "too old, but taken: $(cat "$work/taken")"
expect "$work/log" "cereal 1.3.1 or newer, for checkpoints \($work/old/include has 1.3.0\)"
expect_no "$work/log" 'stb_image'
old "${given[@]}" || fail "$(cat "$work/log")"
includes stb_image "$work/old/include/stb"
includes cereal "$work/new/cereal/include"
includes protozero "$work/new/protozero/include"
includes CLI11 "$work/new/CLI11/include"
includes doctest "$work/new/doctest"

# Without libjpeg, stb_image must be 2.30. Its two headers are taken from one place.
for versions in "2.27 1.16" "2.26 1.16" "2.30 1.15"; do
    # shellcheck disable=SC2086
    stb $versions
    ! old "${given[@]}" || fail "taken: stb_image and stb_image_write $versions"
    expect "$work/log" 'stb_image 2.30 or newer, or 2.27'
done
# Nor will an older libjpeg-turbo do.
stb 2.27 1.16
echo '#define LIBJPEG_TURBO_VERSION_NUMBER 2000006' > "$work/old/include/jpeglib.h"
echo '!<arch>' > "$work/old/lib/libjpeg.a"
! old "${given[@]}" || fail "taken: libjpeg-turbo 2.0.6"
expect "$work/log" 'Performing Test PRIMER_LIBJPEG_TURBO_FOUND - Failed'

# --- what is here is new enough -------------------------------------------------------------------

rm -r "$work/build"
stb 2.30 1.16
header cereal/version.hpp CEREAL 1.3.1
header protozero/version.hpp PROTOZERO 1.7.0
header CLI/Version.hpp CLI11 2.1.0
header doctest/doctest.h DOCTEST 2.4.9
installed() { configure -DCMAKE_PREFIX_PATH="$work/old" "$@"; }
installed || fail "$(cat "$work/log")"
includes protozero "$work/old/include"

# For another system, only these headers are used: its C library is not in the same folder.
rm -r "$work/build"
installed -DCMAKE_SYSTEM_NAME=Generic -DCMAKE_SYSTEM_PROCESSOR=other -DCMAKE_CXX_COMPILER_WORKS=ON \
    -DCMAKE_FIND_ROOT_PATH="$work/nowhere" -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY || fail "$(cat "$work/log")"
includes cereal "$work/build/_deps/cereal"
! grep -q "INCLUDES = .*$work/old" "$work/build/build.ninja" || fail "another system's build sees all headers here"
rm -r "$work/build" "$work/old"

# --- downloads ------------------------------------------------------------------------------------

# A copy that downloads from a folder of ours, with the hashes of what is there.
source=$work/copy
mkdir -p "$source" "$work/site/master"
for entry in CMakeLists.txt primer.h core layers optim datasets; do cp -R "$PRIMER_SOURCE_DIR/$entry" "$source"; done
: > "$work/site/master/README.md"
archive() { # NAME VERSION-FOLDER FILE...: v....tar.gz of these files, all empty
    local folder=$2 file
    for file in "${@:3}"; do
        mkdir -p "$work/$folder/$(dirname "$file")"
        : > "$work/$folder/$file"
    done
    tar -C "$work" -czf "$work/site/$1.tar.gz" "$folder"
}
archive cereal cereal-1.3.2 include/cereal/cereal.hpp
archive protozero protozero-1.7.1 include/protozero/pbf_builder.hpp
: > "$work/site/stb_image.h"
: > "$work/site/stb_image_write.h"
hash() { cmake -E sha256sum "$work/site/$1" | cut -d' ' -f1; }
sed -i.orig -E -e "s#https://raw.githubusercontent.com/nothings/stb/(master)?[0-9a-f]*#file://$work/site/\1#" \
    -e "s#https://github.com/USCiLab/.*gz#file://$work/site/cereal.tar.gz#" \
    -e "s#https://github.com/mapbox/.*gz#file://$work/site/protozero.tar.gz#" \
    -e "s/16a7ad9b[0-9a-f]*/$(hash cereal.tar.gz)/; s/27e0017d[0-9a-f]*/$(hash protozero.tar.gz)/" \
    -e "s/cbd5f0ad[0-9a-f]*|594c2fe3[0-9a-f]*/$(hash stb_image.h)/" "$source/core/io/dependencies.cmake"
library() { configure -DPRIMER_TESTS=OFF -DPRIMER_EXAMPLES=OFF -DPRIMER_BENCHMARKS=OFF; }
library || fail "$(cat "$work/log")"
includes cereal "$work/build/_deps/cereal-1.3.2/include"
includes stb_image "$work/build/_deps/stb-2.30"
rm -r "$work/site"
library || fail "downloads again: $(cat "$work/log")"
# What was tampered with is refused.
rm -r "$work/build"
mkdir -p "$work/site/master"
: > "$work/site/master/README.md"
echo "something else" > "$work/site/cereal.tar.gz"
! library || fail "a download of another hash was taken"
expect "$work/log" 'expected the SHA-256'

echo "libraries that are too old were not taken; what is missing was named"
# SPDX-License-Identifier: MIT
