#!/bin/sh
# From an order to a browser's push service, and what the browser makes of it: opened by http-ece, which is not ours.
set -u
cd "$(dirname "$0")" || exit 1
version=1.2.1
venv=${XDG_CACHE_HOME:-$HOME/.cache}/everything/http-ece-$version
python=$(command -v /usr/bin/python3 || command -v python3)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ ! -e "$venv/complete" ] || ! "$venv/bin/python3" -c '' 2>/dev/null; then
    rm -rf "$venv"
    "$python" -m venv "$venv" && "$venv/bin/pip" install -q "http-ece==$version" >"$log" 2>&1 && : >"$venv/complete"
    [ -e "$venv/complete" ] || {
        echo "skip a_browser_is_told_and_can_read_it (http-ece cannot be fetched: $(tail -n 1 "$log"))"
        exit 0
    }
fi
"$venv/bin/python" lib/web_push.py
