#!/bin/sh
# tools/venv.sh PACKAGE VERSION: prints the folder of a Python environment that has this package.
#
# Made once and kept in the cache; made anew where its interpreter leads nowhere, as in a cache
# that was carried here. Without cache and network it says so and fails.
set -eu
package=$1 version=$2
folder=${XDG_CACHE_HOME:-$HOME/.cache}/everything/$package-$version
python=$(command -v /usr/bin/python3 || command -v python3)
if [ ! -e "$folder/complete" ] || ! "$folder/bin/python" -c '' 2>/dev/null; then
    rm -rf "$folder"
    "$python" -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$package==$version" >&2 || {
        echo "$package $version is not in $folder and PyPI cannot be reached" >&2
        exit 1
    }
    : >"$folder/complete"
fi
echo "$folder"
