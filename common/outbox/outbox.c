/* What writers of rows need: the part of a key, and a row by hand. */
#include "common/outbox/outbox.h"

#include "common/obs/trace.h"
#include "outbox_sql.h"

static unsigned fnv1a(const char *text)
{
    unsigned hash = 2166136261u;

    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    }
    return hash;
}

/* The low bits of FNV-1a alone depend on the low bits of the text alone. */
int outbox_part(const char *key)
{
    unsigned hash = fnv1a(key);

    return (int)((hash ^ hash >> 15) % OUTBOX_PARTS);
}

enum status outbox_add(struct ctx *ctx, struct db_conn *tx, const struct outbox_row *row)
{
    char traceparent[TRACEPARENT_SIZE];

    trace_traceparent(ctx, traceparent);
    return db_exec(ctx, tx, &SQL_OUTBOX_INSERT,
                   DB_ARGS(db_int(outbox_part(row->key)), db_text(row->sink), db_text(row->topic),
                           db_text(row->key), db_text(row->payload),
                           db_text(*traceparent ? traceparent : NULL),
                           db_text(*ctx->correlation_id ? ctx->correlation_id : NULL)),
                   NULL);
}
