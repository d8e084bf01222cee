#!/usr/bin/env bash
# Downloads a published dataset, checks it, and puts its files in place.
# sources.txt, beside this script, says what to download from where.
#
# All work happens in DIR/.primer-fetch, on the same filesystem as the final files, so that putting a
# file in place is one rename. Nothing appears in DIR before every file has passed its check, and
# existing files are never replaced: they may be the user's own data under the same names.
# An interrupted download stays in DIR/.primer-fetch, and the next run continues it.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
table=$here/sources.txt

say()  { echo "$*"; }
warn() { echo "primer fetch: $*" >&2; }
die()  { warn "$*"; exit 1; }

usage() {
    cat <<END
usage: ./primer fetch NAME [--to DIR]

Downloads a dataset into DIR (by default data/NAME in the current directory).
Existing files stay; fetch refuses if one is not the published file.
NAME is one of: $(known_names)

PRIMER_MIRROR, when set, is the URL of a folder to download from instead of the
published mirrors. It may be a folder of this machine: file:///path/of/the/folder
END
}

wrong_usage() {
    warn "$*"
    usage >&2
    exit 2
}

known_names() {
    local kind dataset seen=""
    while read -r kind dataset _; do
        if [ "$kind" = archive ] && [[ " $seen " != *" $dataset "* ]]; then
            seen="${seen:+$seen }$dataset"
        fi
    done < "$table"
    echo "$seen"
}

# Fills the arrays mirrors, archives and files for $name.
read_table() {
    local kind dataset entry
    mirrors=() archives=() files=()
    while read -r kind dataset entry _; do
        [ "$dataset" = "$name" ] || continue
        case $kind in
            mirror)  mirrors+=("$entry") ;;
            archive) archives+=("$entry") ;;
            file)    files+=("$entry") ;;
        esac
    done < "$table"
}

# The digest of a file of $name, as the table has it.
md5_of() {
    local kind dataset entry md5
    while read -r kind dataset entry md5 _; do
        if [ "$kind" != mirror ] && [ "$dataset" = "$name" ] && [ "$entry" = "$1" ]; then
            echo "$md5"
            return
        fi
    done < "$table"
}

# macOS has md5, others have md5sum.
md5() {
    if command -v md5sum > /dev/null; then md5sum < "$1" | cut -d ' ' -f 1; else command md5 -q "$1"; fi
}

# flock on file 9, with the options of the program of this name, which macOS lacks.
flock_9() {
    if command -v flock > /dev/null; then
        flock "$@" 9
    else
        perl -MFcntl=:flock -e 'open(my $f, ">&=", 9); exit !flock($f, LOCK_EX | (@ARGV ? LOCK_NB : 0))' -- "$@"
    fi
}

# Whether the file exists and has the digest of the table (if the table has one).
is_correct() {
    local path=$1 expected
    expected=$(md5_of "${1##*/}")
    [ -f "$path" ] || return 1
    [ "$expected" = - ] || [ "$(md5 "$path")" = "$expected" ]
}

all_correct() {
    local file
    for file in "${files[@]}"; do
        is_correct "$1/$file" || return 1
    done
}

# Dies if the folder holds a file with the name of a published one but other contents.
refuse_to_replace() {
    local file path
    for file in "${files[@]}"; do
        path=$1/$file
        if is_correct "$path" || [ ! -e "$path" ] && [ ! -L "$path" ]; then continue; fi
        die "'$path' is there, and is not the file that is published as $name's (of md5 $(md5_of "$file"));" \
            "fetch replaces nothing: give an empty folder with --to, or move that file elsewhere"
    done
}

# Only one run at a time works in a destination; a second one waits. The lock belongs to the open
# file, so it ends with this process, however that ends. The previous holder may have removed
# .primer-fetch together with the lock file: then other runs do not see our lock, and we take the
# new one. (Without /dev/fd we cannot check this.)
lock() {
    while true; do
        mkdir -p -- "$work" || die "cannot write into '$dest'; check its permissions or give another folder with --to"
        exec 9> "$work/lock"
        if ! flock_9 --nonblock; then
            say "another fetch is at work in $dest; waiting for it to end"
            flock_9
        fi
        if [ "$work/lock" -ef /dev/fd/9 ] || [ ! -e /dev/fd/9 ]; then
            locked=yes
            return
        fi
    done
}

# Runs on every exit. Keeps downloads for the next run to continue.
tidy() {
    [ -n "$locked" ] || return 0
    rm -rf -- "$work/unpacked"
    rm -f -- "$work/lock"
    rmdir -- "$work" 2> /dev/null || return 0
    [ -n "$dest_existed" ] || rmdir -- "$dest" 2> /dev/null || true
}

interrupted() {
    warn "interrupted; run the same command again to continue the download"
    exit 130
}

# Downloads URL to the file PART and continues an earlier download. Succeeds if the digest is right;
# otherwise $why says what went wrong.
download() {
    local url=$1 part=$2 code http_code attempt found
    local options=(--fail --location --connect-timeout 20
                   --speed-limit 1000 --speed-time 60   # a transfer that stalls counts as broken off
                   --continue-at - --output "$part" --write-out '%{http_code} %{errormsg}')
    if [ -t 2 ]; then options+=(--progress-bar); else options+=(--silent); fi

    for attempt in 1 2 3; do
        code=0
        why=$(curl "${options[@]}" -- "${url// /%20}") || code=$?
        http_code=${why%% *}
        why=${why#* }
        case $code in
            # The connection broke or stalled. Not curl's own --retry: it starts again where this
            # run began, but we continue where the connection broke.
            18 | 28 | 52 | 55 | 56 | 92) [ "$attempt" = 3 ] || sleep 2 ;;
            *) break ;;
        esac
    done

    case $code:$http_code in
        0:*)
            [ -f "$part" ] || : > "$part"   # curl makes no file when the mirror's is empty
            is_correct "$part" && return 0
            found=$(md5 "$part")
            why="it delivered a wrong file (md5 $found, expected $(md5_of "${part##*/}"))"
            rm -f -- "$part"
            return 1 ;;
        23:*) die "cannot write '$part'; is the disk full?" ;;
        33:* | 36:* | 22:416)   # this mirror cannot continue from where the file ends
            rm -f -- "$part" ;;
    esac
    why="download failed (${why:-curl error $code})"
    return 1
}

