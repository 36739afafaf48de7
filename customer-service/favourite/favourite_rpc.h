/* gRPC methods about favourites. */
#ifndef CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_RPC_H
#define CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_RPC_H

#include "common/base/ctx.h"

enum status favourite_rpc_list(struct ctx *ctx, void *service, const void *in, void *out);
enum status favourite_rpc_add(struct ctx *ctx, void *service, const void *in, void *out);
enum status favourite_rpc_remove(struct ctx *ctx, void *service, const void *in, void *out);
enum status favourite_rpc_usual(struct ctx *ctx, void *service, const void *in, void *out);

#endif
