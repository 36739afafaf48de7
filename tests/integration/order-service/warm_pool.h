/* For facts in which several threads begin at once: on a busy machine a new connection may take
 * longer than the daemons wait for one. */
#ifndef TESTS_INTEGRATION_ORDER_SERVICE_WARM_POOL_H
#define TESTS_INTEGRATION_ORDER_SERVICE_WARM_POOL_H

#include "tests/helpers/test_db.h"

/* It has as many connections when this returns, however long each took. */
static inline void warm_pool(struct db_pool *pool, int count)
{
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn **db = arena_new_array(ctx->arena, struct db_conn *, (size_t)count);

    for (int i = 0; i < count; i++) {
        db[i] = test_db_take(ctx, pool);
    }
    for (int i = 0; i < count; i++) {
        db_give_back(&db[i]);
    }
    ctx_free(ctx);
}

#endif
