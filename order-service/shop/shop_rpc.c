/* The gRPC face of the shop. */
#include "order-service/shop/shop_rpc.h"

#include "coffee/shop/v1/shop.pb-c.h"
#include "order-service/shop/shop.h"

static void encode(struct ctx *ctx, const struct shop *shop, Coffee__Shop__V1__Shop *out)
{
    out->open = shop->open;
    out->taking_orders = shop->taking_orders;
    out->note = arena_strdup(ctx->arena, shop->note);
    if (shop->paused_until_ms) {
        out->paused_until = arena_new_struct(ctx->arena, Google__Protobuf__Timestamp);
        google__protobuf__timestamp__init(out->paused_until);
        out->paused_until->seconds = shop->paused_until_ms / 1000;
        out->paused_until->nanos = (int32_t)(shop->paused_until_ms % 1000 * 1000000);
    }
}

enum status shop_rpc_get(struct ctx *ctx, void *service, const void *in, void *out)
{
    struct shop shop;

    (void)in;
    TRY(shop_get(ctx, service, &shop));
    encode(ctx, &shop, out);
    return ST_OK;
}

enum status shop_rpc_put(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Shop__V1__PutShopRequest *request = in;
    const Google__Protobuf__Timestamp *until = request->paused_until;
    struct shop wanted = {
        .open = request->open,
        .paused_until_ms = until ? until->seconds * 1000 + until->nanos / 1000000 : 0,
        .note = request->note,
    };
    struct shop shop;

    TRY(shop_put(ctx, service, &wanted, &shop));
    encode(ctx, &shop, out);
    return ST_OK;
}
