/* Devices over gRPC: decode, call, encode. */
#include "customer-service/notify/device_rpc.h"

#include "coffee/notify/v1/notify.pb-c.h"
#include "common/base/text.h"
#include "common/json/timestamp.h"
#include "customer-service/notify/device.h"
#include "customer-service/notify/notify.h"
#include "customer-service/notify/order_client.h"
#include "customer-service/notify/web_push.h"
#include "customer-service/service.h"

/* Tokens are hexadecimal: one in capitals is the same device. */
static const char *lower_hex(struct ctx *ctx, const char *token)
{
    char *copy = arena_strdup(ctx->arena, token);

    for (char *c = copy; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
    }
    return copy;
}

static enum status read_wish(struct ctx *ctx,
                             const Coffee__Notify__V1__RegisterDeviceRequest *request,
                             struct device_wish *wish)
{
    *wish = (struct device_wish){.environment = "", .p256dh = "", .secret = ""};
    if (!request->apns == !request->web) {
        refuse_field(ctx, "apns", "exactly one of apns and web must be there");
    } else if (request->apns) {
        wish->channel = "apns";
        wish->address = lower_hex(ctx, request->apns->token);
        wish->environment = request->apns->environment;
    } else {
        wish->channel = "web";
        wish->address = request->web->endpoint;
        wish->p256dh = request->web->p256dh;
        wish->secret = request->web->auth;
        if (!text_starts(wish->address, "https://")) {
            refuse_field(ctx, "web.endpoint", "must be an https address");
        }
    }
    return ctx_refused(ctx);
}

enum status device_rpc_register(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Notify__V1__Device *answer = out;
    struct device_wish wish;
    struct device device;

    TRY(read_wish(ctx, in, &wish));
    TRY(device_register(ctx, service, &wish, &device));
    answer->id = arena_strdup(ctx->arena, device.id);
    answer->channel = (char *)device.channel; /* protobuf-c only reads it */
    answer->created_at = timestamp(ctx, device.created_ms);
    return ST_OK;
}

enum status device_rpc_push_key(struct ctx *ctx, void *service, const void *in, void *out)
{
    const struct web_push *web = service_senders(service)->web;
    Coffee__Notify__V1__PushKey *answer = out;

    (void)in;
    if (!web) {
        return fail_with(ctx, ST_NOT_FOUND, "", "VAPID_KEY_FILE is not set");
    }
    answer->public_key = (char *)web_push_key(ctx->arena, web); /* protobuf-c only reads it */
    return ST_OK;
}

enum status device_rpc_remove(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Notify__V1__RemoveDeviceRequest *request = in;

    (void)out;
    return device_remove(ctx, service, request->id);
}

enum status device_rpc_live_activity(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Notify__V1__RegisterLiveActivityRequest *request = in;
    Coffee__Notify__V1__LiveActivity *answer = out;
    struct live_activity_wish wish = {
        .device = request->device_id,
        .order = *request->order_id ? request->order_id : NULL,
        .token = lower_hex(ctx, request->token),
    };

    if (wish.order) {
        TRY(order_must_be_callers(ctx, service, wish.order));
    }
    answer->id = arena_alloc(ctx->arena, ID_TEXT_SIZE);
    return device_live_activity(ctx, service, &wish, answer->id);
}

enum status device_rpc_set_shift(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Notify__V1__SetShiftRequest *request = in;
    Coffee__Notify__V1__Shift *answer = out;
    int64_t since_ms = 0;

    TRY(device_set_shift(ctx, service, request->on_shift, &since_ms));
    answer->on_shift = request->on_shift;
    answer->since = timestamp(ctx, since_ms);
    return ST_OK;
}

static void encode_preferences(const struct device_preferences *from,
                               Coffee__Notify__V1__Preferences *to)
{
    to->orders = from->orders;
    to->promotions = from->promotions;
}

enum status device_rpc_preferences(struct ctx *ctx, void *service, const void *in, void *out)
{
    struct device_preferences preferences;

    (void)in;
    TRY(device_preferences_get(ctx, service, &preferences));
    encode_preferences(&preferences, out);
    return ST_OK;
}

enum status device_rpc_prefer(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Notify__V1__Preferences *request = in;
    struct device_preferences preferences = {request->orders, request->promotions};

    TRY(device_preferences_set(ctx, service, &preferences));
    encode_preferences(&preferences, out);
    return ST_OK;
}
