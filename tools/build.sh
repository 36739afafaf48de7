#!/bin/sh
# ./everything build [PRESET] [--yes]
#
# Installs what is missing and builds all of it (preset release; see CMakePresets.json).
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
preset=release
for argument in "$@"; do
    case $argument in
    --yes | -y) YES=1 ;;
    -*) warn "build: unknown option $argument" && exit 2 ;;
    *) preset=$argument ;;
    esac
done
mkdir -p "$RUN/log"
install_packages
cd "$ROOT"
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"
exec ninja -C "build/$preset"
