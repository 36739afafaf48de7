/* Today in the shop and the base of its numbers: asked of the database once a day, kept until it
 * ends, or until a number was somebody's already. */
#include "common/base/clock.h"
#include "common/db/db.h"
#include "order-service/order/order_store.h"
#include "order-service/service.h"

#include <pthread.h>
#include <stdlib.h>

struct order_days {
    pthread_mutex_t lock; /* guards 'today' */
    struct order_day today;
};

struct order_days *order_days_new(void)
{
    struct order_days *days = calloc(1, sizeof(*days));

    if (!days) {
        abort();
    }
    pthread_mutex_init(&days->lock, NULL);
    return days;
}

void order_days_free(struct order_days *days)
{
    if (days) {
        pthread_mutex_destroy(&days->lock);
        free(days);
    }
}

enum status order_today(struct ctx *ctx, struct service *service, struct order_day *day)
{
    struct order_days *days = service_days(service);
    struct db_conn *db = NULL;

    pthread_mutex_lock(&days->lock);
    *day = days->today;
    pthread_mutex_unlock(&days->lock);
    if (clock_wall_ms() < day->ends_ms) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    enum status st = order_store_day(ctx, db, service_config(service)->shop_zone, day);
    db_give_back(&db);
    TRY(st);
    pthread_mutex_lock(&days->lock);
    days->today = *day;
    pthread_mutex_unlock(&days->lock);
    return ST_OK;
}

void order_doubt_today(struct service *service)
{
    struct order_days *days = service_days(service);

    pthread_mutex_lock(&days->lock);
    days->today.ends_ms = 0;
    pthread_mutex_unlock(&days->lock);
}
