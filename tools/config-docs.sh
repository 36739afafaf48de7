#!/bin/sh
# tools/config-docs.sh [BIN_DIR]
#
# Writes docs/CONFIG.md: every setting of every daemon, as the daemon itself prints it with
# --print-config. BIN_DIR is where the daemons were built, build/dev/bin unless named.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
bin=${1:-$root/build/dev/bin}
document=$(mktemp)
trap 'rm -f "$document"' EXIT

{
    cat <<'END'
# Configuration

Every setting of every daemon, with its default. Made by `tools/config-docs.sh` from
`<daemon> --print-config`: do not edit. Settings come from the environment, or from `.env` with
`./everything`. A daemon tells every bad setting at once, and does not start. A secret may come
from a file instead: `NAME_FILE=path` in place of `NAME=value`.
END
    for daemon in gateway order-service customer-service; do
        [ -x "$bin/$daemon" ] || { echo "$bin/$daemon is not built" >&2 && exit 1; }
        printf '\n## %s\n\n| setting | default | |\n| --- | --- | --- |\n' "$daemon"
        "$bin/$daemon" --print-config | awk '
            /^# / { about = substr($0, 3); gsub(/\|/, "\\|", about); next }
            /^[A-Z0-9_]+=/ {
                value = $0; sub(/^[^=]*=/, "", value)
                name = $0; sub(/=.*/, "", name)
                print "| `" name "` | " (value == "" ? "" : "`" value "`") " | " about " |"
            }'
    done
} >"$document"
cp "$document" "$root/docs/CONFIG.md"
