/* Holds that no order came of: the request failed after the provider had answered, or before we
 * heard it, or we died in between. The provider is asked what is open; our table says which of it
 * an order has. To give a hold up is to write its row: an order that comes for it later finds the
 * row and is not placed. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/db/db.h"
#include "common/obs/log.h"
#include "order-service/payment/payment_return.h"
#include "order-service/payment/payment_store.h"
#include "order-service/service.h"

enum { LIST_PAGES = 5 }; /* of a round */

/* The list is the provider's, oldest first: at its end begins the next walk. A place that cannot be
 * kept is the start, too. */
static void keep_place(char place[HOLD_ID_SIZE], const char *last, bool more)
{
    if (!more || !text_copy(place, HOLD_ID_SIZE, last)) {
        *place = '\0';
    }
}

static enum status give_up_page(struct ctx *ctx, struct service *service,
                                const struct provider_page *page)
{
    struct db_conn *db = NULL;

    if (!page->count) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_give_up(ctx, db, page->holds, page->count);
    db_give_back(&db);
    return st;
}

static enum status give_up(struct ctx *ctx, struct service *service, char place[HOLD_ID_SIZE])
{
    int64_t before_ms =
        clock_wall_ms() - (int64_t)service_config(service)->payment_sweep_after_s * 1000;
    struct provider_page page = {.more = true};

    for (int i = 0; i < LIST_PAGES && page.more; i++) {
        enum status st = payment_provider_open_holds(ctx, service_payment_provider(service),
                                                     before_ms, *place ? place : NULL, &page);
        if (st == ST_CONFLICT) { /* perhaps it knows no such place, and then never will */
            *place = '\0';
        }
        TRY(st);
        TRY(give_up_page(ctx, service, &page));
        keep_place(place, page.count ? page.holds[page.count - 1].id : "", page.more);
    }
    return ST_OK;
}

/* One that cannot be voided just now, or that another replica is voiding, is no matter of the
 * others. */
static void void_one(struct ctx *ctx, struct service *service, struct payment *payment)
{
    if (payment_give_back(ctx, service, payment) == ST_OK) {
        log_warn(ctx, "hold without an order voided", log_text("hold", payment->hold_id),
                 log_num("amount_cents", payment->amount_cents));
    } else {
        log_debug(ctx, "hold not voided yet", log_text("hold", payment->hold_id),
                  log_text("detail", ctx->failure.detail));
        ctx_forgive(ctx);
    }
}

static enum status next_to_void(struct ctx *ctx, struct service *service, const char *place,
                                struct payment_page *next)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_given_up(ctx, db, place, next);
    db_give_back(&db);
    return st;
}

/* Some of ours, and behind the last the first again. */
static enum status void_given_up(struct ctx *ctx, struct service *service, char place[HOLD_ID_SIZE])
{
    struct payment_page next;

    TRY(next_to_void(ctx, service, place, &next));
    if (!next.count && *place) {
        *place = '\0';
        TRY(next_to_void(ctx, service, place, &next));
    }
    for (size_t i = 0; i < next.count && ctx_left_ms(ctx) > 0; i++) {
        struct payment payment = next.payments[i];

        void_one(ctx, service, &payment);
        keep_place(place, payment.hold_id, true);
    }
    return ST_OK;
}

/* What earlier rounds gave up comes first: the list may be longer than the time there is. */
enum status payment_sweep(struct ctx *ctx, struct service *service, struct payment_sweep *at)
{
    if (!payment_is_on(service)) {
        return ST_OK;
    }
    TRY(void_given_up(ctx, service, at->to_void));
    TRY(give_up(ctx, service, at->open));
    return void_given_up(ctx, service, at->to_void);
}
