#!/usr/bin/env bash
# Reports in a real browser, on a phone and a desktop, in light and dark: see report/browse.py. The
# screenshots stay in $PRIMER_SCREENSHOTS, if that names a folder.
# needs: report
set -euo pipefail

report=$PRIMER_BINARY_DIR/examples/report
[ -x "$report" ] || { echo "SKIPPED: the examples are not built"; exit 77; }
command -v python3 > /dev/null || { echo "SKIPPED: there is no python3"; exit 77; }
for name in chromium chromium-browser google-chrome chrome; do
    browser=$(command -v "$name") && break
done
[ -n "$browser" ] || { echo "SKIPPED: there is no Chromium, in which the report would be opened"; exit 77; }
tools=$PRIMER_SOURCE_DIR/tests/report
work=$(cd -- "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
cd "$work"

for kind in whole cut long odd; do python3 "$tools/make_run.py" "$kind" "$kind"; done
for kind in whole cut odd; do "$report" "$kind" > out; done
mkdir several
"$report" whole long cut --out several/report.html > out
python3 "$tools/browse.py" "$browser" "${PRIMER_SCREENSHOTS:-$work/screenshots}" \
    whole/report.html cut/report.html odd/report.html several/report.html ||
    { echo "FAILED: a report is not shown as it should be"; exit 1; }
echo "the reports are shown as they should be"
# SPDX-License-Identifier: MIT
