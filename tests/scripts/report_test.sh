#!/usr/bin/env bash
# The report of training runs, without a browser: whole runs, runs cut off, several side by side,
# and files that no program should write.
# needs: report
set -euo pipefail
. "$PRIMER_SOURCE_DIR/tests/support.sh"

report=$PRIMER_BINARY_DIR/examples/report
command -v python3 > /dev/null || { echo "SKIPPED: there is no python3"; exit 77; }
tools=$PRIMER_SOURCE_DIR/tests/report
begin "$report"

expect_no() { ! grep -Eq -- "$2" "$1" || fail "did not expect /$2/ in $1: $(grep -Eo -- ".{40}$2.{40}" "$1" | head -n 3)"; }
page() { python3 "$tools/check_page.py" "$@" || fail "the page is not right"; }

for kind in whole cut bare one long resumed odd; do python3 "$tools/make_run.py" "$kind" "$kind"; done

# A whole run: the page goes into its folder, and the curves have a point for each epoch.
run 0 "$report" whole
[ "$(cat out)" = "$work/whole/report.html" ] || fail "it does not say where the page is: $(cat out)"
html=whole/report.html
page $html "test loss=5" "training loss=5" "test accuracy=5" "training accuracy=5" "images a second=5" \
    "training loss within epochs=20" "learning rate=20" "2.weight=20" "2 (ReLU)=5"
expect $html '>88\.00.{1,3}%</dd>'                 # 1 - 0.6 / 5
expect $html '264 of 300 test pictures are classified right after 5 epochs\.'
expect $html '>20.{1,3}s</dd>'                     # of training: 5 times 4
expect $html '>1.{1,3}234</dd>'                    # parameters
expect $html 'tiny on pictures</h1>'
expect $html 'started 2026-01-31 12:00 UTC'
expect $html 'Test: 1\.25 after epoch 1, 0\.250 after epoch 5\.'
expect $html "\./primer tiny --data 'some where'</code>"
expect $html '<td class="hit"[^>]*>92</td>'
expect $html '<th scope="row">airplane</th><td>100</td><td>90\.00.{1,3}%</td>.*ship \(6×\)'
expect_no $html 'Not all is here|Not recorded'
[ "$(grep -c '<img ' $html)" = 25 ] || fail "expected 24 mistakes and the filters"
expect $html 'alt="Test picture 7: true class cat, predicted ship with probability 98\.00.{1,3}%"'
# Layers are in the order of the file, not of the alphabet.
[ "$(grep -o '<span>[0-9a-z]*\.\(weight\|bias\)</span>' $html | tr -d '\n')" = \
  '<span>2.weight</span><span>10.weight</span><span>fc.bias</span>' ] || fail "the order of layers"

# Elsewhere, it replaces an older report, but nothing else.
echo mine > page.html
run 2 "$report" whole --out page.html
expect err "^error: --out: $work/page\.html: expected a report of Primer or nothing yet"
[ "$(cat page.html)" = mine ] || fail "written over another file"
{ cat $html; echo older; } > page.html
run 0 "$report" whole --out page.html
cmp -s page.html $html || fail "--out makes another page"

# The report says what is missing.
run 0 "$report" cut
page cut/report.html "test loss=2" "training loss within epochs=12"
expect cut/report.html 'after 2 epochs, where the run stops; 5 were planned'
expect cut/report.html '2 of 5</dd>'
expect cut/report.html 'There is no evaluation\.json'
expect cut/report.html 'Not recorded'
expect_no cut/report.html 'cannot be read'       # a last line that is cut needs no mention
run 0 "$report" bare
page bare/report.html
expect bare/report.html 'No epoch was finished'
expect bare/report.html 'Test: no epoch was finished\.'
expect bare/report.html 'There is no metrics\.jsonl'
# Stopped within the first epoch; the median of an even number of speeds lies between two.
printf '{"kind": "step", "step": %s, "loss": 1, "images_per_s": %s}\n' 10 200 20 100 30 300 40 600 > bare/metrics.jsonl
run 0 "$report" bare
page bare/report.html "training loss within epochs=4"
expect bare/report.html 'so nothing was tested\. The last step logged is 40\.'
expect bare/report.html 'Median 250\.'
: > bare/metrics.jsonl
run 0 "$report" bare
page bare/report.html

