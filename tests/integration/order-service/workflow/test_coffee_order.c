/* links: test_temporal
 * Every kind of life of an order, as a workflow on a real Temporal server with activities that are
 * played; and what the official Python SDK says of each. RECORD_HISTORIES=1 writes them where the
 * unit test replays them. */
#include "tests/helpers/temporal/flow_desk.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/temporal/flow_worker.h"
#include "order-service/workflow/coffee_order.h"
#include "order-service/workflow/order_news.h"
#include "order-service/workflow/workflow_sink.h"
#include "tests/helpers/patience.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { LONG_MS = 300000, SHORT_MS = 3000, MAX_MOVES = 6, STOP_MS = 500 };

struct kind {
    const char *name;
    const char *moves[MAX_MOVES]; /* signals; "stop workflow": an operator does */
    bool pays, keeps, refuses_capture, has_late_worker;
    int64_t accept_ms, collect_ms;
    const char *end, *done; /* activities in order of their ends */
};

/* clang-format off */
static const struct kind kinds[] = {
    {"completed", {"accepted", "ready", "completed"}, .pays = true,
     .end = "completed {\"status\":\"completed\",\"reason\":\"\",\"payment\":\"captured\"}",
     .done = "NotifyBarista CapturePayment NotifyCustomer "},
    {"unpaid", {"accepted", "ready", "completed"},
     .end = "completed {\"status\":\"completed\",\"reason\":\"\",\"payment\":\"none\"}",
     .done = "NotifyBarista NotifyCustomer "},
    {"undone", {"accepted", "ready", "ready_undone", "ready", "completed"}, .pays = true,
     .end = "completed {\"status\":\"completed\",\"reason\":\"\",\"payment\":\"captured\"}",
     .done = "NotifyBarista CapturePayment NotifyCustomer NotifyCustomer "},
    {"not_accepted", {NULL}, .pays = true, .accept_ms = SHORT_MS,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"not_accepted\",\"payment\":\"returned\"}",
     .done = "NotifyBarista ExpireOrder ReturnPayment NotifyCustomer "},
    {"not_collected", {"accepted", "ready"}, .pays = true, .collect_ms = SHORT_MS,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"not_collected\",\"payment\":\"returned\"}",
     .done = "NotifyBarista CapturePayment NotifyCustomer ExpireOrder ReturnPayment NotifyCustomer "},
    {"not_collected_and_kept", {"accepted", "ready"}, .pays = true, .keeps = true, .collect_ms = SHORT_MS,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"not_collected\",\"payment\":\"captured\"}",
     .done = "NotifyBarista CapturePayment NotifyCustomer ExpireOrder NotifyCustomer "},
    {"declined", {"cancelled"}, .pays = true,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"said so\",\"payment\":\"returned\"}",
     .done = "NotifyBarista ReturnPayment NotifyCustomer "},
    {"cancelled_preparing", {"accepted", "cancelled"}, .pays = true,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"said so\",\"payment\":\"returned\"}",
     .done = "NotifyBarista CapturePayment ReturnPayment NotifyCustomer "},
    {"capture_refused", {"accepted"}, .pays = true, .refuses_capture = true,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"payment_failed\",\"payment\":\"returned\"}",
     .done = "NotifyBarista CapturePayment StopOrder ReturnPayment NotifyCustomer "},
    {"stopped", {"accepted", "stop workflow"}, .pays = true,
     .end = "cancelled ",
     .done = "NotifyBarista CapturePayment StopOrder ReturnPayment NotifyCustomer "},
    {"late", {"accepted", "ready", "completed"}, .pays = true, .has_late_worker = true,
     .end = "completed {\"status\":\"completed\",\"reason\":\"\",\"payment\":\"captured\"}",
     .done = "NotifyBarista CapturePayment "},
    {"sold_unpaid", {"accepted", "ready", "completed"}, .pays = true, .has_late_worker = true,
     .refuses_capture = true,
     .end = "completed {\"status\":\"completed\",\"reason\":\"\",\"payment\":\"refused\"}",
     .done = "NotifyBarista CapturePayment StopOrder ReturnPayment "},
    {"late_cancelled", {"accepted", "cancelled"}, .pays = true, .has_late_worker = true,
     .end = "completed {\"status\":\"cancelled\",\"reason\":\"said so\",\"payment\":\"returned\"}",
     .done = "NotifyBarista CapturePayment ReturnPayment NotifyCustomer "},
};
/* clang-format on */

/* ---- the shop, played: one order at a time ------------------------------------------------ */

