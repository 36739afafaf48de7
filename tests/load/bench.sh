#!/bin/sh
# ./everything bench [NAME...] [--rounds N] [--keep] [--yes]
#
# Measures what the design promises, on a release build and a stack of its own (state in
# .run/bench, ports from BENCH_PORT_BASE, 27000, on; its Temporal is not started), and says for
# each figure its limit and whether it holds. All of them without a name:
#
#   start     each daemon from exec to ready, its dependencies up: time and CPU
#   memory    the three daemons after 30 idle seconds
#   gateway   CPU of a call through ours and through a bare grpc-gateway, same backend
#   orders    CPU of an order placed over gateway, order-service and Postgres, and of the
#             same by Fastify and pg; and of a move
#   sse       1,000 open event streams: memory, and how soon a change is heard
#   push      CPU of 10,000 notices, from their rows to the acknowledgement of a stand-in for
#             Apple's service, and of its client alone, beside the same by Go's HTTP/2 client
#   temporal  CPU and memory of a worker on common/temporal, and of the same workflow on the
#             official Go and Python SDKs, one Temporal server for all three and no stack
#
#   --rounds N   interleaved rounds of each comparison (5); the median counts
#   --keep       leave the stack up afterwards
#
# On a shared machine only ratios within one run and CPU times mean something; requests a
# second do not. Results stay in bench-results/.
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
export ROOT
export EVERYTHING_RUN="$ROOT/.run/bench" EVERYTHING_PORT_BASE="${BENCH_PORT_BASE:-27000}"
export EVERYTHING_ENV="$ROOT/tests/load/stack.env" EVERYTHING_BUILD="${EVERYTHING_BUILD:-release}"
# shellcheck source=tools/stack/all.sh
. "$ROOT/tools/stack/all.sh"
# shellcheck source=tests/load/peers/versions.sh
. "$ROOT/tests/load/peers/versions.sh"

all='start memory gateway orders sse push temporal'
names='' rounds=5 keep=0
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=${2:?--rounds needs a number} && shift ;;
    --keep) keep=1 ;;
    --yes | -y) YES=1 ;;
    start | memory | gateway | orders | sse | push | temporal) names="$names $1" ;;
    *) warn "bench: nothing is called $1; there are: $all" && exit 2 ;;
    esac
    shift
done
names=${names:-$all}

needs_stack() { [ "$(echo "$names" | tr -d ' ')" != temporal ]; }
finish() { [ $keep = 1 ] || "$ROOT/everything" down >/dev/null 2>&1 || :; }

mkdir -p "$ROOT/build" "$ROOT/bench-results" "$RUN/log"
if needs_stack; then
    trap finish EXIT
    trap 'exit 130' INT TERM
    command -v wrk >/dev/null || die "wrk is missing" "apt-get install wrk"
    "$ROOT/everything" up --yes --without temporal >"$ROOT/build/bench-up.log" 2>&1 ||
        { cat "$ROOT/build/bench-up.log" >&2 && die "the stack did not come up" "./everything doctor"; }
    ninja -C "$ROOT/build/$EVERYTHING_BUILD" grpc-as >/dev/null
    eval "$("$ROOT/tools/test-env.sh")"
    BENCH_PG_DATA=$(pg_data)
    export BENCH_PG_DATA
else
    install_packages
fi
for name in $names; do
    case $name in
    gateway) step "building grpc-gateway $GRPC_GATEWAY_VERSION" 900 sh "$ROOT/tests/load/peers/build.sh" grpc-gateway ;;
    push) step "building the pushes in Go" 300 sh "$ROOT/tests/load/peers/build.sh" push-go ;;
    orders) step "fetching Fastify $FASTIFY_VERSION" 300 sh "$ROOT/tests/load/peers/build.sh" fastify ;;
    temporal)
        step "building Temporal $TEMPORAL_VERSION" 3600 fetch_temporal
        step "building the worker on Go SDK $TEMPORAL_GO_VERSION" 900 sh "$ROOT/tests/load/peers/build.sh" temporal-go
        step "building our worker" 900 sh "$ROOT/tests/load/peers/build.sh" temporal-ours
        TEMPORAL_PYTHON_HOME=$("$ROOT/tools/temporal-proto/sdk.sh")
        ;;
    esac
done
export BENCH_BIN="$BIN" BENCH_ROUNDS="$rounds" BENCH_PORTS=$((EVERYTHING_PORT_BASE + 50))
export GRPC_GATEWAY_HOME FASTIFY_HOME PUSH_GO_HOME TEMPORAL_HOME TEMPORAL_GO_HOME TEMPORAL_PYTHON_HOME
# shellcheck disable=SC2086
python3 "$ROOT/tests/load/bench.py" $names
