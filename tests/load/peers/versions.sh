# shellcheck shell=sh disable=SC2034
# The pinned versions of what ours is measured against, and where they are built.
GRPC_GATEWAY_VERSION=2.26.3 # 2.32.0 needs a module that the proxy does not hand out
GO_GRPC_PLUGIN_VERSION=1.5.1
GRPC_GATEWAY_HOME=$CACHE/grpc-gateway-bench-$GRPC_GATEWAY_VERSION
FASTIFY_VERSION=5.12.8
PG_VERSION=8.23.1
FASTIFY_HOME=$CACHE/fastify-bench-$FASTIFY_VERSION
TEMPORAL_GO_VERSION=1.37.0
TEMPORAL_GO_HOME=$CACHE/temporal-go-bench-$TEMPORAL_GO_VERSION
PUSH_GO_HOME=$CACHE/push-go-bench