static struct {
    pthread_mutex_t lock; /* guards the rest */
    struct order_news news;
    const struct kind *kind;
    const char *id;
    char done[256]; /* in the order of their ends, but for those that run side by side */
} shop = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(const char *activity)
{
    pthread_mutex_lock(&shop.lock);
    strncat(shop.done, activity, sizeof(shop.done) - strlen(shop.done) - 2);
    strncat(shop.done, " ", 2);
    pthread_mutex_unlock(&shop.lock);
}

static void change(enum order_status status, const char *reason)
{
    shop.news.seq++;
    shop.news.status = status;
    shop.news.reason = reason;
    shop.news.collect_by_ms =
        status == ORDER_READY
            ? clock_wall_ms() + (shop.kind->collect_ms ? shop.kind->collect_ms : LONG_MS)
            : 0;
}

static const char *told(struct arena *arena)
{
    return order_news_json(arena, &shop.news);
}

static enum status noted(struct ctx *ctx, struct flow_task *task, const char *input,
                         const char **result)
{
    (void)ctx, (void)input, (void)result;
    note(task->name);
    return ST_OK;
}

static enum status capture(struct ctx *ctx, struct flow_task *task, const char *input,
                           const char **result)
{
    (void)input, (void)result;
    note(task->name);
    return shop.kind->refuses_capture ? fail_with(ctx, ST_CONFLICT, "", "card is dead") : ST_OK;
}

static enum status expire(struct ctx *ctx, struct flow_task *task, const char *input,
                          const char **result)
{
    (void)input;
    note(task->name);
    pthread_mutex_lock(&shop.lock);
    bool is_new = shop.news.status == ORDER_PLACED;
    change(ORDER_CANCELLED, is_new ? "not_accepted" : "not_collected");
    *result = told(ctx->arena);
    pthread_mutex_unlock(&shop.lock);
    return ST_OK;
}

/* The signal is the outbox's, and may well come before the answer. */
static enum status stop(struct ctx *ctx, struct flow_task *task, const char *input,
                        const char **result)
{
    struct order_news wanted;

    note(task->name);
    TRY(order_news_read(ctx, input, &wanted));
    pthread_mutex_lock(&shop.lock);
    bool is_over = order_is_final(shop.news.status);
    if (!is_over) {
        change(ORDER_CANCELLED, text_equal(wanted.reason, "payment_failed") ? "payment_failed"
                                                                            : "workflow_cancelled");
    }
    *result = told(ctx->arena);
    pthread_mutex_unlock(&shop.lock);
    return is_over ? ST_OK
                   : temporal_signal(ctx, desk.temporal, task->flow_id,
                                     &(struct temporal_signal){"cancelled", *result, NULL});
}

static enum status coffee_order_and_thanks(struct flow *flow, const char *input,
                                           const char **result)
{
    int thanks = flow_version(flow, "thanks", 1);

    TRY(coffee_order(flow, input, result));
    return thanks >= 1 ? flow_activity(flow, "SayThanks", input, NULL, NULL) : ST_OK;
}

static const struct flow_activity_type activities[] = {
    {"NotifyBarista",  noted},
    {"NotifyCustomer",                noted},
    {"CapturePayment",capture},
    {"ReturnPayment", noted},
    {"ExpireOrder",                expire},
    {"StopOrder",           stop},
    {"SayThanks",    noted},
    {0               },
};

/* Both queues, as order-service has them. */
struct crew {
    struct flow_worker *orders, *notices;
};

static void crew_stop(struct crew *crew)
{
    flow_worker_stop(crew->orders, STOP_MS);
    flow_worker_stop(crew->notices, 0);
}

static struct crew worker_on(const char *queue, int build)
{
    static const struct flow_type flows[][2] = {
        {{COFFEE_ORDER, coffee_order},            {0}},
        {{COFFEE_ORDER, coffee_order_and_thanks}, {0}},
    };

    struct flow_worker_options options = {.temporal = desk.temporal,
                                          .task_queue = queue,
                                          .flows = flows[build - 1],
                                          .activities = activities};
    struct crew crew = {.orders = flow_worker_start(&options)};

    options.flows = NULL;
    options.task_queue = COFFEE_NOTICE_QUEUE;
    crew.notices = flow_worker_start(&options);
    return crew;
}

static struct crew worker(int build)
{
    return worker_on(desk.queue, build);
}

/* ---- lives -------------------------------------------------------------------------------- */

