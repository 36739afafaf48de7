/* The gRPC face of the shop. */
#include "order-service/shop/shop_rpc.h"

#include "coffee/shop/v1/shop.pb-c.h"
#include "common/json/timestamp.h"
#include "order-service/shop/shop.h"

static void encode(struct ctx *ctx, const struct shop *shop, Coffee__Shop__V1__Shop *out)
{
    out->open = shop->open;
    out->taking_orders = shop->taking_orders;
    out->note = arena_strdup(ctx->arena, shop->note);
    out->paused_until = timestamp(ctx, shop->paused_until_ms);
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
    struct shop wanted = {
        .open = request->open,
        .paused_until_ms = timestamp_ms(request->paused_until),
        .note = request->note,
    };
    struct shop shop;

    TRY(shop_put(ctx, service, &wanted, &shop));
    encode(ctx, &shop, out);
    return ST_OK;
}
