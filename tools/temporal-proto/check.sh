#!/bin/sh
# tools/temporal-proto/check.sh: compares proto/temporal with Temporal's own protos; ends with 1
# when a name, number, type or label differs. tests/integration/common/temporal runs it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
upstream=$("$here/fetch.sh")
ours=$(mktemp)
trap 'rm -f "$ours"' EXIT
protos=${1:-$here/../../proto} # another folder, for the test of this check
(cd "$protos" && protoc -I. --descriptor_set_out="$ours" temporal/*.proto)
PYTHONDONTWRITEBYTECODE=1 python3 "$here/check.py" "$upstream" "$ours"