static void begin(const struct kind *kind)
{
    int64_t now = clock_wall_ms();

    shop.kind = kind;
    shop.done[0] = '\0';
    shop.id = desk_id("order");
    shop.news = (struct order_news){
        .seq = 1,
        .status = ORDER_PLACED,
        .at_ms = now,
        .accept_by_ms = now + (kind->accept_ms ? kind->accept_ms : LONG_MS),
        .reason = "",
        .pays = kind->pays,
        .keeps_uncollected = kind->keeps,
    };
    text_copy(shop.news.order.text, sizeof(shop.news.order.text), shop.id + strlen("order-"));
    desk_begin(COFFEE_ORDER, shop.id, told(desk.ctx->arena));
}

static const char *step_of(const char *move)
{
    return strcmp(move, "ready") == 0 ? "waiting to be picked up" : "being made";
}

static int times_done(const char *activity)
{
    int times = 0;

    pthread_mutex_lock(&shop.lock);
    for (const char *at = shop.done; (at = strstr(at, activity)); at++) {
        times++;
    }
    pthread_mutex_unlock(&shop.lock);
    return times;
}

static void until_done(const char *activity, int times)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (times_done(activity) < times) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s: %s", activity, shop.done);
        clock_pause_ms(20);
    }
}

static void move_on(const char *move)
{
    static const struct {
        const char *move;
        enum order_status to;
    } moves[] = {
        {"accepted",     ORDER_PREPARING},
        {"ready",        ORDER_READY    },
        {"ready_undone", ORDER_PREPARING},
        {"completed",    ORDER_COMPLETED},
        {"cancelled",    ORDER_CANCELLED},
    };

    if (strcmp(move, "stop workflow") == 0) {
        ck_assert_int_eq(temporal_cancel(desk.ctx, desk.temporal, shop.id, "operator"), ST_OK);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        if (strcmp(moves[i].move, move) == 0) {
            pthread_mutex_lock(&shop.lock);
            change(moves[i].to, moves[i].to == ORDER_CANCELLED ? "said so" : "");
            const char *json = told(desk.ctx->arena);
            pthread_mutex_unlock(&shop.lock);
            desk_signal(shop.id, move, json);
        }
    }
}

static bool is_last(const struct kind *kind, int i)
{
    return i + 1 == MAX_MOVES || !kind->moves[i + 1];
}

/* What runs side by side is waited for, so that the kind's history is always the same. */
static void live(const struct kind *kind)
{
    bool waits = !kind->has_late_worker;
    int times_ready = 0;

    if (waits) {
        until_done("NotifyBarista", 1);
    }
    for (int i = 0; i < MAX_MOVES && kind->moves[i]; i++) {
        move_on(kind->moves[i]);
        if (waits && !is_last(kind, i)) {
            desk_until_step(shop.id, step_of(kind->moves[i]));
            if (strcmp(kind->moves[i], "ready") == 0) {
                until_done("NotifyCustomer", ++times_ready);
            } else {
                until_done(kind->pays ? "CapturePayment" : "NotifyBarista", 1);
            }
        }
    }
}

static const char *whole_life(const struct kind *kind)
{
    struct crew crew = {NULL, NULL};

    if (!kind->has_late_worker) {
        crew = worker(1);
    }
    begin(kind);
    live(kind);
    if (kind->has_late_worker) {
        crew = worker(1);
    }
    const char *end = desk_end(shop.id);
    crew_stop(&crew);
    return end;
}

/* ---- histories ---------------------------------------------------------------------------- */

static int run(const char *command)
{
    int status = system(arena_printf(desk.ctx->arena, "cd '%s' && %s >&2", SOURCE_DIR, command));

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void record(const char *name, const struct temporal_bytes *history)
{
    FILE *file =
        fopen(arena_printf(desk.ctx->arena, "%s/tests/unit/order-service/workflow/histories/%s.hex",
                           SOURCE_DIR, name),
              "we");

    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < history->size; i++) {
        fprintf(file, "%02x%s", ((const unsigned char *)history->bytes)[i],
                i % 48 == 47 || i + 1 == history->size ? "\n" : "");
    }
    fclose(file);
}

static const char *saved(const char *name)
{
    const char *path = arena_printf(desk.ctx->arena, "%s/%s", desk.server.folder, name);
    struct temporal_bytes history;

    ck_assert_int_eq(temporal_history(desk.ctx, desk.temporal, shop.id, &history), ST_OK);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(history.bytes, 1, history.size, file), history.size);
    fclose(file);
    if (getenv("RECORD_HISTORIES")) {
        record(name, &history);
    }
    return path;
}