# Gets one archive into $work from the first mirror that delivers it.
get_archive() {
    local archive=$1 part=$work/$1 mirror url resumed
    if is_correct "$part"; then return; fi   # complete: an earlier run stopped after it

    for mirror in "${mirrors[@]}"; do
        url=${mirror%/}/$archive
        say "downloading $url"
        resumed=""
        if [ -s "$part" ]; then resumed=yes; fi
        if download "$url" "$part"; then return; fi
        # The mirror may be innocent: the earlier part may be of another file. So start again from
        # nothing.
        if [ -n "$resumed" ] && [ ! -e "$part" ]; then
            say "the partial download cannot be continued; starting again"
            if download "$url" "$part"; then return; fi
        fi
        warn "$mirror: $archive: $why"
    done

    warn "no mirror delivered $archive."
    cat >&2 <<END
Check the network connection and run the same command again: finished parts are kept.
Or download by hand, into one folder,
$(printf "    ${published%/}/%s\n" "${archives[@]}")
and run: PRIMER_MIRROR=file:///path/of/that/folder ./primer fetch $name
END
    exit 1
}

unpack() {
    local archive=$1
    case $archive in
        *.tar.gz)
            tar -xzf "$work/$archive" -C "$work/unpacked" --strip-components=1 \
                --no-same-owner --no-same-permissions ;;
        *.zip)
            unzip -q -j -o "$work/$archive" '*.gz' -d "$work/unpacked" && gzip -d -- "$work/unpacked"/*.gz ;;
        *)
            gzip -dc < "$work/$archive" > "$work/unpacked/${archive%.gz}" ;;
    esac
}

name="" dest=""
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            usage
            exit 0 ;;
        --to)
            [ -n "${2:-}" ] || wrong_usage "--to needs the name of a folder"
            dest=$2
            shift ;;
        -*)
            wrong_usage "unknown flag '$1'" ;;
        *)
            [ -z "$name" ] || wrong_usage "one dataset at a time: found '$name' and '$1'"
            name=$1 ;;
    esac
    shift
done
[ -n "$name" ] || wrong_usage "which dataset?"
read_table
[ ${#archives[@]} -gt 0 ] || wrong_usage "unknown dataset '$name'"

published=${mirrors[0]}
if [ -n "${PRIMER_MIRROR:-}" ]; then
    [[ $PRIMER_MIRROR == *://* ]] ||
        wrong_usage "PRIMER_MIRROR must be a URL such as file:///path/of/a/folder, found '$PRIMER_MIRROR'"
    mirrors=("$PRIMER_MIRROR")
fi

dest=${dest:-data/$name}
if [[ $dest != /* ]]; then dest=$PWD/$dest; fi   # absolute: messages say where, and no name begins with -
work=$dest/.primer-fetch locked="" dest_existed=""

if [ -d "$dest" ]; then dest_existed=yes; fi
if [ -e "$dest" ] && [ ! -d "$dest" ]; then die "'$dest' is a file; give a folder with --to"; fi
if all_correct "$dest"; then
    say "$name: all ${#files[@]} files are already in $dest, and correct; nothing to do"
    exit 0
fi
refuse_to_replace "$dest"
tools=(curl gzip tar)
if ! type -P md5 > /dev/null; then tools+=(md5sum); fi
if ! command -v perl > /dev/null; then tools+=(flock); fi
if [[ " ${archives[*]}" == *.zip* ]]; then tools+=(unzip); fi
for tool in "${tools[@]}"; do
    command -v "$tool" > /dev/null || die "the program '$tool' is missing; install it and run again"
done

trap tidy EXIT
trap interrupted INT TERM HUP
lock
if all_correct "$dest"; then   # the run that we waited for did the work
    say "$name: all ${#files[@]} files are now in $dest, and correct"
    rm -rf -- "$work"
    exit 0
fi

for archive in "${archives[@]}"; do
    get_archive "$archive"
done

rm -rf -- "$work/unpacked"
mkdir -- "$work/unpacked"
for archive in "${archives[@]}"; do
    unpack "$archive" || die "cannot unpack '$work/$archive'; is the disk full?"
done
for file in "${files[@]}"; do
    [ -f "$work/unpacked/$file" ] || die "the archive of $name holds no '$file'; nothing was changed in $dest"
    is_correct "$work/unpacked/$file" ||
        die "'$file' was unpacked with md5 $(md5 "$work/unpacked/$file"), expected $(md5_of "$file"); nothing was changed in $dest"
done
refuse_to_replace "$dest"   # files that have appeared in the meantime
for file in "${files[@]}"; do
    is_correct "$dest/$file" || mv -f -- "$work/unpacked/$file" "$dest/$file"
done
rm -rf -- "$work"
say "$name: ${#files[@]} files are in $dest, downloaded and checked"
# SPDX-License-Identifier: MIT