# One epoch, and a thousand.
run 0 "$report" one
page one/report.html "test loss=1" "training accuracy=1" "2 (ReLU)=1"
run 0 "$report" long
page long/report.html "test loss=1000" "training loss=1000" "test accuracy=1000" "training accuracy=1000" \
    "2 (ReLU)=1000"
expect long/report.html 'Show all 1.{1,3}000 epochs'

# A resumed run: lines that its resumption went back beyond do not count.
run 0 "$report" resumed
page resumed/report.html "test loss=5" "test accuracy=5"
expect_no resumed/report.html '11\.10.{1,3}%'

# Files that no program should write.
run 0 "$report" odd
# The sixth epoch has no test loss, its training loss is beyond what can be drawn.
page odd/report.html "test loss=6" "training loss=5" "test accuracy=6"
expect odd/report.html 'lines of metrics\.jsonl cannot be read'
expect odd/report.html 'The evaluation: the confusion matrix is not square'
expect odd/report.html 'path leads out of the run directory'
expect odd/report.html '&lt;img src=x onerror=alert\(1\)&gt;'
expect_no odd/report.html '<script|<img src=x'
[ "$(grep -c '<img ' odd/report.html)" = 11 ] || fail "only 11 of the pictures are pictures of the run"
expect_no odd/report.html "$(base64 -w 0 odd-secret.png | cut -c 60-120 | sed 's/[+]/[+]/g')"

# Several side by side.
run 0 "$report" whole long cut bare odd
[ "$(cat out)" = "$work/report.html" ] || fail "the page of several runs should be here: $(cat out)"
page report.html "test loss of run A=5" "test accuracy of run B=1000" "training loss of run C=2" \
    "test loss of run E=6"
