# Shared by the style tests: a folder to work in, facts as `ok NAME` lines.
# shellcheck shell=sh disable=SC2034
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' INT TERM
failed=0

# expect NAME COMMAND...: what the command prints is shown only when it fails
expect() {
    name=$1
    shift
    if "$@" >"$scratch/expected" 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        tail -n 25 "$scratch/expected" | sed 's/^/  | /'
        failed=1
    fi
}
