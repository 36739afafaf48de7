/* links: test_db
 * A photo comes to an end, whatever its worker does: the worker is a script here, which misbehaves
 * as none of ours could unless a picture had taken it over. */
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/db/db.h"
#include "common/outbox/outbox.h"
#include "migrations.h"
#include "order-service/menu/menu_photo.h"
#include "order-service/menu/menu_photo_store.h"
#include "order-service/service.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TELLING_MS = 5000, HANGING_MS = 1000 };

/* ---- what photos ask of the daemon ---- */

struct service {
    struct db_pool *pool;
    struct config config;
};

static struct service shop;
static char worker[] = "/tmp/photo-worker-XXXXXX";

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    return db_take(ctx, service->pool, db);
}

const struct config *service_config(const struct service *service)
{
    return &service->config;
}

void service_wake_jobs(struct service *service)
{
    (void)service;
}

struct cache *service_cache(struct service *service)
{
    (void)service;
    return NULL;
}

struct menu_cache *service_menu_cache(struct service *service)
{
    (void)service;
    return NULL;
}

struct outbox_relay *service_outbox(struct service *service)
{
    (void)service;
    return NULL;
}

/* ---- around the tests ---- */

static void make(void)
{
    int file = mkstemp(worker);

    if (file < 0 || fchmod(file, 0700) != 0 || close(file) != 0) {
        abort();
    }
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
}

static void drop(void)
{
    unlink(worker);
    test_db_drop();
}

static void open_shop(void)
{
    struct db_options db = *test_db_runtime();

    db.max = 3;
    shop = (struct service){.pool = db_pool_new(&db), .config = {.photo_worker = worker}};
    test_db_prepare_all(shop.pool, NULL, 0); /* its first connection, whenever it comes */
}

static void close_shop(void)
{
    db_pool_free(shop.pool);
    test_db_run("DELETE FROM menu.photos");
    test_db_run("DELETE FROM jobs.jobs");
}

/* ---- what happens ---- */

static void let_worker(const char *what)
{
    FILE *script = fopen(worker, "w");

    ck_assert(script);
    fprintf(script, "#!/bin/sh\n%s\n", what);
    ck_assert_int_eq(fclose(script), 0);
}

static enum status put_for(struct ctx *ctx, const char *item, struct photo *photo)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0,    9,   0,
                                   9,    1,    1,    0x11, 0, 0,  0, 0xff, 0xd9};

    return photo_put(ctx, &shop, item, &(struct photo_image){jpeg, sizeof(jpeg)}, photo);
}

static const char *put(struct ctx *ctx)
{
    struct photo photo;

    ck_assert_int_eq(put_for(ctx, "flat-white", &photo), ST_OK);
    return photo.id;
}

static enum status attempt(const char *id, int number, int patience_ms)
{
    struct ctx *ctx = ctx_new_system("test");

    ctx->deadline_ms = clock_monotonic_ms() + TELLING_MS + patience_ms;
    enum status st = photo_make_sizes(ctx, &shop, id, number);

    ctx_free(ctx);
    return st;
}

/* JOB-04 */
START_TEST(a_photo_whose_worker_hangs_each_time_has_failed)
{
    struct ctx *ctx = ctx_new_system("test");
    const char *id = put(ctx);

    let_worker("exec sleep 50");
    ck_assert_int_eq(attempt(id, 1, HANGING_MS), ST_TIMEOUT);
    ck_assert_str_eq(test_db_ask("SELECT state FROM menu.photos"), "stored");
    ck_assert_int_eq(attempt(id, PHOTO_JOB_ATTEMPTS, HANGING_MS), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT state FROM menu.photos"), "failed");
    ctx_free(ctx);
}
END_TEST

/* JOB-04: 3 is what the worker says that cannot confine itself. */
START_TEST(without_a_worker_the_picture_is_not_blamed_and_may_be_put_again)
{
    static const char *const faults[] = {"exit 3", "exit 127", "kill -KILL $$"};

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct ctx *ctx = ctx_new_system("test"), *later = ctx_new_system("test");
        const char *id = put(ctx);

        let_worker(faults[i]);
        ck_assert_int_eq(attempt(id, 1, PATIENCE_MS), ST_UNAVAILABLE);
        ck_assert_int_eq(attempt(id, PHOTO_JOB_ATTEMPTS, PATIENCE_MS), ST_OK);
        ck_assert_str_eq(test_db_ask("SELECT state || ': ' || reason FROM menu.photos "
                                     "ORDER BY number DESC LIMIT 1"),
                         "failed: The photo could not be made small just now; "
                         "please put it again.");
        ck_assert_str_ne(put(later), id);
        test_db_run("DELETE FROM menu.photos");
        ctx_free(later);
        ctx_free(ctx);
    }
}
END_TEST

