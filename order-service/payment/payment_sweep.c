/* Holds that no order came of: the request failed after the provider had answered, or before we
 * heard it, or we died in between. The provider is asked what is open; our table says which of it
 * an order has. To give a hold up is to write its row: an order that comes for it later finds the
 * row and is not placed. */
#include "common/base/clock.h"
#include "common/db/db.h"
#include "common/obs/log.h"
#include "order-service/payment/payment_return.h"
#include "order-service/payment/payment_store.h"
#include "order-service/service.h"

static enum status give_up(struct ctx *ctx, struct service *service)
{
    int64_t before_ms =
        clock_wall_ms() - (int64_t)service_config(service)->payment_sweep_after_s * 1000;
    struct provider_page page = {.more = true};
    const char *after = NULL;

    while (page.more) {
        struct db_conn *db = NULL;

        TRY(payment_provider_open_holds(ctx, service_payment_provider(service), before_ms, after,
                                        &page));
        if (page.count == 0) {
            return ST_OK;
        }
        after = page.holds[page.count - 1].id;
        TRY(service_db(ctx, service, &db));
        enum status st = payment_store_give_up(ctx, db, page.holds, page.count);
        db_give_back(&db);
        TRY(st);
    }
    return ST_OK;
}

/* One that cannot be voided just now, or that another replica is voiding, is no matter of the
 * others. */
static enum status void_given_up(struct ctx *ctx, struct service *service)
{
    struct payment_page left;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_given_up(ctx, db, &left);
    db_give_back(&db);
    TRY(st);
    for (size_t i = 0; i < left.count && ctx_left_ms(ctx) > 0; i++) {
        struct payment payment = left.payments[i];

        if (payment_give_back(ctx, service, &payment) == ST_OK) {
            log_warn(ctx, "hold without an order voided", log_text("hold", payment.hold_id),
                     log_num("amount_cents", payment.amount_cents));
        } else {
            log_debug(ctx, "hold not voided yet", log_text("hold", payment.hold_id),
                      log_text("detail", ctx->failure.detail));
            ctx_forgive(ctx);
        }
    }
    return ST_OK;
}

/* What earlier rounds gave up comes first: the list may be longer than the time there is. */
enum status payment_sweep(struct ctx *ctx, struct service *service)
{
    if (!payment_is_on(service)) {
        return ST_OK;
    }
    TRY(void_given_up(ctx, service));
    TRY(give_up(ctx, service));
    return void_given_up(ctx, service);
}
