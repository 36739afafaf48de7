# shellcheck shell=sh
# sh call.sh FUNCTION ARGS...: one function of the parts, in a process of its own, so that
# timeout(1) can end it.
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
. "$ROOT/tools/stack/all.sh"
"$@"
