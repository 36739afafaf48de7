/* Sending what was promised. A stage's notices go out together, the stages of an order one after
 * the other, and one sender works on an order at a time, who looks again before it ends. Whoever
 * finds it taken comes again, until all was recorded or a dead sender's lease is over. */
#include "customer-service/notify/notify.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "customer-service/config.h"
#include "customer-service/notify/apns.h"
#include "customer-service/notify/device_store.h"
#include "customer-service/notify/notice_store.h"
#include "customer-service/notify/provider_token_store.h"
#include "customer-service/notify/web_push.h"
#include "customer-service/service.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what sends ---- */

static bool start_apple(struct notify_senders *senders, const struct config *config,
                        struct service *service)
{
    if (!*config->apns_key_file) {
        log_info(NULL, "no pushes to Apple: APNS_KEY_FILE is not set");
        return true;
    }
    senders->apns = apns_start(&(struct apns_options){
        .url = config->apns_url,
        .sandbox_url = config->apns_sandbox_url,
        .key_file = config->apns_key_file,
        .key_id = config->apns_key_id,
        .team_id = config->apns_team_id,
        .topic = config->apns_topic,
        .ca_file = config->apns_ca_file,
        .share = provider_token_share,
        .share_user = service,
    });
    if (!senders->apns) {
        fprintf(stderr, "APNS_KEY_FILE: %s holds no private key on P-256\n", config->apns_key_file);
    }
    return senders->apns;
}

static bool start_web(struct notify_senders *senders, const struct config *config)
{
    if (!*config->vapid_key_file) {
        log_info(NULL, "no pushes to browsers: VAPID_KEY_FILE is not set");
        return true;
    }
    senders->web = web_push_start(&(struct web_push_options){
        .key_file = config->vapid_key_file,
        .subject = config->vapid_subject,
        .ca_file = config->web_push_ca_file,
        .loopback = config->web_push_loopback,
    });
    if (!senders->web) {
        fprintf(stderr, "VAPID_KEY_FILE: %s holds no private key on P-256\n",
                config->vapid_key_file);
    }
    return senders->web;
}

bool notify_senders_start(struct notify_senders *senders, const struct config *config,
                          struct service *service)
{
    *senders = (struct notify_senders){.public_url = config->public_url,
                                       .waiting = calloc(1, sizeof(atomic_int))};
    if (!senders->waiting) {
        abort();
    }
    return start_apple(senders, config, service) && start_web(senders, config);
}

void notify_senders_stop(struct notify_senders *senders)
{
    apns_stop(senders->apns);
    web_push_stop(senders->web);
    free(senders->waiting);
}

/* ---- sending ---- */

/* A wave takes as long as its slowest answer: 10 s in line and 10 s for the answer with Apple, 3 s
 * for each with the others. */
enum { APPLE_WAVE_MS = 22000, WEB_WAVE_MS = 8000, DATABASE_TRIES = 3, DATABASE_PAUSE_MS = 500 };

/* Those that are still to be looked at. */
struct orders {
    const char **ids;
    struct notify_wait **waits;
    size_t count;
};

static const char *const states[] = {[PUSH_RETRY] = "pending",
                                     [PUSH_LATER] = "pending",
                                     [PUSH_SENT] = "sent",
                                     [PUSH_GONE] = "gone",
                                     [PUSH_REFUSED] = "refused"};

static bool is_web(const struct notice *notice)
{
    return text_equal(notice->channel, "web");
}

/* What still is to be sent by one of the two. */
static struct push **choose(struct ctx *ctx, struct notice *notices, size_t count, bool web,
                            size_t *chosen)
{
    struct push **pushes = arena_new_array(ctx->arena, struct push *, count);

    *chosen = 0;
    for (size_t i = 0; i < count; i++) {
        if (!notices[i].state && is_web(&notices[i]) == web) {
            notices[i].push.expires_ms = notices[i].created_ms + NOTIFY_FRESH_MS;
            pushes[(*chosen)++] = &notices[i].push;
        }
    }
    return pushes;
}

static void send_wave(struct ctx *ctx, struct service *service, struct notice *notices,
                      size_t count)
{
    const struct notify_senders *senders = service_senders(service);
    size_t to_apple, to_web;
    struct push **apple = choose(ctx, notices, count, false, &to_apple);
    struct push **web = choose(ctx, notices, count, true, &to_web);

    if (to_apple && senders->apns) {
        apns_send(ctx, senders->apns, apple, to_apple);
    }
    if (to_web && senders->web) {
        web_push_send(ctx, senders->web, web, to_web);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_sent = is_web(&notices[i]) ? senders->web != NULL : senders->apns != NULL;

        if (!notices[i].state) {
            notices[i].state = is_sent ? states[notices[i].push.verdict] : "disabled";
        }
    }
}

