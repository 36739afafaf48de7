#!/bin/sh
# tools/temporal-proto/sdk.sh: prints the folder of a Python environment with Temporal's official
# SDK, pinned below: the judge of our worker's histories, and the source of the API's .proto files.
# Kept in the cache; without cache and network it says so and fails.
set -eu
version=1.35.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/everything/temporalio-$version
python=$(command -v /usr/bin/python3 || command -v python3)
# in a cache that was carried here its interpreter may lead nowhere
if [ ! -e "$folder/complete" ] || ! "$folder/venv/bin/python" -c '' 2>/dev/null; then
    rm -rf "$folder"
    mkdir -p "$folder"
    "$python" -m venv "$folder/venv" >&2
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        "temporalio==$version" >&2 || {
        echo "temporalio $version is not in $folder and PyPI cannot be reached" >&2
        exit 1
    }
    : >"$folder/complete"
fi
echo "$folder"
