#!/usr/bin/env bash
# An installed copy serves other projects: each header compiles by itself, and find_package(primer)
# gives targets that compile, link and run. The wrong build of the library, float or double, does
# not link. As a part of another project Primer keeps its own settings.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cxx=${CXX:-c++}
flags=${PRIMER_CXX_FLAGS:-}
double=$(sed -n 's/^PRIMER_DOUBLE:BOOL=//p' "$PRIMER_BINARY_DIR/CMakeCache.txt")

fail() { echo "FAILED: $*"; exit 1; }
# expect FILE PATTERN
expect() { grep -Eq -- "$2" "$1" || fail "expected /$2/ in $1: $(cat "$1")"; }

cmake --install "$PRIMER_BINARY_DIR" --prefix "$work/prefix" > "$work/install.log" ||
    { cat "$work/install.log"; exit 1; }

count=0
while IFS= read -r header; do
    echo "#include <$header>" |
        "$cxx" -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
            -I "$work/prefix/include" -x c++ - ||
        { echo "<$header> does not compile by itself"; exit 1; }
    count=$((count + 1))
done < <(cd "$work/prefix/include" && find primer -name '*.h' | sort)
[ "$count" -ge 20 ] || { echo "only $count headers were installed"; exit 1; }

mkdir "$work/consumer"
cat > "$work/consumer/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(primer 0.1 REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE primer::primer)
add_executable(readme readme.cpp)
target_link_libraries(readme PRIVATE primer::primer)
if(TARGET primer::primer_double)
  add_executable(gradients gradients.cpp)
  target_link_libraries(gradients PRIVATE primer::primer_double)
  if(BOTH)
    target_link_libraries(gradients PRIVATE primer::layers)
  endif()
endif()
CMAKE
# The example in README.md must be one that works.
sed -n '/^```cpp$/,/^```$/p' "$PRIMER_SOURCE_DIR/README.md" | grep -v '^```' > "$work/consumer/readme.cpp"
cat > "$work/consumer/main.cpp" <<'CPP'
#include <primer/primer.h>
#include <iostream>

int main() {
    primer::Rng rng(1);
    primer::Sequential model{primer::Linear(2, 3, rng), primer::ReLU()};
    std::cout << model(primer::ones({4, 2})).shape() << '\n';
}
CPP
cat > "$work/consumer/gradients.cpp" <<'CPP'
#include <primer/primer.h>
#include <iostream>

using namespace primer;

// A layer of the user's own, x^3, whose gradient is `factor` x^2.
Tensor cube(const Tensor& x, Real factor) {
    Tensor y = empty(x.shape());
    Real* to = y.mutable_data();
    for (Index i = 0; i < x.numel(); ++i) to[i] = x.data()[i] * x.data()[i] * x.data()[i];
    return record("cube", y, {x}, [x = Saved(x), factor](const Tensor& dy, std::span<Grad> d) {
        if (d[0].wanted()) d[0].add(dy * (factor * x * x));
    });
}

int main() {
    Rng rng(1);
    gradcheck([](const std::vector<Tensor>& in) { return cube(in[0], 3); }, {randn({2, 3}, rng)});
    try {
        gradcheck([](const std::vector<Tensor>& in) { return cube(in[0], 2); }, {randn({2, 3}, rng)});
    } catch (const Error&) {
        std::cout << "the wrong gradient is found\n";
    }
}
CPP
{
    cmake -G Ninja -S "$work/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work/build"
} > "$work/consumer.log" 2>&1 || { cat "$work/consumer.log"; exit 1; }
output=$("$work/build/consumer")
[ "$output" = "[4, 3]" ] || { echo "expected [4, 3], got $output"; exit 1; }
"$work/build/readme" | grep -q '^  (3): Linear' || { echo "README's example fails"; exit 1; }

# Components that use no core/io find no zlib and no libjpeg; the others say what is missing.
mkdir "$work/parts"
cat > "$work/parts/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(parts LANGUAGES CXX)
set(CMAKE_DISABLE_FIND_PACKAGE_ZLIB ON)
set(CMAKE_DISABLE_FIND_PACKAGE_JPEG ON)
find_package(primer 0.1 REQUIRED COMPONENTS ${PARTS})
add_executable(app main.cpp)
target_link_libraries(app PRIVATE primer::layers primer::optim)
CMAKE
cat > "$work/parts/main.cpp" <<'CPP'
#include <primer/layers/linear.h>
#include <primer/optim/sgd.h>
int main() { primer::Linear layer(2, 3); primer::SGD sgd(layer.parameters(), {.lr = 0.1}); }
CPP
parts() {
    cmake -G Ninja -S "$work/parts" -B "$work/parts/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
        -DCMAKE_CXX_FLAGS="$flags" -DPARTS="$1" > "$work/parts.log" 2>&1
}
parts "layers;optim" || fail "$(cat "$work/parts.log")"
cmake --build "$work/parts/build" > "$work/parts.log" 2>&1 || fail "$(cat "$work/parts.log")"
"$work/parts/build/app"
if grep -q '^ZLIB_LIBRARY_[A-Z]*:FILEPATH=/' "$PRIMER_BINARY_DIR/CMakeCache.txt"; then
    ! parts "layers;io" || fail "io is found without zlib"
    expect "$work/parts.log" 'ZLIB'
