#!/bin/sh
# Builds kubectl and the stand-in for a cluster (one program), once for each state of its sources, into the
# cache, and prints the folder: kubectl, cluster.
set -eu
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"

folder=$ROOT/tests/fakes/cluster
home=$CACHE/cluster-$(cat "$folder"/*.go "$folder"/go.* | sha256sum | cut -c 1-16)
build_cluster() {
    [ ! -x "$home/bin/kubectl" ] || return 0
    go_build "$home" "$folder" && ln -s cluster "$home/bin/kubectl"
}
build_cluster_once() { one_at_a_time go build_cluster; }
[ -x "$home/bin/kubectl" ] || build_cluster_once >&2
echo "$home/bin"
