/* Holding money before an order is placed. The provider's key is made of the caller and the
 * Idempotency-Key, so that a request sent twice, or again after we died in it, holds once. */
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/crypto/crypto.h"
#include "common/obs/metrics.h"
#include "order-service/payment/payment.h"
#include "order-service/payment/payment_provider.h"
#include "order-service/service.h"

#include <string.h>

enum { HOLD_TRIES = 5, KEY_DIGITS = 40 };

bool payment_is_on(struct service *service)
{
    return service_payment_provider(service);
}

static void count(const char *result)
{
    static const struct metric_def def = {METRIC_COUNTER,
                                          "payment_total",
                                          "Authorisations asked for, by what came of them",
                                          {"result"}};

    metric_add(METRIC_SERIES(metric_register(&def), result), 1);
}

/* All that the provider is told is part of it: a price that changed, or another customer of the
 * same barista, is another hold, and no mismatch. 'turn' counts
 * holds of the same request that were voided before an order came of them. */
static const char *make_key(struct ctx *ctx, const struct payment_request *request, int turn)
{
    uint8_t digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1], random[ID_TEXT_SIZE];

    if (!ctx->idempotency_key) {
        uuid_v7(random);
        return arena_printf(ctx->arena, "auth-%s", random);
    }
    const char *text = arena_printf(ctx->arena, "%s\n%s\n%s\n%s\n%s\n%lld\n%d", ctx->caller.subject,
                                    request->method, ctx->idempotency_key, request->customer.text,
                                    request->currency, (long long)request->amount_cents, turn);
    sha256(text, strlen(text), digest);
    hex_encode(digest, sizeof(digest), hex);
    return arena_printf(ctx->arena, "auth-%.*s", KEY_DIGITS, hex);
}

static enum status declined(struct ctx *ctx, const char *code)
{
    count("declined");
    enum status st = fail_problem(ctx, PROBLEM_PAYMENT_DECLINED,
                                  "The payment was declined; nothing was ordered.");
    ctx->failure.detail = arena_printf(ctx->arena, "payment provider: %s", code);
    return st;
}

/* A hold that was made by an earlier call may be gone by now; '*usable' says. */
static enum status try_hold(struct ctx *ctx, struct payment_provider *provider,
                            const struct provider_request *wanted, struct payment_hold *hold,
                            bool *usable)
{
    struct provider_answer answer;

    TRY(payment_provider_ask(ctx, provider, wanted, &answer));
    if (*answer.refusal) {
        return declined(ctx, answer.refusal);
    }
    if (answer.replayed) {
        TRY(payment_provider_look(ctx, provider, answer.hold.id, &answer.hold));
    }
    if (!text_copy(hold->id, sizeof(hold->id), answer.hold.id)) {
        return fail_with(ctx, ST_INTERNAL, "", "payment provider: hold '%s' has too long a name",
                         answer.hold.id);
    }
    hold->amount_cents = wanted->amount_cents;
    *usable = answer.hold.is_open;
    return ST_OK;
}

static enum status hold_money(struct ctx *ctx, struct service *service,
                              const struct payment_request *request, struct payment_hold *hold)
{
    bool usable = false;

    for (int turn = 0; turn < HOLD_TRIES && !usable; turn++) {
        const struct provider_request wanted = {
            .act = PROVIDER_AUTHORIZE,
            .key = make_key(ctx, request, turn),
            .currency = request->currency,
            .customer = request->customer.text,
            .amount_cents = request->amount_cents,
        };

        TRY(try_hold(ctx, service_payment_provider(service), &wanted, hold, &usable));
    }
    if (!usable) {
        return fail_with(ctx, ST_UNAVAILABLE, "Please try again with a new Idempotency-Key.",
                         "every hold of this key was voided");
    }
    return ST_OK;
}

enum status payment_authorize(struct ctx *ctx, struct service *service,
                              const struct payment_request *request, struct payment_hold *hold)
{
    *hold = (struct payment_hold){.amount_cents = request->amount_cents};
    if (!payment_is_on(service)) {
        return ST_OK;
    }
    enum status st = hold_money(ctx, service, request, hold);
    if (st == ST_OK) {
        count("authorized");
    } else if (st == ST_UNAVAILABLE) {
        count("unavailable");
    }
    return st;
}
