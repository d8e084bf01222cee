#!/usr/bin/env bash
# Tests datasets/fetch.sh with a table and small archives of its own, from mirrors that are folders
# of this machine. Needs no network.
# needs: nothing
set -euo pipefail

source_dir=${PRIMER_SOURCE_DIR:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)}
for tool in curl flock; do
    if ! command -v "$tool" > /dev/null; then
        echo "skipped: the program '$tool' is missing"
        exit 77
    fi
done
unset PRIMER_MIRROR

tmp=$(mktemp -d)
trap 'rm -rf -- "$tmp"' EXIT
cd -- "$tmp"

# --- The published files of two made-up datasets, on two mirrors ----------------------------------

md5() { md5sum < "$1" | cut -d ' ' -f 1; }

publish() {
    local mirror
    rm -rf mirror_a mirror_b
    for mirror in mirror_a mirror_b; do
        mkdir "$mirror"
        cp published/*.gz "$mirror"
        if [ -f published/packed.zip ]; then cp published/packed.zip "$mirror"; fi
    done
}

mkdir -p published/folder tool
seq 1 20000 > images
seq 1 300 > labels
gzip -nc images > published/images.gz
gzip -nc labels > published/labels.gz
seq 5 25000 > published/folder/batch.bin
echo "cat dog" > published/folder/names.txt
echo "not in the table" > published/folder/readme.html
tar -C published -czf published/photos.tar.gz folder
publish

cp "$source_dir/datasets/fetch.sh" tool/
cat > tool/sources.txt <<END
# a comment
mirror  digits file://$tmp/mirror_a/
mirror  digits file://$tmp/mirror_b
archive digits images.gz $(md5 published/images.gz)
archive digits labels.gz $(md5 published/labels.gz)
file    digits images    $(md5 images)
file    digits labels    $(md5 labels)

mirror  photos file://$tmp/mirror_a/
mirror  photos file://$tmp/mirror_b/
archive photos photos.tar.gz $(md5 published/photos.tar.gz)
file    photos batch.bin $(md5 published/folder/batch.bin)
file    photos names.txt -
END

# --- Helpers --------------------------------------------------------------------------------------

# fetch EXPECTED_EXIT_CODE ARGUMENTS...; what it printed is in the file log.
fetch() {
    local expected=$1 code=0
    shift
    bash tool/fetch.sh "$@" > log 2>&1 < /dev/null || code=$?
    [ "$code" = "$expected" ] || fail "fetch $*: exit code $code, expected $expected"
}

fail() {
    echo "FAILED: $test: $*"
    echo "--- what fetch printed last:"
    cat log
    exit 1
}

expect_log()    { grep -qF -e "$1" log || fail "expected to read '$1'"; }
expect_no_log() { ! grep -qF -e "$1" log || fail "did not expect to read '$1'"; }
expect_same()   { cmp -s -- "$1" "$2" || fail "'$1' should have the content of '$2'"; }
expect_files()  { # FOLDER NAMES: exactly these are in it, hidden ones included
    [ "$(cd -- "$1" && find . -mindepth 1 | sort | xargs)" = "$2" ] ||
        fail "$1 should hold exactly '$2', found: $(cd -- "$1" && find . -mindepth 1 | sort | xargs)"
}

# After a partial download of 1000 bytes: only the rest of the file is right at the mirrors, so fetch
# succeeds only by continuing.
expect_continues() {
    local mirror
    for mirror in mirror_a mirror_b; do
        { head -c 1000 /dev/zero; tail -c +1001 published/images.gz; } > "$mirror/images.gz"
    done
    fetch 0 digits
    expect_files data/digits "./images ./labels"
    expect_same data/digits/images images
}

begin() {
    test=$1
    : > log
    rm -rf data
    publish
}

# --- The tests ------------------------------------------------------------------------------------

begin "gz archives end up unpacked in data/NAME"
fetch 0 digits
expect_files data/digits "./images ./labels"
expect_same data/digits/images images
expect_same data/digits/labels labels

test="a second run does nothing, and needs no mirror"
rm -rf mirror_a mirror_b
touch -d 2001-01-01 data/digits/images
fetch 0 digits
expect_log "already in"
expect_no_log "downloading"
[ "$(date -r data/digits/images +%Y)" = 2001 ] || fail "the file was replaced"

begin "a file that is not the published one is never replaced: it may be somebody's own"
mkdir -p data/digits
echo "letters of my own" > data/digits/labels
rm -rf mirror_a mirror_b   # it is found before anything is downloaded
fetch 1 digits
expect_log "'$tmp/data/digits/labels' is there, and is not the file that is published"
expect_log "replaces nothing"
expect_files data/digits "./labels"
[ "$(cat data/digits/labels)" = "letters of my own" ] || fail "the file was replaced"

begin "nor is a link, or a file whose digest the table does not know"
mkdir -p data/digits data/photos
ln -s nowhere data/digits/images
fetch 1 digits
expect_log "data/digits/images' is there"
[ "$(readlink data/digits/images)" = nowhere ] || fail "the link was replaced"
echo "my names" > data/photos/names.txt
fetch 0 photos
expect_same data/photos/batch.bin published/folder/batch.bin
[ "$(cat data/photos/names.txt)" = "my names" ] || fail "the file was replaced"

begin "a file that comes while the download runs is not replaced"
mkdir bin
cat > bin/tar <<END
#!/usr/bin/env bash
echo "just come" > data/photos/batch.bin
exec "$(command -v tar)" "\$@"
END
chmod +x bin/tar
PATH=$tmp/bin:$PATH fetch 1 photos
expect_log "data/photos/batch.bin' is there"
[ "$(cat data/photos/batch.bin)" = "just come" ] || fail "the file was replaced"
rm -r bin

begin "a tar.gz archive: its folder's files end up directly in the destination"
fetch 0 photos
expect_files data/photos "./batch.bin ./names.txt"
expect_same data/photos/batch.bin published/folder/batch.bin
fetch 0 photos
expect_log "already in"

if command -v unzip > /dev/null && command -v python3 > /dev/null; then
    mkdir -p inside/gzip
    cp published/images.gz published/labels.gz inside/gzip
    echo "not packed" > inside/gzip/readme.txt
    (cd inside && python3 -m zipfile -c ../published/packed.zip gzip)
    cat >> tool/sources.txt <<END
mirror  zipped file://$tmp/mirror_a/
archive zipped packed.zip $(md5 published/packed.zip)
file    zipped images -
file    zipped labels -
END
    begin "a zip archive: the .gz files in it, unpacked"
    fetch 0 zipped
    expect_files data/zipped "./images ./labels"
    expect_same data/zipped/images images
    expect_same data/zipped/labels labels

    begin "a zip archive that is not the published one"
    echo garbage > mirror_a/packed.zip
    fetch 1 zipped
    expect_log "it delivered a wrong file"
    [ ! -e data/zipped/images ] || fail "files appeared"
    sed -i '/zipped/d' tool/sources.txt
    rm published/packed.zip
else
    echo "skipped: zip archives, for want of unzip and python3"
fi

begin "--to, with blanks in the name; other files there stay"
mkdir -p "data/my digits"
echo mine > "data/my digits/notes"
fetch 0 digits --to "data/my digits"
expect_files "data/my digits" "./images ./labels ./notes"
[ ! -e data/digits ] || fail "the default destination was used, too"

begin "the second mirror is used when the first has no such file"
rm mirror_a/labels.gz
fetch 0 digits
expect_log "mirror_a/: labels.gz: download failed"
expect_files data/digits "./images ./labels"

begin "the second mirror is used when the first delivers a wrong file"
echo garbage > mirror_a/images.gz
fetch 0 digits
expect_log "mirror_a/: images.gz: it delivered a wrong file"
expect_same data/digits/images images

begin "the second mirror is used when the first delivers an empty file"
: > mirror_a/images.gz
fetch 0 digits
expect_log "mirror_a/: images.gz: it delivered a wrong file"
expect_same data/digits/images images

begin "no mirror works: files that are there stay as they are, and the message helps"
mkdir -p data/digits
echo "notes of my own" > data/digits/notes
cp labels data/digits/labels
gzip -nc labels > mirror_a/images.gz   # a whole archive, but the wrong one
rm mirror_b/images.gz
fetch 1 digits
expect_log "no mirror delivered images.gz"
expect_log "file://$tmp/mirror_a/images.gz"
expect_log "PRIMER_MIRROR=file:///"
expect_files data/digits "./labels ./notes"
expect_same data/digits/labels labels

begin "no mirror works: no empty destination is left"
rm -rf mirror_a mirror_b
fetch 1 digits
[ ! -e data/digits ] || fail "data/digits was left behind"

begin "one archive fails: nothing is put in place; the next run downloads only what is missing"
rm mirror_a/labels.gz mirror_b/labels.gz
fetch 1 digits
expect_files data/digits "./.primer-fetch ./.primer-fetch/images.gz"
publish
rm mirror_a/images.gz mirror_b/images.gz
fetch 0 digits
expect_files data/digits "./images ./labels"
expect_same data/digits/images images

begin "an unpacked file that is not what the table says is not put in place"
sed -i.saved "s/^file    digits labels .*/file    digits labels 00000000000000000000000000000000/" tool/sources.txt
fetch 1 digits
mv tool/sources.txt.saved tool/sources.txt
expect_log "expected 00000000000000000000000000000000"
[ ! -e data/digits/images ] && [ ! -e data/digits/labels ] || fail "files appeared"

begin "a partial download is continued, not started again"
mkdir -p data/digits/.primer-fetch
head -c 1000 published/images.gz > data/digits/.primer-fetch/images.gz
expect_continues

begin "a partial download of something else is thrown away, and the mirror asked again"
mkdir -p data/digits/.primer-fetch
head -c 1000 /dev/zero > data/digits/.primer-fetch/images.gz
fetch 0 digits
expect_log "starting again"
expect_no_log "mirror_b"
expect_same data/digits/images images

begin "a partial download that is longer than the file is thrown away"
mkdir -p data/digits/.primer-fetch
cat published/images.gz published/images.gz > data/digits/.primer-fetch/images.gz
fetch 0 digits
expect_no_log "mirror_b"
expect_same data/digits/images images

begin "a partial download that an HTTP server refuses to continue is thrown away, too"
mkdir -p data/digits/.primer-fetch bin
echo "longer than the file" > data/digits/.primer-fetch/images.gz
cat > bin/curl <<END
#!/usr/bin/env bash
# Answers like an HTTP server that is asked for a range outside of the file.
if [ -s data/digits/.primer-fetch/images.gz ] && [[ "\$*" == *images.gz ]]; then
    echo "416 The requested range is not satisfiable"
    exit 22
fi
exec "$(command -v curl)" "\$@"
END
chmod +x bin/curl
PATH=$tmp/bin:$PATH fetch 0 digits
expect_no_log "mirror_b"
expect_same data/digits/images images

begin "an interrupted download leaves the destination alone and is continued by the next run"
cat > bin/curl <<'END'
#!/usr/bin/env bash
# Delivers the beginning of the file, then the run is told to stop.
while [ $# -gt 1 ]; do
    if [ "$1" = --output ]; then head -c 1000 published/images.gz > "$2"; fi
    shift
done
kill -TERM "$FETCH_PID"
END
chmod +x bin/curl
code=0
# TERM, which is handled like Ctrl-C: background jobs ignore the latter. fetch takes the id of the
# shell that it is exec'ed from.
PATH=$tmp/bin:$PATH bash -c 'export FETCH_PID=$$; exec bash tool/fetch.sh digits' > log 2>&1 || code=$?
[ "$code" = 130 ] || fail "exit code $code, expected 130"
expect_log "interrupted"
expect_files data/digits "./.primer-fetch ./.primer-fetch/images.gz"
expect_continues

begin "two at the same time into one folder"
bash tool/fetch.sh digits > log_1 2>&1 & first=$!
bash tool/fetch.sh digits > log_2 2>&1 & second=$!
wait "$first" || { cp log_1 log; fail "the first one failed"; }
wait "$second" || { cp log_2 log; fail "the second one failed"; }
expect_files data/digits "./images ./labels"
expect_same data/digits/images images
expect_same data/digits/labels labels

begin "one waits while another works in the folder"
mkdir -p data/digits/.primer-fetch
exec 8> data/digits/.primer-fetch/lock
flock 8
bash tool/fetch.sh digits > log 2>&1 8>&- & waiting=$!
for _ in $(seq 1200); do
    if grep -q "waiting" log; then break; fi
    sleep 0.1
done
expect_log "waiting for it to end"
[ ! -e data/digits/images ] || fail "it did not wait"
exec 8>&-
wait "$waiting" || fail "it failed after waiting"
expect_files data/digits "./images ./labels"

begin "md5 and perl do in place of md5sum and flock, as on macOS"
mkdir tools
for tool in bash dirname readlink mkdir rm rmdir mv curl gzip tar perl cut sleep cat; do
    ln -s "$(type -P "$tool")" tools/ || fail "there is no $tool"
done
printf '#!%s\n[ "$1" = -q ] && "%s" < "$2" | "%s" -d " " -f 1\n' \
    "$(type -P bash)" "$(type -P md5sum)" "$(type -P cut)" > tools/md5
chmod +x tools/md5
mkdir -p data/digits/.primer-fetch
exec 8> data/digits/.primer-fetch/lock
flock 8
PATH=$tmp/tools bash tool/fetch.sh digits > log 2>&1 8>&- & waiting=$!
for _ in $(seq 1200); do
    if grep -q "waiting" log; then break; fi
    sleep 0.1
done
expect_log "waiting for it to end"
exec 8>&-
wait "$waiting" || fail "it failed after waiting"
expect_files data/digits "./images ./labels"
! grep -qi "switch\|not found" log || fail "a tool is missing, or was called wrongly"

begin "PRIMER_MIRROR is used in place of the published mirrors"
rm -rf mirror_a mirror_b
mkdir -p "data/my mirror"
cp published/*.gz "data/my mirror"
PRIMER_MIRROR="file://$tmp/data/my mirror" fetch 0 digits
expect_files data/digits "./images ./labels"

begin "PRIMER_MIRROR fails: no other mirror is asked"
PRIMER_MIRROR="file://$tmp/nowhere/" fetch 1 digits
expect_no_log "downloading file://$tmp/mirror"
expect_log "$tmp/nowhere/: images.gz: download failed"

begin "wrong usage"
fetch 2
expect_log "usage:"
fetch 2 letters
expect_log "unknown dataset 'letters'"
expect_log "digits photos"
fetch 2 digits photos
fetch 2 digits --to
fetch 2 digits --to ""
fetch 2 digits --form data
expect_log "unknown flag '--form'"
PRIMER_MIRROR=/just/a/path fetch 2 digits
[ ! -e data ] || fail "something was created in spite of wrong usage"
fetch 0 --help
expect_log "usage:"

begin "the destination is a file"
mkdir data
echo mine > data/digits
fetch 1 digits
expect_log "is a file"
[ "$(cat data/digits)" = mine ] || fail "the file was replaced"

test="the real table is complete"
cp "$source_dir/datasets/sources.txt" tool/
for name in mnist cifar10 cifar100 fashion_mnist kmnist emnist; do
    [ "$(grep -cE "^mirror +$name +https?://[^ ]+/$" tool/sources.txt)" -ge 2 ] || fail "$name has fewer than two mirrors"
done
! grep -vE '^(#.*|)$|^mirror +[a-z0-9_]+ +https?://[^ ]+/$|^(archive|file) +[a-z0-9_]+ +[^ ]+ +([0-9a-f]{32}|-)$' tool/sources.txt ||
    fail "the lines above are not entries"

echo "all tests of fetch passed"
# SPDX-License-Identifier: MIT