static int judge(const char *flow, const char *histories)
{
    return run(arena_printf(desk.ctx->arena,
                            "PYTHONPATH=tests/helpers/temporal "
                            "timeout 100 \"$(tools/temporal-proto/sdk.sh)\"/bin/python -B "
                            "tests/integration/order-service/workflow/judge.py %s %s",
                            flow, histories));
}

/* WF-04 WF-06 WF-08 WF-10 WF-16 ORD-07 ORD-08 ORD-09 */
START_TEST(every_kind_of_order_ends_as_it_should_and_the_official_sdk_accepts_it)
{
    struct text histories = text_new(desk.ctx->arena, 1024);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const char *end = whole_life(&kinds[i]);

        ck_assert_msg(strncmp(end, kinds[i].end, strlen(kinds[i].end)) == 0, "%s: %s",
                      kinds[i].name, end);
        if (!kinds[i].has_late_worker) { /* else barista and capture run side by side */
            ck_assert_msg(strcmp(shop.done, kinds[i].done) == 0, "%s: %s", kinds[i].name,
                          shop.done);
        }
        text_printf(&histories, "'%s' ", saved(kinds[i].name));
    }
    ck_assert_int_eq(judge("CoffeeOrder", histories.data), 0);
    ck_assert_int_eq(judge("WrongOrder", histories.data), 2);
}
END_TEST

/* WF-14 */
START_TEST(a_build_with_one_more_step_finishes_the_orders_of_the_build_before_without_it)
{
    struct crew old = worker(1);

    begin(&kinds[0]);
    until_done("NotifyBarista", 1);
    move_on("accepted");
    desk_until_step(shop.id, "being made");
    saved("half_way");
    crew_stop(&old);
    struct crew now = worker(2);

    move_on("ready");
    until_done("NotifyCustomer", 1);
    move_on("completed");
    ck_assert_str_eq(desk_end(shop.id), kinds[0].end);
    ck_assert_ptr_null(strstr(shop.done, "SayThanks"));

    begin(&kinds[6]);
    move_on("cancelled");
    desk_end(shop.id);
    crew_stop(&now);
    ck_assert_ptr_nonnull(strstr(shop.done, "SayThanks"));
    saved("with_thanks");
}
END_TEST

/* The sweep ends an order whose run was lost: what is held for it is given back. */
START_TEST(an_order_whose_run_was_terminated_is_settled_by_its_next_row)
{
    struct outbox_sink sink = workflow_sink(desk.temporal);
    struct crew crew;

    begin(&kinds[0]);
    ck_assert_int_eq(temporal_terminate(desk.ctx, desk.temporal, shop.id, "operator"), ST_OK);
    change(ORDER_CANCELLED, "not_accepted");
    struct outbox_row row = {.topic = "cancelled",
                             .key = shop.news.order.text,
                             .payload = told(desk.ctx->arena),
                             .traceparent = "",
                             .correlation_id = ""};
    for (int i = 0; i < 2; i++) { /* rows may come twice */
        sink.send(desk.ctx, sink.user, &row, 1, PATIENCE_MS);
        ck_assert_int_eq(row.outcome, ST_OK);
    }
    crew = worker_on(COFFEE_ORDER_QUEUE, 1);
    ck_assert_str_eq(desk_end(shop.id), "completed {\"status\":\"cancelled\",\"reason\":"
                                        "\"not_accepted\",\"payment\":\"returned\"}");
    sink.send(desk.ctx, sink.user, &row, 1, PATIENCE_MS);
    ck_assert_int_eq(row.outcome, ST_OK);
    crew_stop(&crew);
    ck_assert_ptr_nonnull(strstr(shop.done, "ReturnPayment"));
}
END_TEST

/* The first time this takes longer than a test may. Without it the tests fail, and say why. */
static void fetch_and_start(void)
{
    if (system("cd '" SOURCE_DIR "' && tools/temporal-proto/fetch.sh >&2") != 0) {
        fputs("the official SDK cannot be had\n", stderr);
    }
    desk_start();
}

static const struct test_around around = {fetch_and_start, desk_stop, desk_open, desk_close};
FLOW_TEST_MAIN("coffee_order", &around,
               every_kind_of_order_ends_as_it_should_and_the_official_sdk_accepts_it,
               a_build_with_one_more_step_finishes_the_orders_of_the_build_before_without_it,
               an_order_whose_run_was_terminated_is_settled_by_its_next_row)