/* JOB-04 */
START_TEST(a_worker_that_never_ends_talking_is_ended)
{
    struct ctx *ctx = ctx_new_system("test");
    const char *id = put(ctx);

    let_worker("cat >/dev/null; exec cat /dev/zero >&0");
    ck_assert_int_eq(attempt(id, 1, PATIENCE_MS), ST_INTERNAL);
    ctx_free(ctx);
}
END_TEST

/* MENU-06 */
START_TEST(the_same_photo_again_begins_anew_what_was_given_up)
{
    struct ctx *ctx = ctx_new_system("test");
    const char *id = put(ctx);

    test_db_run("UPDATE jobs.jobs SET state = 'dead'");
    ck_assert_str_eq(put(ctx), id);
    ck_assert_str_eq(test_db_ask("SELECT payload FROM jobs.jobs WHERE state = 'waiting'"), id);
    ctx_free(ctx);
}
END_TEST

/* MENU-06 */
START_TEST(the_same_photo_again_is_no_work_once_it_is_ready)
{
    struct ctx *ctx = ctx_new_system("test");
    const char *id = put(ctx);

    test_db_run("UPDATE menu.photos SET state = 'ready'");
    test_db_run("DELETE FROM jobs.jobs");
    ck_assert_str_eq(put(ctx), id);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM jobs.jobs"), "0");
    ctx_free(ctx);
}
END_TEST

/* MENU-06 */
START_TEST(photos_of_a_drink_that_is_long_gone_are_forgotten)
{
    struct ctx *ctx = ctx_new_system("test");

    put(ctx);
    test_db_run("UPDATE menu.menu_items SET removed_at = now() - interval '29 days' "
                "WHERE id = 'flat-white'");
    ck_assert_int_eq(photo_forget_old(ctx, &shop), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM menu.photos"), "1");
    test_db_run("UPDATE menu.menu_items SET removed_at = now() - interval '31 days' "
                "WHERE id = 'flat-white'");
    ck_assert_int_eq(photo_forget_old(ctx, &shop), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM menu.photos"), "0");
    test_db_run("UPDATE menu.menu_items SET removed_at = NULL, photo_id = NULL");
    ctx_free(ctx);
}
END_TEST

/* MENU-06: nobody need put another one for it. */
START_TEST(what_failed_or_was_replaced_is_forgotten_after_thirty_days)
{
    static const char *const columns[] = {"state = 'failed', ended_at",
                                          "state = 'ready', replaced_at"};
    struct ctx *ctx = ctx_new_system("test");
    AUTO(arena) struct arena *arena = arena_new(1024);

    put(ctx);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        test_db_run(arena_printf(arena, "UPDATE menu.photos SET %s = now() - interval '29 days'",
                                 columns[i]));
        ck_assert_int_eq(photo_forget_old(ctx, &shop), ST_OK);
        ck_assert_str_eq(test_db_ask("SELECT count(*) FROM menu.photos"), "1");
        test_db_run(arena_printf(arena, "UPDATE menu.photos SET %s = now() - interval '31 days'",
                                 columns[i]));
        ck_assert_int_eq(photo_forget_old(ctx, &shop), ST_OK);
        ck_assert_str_eq(test_db_ask("SELECT count(*) FROM menu.photos"), "0");
        put(ctx);
    }
    ctx_free(ctx);
}
END_TEST

/* MENU-06 */
START_TEST(a_photo_for_no_drink_says_that_there_is_none)
{
    struct ctx *ctx = ctx_new_system("test");
    struct photo photo;

    ck_assert_int_eq(put_for(ctx, "tea-of-nobody", &photo), ST_NOT_FOUND);
    ck_assert_str_eq(ctx->failure.message, "There is no such drink on the menu.");
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND("menu_photo",
                 (&(struct test_around){
                     .start = make, .stop = drop, .before = open_shop, .after = close_shop}),
                 a_photo_whose_worker_hangs_each_time_has_failed,
                 without_a_worker_the_picture_is_not_blamed_and_may_be_put_again,
                 a_worker_that_never_ends_talking_is_ended,
                 the_same_photo_again_begins_anew_what_was_given_up,
                 the_same_photo_again_is_no_work_once_it_is_ready,
                 photos_of_a_drink_that_is_long_gone_are_forgotten,
                 what_failed_or_was_replaced_is_forgotten_after_thirty_days,
                 a_photo_for_no_drink_says_that_there_is_none)
