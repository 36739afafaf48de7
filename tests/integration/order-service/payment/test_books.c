/* links: test_db test_payment common_json
 * The property that matters of money: whatever is lost, late, refused, killed or asked for twice,
 * in the end the provider's books and ours say the same of every hold. */
#include "common/json/members.h"
#include "tests/helpers/patience.h"
#include "tests/integration/order-service/payment/till.h"

#include <pthread.h>
#include <stdatomic.h>

enum { RUNS = 1000, WALKERS = 6, KILLS = 5, PAUSE_MS = 5 };

#define FAULTS                                                                             \
    "silent:any:1:0:0 cut:any:4:0:0 error:any:4:0:0 unavailable:any:4:0:0 away:any:3:0:0 " \
    "slow:any:4:0:30 decline:capture:3:0:0 decline:void:3:0:0 decline:refund:1:0:0"

static struct {
    atomic_int next, placed, declined, stuck;
    atomic_bool over;
} walk;

/* An activity: again and again until the answer is definite. */
static enum status until_definite(struct order_id order, bool capture)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (clock_monotonic_ms() < until) {
        enum payment_returned what;
        enum status st = capture ? till_capture(order) : till_return(order, &what);

        if (st == ST_OK || st == ST_CONFLICT) {
            return st;
        }
        clock_pause_ms(PAUSE_MS);
    }
    atomic_fetch_add(&walk.stuck, 1);
    return ST_UNAVAILABLE;
}

static void *give_back(void *user)
{
    (void)until_definite(*(struct order_id *)user, false);
    return NULL;
}

/* A client that asks until it is told; some give up before, and some send no key. False: there is
 * no order. */
static bool place(int run, unsigned *seed, struct order_id *order)
{
    char key[32];
    bool has_key = rand_r(seed) % 10 < 7;
    int64_t cents = 100 + run * 10 + (rand_r(seed) % 20 == 0 ? 13 - run * 10 % 100 : 0);
    int64_t until = clock_monotonic_ms() + (rand_r(seed) % 10 == 0 ? 0 : PATIENCE_MS);

    snprintf(key, sizeof(key), "run-%d", run);
    do {
        struct payment_hold hold;
        enum status st = till_hold(has_key ? key : NULL, cents, &hold);

        if (st == ST_CONFLICT) {
            atomic_fetch_add(&walk.declined, 1);
            return false;
        }
        if (st == ST_OK && rand_r(seed) % 20 == 0) {
            return false; /* it died before it placed the order */
        }
        if (st == ST_OK && till_place(&hold, order)) {
            atomic_fetch_add(&walk.placed, 1);
            return true;
        }
        clock_pause_ms(PAUSE_MS);
    } while (clock_monotonic_ms() < until);
    return false;
}

static void walk_once(int run)
{
    unsigned seed = (unsigned)run;
    struct order_id order;
    pthread_t thread;

    if (!place(run, &seed, &order)) {
        return;
    }
    int way = rand_r(&seed) % 10;
    if (way == 0) { /* cancelled while the money is being taken */
        ck_assert_int_eq(pthread_create(&thread, NULL, give_back, &order), 0);
        (void)until_definite(order, true);
        pthread_join(thread, NULL);
        return;
    }
    bool taken = way <= 6 && until_definite(order, true) == ST_OK;
    if ((!taken || way >= 4) && until_definite(order, false) == ST_CONFLICT) {
        (void)until_definite(order, false); /* somebody looked, and has it tried once more */
    }
}

static void *walker(void *user)
{
    (void)user;
    for (int run = atomic_fetch_add(&walk.next, 1); run < RUNS;
         run = atomic_fetch_add(&walk.next, 1)) {
        walk_once(run);
    }
    return NULL;
}

/* Far too eager, so that it meets holds that an order is about to take. */
static void *sweeper(void *user)
{
    (void)user;
    while (!atomic_load(&walk.over)) {
        (void)till_sweep();
        clock_pause_ms(20);
    }
    return NULL;
}

static void kill_the_provider_now_and_then(void)
{
    for (int i = 1; i <= KILLS; i++) {
        while (atomic_load(&walk.next) < RUNS * i / (KILLS + 1)) {
            clock_pause_ms(PAUSE_MS);
        }
        fake_payment_kill(&till.provider);
        clock_pause_ms(50);
        fake_payment_revive(&till.provider);
        fake_payment_faults(&till.provider, FAULTS);
    }
}

/* ---- the provider's books, as a table beside ours ---- */

