/* Starting the statement costs more than what it writes, and so does a commit. While
 * BATCHES_AT_ONCE of them are under way, orders wait in a list; the thread that is free next writes
 * all of them, and tells the others. So nobody waits on purpose: alone, an order goes at once. */
#include "order-service/order/order_batch.h"

#include "common/db/db.h"
#include "common/obs/span.h"
#include "order-service/service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES_AT_ONCE = 2 };

/* A thread that waits for its order; on its stack. */
struct seat {
    struct order_placing *placing;
    enum status status;
    bool is_done;
    pthread_cond_t told;
    struct seat *next;
};

struct order_batches {
    pthread_mutex_t lock; /* guards all below, and the seats */
    struct seat *first, **last;
    int under_way;
};

struct batch {
    struct seat *seats[PLACE_TOGETHER];
    struct order_placing *placings[PLACE_TOGETHER];
    size_t count;
};

struct order_batches *order_batches_new(void)
{
    struct order_batches *batches = calloc(1, sizeof(*batches));

    if (!batches) {
        abort();
    }
    pthread_mutex_init(&batches->lock, NULL);
    batches->last = &batches->first;
    return batches;
}

void order_batches_free(struct order_batches *batches)
{
    if (batches) {
        pthread_mutex_destroy(&batches->lock);
        free(batches);
    }
}

static enum status write_orders(struct ctx *ctx, struct service *service,
                                struct order_placing *const *placings, size_t count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = order_store_place(ctx, db, placings, count);
    db_give_back(&db);
    return st;
}

static void write_alone(struct service *service, struct seat *seat)
{
    seat->status = write_orders(seat->placing->ctx, service, &seat->placing, 1);
}

int order_batch_by_key(const void *a, const void *b)
{
    const struct order_placing *x = *(struct order_placing *const *)a;
    const struct order_placing *y = *(struct order_placing *const *)b;
    const char *x_key = x->ctx->idempotency_key, *y_key = y->ctx->idempotency_key;
    int order = strcmp(x->ctx->caller.subject, y->ctx->caller.subject);

    order = order ? order : strcmp(x_key ? x_key : "", y_key ? y_key : "");
    return order ? order : strcmp(x->method, y->method);
}

/* As long as the most patient of them would wait. */
static int64_t last_deadline(const struct batch *batch)
{
    int64_t last = 0;

    for (size_t i = 0; i < batch->count; i++) {
        int64_t own = batch->placings[i]->ctx->deadline_ms;

        if (own == 0) {
            return 0;
        }
        last = own > last ? own : last;
    }
    return last;
}

/* A statement that was refused wrote nothing; one whose answer was lost may have. */
static bool may_try_again(enum status st)
{
    return st != ST_UNAVAILABLE && st != ST_TIMEOUT;
}

static void settle(struct service *service, struct batch *batch, const struct ctx *ctx,
                   enum status st)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct seat *seat = batch->seats[i];

        seat->status = st;
        if (st != ST_OK && may_try_again(st)) {
            write_alone(service, seat);
        } else if (st != ST_OK) {
            ctx_take_failure(seat->placing->ctx, ctx);
        }
    }
}

/* One statement for all, which each of them waited for: it is in the trace of each. */
static enum status write_together(struct ctx *ctx, struct service *service,
                                  const struct batch *batch)
{
    struct span spans[PLACE_TOGETHER];

    for (size_t i = 0; i < batch->count; i++) {
        span_begin(&spans[i], batch->seats[i]->placing->ctx);
    }
    enum status st = write_orders(ctx, service, batch->placings, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        span_failed(&spans[i], ctx, st);
        span_end(&spans[i], SPAN_CLIENT, "order_place", log_text("db.system", "postgresql"),
                 log_num("db.operation.batch.size", (int64_t)batch->count));
    }
    return st;
}

static void add(struct batch *batch, struct seat *seat)
{
    batch->seats[batch->count] = seat;
    batch->placings[batch->count++] = seat->placing;
}

/* Who gave up waiting was told so: an order of theirs would be a surprise. */
static bool is_late(struct seat *seat)
{
    struct ctx *ctx = seat->placing->ctx;

    if (ctx_left_ms(ctx) > 0) {
        return false;
    }
    seat->status = fail_with(ctx, ST_TIMEOUT, "", "order=%s waited until its time was over",
                             seat->placing->order->id.text);
    return true;
}

static struct batch those_in_time(const struct batch *taken)
{
    struct batch batch = {.count = 0};

    for (size_t i = 0; i < taken->count; i++) {
        if (!is_late(taken->seats[i])) {
            add(&batch, taken->seats[i]);
        }
    }
    return batch;
}

static void write_batch(struct service *service, struct batch *batch)
{
    if (batch->count == 0) {
        return;
    }
    if (batch->count == 1) {
        write_alone(service, batch->seats[0]);
        return;
    }
    struct ctx *ctx = ctx_new_system("order-service");

    ctx->deadline_ms = last_deadline(batch);
    qsort(batch->placings, batch->count, sizeof(struct order_placing *), order_batch_by_key);
    settle(service, batch, ctx, write_together(ctx, service, batch));
    ctx_free(ctx);
}

/* Under the lock, as the next two. */
static void join(struct order_batches *batches, struct seat *seat)
{
    *batches->last = seat;
    batches->last = &seat->next;
}

static void take(struct order_batches *batches, struct batch *batch)
{
    while (batches->first && batch->count < PLACE_TOGETHER) {
        struct seat *seat = batches->first;

        batches->first = seat->next;
        add(batch, seat);
    }
    if (!batches->first) {
        batches->last = &batches->first;
    }
}

static void tell(struct order_batches *batches, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        batch->seats[i]->is_done = true;
        pthread_cond_signal(&batch->seats[i]->told);
    }
    if (batches->first) { /* it writes the next */
        pthread_cond_signal(&batches->first->told);
    }
}

enum status order_batch_place(struct service *service, struct order_placing *placing)
{
    struct order_batches *batches = service_order_batches(service);
    struct seat seat = {.placing = placing, .told = PTHREAD_COND_INITIALIZER};

    pthread_mutex_lock(&batches->lock);
    join(batches, &seat);
    while (!seat.is_done) {
        struct batch batch = {.count = 0}, in_time;

        if (batches->under_way == BATCHES_AT_ONCE || !batches->first) {
            pthread_cond_wait(&seat.told, &batches->lock);
            continue;
        }
        take(batches, &batch);
        batches->under_way++;
        pthread_mutex_unlock(&batches->lock);
        in_time = those_in_time(&batch);
        write_batch(service, &in_time);
        pthread_mutex_lock(&batches->lock);
        batches->under_way--;
        tell(batches, &batch);
    }
    pthread_mutex_unlock(&batches->lock);
    pthread_cond_destroy(&seat.told);
    return seat.status;
}
