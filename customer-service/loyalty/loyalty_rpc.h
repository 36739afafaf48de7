/* gRPC methods about points and statistics. */
#ifndef CUSTOMER_SERVICE_LOYALTY_LOYALTY_RPC_H
#define CUSTOMER_SERVICE_LOYALTY_LOYALTY_RPC_H

#include "common/base/ctx.h"

enum status loyalty_rpc_stats(struct ctx *ctx, void *service, const void *in, void *out);
enum status loyalty_rpc_balance(struct ctx *ctx, void *service, const void *in, void *out);

#endif
