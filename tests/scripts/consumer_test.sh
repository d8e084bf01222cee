#!/usr/bin/env bash
# A project of somebody else's uses Primer in every way that docs/building.md names, with GCC and with
# Clang, on a machine that has none of the libraries that Primer may use: as a part of the build
# (FetchContent), installed static and installed shared, through find_package and pkg-config. Primer is
# built only twice, shared with one compiler and static with the other. (install_test.sh has the static
# copy with all libraries.)
# needs: nothing
set -euo pipefail

work=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT

fail() { echo "FAILED: $*"; exit 1; }
expect() { grep -Eq -- "$2" "$1" || fail "expected /$2/ in $1: $(cat "$1")"; }
# logged COMMAND...
logged() { "$@" > "$work/log" 2>&1 || fail "'$*': $(cat "$work/log")"; }

# The compiler of the build and, if it is another, Clang.
compilers=("$(command -v "${CXX:-c++}")")
if command -v clang++-14 > /dev/null && [ "$(basename "${compilers[0]}")" != clang++-14 ]; then
    compilers+=("$(command -v clang++-14)")
fi
# ccache, where it is installed, knows the files of the last run: it must not see the folder's name.
launcher=""
! command -v ccache > /dev/null || launcher=$(command -v ccache)
export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
# configure SOURCE BUILD COMPILER FLAG...: without what else is installed here, and with a build type of
# our own that compiles quickly. (The kernels are always optimised.)
configure() {
    logged cmake -G Ninja -S "$1" -B "$2" -DCMAKE_CXX_COMPILER="$3" -DCMAKE_MAKE_PROGRAM="$(command -v ninja)" \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF \
        -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF -DCMAKE_BUILD_TYPE=Quick \
        -DCMAKE_CXX_FLAGS_QUICK=-O0 "${@:4}"
}

mkdir "$work/app" "$work/whole"
cat > "$work/app/main.cpp" <<'CPP'
#include <primer/primer.h>
#include <iostream>
using namespace primer;

int main() {
    Rng rng(1);
    const ImageDataset digits = synthetic_digits(320, 1);
    Sequential model{Flatten(), Linear(784, 16, rng), ReLU(), Linear(16, 10, rng)};
    DataLoader loader(digits, {.batch_size = 32, .shuffle = true, .transforms = {ToTensor()}}, rng);
    SGD optimizer(model.parameters(), {.lr = 0.1});
    double first = 0, last = 0;
    for (int epoch = 0; epoch < 3; ++epoch) {
        for (const Batch& batch : loader) {
            Tape tape;
            const Tensor loss = cross_entropy(model(batch.inputs), batch.labels);
            last = loss_value(loss);
            if (first == 0) first = last;
            optimizer.zero_grad();
            tape.backward(loss);
            optimizer.step();
        }
    }
    std::cout << "version " << version() << (last < first ? ", learnt" : ", not learnt") << '\n';
}
CPP
# The lines of docs/building.md, for each of its two ways.
cat > "$work/app/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(app LANGUAGES CXX)
find_package(primer 0.1 REQUIRED COMPONENTS ${COMPONENTS})
add_executable(app main.cpp)
target_link_libraries(app PRIVATE primer::primer)
CMAKE
cp "$work/app/main.cpp" "$work/whole"
cat > "$work/whole/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(app LANGUAGES CXX)
include(FetchContent)
FetchContent_Declare(primer SOURCE_DIR "$PRIMER_SOURCE_DIR")
FetchContent_MakeAvailable(primer)
add_executable(app main.cpp)
target_link_libraries(app PRIVATE primer::primer)
CMAKE
# runs PROGRAM [LIBRARY_PATH]
runs() {
    LD_LIBRARY_PATH=${2:-} "$1" > "$work/out" 2>&1 || fail "$1: $(cat "$work/out")"
    expect "$work/out" '^version [0-9]+\.[0-9]+\.[0-9]+, learnt$'
}

# --- a part of the build, and installed from there ------------------------------------------------

