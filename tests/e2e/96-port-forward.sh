#!/bin/sh
# stack: 2
# What an operator types: kubectl port-forward svc/api-gateway 8000:80, then curl at port 8000.
set -u
cd "$(dirname "$0")" || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
bin=$(../fakes/cluster/build.sh 2>"$log") || {
    echo "skip kubectl_forwards_a_port_to_the_gateway (kubectl cannot be built: $(tail -n 1 "$log"))"
    exit 0
}
CLUSTER_BIN=$bin python3 lib/port_forward.py
