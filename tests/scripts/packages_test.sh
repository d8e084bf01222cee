#!/usr/bin/env bash
# What says something about Primer in other files says the same: its version, its licence, the names
# of its libraries. And the files that other programs read have the form that they ask for.
# needs: nothing
set -euo pipefail

cd -- "$PRIMER_SOURCE_DIR"
fail() { echo "FAILED: $*"; exit 1; }

version=$(./primer --version)
version=${version#Primer }
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "./primer --version: $version"
grep -q "^CMAKE_PROJECT_VERSION:STATIC=$version\$" "$PRIMER_BINARY_DIR/CMakeCache.txt" || fail "CMake has another version"
grep -q "^## $version" CHANGELOG.md || fail "CHANGELOG.md does not mention $version"
grep -q "\"version\": \"$version\"" docs/packaging/vcpkg/primer/vcpkg.json || fail "vcpkg.json has another version"
grep -q "primer/$version" docs/packaging/README.md || fail "docs/packaging/README.md has another version"
grep -q "find_package(primer ${version%.*} REQUIRED)" docs/building.md || fail "docs/building.md has another version"

# Every line of the table of packages has as many columns as its heading.
columns=$(awk '/^# kind/ { print NF - 1 }' core/io/dependencies.txt)
wrong=$(awk -v columns="$columns" '!/^#/ && NF != columns' core/io/dependencies.txt)
[ -z "$wrong" ] || fail "core/io/dependencies.txt: expected $columns columns: $wrong"
# vcpkg's recipe asks for what the table says.
for name in cereal stb zlib protozero; do
    package=$(awk -v name="$name" '$2 == name { print $NF }' core/io/dependencies.txt)
    grep -q "\"$package\"" docs/packaging/vcpkg/primer/vcpkg.json || fail "vcpkg.json does not ask for $package"
done

# Every source file names its licence; at its end, because its first line says what it is.
head -n 1 LICENSE | grep -qx 'MIT License' || fail "another licence than these lines say"
missing=$(find primer primer.h CMakeLists.txt .ci core layers optim datasets examples tests benchmarks docs -type f \
    \( -name '*.h' -o -name '*.cpp' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' -o -name CMakeLists.txt \
    -o -name '*.awk' -o -path primer -o -path .ci/run \) -exec grep -L 'SPDX-License-Identifier: MIT$' {} + | sort)
[ -z "$missing" ] || fail "their last lines should be a comment with SPDX-License-Identifier: MIT:
$missing"

python=${PRIMER_PYTHON:-python3}
if command -v "$python" > /dev/null; then
    for file in docs/packaging/vcpkg/primer/vcpkg.json .devcontainer/devcontainer.json CMakePresets.json; do
        "$python" -m json.tool "$file" > /dev/null || fail "$file is no JSON"
    done
    for file in docs/packaging/conan/conanfile.py docs/packaging/conan/test_package/conanfile.py; do
        "$python" -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$file" || fail "$file"
    done
    if "$python" -m check_jsonschema --version > /dev/null 2>&1; then
        "$python" -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml
    fi
fi

echo "version $version everywhere; every source file names its licence"
# SPDX-License-Identifier: MIT
