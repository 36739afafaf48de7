#!/bin/sh
# stack: 2
# How the manifests of k8s/ render, as `kubectl apply -k` does it, by a kubectl that is built for it.
set -u
# shellcheck source=tests/style/lib/expect.sh
. "$(dirname "$0")/../style/lib/expect.sh"
cd "$root" || exit 1
bin=$(tests/fakes/cluster/build.sh 2>"$scratch/log") || {
    echo "skip the_cluster_is_as_described (kubectl cannot be built: $(tail -n 1 "$scratch/log"))"
    exit 0
}
rendered() { "$bin/kubectl" kustomize "$1" >"$scratch/rendered" && [ -s "$scratch/rendered" ]; }

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
# the names in the cluster and port 80 lead to the port that the gateway listens on
the_gateway_is_behind_port_80_of_the_service() {
    for service in server api-gateway; do
        manifest Service "$service" | tr -d '\n' | grep -q 'ports:  - name: http    port: 80    targetPort: http  ' || return 1
    done
    port=$(manifest ConfigMap server | sed -n 's/^  HTTP_PORT: "\(.*\)"$/\1/p')
    [ -n "$port" ] && manifest Deployment server | tr -d '\n' | grep -q -- "- containerPort: $port          name: http "
}
# docs/adr/0023: whoever is trusted drops what its clients say of a trace
a_strangers_trace_ends_at_the_ingress() {
    middleware=$(manifest Ingress server | sed -n 's/^    traefik.*router\.middlewares: everything-\(.*\)@kubernetescrd$/\1/p')
    [ -n "$middleware" ] && manifest Middleware "$middleware" | tr -d '\n' |
        grep -q 'spec:  headers:    customRequestHeaders:      traceparent: ""      tracestate: ""$'
}
# docs/adr/0025: its own user and databases, and pools of 10 to 20 connections for its four services together
temporal_has_its_own_user_and_a_bounded_pool() {
    manifest ConfigMap temporal >"$scratch/temporal"
    for line in 'POSTGRES_USER: temporal' 'DBNAME: temporal' 'VISIBILITY_DBNAME: temporal_visibility'; do
        grep -qx "  $line" "$scratch/temporal" || return 1
    done
    awk -F'"' '/SQL_MAX_CONNS|SQL_VIS_MAX_CONNS/ { one += $2 } END { exit !(4 * one >= 10 && 4 * one <= 20) }' "$scratch/temporal"
}
# else the limits by address take all clients for one
traefik_of_k3s_sees_its_clients_addresses() {
    rendered k8s/k3s && manifest HelmChartConfig traefik | grep -v '^ *#' | tr -d '\n' |
        grep -q 'namespace: kube-systemspec:  valuesContent: |-    deployment:      kind: DaemonSet    service:      spec:        externalTrafficPolicy: Local$'
}
the_trial_adds_a_provider_to_practise_on() {
    rendered k8s/overlays/trial &&
        manifest ConfigMap order-service | grep -q '^  PAYMENT_PROVIDER_URL: http://payment-provider:8089$' &&
        manifest Service payment-provider | grep -q 'port: 8089' && manifest Deployment payment-provider | grep -q payment-provider:dev
}

expect everything_renders rendered k8s
expect the_gateway_is_behind_port_80_of_the_service the_gateway_is_behind_port_80_of_the_service
expect a_strangers_trace_ends_at_the_ingress a_strangers_trace_ends_at_the_ingress
expect temporal_has_its_own_user_and_a_bounded_pool temporal_has_its_own_user_and_a_bounded_pool
expect traefik_of_k3s_sees_its_clients_addresses traefik_of_k3s_sees_its_clients_addresses
expect the_trial_adds_a_provider_to_practise_on the_trial_adds_a_provider_to_practise_on
exit $failed