/* To be sent by another attempt. */
static void leave(struct notice *notices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!notices[i].state) {
            notices[i].state = states[PUSH_LATER];
            notices[i].push.verdict = PUSH_LATER;
            notices[i].push.reason = "no time left";
        }
    }
}

static const struct metric_def sent_def = {
    METRIC_COUNTER, "push_sent_total", "Notices by how they ended.", {"kind", "result"}
};

static void count_notice(const struct notice *notice)
{
    metric_add(METRIC_SERIES(metric_register(&sent_def), notice->channel, notice->state), 1);
}

/* Nobody is there any more: what is known of the address goes. */
static enum status forget(struct ctx *ctx, struct db_conn *db, const struct notice *notice)
{
    return text_equal(notice->channel, "live")
               ? device_store_forget_activity(ctx, db, notice->device, notice->token)
               : device_store_gone(ctx, db, notice->device, notice->created_ms);
}

/* It asked to be left alone for a while: so its next notice waits too, of whichever order. */
static enum status keep_waiting(struct ctx *ctx, struct db_conn *db, const struct notice *notice)
{
    int64_t wait_ms = notice->push.wait_ms;

    return text_equal(notice->channel, "live")
               ? device_store_activity_waits(ctx, db, notice->device, notice->token, wait_ms)
               : device_store_waits(ctx, db, notice->device, wait_ms);
}

static enum status follow_up_one(struct ctx *ctx, struct db_conn *db, const struct notice *notice)
{
    count_notice(notice);
    if (text_equal(notice->state, "refused")) {
        log_warn(ctx, "push refused", log_text("notice", notice->push.id),
                 log_text("order", notice->order), log_text("reason", notice->push.reason));
    }
    if (notice->push.verdict == PUSH_RETRY && notice->push.wait_ms) {
        return keep_waiting(ctx, db, notice);
    }
    return notice->push.verdict == PUSH_GONE ? forget(ctx, db, notice) : ST_OK;
}

static enum status follow_up(struct ctx *ctx, struct service *service, const struct notice *notices,
                             size_t count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    for (size_t i = 0; i < count; i++) {
        TRY(follow_up_one(ctx, db, &notices[i]));
    }
    db_give_back(&db);
    return ST_OK;
}

static enum status record(struct ctx *ctx, struct service *service, const struct notice *notices,
                          size_t count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = notice_store_record(ctx, db, notices, count);
    db_give_back(&db);
    return st;
}

/* They were sent: not saying so would send them again, so a database that blinks is asked once
 * more. */
static enum status record_stubbornly(struct ctx *ctx, struct service *service,
                                     const struct notice *notices, size_t count)
{
    enum status st = record(ctx, service, notices, count);

    for (int i = 1; i < DATABASE_TRIES && st != ST_OK; i++) {
        clock_pause_ms(DATABASE_PAUSE_MS);
        st = record(ctx, service, notices, count);
    }
    return st == ST_OK ? follow_up(ctx, service, notices, count) : st;
}

/* Stage by stage: the first of each order, then the second. One that may not end in time is left
 * for the next attempt. */
static void send_all(struct ctx *ctx, struct service *service, struct notice *notices, size_t count)
{
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && notices[to].wave == notices[from].wave;) {
            to++;
        }
        if (ctx_left_ms(ctx) < (is_web(&notices[from]) ? WEB_WAVE_MS : APPLE_WAVE_MS)) {
            leave(notices + from, count - from);
            return;
        }
        send_wave(ctx, service, notices + from, to - from);
    }
}

/* Those of one receiver, and what it answered. */
static enum status send_part(struct ctx *ctx, struct service *service, struct notice *notices,
                             size_t count)
{
    send_all(ctx, service, notices, count);
    return count ? record_stubbornly(ctx, service, notices, count) : ST_OK;
}

/* Apple's come first, else as they were. Tells how many are Apple's. */
static size_t put_apple_first(struct ctx *ctx, struct notice *notices, size_t count)
{
    struct notice *web = arena_new_array(ctx->arena, struct notice, count);
    size_t to_apple = 0, to_web = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_web(&notices[i])) {
            web[to_web++] = notices[i];
        } else {
            notices[to_apple++] = notices[i];
        }
    }
    for (size_t i = 0; i < to_web; i++) {
        notices[to_apple + i] = web[i];
    }
    return to_apple;
}

