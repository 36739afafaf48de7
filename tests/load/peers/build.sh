#!/bin/sh
# Builds the programs that ours are measured against, once, into the cache; prints nothing.
# bare grpc-gateway and a worker on Temporal's Go SDK (Go module proxy) and Fastify with pg (npm), at
# pinned versions, and pushes by Go's own client; and the programs of ours that only measurements
# need, which go into build/.
set -eu
ROOT=$(cd "$(dirname "$0")/../../.." && pwd)
export ROOT
. "$ROOT/tools/stack/all.sh"
peers=$ROOT/tests/load/peers
# shellcheck source=tests/load/peers/versions.sh
. "$peers/versions.sh"

# --go_opt and its like: which Go package each of our protos becomes
package_options() { # PLUGIN
    (cd "$ROOT/proto" && find coffee everything -name '*.proto') | while read -r proto; do
        echo "--$1_opt=M$proto=everything/bench/$(dirname "$proto")"
    done
    for proto in annotations http; do
        echo "--$1_opt=Mgoogle/api/$proto.proto=google.golang.org/genproto/googleapis/api/annotations"
    done
    echo "--$1_opt=module=everything/bench"
}

build_grpc_gateway() {
    aside=$GRPC_GATEWAY_HOME.new
    rm -rf "$aside"
    mkdir -p "$aside/src" "$aside/bin"
    cp "$peers/gateway.go" "$aside/src/main.go"
    cd "$aside/src"
    export GOBIN="$aside/bin" GOENV=off GOFLAGS='-buildvcs=false -mod=mod' CGO_ENABLED=0
    go_run mod init everything/bench
    go_run get "github.com/grpc-ecosystem/grpc-gateway/v2@v$GRPC_GATEWAY_VERSION"
    go_run install "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway@v$GRPC_GATEWAY_VERSION"
    go_run install "google.golang.org/protobuf/cmd/protoc-gen-go"
    go_run install "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v$GO_GRPC_PLUGIN_VERSION"
    # shellcheck disable=SC2046
    (cd "$ROOT/proto" && PATH="$GOBIN:$PATH" protoc -I. --go_out="$aside/src" --go-grpc_out="$aside/src" \
        --grpc-gateway_out="$aside/src" $(package_options go) $(package_options go-grpc) \
        $(package_options grpc-gateway) $(find coffee/menu coffee/order coffee/common everything -name '*.proto'))
    go_run build -trimpath -o "$aside/bin/gateway" .
    rm -rf "$GRPC_GATEWAY_HOME"
    mv "$aside" "$GRPC_GATEWAY_HOME"
}

build_fastify() {
    rm -rf "$FASTIFY_HOME.new"
    mkdir -p "$FASTIFY_HOME.new"
    cd "$FASTIFY_HOME.new"
    npm install --silent --no-audit --no-fund --save-exact "fastify@$FASTIFY_VERSION" "pg@$PG_VERSION"
    rm -rf "$FASTIFY_HOME"
    mv "$FASTIFY_HOME.new" "$FASTIFY_HOME"
}

# A program of one source, with the modules that it needs; built again when the source has changed.
build_go() { # HOME SOURCE [MODULE...]
    home=$1 source=$2 aside=$1.new
    shift 2
    rm -rf "$aside"
    mkdir -p "$aside/src" "$aside/bin"
    cp "$source" "$aside/src/main.go"
    cd "$aside/src"
    export GOENV=off GOFLAGS='-buildvcs=false -mod=mod' CGO_ENABLED=0
    go_run mod init everything/bench
    [ $# = 0 ] || go_run get "$@"
    go_run build -p 2 -trimpath -o "$aside/bin/$(basename "$source" .go)" .
    rm -rf "$home"
    mv "$aside" "$home"
}
has_go() { [ -x "$1/bin/$(basename "$2" .go)" ] && cmp -s "$2" "$1/src/main.go"; }
fetch_go() { has_go "$1" "$2" || build_go "$@"; }

build_temporal_ours() {
    folder=$ROOT/build/${EVERYTHING_BUILD:-release}
    [ -f "$folder/build.ninja" ] || (cd "$ROOT" && cmake --preset "${EVERYTHING_BUILD:-release}")
    ninja -C "$folder" order_worker drive_orders
}

case $1 in
grpc-gateway) [ -x "$GRPC_GATEWAY_HOME/bin/gateway" ] || build_grpc_gateway ;;
temporal-go)
    fetch_go "$TEMPORAL_GO_HOME" "$ROOT/tests/load/temporal/order_worker.go" "go.temporal.io/sdk@v$TEMPORAL_GO_VERSION"
    ;;
temporal-ours) build_temporal_ours ;;
push-go) fetch_go "$PUSH_GO_HOME" "$peers/push.go" ;;
fastify) [ -d "$FASTIFY_HOME/node_modules/fastify" ] || build_fastify ;;
esac >&2
