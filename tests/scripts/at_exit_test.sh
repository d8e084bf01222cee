#!/usr/bin/env bash
# The library works as long as the process does: also in the destructors of static objects, which
# come when the library's own would be destroyed. (The sanitizers see any use after that.)
# needs: at_exit
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

program=$PRIMER_BINARY_DIR/tests/at_exit
begin "$program"
run 0 "$program" "$work"
expect out '^the same at the end$'
[ ! -s err ] || fail "it says: $(cat err)"
echo "the library works to the end of the process"
# SPDX-License-Identifier: MIT
