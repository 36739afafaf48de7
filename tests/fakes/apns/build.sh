#!/bin/sh
# Builds the stand-in for Apple's push service, once for each state of its sources, into the cache,
# and prints where it is.
set -eu
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"

folder=$ROOT/tests/fakes/apns
state=$(cat "$folder"/*.go "$folder/go.mod" | sha256sum | cut -c 1-16)
program=$CACHE/fake-apns/$state
if [ ! -x "$program" ]; then
    mkdir -p "$CACHE/fake-apns"
    (cd "$folder" && export GOFLAGS=-buildvcs=false CGO_ENABLED=0 && go_run build -o "$program.$$" .) >&2
    mv "$program.$$" "$program"
fi
echo "$program"