expect report.html '5 runs side by side</h1>'
expect report.html 'Run B, long, ends with the highest test accuracy: 99\.94.{1,3}%'
expect report.html 'Run C: There is no evaluation\.json'
expect report.html '<h2 id="run-D-h">Run D: bare</h2>'
mkdir "<b>&"
cp -r whole/* "<b>&"
run 0 "$report" whole "<b>&" whole
page report.html "test loss of run C=5"
expect report.html 'Class by class'

# Two runs that asked for the same and did not get it.
cp -r whole other
sed -i 's/"threads": 2/"threads": 8/; s|from data/pictures|from data/others|' other/run.json
run 0 "$report" whole other --out two.html
expect two.html '>machine: threads</th><td>2</td><td>8</td>'
expect two.html '>pictures</th><td>pictures from data/pictures</td><td>pictures from data/others</td>'
expect two.html '>threads</th><td>0</td><td>0</td>'

# Errors: one line with the path.
bad() { run "$1" "$report" "${@:3}"; expect err "$2"; one_line err; }
bad 1 "^error: $work/nowhere: expected a run directory, got nothing" nowhere
bad 2 "^error: $work/page.html: expected a run directory, got a file; a training run makes" page.html
mkdir none broken huge
bad 2 "^error: $work/none: expected a run directory, got a folder without run.json; " none
bad 2 "^error: $work/whole/metrics.jsonl: expected a run directory, got a file; name its folder: $work/whole$" \
    whole/metrics.jsonl
head -c 100 whole/run.json > broken/run.json
bad 1 "^error: $work/broken/run.json: byte 100: expected .*, got the end$" broken
echo '[1]' > broken/run.json
bad 1 "^error: $work/broken/run.json: byte 0: expected '{', got '\['$" broken
# No text can nest so deeply that reading or showing it exhausts the stack.
deep() { head -c "$1" /dev/zero | tr '\0' '['; head -c "$1" /dev/zero | tr '\0' ']'; }
{ printf '{"example": '; deep 200000; printf '}'; } > broken/run.json
bad 1 "^error: $work/broken/run.json: byte [0-9]*: expected at most 64 objects and arrays" broken
cp -r whole deep
{ printf '{"kind": "step", "step": 1, "loss": '; deep 200000; printf '}\n'; } > deep/metrics.jsonl
deep 200000 > deep/evaluation.json
run 0 "$report" deep
expect deep/report.html '1 line of metrics\.jsonl cannot be read'
expect deep/report.html 'evaluation\.json: byte 0: expected .*, got .*\['
# Nothing outside the run directory is read, whatever its name.
cp -r whole linked
mv linked/evaluation.json outside.json
ln -s ../outside.json linked/evaluation.json
run 0 "$report" linked
expect linked/report.html 'path leads out of the run directory'
cp whole/run.json huge
truncate -s 300M huge/metrics.jsonl
run 0 "$report" huge
expect huge/report.html 'The log: .*metrics\.jsonl: expected at most 64 MB, got 300 MB'
# Nor does anything in a file's place stop the rest.
for kind in folder pipe link; do
    rm -rf huge/metrics.jsonl
    case $kind in
        folder) mkdir huge/metrics.jsonl ;;
        pipe) mkfifo huge/metrics.jsonl ;;
        link) ln -s /etc/passwd huge/metrics.jsonl ;;
    esac
    run 0 "$report" huge
    expect huge/report.html 'The log: '
done
rm -rf huge/metrics.jsonl
# Nor do lines and lines of something else.
printf 'x%.0s\n' {1..5000} > huge/metrics.jsonl
run 0 "$report" huge
expect huge/report.html 'metrics\.jsonl: expected at most 1000 lines that cannot be read, got more'
rm huge/metrics.jsonl
# Each line names other layers.
cp whole/run.json huge
python3 - > huge/metrics.jsonl <<'END'
for i in range(1, 500):
    print('{"kind": "epoch", "epoch": %d, "step": %d, "dead_units": {%s}}' %
          (i, i, ", ".join('"%d-%d": 0' % (i, k) for k in range(1000))))
END
run 0 timeout 600 "$report" huge
bad 2 "^error: --out: $work/no/page.html" whole --out no/page.html
truncate -s 1G huge/metrics.jsonl huge/run.json
bad 1 "^error: $work/huge/run.json: expected at most 16 MB, got 1024 MB" huge
cp whole/run.json huge
run 0 "$report" huge
expect huge/report.html 'metrics\.jsonl: expected at most 64 MB, got 1024 MB'
# One line without end, and nothing but NUL bytes: lines that cannot be read. In KB: a GB, 16 times
# the file, where no sanitizer has taken terabytes of addresses first.
memory=$((1 << 20))
case ${PRIMER_CXX_FLAGS:-} in *-fsanitize*) memory=unlimited ;; esac
within() { (ulimit -v "$1"; shift; run "$@"); }
for kind in line nul brackets; do
    rm -rf "$kind"
    cp -r whole "$kind"
    case $kind in
        line) { printf '{"kind": "step", "step": 1, "loss": '; head -c 60M /dev/zero | tr '\0' 1; } ;;
        nul) head -c 60M /dev/zero ;;
        brackets) head -c 60M /dev/zero | tr '\0' '[' ;;
    esac > "$kind/metrics.jsonl"
    cp "$kind/metrics.jsonl" "$kind/evaluation.json"
    within "$memory" 0 "$report" "$kind"
    expect "$kind/report.html" "evaluation\.json: expected at most 16 MB"
    expect "$kind/report.html" '1 line of metrics\.jsonl cannot be read'
    truncate -s 15M "$kind/evaluation.json"
    within "$memory" 0 "$report" "$kind"
    expect "$kind/report.html" 'evaluation\.json: byte [0-9]*: expected'
done

run 2 "$report"
run 2 "$report" whole --bogus
run 0 "$report" --help
expect out '--out FILE'

echo "the report is what it should be"
# SPDX-License-Identifier: MIT