fi
! parts "layers;pictures" || fail "a component that there is not is found"
expect "$work/parts.log" 'no primer::pictures'

# pkg-config, too, names everything that a program must link.
if command -v pkg-config > /dev/null; then
    read -ra found < <(PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name primer.pc)") pkg-config --cflags --libs primer)
    # shellcheck disable=SC2086
    "$cxx" -std=c++20 $flags "$work/consumer/readme.cpp" "${found[@]}" -o "$work/by_pkg_config" > "$work/parts.log" 2>&1 ||
        fail "$(cat "$work/parts.log")"
    "$work/by_pkg_config" | grep -q '^  (3): Linear' || fail "README's example fails with pkg-config's flags"
fi

# The linker rejects the wrong build with a clear error, in Debug and Release, even if only one
# source file includes only one of our headers, and if the linker drops what nobody uses.
echo 'int main() {}' > "$work/main.cpp"
echo '#include <primer/core/tensor.h>' > "$work/float.cpp"
sed '1i #define PRIMER_REAL_DOUBLE' "$work/float.cpp" > "$work/double.cpp"
sed '1i #define _GLIBCXX_DEBUG' "$work/float.cpp" > "$work/checked.cpp"
lib=$(dirname "$(find "$work/prefix" -name libprimer_kernels.a)")
# link SOURCE... -- LIBRARY...
link() {
    # shellcheck disable=SC2086  # flags are several
    "$cxx" -std=c++20 $flags -I "$work/prefix/include" "$work/main.cpp" "$@" -pthread -o "$work/linked" \
        > "$work/link.log" 2>&1
}
for options in -O0 "-O2 -ffunction-sections -fdata-sections -Wl,--gc-sections"; do
    read -ra options <<< "$options"
    link "${options[@]}" "$work/float.cpp" "$lib/libprimer_kernels.a" || fail "$(cat "$work/link.log")"
    ! link "${options[@]}" "$work/double.cpp" "$lib/libprimer_kernels.a" || fail "the wrong build links"
    expect "$work/link.log" 'link_the_build_of_primer_with<double'
    if [ "$double" = ON ]; then
        link "${options[@]}" "$work/double.cpp" "$lib/libprimer_kernels_double.a" || fail "$(cat "$work/link.log")"
        ! link "${options[@]}" "$work/float.cpp" "$lib/libprimer_kernels_double.a" || fail "the wrong build links"
        expect "$work/link.log" 'link_the_build_of_primer_with<float'
        ! link "${options[@]}" "$work"/{float,double}.cpp "$lib"/libprimer_kernels{,_double}.a || fail "both builds link"
        expect "$work/link.log" 'a_program_links_one_build_of_primer'
    fi
done
if echo '#include <vector>' | "$cxx" -x c++ -dM -E - | grep -q __GLIBCXX__; then
    ! link "$work/checked.cpp" "$lib/libprimer_kernels.a" || fail "_GLIBCXX_DEBUG is not noticed"
    expect "$work/link.log" 'link_the_build_of_primer_with<float, .*CheckedContainers'
