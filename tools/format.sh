#!/bin/sh
# tools/format.sh FILE...
#
# Puts C files into the house format: comments wrapped at 100 columns, then clang-format.
set -eu
style=$(cd "$(dirname "$0")" && pwd)/style
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT
for file in "$@"; do
    LC_ALL=C awk -f "$style/rewrap.awk" "$file" >"$scratch"
    cmp -s "$scratch" "$file" || cat "$scratch" >"$file"
    clang-format-14 -i "$file"
done
