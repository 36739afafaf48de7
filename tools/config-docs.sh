#!/bin/sh
# tools/config-docs.sh [--check] [BIN_DIR]
#
# Writes docs/CONFIG.md: every setting of every daemon, as the daemon itself prints it with
# --print-config. BIN_DIR is where the daemons were built, build/dev/bin unless named.
# --check writes nothing, and fails when the document differs.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
check=0
[ "${1:-}" != --check ] || { check=1 && shift; }
bin=${1:-$root/build/dev/bin}
document=$(mktemp)
trap 'rm -f "$document"' EXIT

{
    cat <<'END'
# Configuration

Every setting of every daemon, with its default. Made by `tools/config-docs.sh` from
`<daemon> --print-config`: do not edit. Settings come from the environment. `./everything` hands on
those of `.env`, but for ports, databases and keys, which it sets itself (`.env.example` says which).
A daemon tells every bad setting at once, and does not start. A secret may come from a file instead:
`NAME_FILE=path` in place of `NAME=value`.
END
    for daemon in gateway order-service customer-service; do
        [ -x "$bin/$daemon" ] || { echo "$bin/$daemon is not built" >&2 && exit 1; }
        settings=$("$bin/$daemon" --print-config)
        printf '\n## %s\n\n| setting | default | |\n| --- | --- | --- |\n' "$daemon"
        echo "$settings" | awk '
            /^# / { about = substr($0, 3); gsub(/\|/, "\\|", about); next }
            /^[A-Z0-9_]+=/ {
                value = $0; sub(/^[^=]*=/, "", value)
                name = $0; sub(/=.*/, "", name)
                print "| `" name "` | " (value == "" ? "" : "`" value "`") " | " about " |"
            }'
    done
} >"$document"
if [ $check = 1 ]; then
    cmp -s "$document" "$root/docs/CONFIG.md" && exit 0
    echo "docs/CONFIG.md:1: config: older than --print-config; run tools/config-docs.sh"
    exit 1
fi
cp "$document" "$root/docs/CONFIG.md"