fi
if [ "$double" = ON ]; then
    output=$("$work/build/gradients")
    [ "$output" = "the wrong gradient is found" ] || fail "primer_double checks no gradients: $output"
    ! cmake -DBOTH=ON "$work/build" > "$work/both.log" 2>&1 || fail "CMake allows both builds in one target"
    expect "$work/both.log" PRIMER_REAL
    # Two shared libraries, one with each build.
    for real in float double; do
        suffix=${real/#float/}
        # shellcheck disable=SC2086
        "$cxx" -std=c++20 $flags -fPIC -shared -I "$work/prefix/include" "$work/$real.cpp" \
            "$lib/libprimer_kernels${suffix:+_$suffix}.a" -pthread -o "$work/lib$real.so"
    done
    link -Wl,--no-as-needed "$work"/lib{float,double}.so -Wl,-rpath,"$work" || fail "$(cat "$work/link.log")"
    ! { "$work/linked"; } > "$work/linked.log" 2>&1 || fail "both builds run in one program"
    expect "$work/linked.log" 'both primer::primer and primer::primer_double'
fi
# Programs that could not share our headers' types do not compile.
for wrong in -std=c++17:C..20 -fno-exceptions:exceptions -fno-rtti:fno-rtti; do
    ! "$cxx" -std=c++20 "${wrong%%:*}" -fsyntax-only -I "$work/prefix/include" "$work/float.cpp" \
        2> "$work/wrong.log" || fail "${wrong%%:*} compiles"
    expect "$work/wrong.log" "Primer .*${wrong##*:}"
done

# As a subdirectory, Primer leaves the other project's settings alone and builds no tests. Settings
# that would change its results are taken back. We ask the compiler itself: with the flags of each
# source file, it lists the macros that it defines.
mkdir "$work/parent"
cat > "$work/parent/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(parent LANGUAGES CXX)
add_compile_options(-Ofast -funsafe-math-optimizations -flto)
add_subdirectory("$PRIMER_SOURCE_DIR" primer)
if(NOT TARGET primer::primer OR TARGET primer_tests OR TARGET mnist_mlp OR NOT "\${CMAKE_BUILD_TYPE}" STREQUAL "\${type}")
  message(FATAL_ERROR "primer as a subdirectory: wrong targets or build type")
endif()
CMAKE
# parent FLAG...: configures it.
parent() {
    cmake -G Ninja -S "$work/parent" -B "$work/parent/build" -DCMAKE_CXX_COMPILER="$cxx" "$@" \
        > "$work/parent.log" 2>&1
}
parent -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_UNITY_BUILD=ON -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON \
    -DBUILD_SHARED_LIBS=ON -DCMAKE_POSITION_INDEPENDENT_CODE=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON \
    -DCMAKE_CXX_STANDARD=17 -DCMAKE_CXX_FLAGS="-ffast-math -fno-exceptions -fno-rtti -Wall -Werror" ||
    fail "$(cat "$work/parent.log")"
expect "$work/parent.log" 'CMAKE_BUILD_TYPE is empty'
expect "$work/parent.log" 'compiled without -ffast-math'
commands=$work/parent/build/compile_commands.json
[ "$(grep -c '"command"' "$commands")" -ge 100 ] || fail "a unity build: $(cat "$commands")"
# The flags of all files are few: those of the kernels at each instruction set, and those of the rest.
sed -nE 's/^ *"command": "[^ ]+ (.*) -o .*/\1/p' "$commands" |
    sed -E 's/-DPRIMER_ISA_LEVEL=[^ ]*|-isystem [^ ]*|-I[^ ]*|-D[^ ]*//g' | sort -u > "$work/flags"
[ "$(wc -l < "$work/flags")" -ge 3 ] || fail "no flags: $(cat "$work/flags")"
while IFS= read -r line; do
    read -ra options <<< "$line"
    "$cxx" "${options[@]}" -dM -E -x c++ /dev/null > "$work/macros"
    for macro in '__FINITE_MATH_ONLY__ 0' '__OPTIMIZE__ 1' '__(cpp_)?exceptions 1?' '__(cpp_)?rtti 1?' \
        '__pic__ 2' '__cplusplus 20'; do
        grep -Eiq "#define $macro" "$work/macros" || fail "not '$macro' with $line"
    done
    ! grep -q __FAST_MATH__ "$work/macros" || fail "-ffast-math is in force with $line"
    # What lets GCC vectorise is still in force. (Other compilers cannot be asked.)
    if "$cxx" "${options[@]}" -Q --help=optimizers > "$work/optimizers" 2> /dev/null; then
        for option in trapping-math math-errno; do
            grep -Eq -- "-f$option[[:space:]]+\[disabled\]" "$work/optimizers" || fail "-f$option is in force with $line"
        done
    fi
    [[ $line =~ -flto.*-fno-lto && $line =~ -Werror.*-Wno-error && $line == *-funsafe-math*-fno-unsafe-math* ]] ||
        fail "not taken back with $line"
done < "$work/flags"
# In Debug only the kernels are optimised. Defining PRIMER_REAL_DOUBLE is refused.
parent -DCMAKE_BUILD_TYPE=Debug -Dtype=Debug -DCMAKE_CXX_FLAGS=-O0 || fail "$(cat "$work/parent.log")"
expect "$work/parent.log" 'only its kernels are optimised'
[[ $(grep -A3 'isa/winograd.cpp.o' "$work/parent/build/compile_commands.json" | grep -c -- '-O0.*-O3') -ge 3 ]] ||
    fail "Debug: the kernels are not optimised"
! parent -DCMAKE_CXX_FLAGS=-DPRIMER_REAL_DOUBLE || fail "PRIMER_REAL_DOUBLE is not refused"
expect "$work/parent.log" 'link *primer::primer_double'

echo "installed $count headers; projects found them, linked and ran; the wrong build did not link"
# SPDX-License-Identifier: MIT
