/* gRPC methods about notices. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTICE_RPC_H
#define CUSTOMER_SERVICE_NOTIFY_NOTICE_RPC_H

#include "common/base/ctx.h"

enum status notice_rpc_list(struct ctx *ctx, void *service, const void *in, void *out);
enum status notice_rpc_ensure(struct ctx *ctx, void *service, const void *in, void *out);

#endif
