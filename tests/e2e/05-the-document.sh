#!/bin/sh
# docs/DEMO.md, as a reader would type it: every ```sh block, in order, in one shell.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/e2e/lib/http.sh
. lib/http.sh
document=$PWD/../../docs/DEMO.md
printf '%s\n' 'write-out = "%{stderr}%{http_code}\n"' >"$scratch/.curlrc"

every_line_of_the_document_works() {
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$document" |
        sed "s#^SHOP=.*#SHOP=$HTTP_URL#" >"$scratch/script"
    for _ in 1 2 3; do
        (cd "$scratch" && CURL_HOME=$scratch timeout 300 bash -euo pipefail script) >"$scratch/said" 2>"$scratch/codes"
        rc=$?
        cat "$scratch/said" "$scratch/codes"
        grep -qx '50[34]' "$scratch/codes" || break # what a stall of seconds is answered with
    done
    [ "$rc" = 0 ] || return 1
    grep -q 'Flat White' "$scratch/said" && grep -q '^completed$' "$scratch/said" &&
        grep -q '"points":' "$scratch/said" && [ "$(grep -c '^id: ' "$scratch/events.txt")" -ge 4 ]
}

fact every_line_of_the_document_works SCN-A1 SCN-A2
facts_end
