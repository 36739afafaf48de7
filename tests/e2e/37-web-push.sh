#!/bin/sh
# From an order to a browser's push service, and what the browser makes of it: opened by http-ece, which is not ours.
set -u
cd "$(dirname "$0")" || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

venv=$(../../tools/venv.sh http-ece 1.2.1 2>"$log") || {
    echo "skip a_browser_is_told_and_can_read_it (http-ece cannot be fetched: $(tail -n 1 "$log"))"
    exit 0
}
"$venv/bin/python" lib/web_push.py
