/* Looking at payments: one, by whose order it is, and one's own by pages. A page token is the last
 * payment's place in the list, under a MAC, as of orders. */
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/db/db.h"
#include "order-service/payment/payment_store.h"
#include "order-service/service.h"

#include <string.h>

enum { PAGE_DEFAULT = 20, PAGE_MOST = 100 };

#define LAST_ID "ffffffff-ffff-ffff-ffff-ffffffffffff"

enum status payment_get(struct ctx *ctx, struct service *service, struct order_id order,
                        struct payment *found)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_of_order(ctx, db, order, found);
    db_give_back(&db);
    TRY(st);
    if (ctx->caller.role != ROLE_ADMIN && strcmp(ctx->caller.subject, found->customer.text) != 0) {
        return fail_with(ctx, ST_NOT_FOUND, "", "order=%s is not of subject=%s", order.text,
                         ctx->caller.subject);
    }
    return ST_OK;
}

static const char *prefix_of(struct ctx *ctx)
{
    return arena_printf(ctx->arena, "p %s ", ctx->caller.subject);
}

static const char *make_token(struct ctx *ctx, struct service *service, const struct payment *last)
{
    return seal(ctx->arena, service_page_key(service),
                arena_printf(ctx->arena, "%s%s %lld", prefix_of(ctx), last->order.text,
                             (long long)last->created_ms));
}

static bool read_token(struct ctx *ctx, struct service *service, const char *token,
                       struct payment *before)
{
    const char *text = unseal(ctx->arena, service_page_key(service), token);
    const char *prefix = prefix_of(ctx);

    if (!text || !text_starts(text, prefix) || strlen(text) < strlen(prefix) + ID_TEXT_SIZE) {
        return false;
    }
    text += strlen(prefix);
    text_copy(before->order.text, sizeof(before->order.text), text);
    return text_parse_int(text + ID_TEXT_SIZE, 0, INT64_MAX, &before->created_ms);
}

static enum status start_of(struct ctx *ctx, struct service *service, const char *token,
                            struct payment *before)
{
    if (!*token) {
        text_copy(before->order.text, sizeof(before->order.text), LAST_ID);
        before->created_ms = INT64_C(253402300799000); /* the end of the year 9999 */
        return ST_OK;
    }
    if (!read_token(ctx, service, token, before)) {
        refuse_field(ctx, "pageToken", "is not one of ours: begin again without it");
        return ctx_refused(ctx);
    }
    return ST_OK;
}

enum status payment_list(struct ctx *ctx, struct service *service, int page_size, const char *token,
                         struct payment_page *page)
{
    size_t wanted = (size_t)(page_size ? page_size : PAGE_DEFAULT);
    struct payment before = {0};
    struct db_conn *db = NULL;

    wanted = wanted < PAGE_MOST ? wanted : PAGE_MOST;
    TRY(start_of(ctx, service, token, &before));
    TRY(service_db(ctx, service, &db));
    enum status st =
        payment_store_before(ctx, db, ctx->caller.subject, &before, (int)wanted + 1, page);
    db_give_back(&db);
    TRY(st);
    if (page->count > wanted) { /* one more than asked for tells whether there is a next page */
        page->count = wanted;
        page->next_token = make_token(ctx, service, &page->payments[wanted - 1]);
    }
    return ST_OK;
}
