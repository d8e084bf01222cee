#!/usr/bin/env bash
# An installed copy serves a project of somebody else: each header compiles by itself, and
# find_package(primer) gives a target that compiles, links and runs.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cxx=${CXX:-c++}
flags=${PRIMER_CXX_FLAGS:-}

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
{
    cmake -G Ninja -S "$work/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work/build"
} > "$work/consumer.log" 2>&1 || { cat "$work/consumer.log"; exit 1; }
output=$("$work/build/consumer")
[ "$output" = "[4, 3]" ] || { echo "expected [4, 3], got $output"; exit 1; }
"$work/build/readme" | grep -q '^  (3): Linear' || { echo "README's example fails"; exit 1; }

# As a subdirectory, Primer leaves the other project's settings alone and builds no tests.
mkdir "$work/parent"
cat > "$work/parent/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(parent LANGUAGES CXX)
add_subdirectory("$PRIMER_SOURCE_DIR" primer)
if(NOT TARGET primer::primer OR TARGET primer_tests OR TARGET mnist_mlp OR CMAKE_BUILD_TYPE)
  message(FATAL_ERROR "primer as a subdirectory: wrong targets or build type")
endif()
CMAKE
cmake -G Ninja -S "$work/parent" -B "$work/parent/build" -DCMAKE_CXX_COMPILER="$cxx" \
    > "$work/parent.log" 2>&1 || { cat "$work/parent.log"; exit 1; }

echo "installed $count headers; a project found them, linked and ran"
