#!/bin/sh
# tools/temporal-proto/fetch.sh: prints the path of Temporal's own protos as a descriptor set,
# those of the Python SDK pinned below (its wheel holds the .proto files of the API). Kept in the
# cache; without cache and network it says so and fails.
set -eu
version=1.35.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/everything/temporalio-$version
set=$cache/upstream.desc
inside=temporalio/bridge/sdk-core/crates/protos/protos/api_upstream
if [ ! -s "$set" ]; then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    mkdir -p "$cache"
    python3 -m pip download --quiet --no-deps --only-binary :all: -d "$scratch" \
        "temporalio==$version" >&2 || {
        echo "temporalio $version is not in $cache and PyPI cannot be reached" >&2
        exit 1
    }
    python3 -m zipfile -e "$scratch"/temporalio-*.whl "$scratch/wheel"
    protoc -I"$scratch/wheel/$inside" --include_imports --descriptor_set_out="$scratch/set" \
        temporal/api/workflowservice/v1/request_response.proto
    mv "$scratch/set" "$set"
fi
echo "$set"
