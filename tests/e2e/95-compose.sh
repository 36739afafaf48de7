#!/bin/sh
# stack: 2
# docker/compose.yaml, run by podman-compose and podman: the gateway's container, and its port on the host.
#
# A network of its own makes localhost:8000 free. What is real: the file, its profile, ports, volumes, rights
# and limits, the copy of the secrets, the daemon. What is not: the images. No registry is asked, so each is the
# program with its libraries, and none is what docker/Dockerfile.service builds.
set -u
cd "$(dirname "$0")" || exit 1
ROOT=$(cd ../.. && pwd)
export ROOT
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
fact=the_gateway_of_compose_answers_at_port_8000_of_the_host
skip() { echo "skip $fact ($1)" && exit 0; }

# Unpacked, never installed: a machine that has Docker or podman keeps it as it is.
PODMAN_HOME=$CACHE/podman-4.3.1
needs_fetch_podman() { [ ! -x "$PODMAN_HOME/usr/bin/podman" ]; }
fetch_podman() {
    ! needs_fetch_podman || apt_unpack "$PODMAN_HOME" podman runc conmon catatonit netavark aardvark-dns iptables \
        golang-github-containers-common golang-github-containers-image libassuan0 libgpgme11 libip4tc2 libip6tc2 \
        libmnl0 libglib2.0-0 libnetfilter-conntrack3 libnfnetlink0 libnftnl11 libsubid4 libxtables12
}

as_root=$(sudo_command </dev/null) || skip 'containers want root here, or sudo without a password'
$as_root unshare --net --mount true 2>/dev/null || skip 'this machine lets nobody have a network of their own'
log=$(mktemp)
if ! venv=$("$ROOT/tools/venv.sh" podman-compose 1.6.0 2>"$log") || ! one_at_a_time podman fetch_podman >>"$log" 2>&1; then
    why=$(tail -n 1 "$log") && rm -f "$log"
    skip "podman cannot be fetched: $why"
fi
scratch=$(mktemp -d /tmp/everything-compose.XXXXXX)
trap '$as_root rm -rf "$scratch"; rm -f "$log"' EXIT
cp -r "$SECRETS" "$scratch/secrets"
if $as_root env SCRATCH="$scratch" PODMAN_HOME="$PODMAN_HOME" COMPOSE="$venv/bin/podman-compose" \
    GATEWAY="$BIN/gateway" timeout --kill-after=10 400 unshare --net --mount --propagation private \
    sh lib/compose.sh >"$log" 2>&1; then
    grep '^  ' "$log"
    echo "ok $fact GW-10"
else
    echo "not ok $fact GW-10"
    tail -n 25 "$log" | sed 's/^/  | /' | cut -c1-300
    exit 1
fi
