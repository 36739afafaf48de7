/* gRPC methods of AuthService. */
#ifndef CUSTOMER_SERVICE_AUTH_AUTH_RPC_H
#define CUSTOMER_SERVICE_AUTH_AUTH_RPC_H

#include "common/base/ctx.h"

enum status auth_rpc_sign_up(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_login(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_refresh(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_logout(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_change_password(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_sessions(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_revoke(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_jwks(struct ctx *ctx, void *service, const void *in, void *out);
enum status auth_rpc_denied(struct ctx *ctx, void *service, const void *in, void *out);

#endif
