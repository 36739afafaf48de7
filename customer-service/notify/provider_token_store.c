/* Where the replicas keep the token that they show to Apple. */
#include "customer-service/notify/provider_token_store.h"

#include "common/base/text.h"
#include "common/db/db.h"
#include "customer-service/service.h"
#include "provider_token_sql.h"

enum status provider_token_share(struct ctx *ctx, void *service, const char *maker, int64_t life_ms,
                                 struct apns_token *token)
{
    struct db_conn *db;
    struct db_rows row;

    TRY(service_db(ctx, service, &db));
    TRY(db_one(ctx, db, &SQL_PROVIDER_TOKEN_SHARE,
               DB_ARGS(db_text(maker), db_text(token->text), db_time(ctx->arena, token->signed_ms),
                       db_int(life_ms)),
               NULL, &row));
    text_copy(token->text, sizeof(token->text), db_get_text(&row, 0, "token"));
    token->signed_ms = db_get_time(&row, 0, "signed_at");
    return ST_OK;
}
