/* gRPC methods about devices, preferences and shifts. */
#ifndef CUSTOMER_SERVICE_NOTIFY_DEVICE_RPC_H
#define CUSTOMER_SERVICE_NOTIFY_DEVICE_RPC_H

#include "common/base/ctx.h"

enum status device_rpc_register(struct ctx *ctx, void *service, const void *in, void *out);
enum status device_rpc_push_key(struct ctx *ctx, void *service, const void *in, void *out);
enum status device_rpc_remove(struct ctx *ctx, void *service, const void *in, void *out);
enum status device_rpc_live_activity(struct ctx *ctx, void *service, const void *in, void *out);
enum status device_rpc_set_shift(struct ctx *ctx, void *service, const void *in, void *out);
enum status device_rpc_preferences(struct ctx *ctx, void *service, const void *in, void *out);
enum status device_rpc_prefer(struct ctx *ctx, void *service, const void *in, void *out);

#endif
