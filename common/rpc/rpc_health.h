/* grpc.health.v1 for the whole server: Check and Watch. Internal to common/rpc. */
#ifndef COMMON_RPC_RPC_HEALTH_H
#define COMMON_RPC_RPC_HEALTH_H

#include "common/rpc/rpc_server.h"

struct rpc_health;

/* 'services' ends with {0}: their names are answered for, as "" is. */
struct rpc_health *rpc_health_new(const struct rpc_service *services, bool serving);
void rpc_health_free(struct rpc_health *health); /* NULL is fine */
void rpc_health_set(struct rpc_health *health, bool serving);

extern const struct rpc_stream_handler rpc_health_watch;
enum status rpc_health_check(struct ctx *ctx, void *health, const void *in, void *out);

/* grpc.reflection v1 and v1alpha; its service is the struct rpc_server. */
extern const struct rpc_stream_handler rpc_reflection;

#endif
