/* Lists of orders: the queue, and the history by pages. A page token is the last order's place in
 * the list, under a MAC: nobody makes one up, and nobody reads ids out of it. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/db/db.h"
#include "order-service/order/order_store.h"
#include "order-service/service.h"

#include <string.h>

enum { PAGE_DEFAULT = 20, PAGE_MOST = 100 };

#define LAST_ID "ffffffff-ffff-ffff-ffff-ffffffffffff"

static const char *make_token(struct ctx *ctx, struct service *service, bool all,
                              const struct order *last)
{
    const char *text = arena_printf(ctx->arena, "%c %s %s %lld", all ? 'a' : 'o',
                                    ctx->caller.subject, last->id.text, (long long)last->placed_ms);

    return seal(ctx->arena, service_page_key(service), text);
}

/* "o <subject> <id> <placed>": whose list it was belongs to it. */
static bool read_token(struct ctx *ctx, struct service *service, bool all, const char *token,
                       struct order *before)
{
    const char *text = unseal(ctx->arena, service_page_key(service), token);
    const char *prefix = arena_printf(ctx->arena, "%c %s ", all ? 'a' : 'o', ctx->caller.subject);

    if (!text || !text_starts(text, prefix)) {
        return false;
    }
    text += strlen(prefix);
    if (strlen(text) < ID_TEXT_SIZE) {
        return false;
    }
    text_copy(before->id.text, sizeof(before->id.text), text);
    return text_parse_int(text + ID_TEXT_SIZE, 0, INT64_MAX, &before->placed_ms);
}

static enum status start_of(struct ctx *ctx, struct service *service, bool all, const char *token,
                            struct order *before)
{
    if (!*token) {
        text_copy(before->id.text, sizeof(before->id.text), LAST_ID);
        before->placed_ms = INT64_C(253402300799000); /* the end of the year 9999 */
        return ST_OK;
    }
    if (!read_token(ctx, service, all, token, before)) {
        refuse_field(ctx, "pageToken", "is not one of ours: begin again without it");
        return ctx_refused(ctx);
    }
    return ST_OK;
}

static void add_etas(struct service *service, struct order *orders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        orders[i].eta_seconds =
            order_eta_seconds(orders[i].queue_position, service_config(service)->seconds_a_drink);
    }
}

enum status order_history(struct ctx *ctx, struct service *service, bool all, int page_size,
                          const char *token, struct order_page *page)
{
    struct order before = {0};
    struct db_conn *db = NULL;
    size_t wanted = (size_t)(page_size ? page_size : PAGE_DEFAULT);

    if (all && !(ctx->caller.role & ROLE_STAFF)) {
        return fail_with(ctx, ST_FORBIDDEN, "Only staff may see everybody's orders.", "subject=%s",
                         ctx->caller.subject);
    }
    wanted = wanted < PAGE_MOST ? wanted : PAGE_MOST;
    TRY(start_of(ctx, service, all, token, &before));
    TRY(service_db(ctx, service, &db));
    TRY(order_store_before(ctx, db, all ? NULL : ctx->caller.subject, &before, (int)wanted + 1,
                           &page->orders, &page->count));
    db_give_back(&db);
    page->next_token = "";
    if (page->count > wanted) { /* one more than asked for tells whether there is a next page */
        page->count = wanted;
        page->next_token = make_token(ctx, service, all, &page->orders[wanted - 1]);
    }
    add_etas(service, (struct order *)page->orders, page->count);
    return ST_OK;
}

enum status order_queue(struct ctx *ctx, struct service *service, struct order_page *page)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(order_store_open(ctx, db, &page->orders, &page->count));
    db_give_back(&db);
    page->next_token = "";
    add_etas(service, (struct order *)page->orders, page->count);
    return ST_OK;
}

enum status order_compare(struct ctx *ctx, struct service *service, const char *const *ids,
                          const int64_t *seqs, size_t count, struct order_page *newer)
{
    struct db_conn *db = NULL;

    newer->next_token = "";
    TRY(service_db(ctx, service, &db));
    enum status st = order_store_newer(ctx, db, ids, seqs, count, newer);
    db_give_back(&db);
    TRY(st);
    add_etas(service, (struct order *)newer->orders, newer->count);
    return ST_OK;
}

enum status order_events_after(struct ctx *ctx, struct service *service, struct order_id id,
                               int64_t after_seq, const char *const **views, size_t *count)
{
    struct order order;
    struct db_conn *db = NULL;

    TRY(order_get(ctx, service, id, &order)); /* whose it is decides whether it exists */
    TRY(service_db(ctx, service, &db));
    enum status st = order_store_views(ctx, db, id, after_seq, views, count);
    db_give_back(&db);
    return st;
}
