#!/usr/bin/env bash
# If a library that Primer uses is older than docs/building.md allows, it is ignored, and the
# download is used, or the message says what is missing. Nothing is downloaded here.
set -euo pipefail

work=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*"; exit 1; }
expect() { grep -Eq -- "$2" "$1" || fail "expected /$2/ in $1: $(cat "$1")"; }

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
# download NAME TARGET: what stands for a download of it.
downloads=()
download() {
    mkdir -p "$work/new/$1/include"
    echo "add_library(${2//::/_} INTERFACE)
add_library($2 ALIAS ${2//::/_})" > "$work/new/$1/CMakeLists.txt"
    downloads+=("-DFETCHCONTENT_SOURCE_DIR_$(tr '[:lower:]' '[:upper:]' <<< "$1")=$work/new/$1")
}
package cereal 1.3.0
package CLI11 2.0.0
package doctest 2.4.8
package benchmark 1.5.6
download cereal cereal::cereal
download CLI11 CLI11::CLI11
download doctest doctest::doctest
download benchmark benchmark::benchmark
download protozero protozero::protozero
mkdir -p "$work/old/include/stb" "$work/old/include/protozero"
# headers STB STB_WRITE PROTOZERO: of these versions.
headers() {
    echo "/* stb_image - v$1 - public domain image loader" > "$work/old/include/stb/stb_image.h"
    echo "/* stb_image_write - v$2 - public domain" > "$work/old/include/stb/stb_image_write.h"
    echo "#define PROTOZERO_VERSION_STRING \"$3\"" > "$work/old/include/protozero/version.hpp"
}
# configure FLAG...: with these and nothing else of this machine; all downloads fail.
configure() {
    rm -f "$work/taken"
    https_proxy=http://127.0.0.1:9 cmake -G Ninja -S "$PRIMER_SOURCE_DIR" -B "$work/build" \
        -DCMAKE_CXX_COMPILER="$(command -v "${CXX:-c++}")" -DCMAKE_MAKE_PROGRAM="$(command -v ninja)" \
        -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF \
        -DCMAKE_PREFIX_PATH="$work/old" -DPRIMER_KERNEL_BENCHMARKS=ON "${downloads[@]}" "$@" > "$work/log" 2>&1
}
# includes NAME FOLDER: whether the sources that include that library find it in that folder.
includes() { grep "INCLUDES = .*$2" "$work/build/build.ninja" > /dev/null || fail "$1 is not from $2"; }

headers 2.30 1.16 1.6.8
configure || fail "$(cat "$work/log")"
[ ! -e "$work/taken" ] || fail "too old, but taken: $(cat "$work/taken")"
includes stb_image "$work/old/include/stb"
includes cereal "$work/new/cereal/include"
includes protozero "$work/new/protozero/include"

# Without libjpeg, stb_image must be 2.30. Its two headers are taken from one place.
for old in "2.27 1.16" "2.26 1.16" "2.30 1.15"; do
    # shellcheck disable=SC2086
    headers $old 1.7.0
    ! configure || fail "taken: stb_image and stb_image_write $old"
    expect "$work/log" 'pictures need stb_image.h 2.30 or newer'
done
# Nor will an older libjpeg-turbo do.
headers 2.27 1.16 1.7.0
echo '#define LIBJPEG_TURBO_VERSION_NUMBER 2000006' > "$work/old/include/jpeglib.h"
echo '!<arch>' > "$work/old/lib/libjpeg.a"
! configure || fail "taken: libjpeg-turbo 2.0.6"
expect "$work/log" 'Performing Test PRIMER_LIBJPEG_TURBO_FOUND - Failed'
headers 2.30 1.16 1.7.0
configure || fail "$(cat "$work/log")"
includes protozero "$work/old/include"

echo "libraries that are too old were not taken"
