/* See timestamp.h. */
#include "common/json/timestamp.h"

static const int64_t first_s = -62135596800, last_s = 253402300799; /* the years 1 to 9999 */

static int64_t between(int64_t least, int64_t most, int64_t number)
{
    int64_t at_least = number < least ? least : number;

    return at_least > most ? most : at_least;
}

/* Before 1970 too, nanoseconds count forwards: anything else is no Timestamp. */
Google__Protobuf__Timestamp *timestamp(struct ctx *ctx, int64_t ms)
{
    if (!ms) {
        return NULL;
    }
    Google__Protobuf__Timestamp *t = arena_new_struct(ctx->arena, Google__Protobuf__Timestamp);
    int64_t of_second = (ms % 1000 + 1000) % 1000;

    google__protobuf__timestamp__init(t);
    t->seconds = (ms - of_second) / 1000;
    t->nanos = (int32_t)(of_second * 1000000);
    return t;
}

int64_t timestamp_ms(const Google__Protobuf__Timestamp *t)
{
    return t ? between(first_s, last_s, t->seconds) * 1000 +
                   between(0, 999999999, t->nanos) / 1000000
             : 0;
}
