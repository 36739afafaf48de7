#!/bin/sh
# ./everything clean
#
# Deletes what was built (build/). Data (.run/) and downloads stay: see reset.
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
for name in $(process_names); do
    ! is_running "$name" || die "$name runs from what would be deleted" "./everything down first"
done
rm -rf "$ROOT/build"
say "Deleted build/."
