#!/bin/sh
# What the manifests of k8s/ become: rendered as `kubectl apply -k` does, without a cluster. Prints `ok NAME`,
# `not ok NAME`, or `skip NAME` where there is no kubectl.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/lib/expect.sh"
cd "$root" || exit 2

# manifest KIND NAME: that one document of what was rendered
manifest() {
    awk -v kind="$1" -v name="$2" '
        function told() { if (is_kind && is_name) printf "%s", text; text = ""; is_kind = is_name = 0 }
        /^---$/ { told(); next }
        { text = text $0 "\n" }
        $0 == "kind: " kind { is_kind = 1 }
        /^metadata:$/ { in_metadata = 1; next }
        /^[^ ]/ { in_metadata = 0 }
        in_metadata && $0 ~ "^  name: " name "(-[a-z0-9]+)?$" { is_name = 1 }
        END { told() }' "$scratch/rendered"
}
everything_renders() { kubectl kustomize k8s >"$scratch/rendered" && [ -s "$scratch/rendered" ]; }
# the name in the cluster and port 80 lead to the port that the gateway listens on
the_gateway_is_behind_port_80_of_the_service() {
    manifest Service server | tr -d '\n' | grep -q 'ports:  - name: http    port: 80    targetPort: http  ' || return 1
    port=$(manifest ConfigMap server | sed -n 's/^  HTTP_PORT: "\(.*\)"$/\1/p')
    [ -n "$port" ] && manifest Deployment server | tr -d '\n' | grep -q -- "- containerPort: $port          name: http "
}

command -v kubectl >/dev/null 2>&1 || { echo 'skip the_cluster_is_as_described (no kubectl)' && exit 0; }
expect everything_renders everything_renders
expect the_gateway_is_behind_port_80_of_the_service the_gateway_is_behind_port_80_of_the_service
exit $failed
