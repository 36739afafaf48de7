#!/bin/sh
# What the manifests of k8s/ say, without a cluster: each daemon has the settings that it needs, from files
# that its pod has; what Postgres and four Raspberry Pis can bear. How they render: tests/e2e/97-manifests.sh.
# Prints `ok NAME` or `not ok NAME`.
set -u
cd "$(dirname "$0")/../.." || exit 2
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
failed=0
expect() { # expect NAME COMMAND...
    name=$1
    shift
    if "$@"; then echo "ok $name"; else echo "not ok $name" && failed=1; fi
}

# faults_of FOLDER DAEMON: a line for each setting that is missing, unknown, or of a file that is not there.
# docs/CONFIG.md is what --print-config prints.
faults_of() {
    awk -v daemon="$2" '
        function is_set(name) { return name in value && value[name] != "" } # asking makes no element
        FILENAME == "docs/CONFIG.md" && /^## / { here = $2 == daemon }
        FILENAME == "docs/CONFIG.md" && here && /^\| `/ {
            split($0, cell, " *[|] *"); name = cell[2]; gsub(/`/, "", name); gsub(/`/, "", cell[3])
            known[name] = 1
            if (cell[4] ~ /required/) needed[name] = "is required"
            # what is on the same machine on a desk is on another in a cluster
            if (cell[3] ~ /localhost|127\.0\.0\.1/) needed[name] = "is " cell[3] " unless it is set"
            if (cell[4] ~ /secret/) known[name "_FILE"] = 1
        }
        FILENAME ~ /kustomization/ && match($0, /^ +- [A-Z][A-Z0-9_]*=/) {
            name = substr($0, RSTART, RLENGTH - 1); sub(/^ +- /, "", name)
            value[name] = substr($0, RSTART + RLENGTH)
        }
        FILENAME ~ /deployment/ && match($0, /name: [a-z]+, mountPath: [^,}]+/) {
            split(substr($0, RSTART + 6, RLENGTH - 6), part, ", mountPath: "); mount[part[2]] = part[1]
        }
        FILENAME ~ /deployment/ && /^        - name: / { volume = $3 }
        FILENAME ~ /deployment/ && match($0, /secretName: [^,}]+/) { secret[volume] = substr($0, RSTART + 12, RLENGTH - 12) }
        FILENAME ~ /secrets.sh/ && /^secret / { for (i = 3; i <= NF; i++) kept[$2 "/" $i] = 1 }
        END {
            for (name in needed) if (!is_set(name) && !is_set(name "_FILE")) print daemon ": " name " " needed[name]
            for (name in value) if (!(name in known)) print daemon ": " name " is no setting of it"
            for (name in value) if (name ~ /_FILE$/) {
                folder = file = value[name]; sub(/\/[^\/]*$/, "", folder); sub(/.*\//, "", file)
                if (!((secret[mount[folder]] "/" file) in kept)) print daemon ": " name " is in no Secret at " value[name]
            }
        }' docs/CONFIG.md "$1/$2/kustomization.yaml" "$1/$2/deployment.yaml" "$1/secrets.sh"
}
each_daemon_has_its_settings() {
    for daemon in gateway order-service customer-service; do faults_of "${1:-k8s}" "$daemon"; done >"$scratch/faults"
    sed 's/^/  | /' "$scratch/faults"
    [ ! -s "$scratch/faults" ]
}
# is_found FILE SED_PROGRAM FAULT: with that change made to a copy, that fault is told, and no other
is_found() {
    rm -rf "$scratch/k8s"
    cp -r k8s "$scratch/k8s"
    sed -i "$2" "$scratch/k8s/$1"
    each_daemon_has_its_settings "$scratch/k8s" >/dev/null
    [ "$(cat "$scratch/faults")" = "$3" ] || { echo "  | $1, $2:" && cat "$scratch/faults" && return 1; }
}
a_setting_that_is_missing_or_leads_nowhere_is_found() {
    is_found order-service/kustomization.yaml /PAGE_TOKEN_KEY_FILE/d 'order-service: PAGE_TOKEN_KEY_FILE is required' &&
        is_found order-service/kustomization.yaml /DB_PASSWORD_FILE/d 'order-service: DB_PASSWORD is required' &&
        is_found gateway/kustomization.yaml s/VALKEY_HOST=.*/VALKEY_HOST=/ 'gateway: VALKEY_HOST is localhost unless it is set' &&
        is_found gateway/kustomization.yaml s/HTTP_PORT/HTTPS_PORT/ 'gateway: HTTPS_PORT is no setting of it' &&
        is_found secrets.sh s/vapid.pem// 'customer-service: VAPID_KEY_FILE is in no Secret at /run/secrets/vapid.pem'
}

# is_as_on_a_desk FILE FILE_OF_THE_STACK KEYS: the same but for comments and the settings of its place
is_as_on_a_desk() {
    for file in "k8s/$1" "tools/stack/conf/$2"; do
        grep -Ev "^ *#|^($3)[ =]" "$file" >"$scratch/$(basename "$(dirname "$file")")"
    done
    diff "$scratch/$(dirname "$1")" "$scratch/conf" | sed "s/^/  | /"
    cmp -s "$scratch/$(dirname "$1")" "$scratch/conf"
}
the_servers_are_set_up_as_on_a_desk() {
    is_as_on_a_desk postgres/postgresql.conf postgresql.conf 'listen_addresses|port|unix_socket_directories' &&
        is_as_on_a_desk valkey/valkey.conf valkey.conf 'bind|aclfile' &&
        is_as_on_a_desk kafka/server.properties kafka.properties \
            'controller.quorum.voters|listeners|advertised.listeners|log.dirs'
}

value_of() { sed -n "s/.*$2[=:] *\([0-9]*\).*/\1/p" "k8s/$1" | head -n 1; }
# Each service's replicas at the most, one more while they roll, with its pool, relay and listener;
# Temporal's two pools for each of its four services; two migrations; the superuser's three.
connections_fit_postgres() {
    sum=$((($(value_of temporal/kustomization.yaml SQL_MAX_CONNS) + $(value_of temporal/kustomization.yaml SQL_VIS_MAX_CONNS)) * 4 + 2 + 3))
    for service in order-service customer-service; do
        pool=$(value_of "$service/kustomization.yaml" DB_POOL_MAX)
        sum=$((sum + ($(value_of "$service/scaling.yaml" maxReplicas) + 1) * (pool + 2)))
    done
    echo "  | $sum of $(value_of postgres/postgresql.conf 'max_connections ') connections"
    [ "$sum" -le "$(value_of postgres/postgresql.conf 'max_connections ')" ]
}
# mebibytes requests|limits FILE: of that file's last container
mebibytes() { sed -n "s/.*$1:.*memory: \([0-9]*\)Mi.*/\1/p" "k8s/$2" | tail -n 1; }
# Four times 906 MB. The system and k3s take some 400 of the first and 100 of each other one: what is left
# bears all pods at their limits, at most replicas; and a roll of each, for which requests count.
memory_fits_four_raspberry_pis() {
    left=$((906 * 4 - 400 - 3 * 100))
    requests=0 limits=0
    for file in k8s/*/deployment.yaml k8s/*/statefulset.yaml; do
        [ -f "$file" ] || continue
        file=${file#k8s/}
        most=$(value_of "$(dirname "$file")/scaling.yaml" maxReplicas 2>/dev/null)
        requests=$((requests + $(mebibytes requests "$file") * (${most:-0} + 1)))
        limits=$((limits + $(mebibytes limits "$file") * ${most:-1}))
    done
    echo "  | requests $requests MiB, limits $limits MiB, of $left"
    [ "$requests" -gt 500 ] && [ "$requests" -le "$left" ] && [ "$limits" -le "$left" ]
}

expect each_daemon_has_its_settings_in_the_cluster each_daemon_has_its_settings
expect a_setting_that_is_missing_or_leads_nowhere_is_found a_setting_that_is_missing_or_leads_nowhere_is_found
expect the_servers_are_set_up_as_on_a_desk the_servers_are_set_up_as_on_a_desk
expect connections_of_all_replicas_fit_postgres connections_fit_postgres # DATA-07
expect memory_of_all_pods_fits_four_raspberry_pis memory_fits_four_raspberry_pis
exit $failed