/* Strangers name the browsers' push services, which may be slow: what Apple has is safe by then. */
static enum status send_and_record(struct ctx *ctx, struct service *service, struct notice *notices,
                                   size_t count)
{
    size_t to_apple = put_apple_first(ctx, notices, count);

    TRY(send_part(ctx, service, notices, to_apple));
    return send_part(ctx, service, notices + to_apple, count - to_apple);
}

static enum status begin(struct ctx *ctx, struct service *service, const struct orders *orders,
                         struct notice **notices, size_t *count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st =
        notice_store_begin(ctx, db, orders->ids, orders->count, NOTIFY_LEASE_MS, notices, count);
    db_give_back(&db);
    return st;
}

/* What waits longest keeps nothing else waiting: the order comes again when the first may be sent.
 * It failed where one of them did; else it is only not their turn. */
static void add_wait(struct ctx *ctx, const struct push *push, struct notify_wait *wait)
{
    bool is_sooner = !wait->why || push->wait_ms < wait->pause_ms;

    if (!wait->why || push->verdict == PUSH_RETRY) {
        wait->why = arena_printf(ctx->arena, "notice %s waits: %s", push->id, push->reason);
    }
    wait->pause_ms = is_sooner ? push->wait_ms : wait->pause_ms;
    wait->failed = wait->failed || push->verdict == PUSH_RETRY;
}

/* What of an order was begun, and why some of it waits. */
static bool has_moved(struct ctx *ctx, const char *order, const struct notice *notices,
                      size_t count, struct notify_wait *wait)
{
    bool moved = false;

    for (size_t i = 0; i < count; i++) {
        bool is_ours = text_equal(notices[i].order, order);

        moved = moved || is_ours;
        if (is_ours && text_equal(notices[i].state, "pending")) {
            add_wait(ctx, &notices[i].push, wait);
        }
    }
    return moved;
}

/* Leaves the orders of which something was sent and nothing waits: more may have come of them;
 * tells how many. Those of which nothing was begun go to 'still'. */
static size_t keep_those_that_moved(struct ctx *ctx, struct orders *orders,
                                    const struct notice *notices, size_t count,
                                    struct orders *still)
{
    size_t kept = 0;

    still->count = 0;
    for (size_t i = 0; i < orders->count; i++) {
        struct notify_wait wait = {0};
        bool moved = has_moved(ctx, orders->ids[i], notices, count, &wait);
        struct orders *to = moved ? orders : still;
        size_t *place = moved ? &kept : &still->count;

        *orders->waits[i] = wait;
        if (!wait.why) {
            to->ids[*place] = orders->ids[i];
            to->waits[(*place)++] = orders->waits[i];
        }
    }
    return kept;
}

/* Nothing of these could be begun. Where something is open, another sender has it, or had it and
 * died, or could not record it: its lease is waited for. */
static enum status wait_for_others(struct ctx *ctx, struct service *service,
                                   const struct orders *still)
{
    struct db_conn *db = NULL;
    const char **open;
    size_t count;

    if (!still->count) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    TRY(notice_store_open_orders(ctx, db, still->ids, still->count, &open, &count));
    db_give_back(&db);
    for (size_t i = 0; i < still->count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (text_equal(still->ids[i], open[j])) {
                still->waits[i]->why = "another sender has it";
            }
        }
    }
    return ST_OK;
}

static struct orders new_orders(struct ctx *ctx, size_t count)
{
    return (struct orders){
        .ids = arena_new_array(ctx->arena, const char *, count),
        .waits = arena_new_array(ctx->arena, struct notify_wait *, count),
    };
}

enum status notify_deliver(struct ctx *ctx, struct service *service, const char *const *ids,
                           size_t count, struct notify_wait *waits)
{
    struct orders orders = new_orders(ctx, count), still = new_orders(ctx, count);

    orders.count = count;
    for (size_t i = 0; i < count; i++) {
        orders.ids[i] = ids[i];
        orders.waits[i] = &waits[i];
    }
    while (orders.count) { /* once more after the last: others may have left theirs to us */
        struct notice *notices;
        size_t open = 0;

        TRY(begin(ctx, service, &orders, &notices, &open));
        TRY(send_and_record(ctx, service, notices, open));
        orders.count = keep_those_that_moved(ctx, &orders, notices, open, &still);
        TRY(wait_for_others(ctx, service, &still));
    }
    return ST_OK;
}
