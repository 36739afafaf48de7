/* The gRPC face of photos. */
#ifndef ORDER_SERVICE_MENU_MENU_PHOTO_RPC_H
#define ORDER_SERVICE_MENU_MENU_PHOTO_RPC_H

#include "common/base/ctx.h"

#include "coffee/menu/v1/photo.pb-c.h"

enum status photo_rpc_put(struct ctx *ctx, void *service, const void *in, void *out);
enum status photo_rpc_get(struct ctx *ctx, void *service, const void *in, void *out);
enum status photo_rpc_delete(struct ctx *ctx, void *service, const void *in, void *out);
enum status photo_rpc_image(struct ctx *ctx, void *service, const void *in, void *out);

/* Where the sizes of a photo are; NULL for "". */
Coffee__Menu__V1__PhotoSizes *photo_rpc_sizes(struct ctx *ctx, const char *id);

#endif
