#!/bin/sh
# What the compiler cannot see: layers, one library a folder, banned calls, lengths,
# migrations, what must not be committed. Prints `file:line: rule: why` and ends with 1.
#
#   tools/check-style.sh [ROOT]     ROOT: another tree, as tests/style plants them
#
# The rules stand in tools/style/: rules.txt (one line shows it), c.awk and sql.awk (more
# than one line), and below (files and names). Each has a planted violation in tests/style.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
style=$here/style
cd "${1:-$here/..}" || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' INT TERM
failed=0
complain() { # complain FILE:LINE RULE WHY
    echo "$1: $2: $3"
    failed=1
}

find . \( -path ./.git -o -path ./build -o -path ./.run -o -path ./bench-results -o \
    -name node_modules -o -name __pycache__ -o -name .cache \) -prune -o -type f -print |
    sed 's|^\./||' | grep -vx '\.env\|compile_commands\.json' | LC_ALL=C sort >"$scratch/files"
chosen() { grep -E "$1" "$scratch/files"; }

check_lines() { # text of every kind, and C
    chosen '\.[ch]$' | xargs -r awk -f "$style/enums.awk" | sort -u >"$scratch/enums"
    xargs -r grep -Il '' <"$scratch/files" >"$scratch/text"
    LC_ALL=C xargs -r awk -v RULES="$style/rules.txt" -v FILES="$scratch/files" \
        -v ENUMS="$scratch/enums" -v MUTABLE="$style/mutable.txt" \
        -f "$style/strip.awk" -f "$style/c.awk" -f "$style/lines.awk" \
        "$style/rules.txt" "$scratch/files" "$scratch/enums" "$style/mutable.txt" \
        <"$scratch/text" || failed=1
}

check_sql() {
    chosen '^(common|order-service|customer-service)/.*\.sql$' |
        xargs -r awk -v SCHEMAS="$style/schemas.txt" -f "$style/sql.awk" "$style/schemas.txt" || failed=1
}

# Numbered from 0001 without a gap or a twin, and forward only.
check_migrations() {
    for folder in $(chosen '/migrations/' | sed 's|/[^/]*$||' | sort -u); do
        next=1
        for file in $(chosen "^$folder/"); do
            name=${file##*/}
            case $name in
            *down* | *undo* | *revert*) complain "$file:1" migration-forward 'migrations go forward only' ;;
            esac
            if ! echo "$name" | grep -qE "^$(printf '%04d' "$next")_[a-z0-9_]+\.sql$"; then
                complain "$file:1" migration-number "expected $(printf '%04d' "$next")_name.sql"
            fi
            next=$((next + 1))
        done
    done
}

check_file_lengths() {
    chosen '(\.([ch]|sh|awk|sql|js|css|html|proto|cmake)|/everything)$' | xargs -r wc -l |
        awk '$2 != "total" && $1 > 600 { print $2 ":601: file-length: " $1 " lines; at most 600"; bad = 1 }
             END { exit bad }' || failed=1
}

# What is built, what is binary, what opens a door.
check_committed() {
    for file in $(chosen '\.pb-c\.[ch]$|\.pb\.go$|_pb2(_grpc)?\.py$|_sql\.h$|\.(pb|o|a|so|obj|gcda|gcno)$|/(compile_commands\.json|CMakeCache\.txt)$'); do
        complain "$file:1" committed-generated 'generated files are built, never committed'
    done
    for file in $(chosen '\.(pem|key|p8|p12|pfx|jks|der|crt)$|(^|/)(id_rsa|id_ed25519|\.env)$'); do
        complain "$file:1" committed-key 'no keys or certificates in the repository'
    done
    grep -vE '^web/.*\.(png|ico|woff2)$|^docs/.*\.png$|/corpus/' "$scratch/files" |
        xargs -r grep -L -I '' >"$scratch/no-text"
    while read -r file; do
        [ ! -s "$file" ] || complain "$file:1" committed-binary 'no binary files but pictures of web/ and docs/ and fuzz corpora'
    done <"$scratch/no-text"
}

# What the documents point at is there.
check_documents() {
    chosen '^(README|CONTRIBUTING)\.md$|^docs/.*\.md$' | grep -vx docs/FEATURES.md |
        xargs -r awk -f "$style/documents.awk" >"$scratch/paths"
    while read -r place path; do
        [ -e "$path" ] || complain "$place" document-path "there is no $path"
    done <"$scratch/paths"
}

check_format() {
    command -v clang-format-14 >/dev/null && [ -f .clang-format ] || return 0
    : >"$scratch/format.0"
    # shellcheck disable=SC2016
    chosen '\.[ch]$' | xargs -r -n 40 -P 2 \
        sh -c 'clang-format-14 --dry-run -Werror "$@" 2>"$0.$$"' "$scratch/format"
    awk -F: '/code should be clang-formatted/ && !seen[$1]++ {
        print $1 ":" $2 ": format: run clang-format-14 -i"; bad = 1 } END { exit bad }' \
        "$scratch"/format.* || failed=1
}

check_shell() {
    for file in $(chosen '(\.sh|^everything|^tools/[^.]*|^\.ci/run)$'); do
        head -1 "$file" | grep -qE '^#!/bin/(sh|bash)|^#!/usr/bin/env (sh|bash)' && echo "$file"
    done >"$scratch/shell"
    command -v shellcheck >/dev/null || return 0
    xargs -r -n 4 -P 4 shellcheck -x -f gcc <"$scratch/shell" >"$scratch/shellcheck"
    sed -E 's/^([^:]*:[0-9]+):[0-9]+: [a-z]+: /\1: shellcheck: /' "$scratch/shellcheck" | grep . && failed=1
}

check_lines
check_sql
check_migrations
check_file_lengths
check_committed
check_documents
check_format
check_shell
exit $failed