struct page {
    struct text rows;
    const char *last;
    int count;
};

static enum status add_row(struct scan *scan, void *user)
{
    struct page *page = user;
    const char *id = "", *state = "";
    int64_t captured = 0, refunded = 0;
    const struct member members[] = {
        {"id",            .text = &id},
        {"state",               .text = &state},
        {"capturedCents",.number = &captured},
        {"refundedCents", .number = &refunded},
        {0              },
    };

    TRY(members_scan(scan, members));
    text_printf(&page->rows, "%s('%s', '%s', %lld, %lld)", page->count ? ", " : "", id, state,
                (long long)captured, (long long)refunded);
    page->last = id;
    page->count++;
    return ST_OK;
}

static void copy_books(void)
{
    struct ctx *ctx = ctx_new_system("test");
    struct page page = {.last = "", .count = 1};

    test_db_run("CREATE TABLE books (hold text, state text, captured bigint, refunded bigint)");
    while (page.count) {
        const char *after = *page.last ? arena_printf(ctx->arena, "?after=%s", page.last) : "";
        const char *body =
            fake_payment_get(&till.provider, arena_printf(ctx->arena, "/authorizations%s", after));
        const struct member members[] = {
            {"authorizations", .list = add_row, .user = &page},
            {0  }
        };

        page = (struct page){.rows = text_new(ctx->arena, 8192)};
        ck_assert_int_eq(members_read(ctx, body, strlen(body), members), ST_OK);
        if (page.count) {
            test_db_run(arena_printf(ctx->arena, "INSERT INTO books VALUES %s", page.rows.data));
        }
    }
    ctx_free(ctx);
}

static const char *const differences =
    "SELECT coalesce(string_agg(concat_ws(' ', coalesce(b.hold, p.hold_id), b.state, p.state, "
    "b.captured, p.captured_cents, b.refunded, p.refunded_cents), E'\\n'), '') "
    "FROM (SELECT * FROM books WHERE state <> 'declined') b "
    "FULL JOIN payment.payments p ON p.hold_id = b.hold "
    "WHERE b.hold IS NULL OR p.hold_id IS NULL OR b.captured <> p.captured_cents "
    "OR b.refunded <> p.refunded_cents OR (b.state, p.state) NOT IN (('captured', 'captured'), "
    "('captured', 'refunded'), ('captured', 'failed'), ('voided', 'voided')) "
    "OR (p.state = 'refunded' AND p.refunded_cents <> p.amount_cents)";

START_TEST(the_providers_books_equal_ours_after_1000_random_runs_with_faults) /* PAY-01, PAY-02 */
{ /* PAY-05, PAY-06, WF-16 */
    pthread_t walkers[WALKERS], sweeping;

    till_wait_for_it(TILL_IMPATIENT_MS);
    fake_payment_faults(&till.provider, FAULTS);
    pthread_create(&sweeping, NULL, sweeper, NULL);
    for (size_t i = 0; i < WALKERS; i++) {
        pthread_create(&walkers[i], NULL, walker, NULL);
    }
    kill_the_provider_now_and_then();
    for (size_t i = 0; i < WALKERS; i++) {
        pthread_join(walkers[i], NULL);
    }
    atomic_store(&walk.over, true);
    pthread_join(sweeping, NULL);
    fake_payment_faults(&till.provider, "");
    till_wait_for_it(TILL_TIMEOUT_MS);
    for (int i = 0; i < 3; i++) { /* one ends its walk, one gives all up, one voids all of that */
        ck_assert_int_eq(till_sweep(), ST_OK);
    }

    copy_books();
    ck_assert_int_eq(atomic_load(&walk.stuck), 0);
    ck_assert_int_gt(atomic_load(&walk.placed), RUNS / 2);
    ck_assert_int_gt(atomic_load(&walk.declined), RUNS / 100);
    ck_assert_str_eq(test_db_ask(differences), "");
    /* one event for each change that somebody hears of, and no more */
    ck_assert_str_eq(
        test_db_ask("SELECT count(*) FROM (SELECT key, topic, payload::jsonb ->> 'type' "
                    "FROM outbox.events GROUP BY 1, 2, 3 HAVING count(*) > 1) twice"),
        "0");
}
END_TEST

TEST_MAIN_AROUND("payment_books",
                 (&(struct test_around){.start = till_make,
                                        .stop = test_db_drop,
                                        .before = till_open,
                                        .after = till_close}),
                 the_providers_books_equal_ours_after_1000_random_runs_with_faults)
