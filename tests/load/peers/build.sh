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

# Built again when its source has changed.
build_temporal_go() {
    aside=$TEMPORAL_GO_HOME.new
    rm -rf "$aside"
    mkdir -p "$aside/src" "$aside/bin"
    cp "$ROOT/tests/load/temporal/order_worker.go" "$aside/src/main.go"
    cd "$aside/src"
    export GOENV=off GOFLAGS='-buildvcs=false -mod=mod' CGO_ENABLED=0
    go_run mod init everything/bench
    go_run get "go.temporal.io/sdk@v$TEMPORAL_GO_VERSION"
    go_run build -p 2 -trimpath -o "$aside/bin/order_worker" .
    rm -rf "$TEMPORAL_GO_HOME"
    mv "$aside" "$TEMPORAL_GO_HOME"
}
has_temporal_go() {
    [ -x "$TEMPORAL_GO_HOME/bin/order_worker" ] &&
        cmp -s "$ROOT/tests/load/temporal/order_worker.go" "$TEMPORAL_GO_HOME/src/main.go"
}

# Of the standard library alone.
build_push_go() {
    rm -rf "$PUSH_GO_HOME.new"
    mkdir -p "$PUSH_GO_HOME.new"
    cp "$peers/push.go" "$PUSH_GO_HOME.new/main.go"
    cd "$PUSH_GO_HOME.new"
    export GOENV=off GOFLAGS=-buildvcs=false CGO_ENABLED=0
    go_run mod init everything/bench
    go_run build -trimpath -o push .
    rm -rf "$PUSH_GO_HOME"
    mv "$PUSH_GO_HOME.new" "$PUSH_GO_HOME"
}
has_push_go() { [ -x "$PUSH_GO_HOME/push" ] && cmp -s "$peers/push.go" "$PUSH_GO_HOME/main.go"; }

build_temporal_ours() {
    folder=$ROOT/build/${EVERYTHING_BUILD:-release}
    [ -f "$folder/build.ninja" ] || (cd "$ROOT" && cmake --preset "${EVERYTHING_BUILD:-release}")
    ninja -C "$folder" order_worker drive_orders
}

case $1 in
grpc-gateway) [ -x "$GRPC_GATEWAY_HOME/bin/gateway" ] || build_grpc_gateway ;;
temporal-go) has_temporal_go || build_temporal_go ;;
temporal-ours) build_temporal_ours ;;
push-go) has_push_go || build_push_go ;;
fastify) [ -d "$FASTIFY_HOME/node_modules/fastify" ] || build_fastify ;;
esac >&2
