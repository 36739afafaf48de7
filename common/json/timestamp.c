/* See timestamp.h. */
#include "common/json/timestamp.h"

Google__Protobuf__Timestamp *timestamp(struct ctx *ctx, int64_t ms)
{
    if (!ms) {
        return NULL;
    }
    Google__Protobuf__Timestamp *t = arena_new_struct(ctx->arena, Google__Protobuf__Timestamp);
    google__protobuf__timestamp__init(t);
    t->seconds = ms / 1000;
    t->nanos = (int32_t)(ms % 1000 * 1000000);
    return t;
}

int64_t timestamp_ms(const Google__Protobuf__Timestamp *t)
{
    return t ? t->seconds * 1000 + t->nanos / 1000000 : 0;
}