# build NAME COMPILER FLAG...: builds the whole, and installs it into the folder NAME.
build() {
    configure "$work/whole" "$work/build-$1" "$2" -DPRIMER_IO=OFF "${@:3}"
    logged cmake --build "$work/build-$1"
    runs "$work/build-$1/app"
    logged cmake --install "$work/build-$1" --prefix "$work/$1"
    [ ! -e "$work/$1/include/primer/core/io/image.h" ] || fail "pictures are installed with PRIMER_IO=OFF"
}
# Shared libraries offer all names, even if a parent hides its own.
build shared "${compilers[0]}" -DBUILD_SHARED_LIBS=ON -DCMAKE_CXX_VISIBILITY_PRESET=hidden \
    -DCMAKE_VISIBILITY_INLINES_HIDDEN=ON
build static "${compilers[${#compilers[@]} - 1]}"

# --- shared libraries -----------------------------------------------------------------------------

prefix=$work/shared
lib=$(dirname "$(find "$prefix" -name 'libprimer_core.*' | head -n 1)")
if [ "$(uname)" = Linux ]; then
    version=$(sed -n 's/^const char\* version() { return "\(.*\)"; }$/\1/p' "$PRIMER_SOURCE_DIR/core/kernels/real.cpp")
    [ -e "$lib/libprimer_core.so.$version" ] || fail "no libprimer_core.so.$version: $(ls "$lib")"
    [ "$(readlink "$lib/libprimer_core.so")" = "libprimer_core.so.${version%.*}" ] || fail "$(ls -l "$lib")"
    # A program links one build only: one that loads a file of the other as well ends with a message.
    echo '#include <primer/core/tensor.h>' > "$work/float.cpp"
    echo 'int main() {}' > "$work/main.cpp"
    logged "${compilers[0]}" -std=c++20 -DPRIMER_REAL_DOUBLE -fPIC -shared \
        "$PRIMER_SOURCE_DIR/core/kernels/real.cpp" -o "$work/libdouble.so"
    logged "${compilers[0]}" -std=c++20 -I "$prefix/include" "$work/main.cpp" "$work/float.cpp" -Wl,--no-as-needed \
        -L"$lib" -L"$work" -lprimer_kernels -ldouble -Wl,-rpath,"$lib:$work" -o "$work/both"
    ! { "$work/both"; } > "$work/log" 2>&1 || fail "both builds run in one program"
    expect "$work/log" 'both primer::primer and primer::primer_double'
    # And a program in double does not link the build in float.
    sed '1i #define PRIMER_REAL_DOUBLE' "$work/float.cpp" > "$work/double.cpp"
    ! "${compilers[0]}" -std=c++20 -I "$prefix/include" "$work/main.cpp" "$work/double.cpp" -L"$lib" -lprimer_kernels \
        -o "$work/wrong" > "$work/log" 2>&1 || fail "the wrong build links"
    expect "$work/log" 'link_the_build_of_primer_with<double'
fi

# --- who uses them --------------------------------------------------------------------------------

for compiler in "${compilers[@]}"; do
    name=$(basename "$compiler")
    for prefix in "$work/static" "$work/shared"; do
        build=$work/use-$(basename "$prefix")-$name
        configure "$work/app" "$build" "$compiler" -DCMAKE_PREFIX_PATH="$prefix" \
            -DCOMPONENTS="core;layers;optim;datasets"
        logged cmake --build "$build"
        runs "$build/app"
        if command -v pkg-config > /dev/null; then
            pc=$(dirname "$(find "$prefix" -name primer.pc)")
            # From another place, to which it was moved.
            mv "$prefix" "$work/moved"
            read -ra flags < <(PKG_CONFIG_PATH="$work/moved${pc#"$prefix"}" pkg-config --cflags --libs primer)
            logged "$compiler" -std=c++20 "$work/app/main.cpp" "${flags[@]}" -o "$work/by-pkg-config"
            runs "$work/by-pkg-config" "$work/moved${lib#"$work/shared"}"
            mv "$work/moved" "$prefix"
        fi
    done
done

# A component that this copy does not have is named.
! cmake -G Ninja -S "$work/app" -B "$work/none" -DCMAKE_CXX_COMPILER="${compilers[0]}" \
    -DCMAKE_PREFIX_PATH="$work/shared" -DCOMPONENTS="core;pictures" > "$work/log" 2>&1 || fail "a component that is not there"
expect "$work/log" 'no primer::pictures'

echo "projects used Primer as a part of their build, static, shared and through pkg-config: ${compilers[*]}"
# SPDX-License-Identifier: MIT
