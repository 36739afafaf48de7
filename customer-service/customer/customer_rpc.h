/* gRPC methods about people. */
#ifndef CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_RPC_H
#define CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_RPC_H

#include "common/base/ctx.h"

enum status customer_rpc_health(struct ctx *ctx, void *service, const void *in, void *out);
enum status customer_rpc_get(struct ctx *ctx, void *service, const void *in, void *out);
enum status customer_rpc_update(struct ctx *ctx, void *service, const void *in, void *out);
enum status customer_rpc_set_role(struct ctx *ctx, void *service, const void *in, void *out);

#endif
