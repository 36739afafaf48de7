#!/bin/sh
# ./everything tag vX.Y.Z
#
# Tags the current commit as a release; pushing the tag is up to you.
set -eu
number=${1:-}
version=v${number#v}
printf '%s' "$version" | grep -qE '^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$' || {
    echo "everything: '${1:-}' is no version" >&2
    echo "  way out: three numbers, as in make tag v=1.0.0" >&2
    exit 2
}
cd "$(dirname "$0")/.."
git tag -a "$version" -m "Release $version"
echo "Tagged $version. Publish it with: git push origin $version"
