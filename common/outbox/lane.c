/* A part belongs to the session that holds its advisory lock. Its owner sends from the oldest row
 * on, in the order of ids, and deletes exactly what was acknowledged. Within a key that order is
 * the order of commits; so even two owners at once, one of them cut off and not knowing it, cannot
 * bring a first occurrence out of order: they can only repeat. */
#include "common/outbox/lane.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "outbox_sql.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH_ROWS = 500,
    LARGE_ROWS = 64, /* as many are worth a round trip at once */
    PACE_MS = 20,
    POLL_MS = 500,
    FIRST_WAIT_MS = 100,
    LONGEST_WAIT_MS = 2000,
    ASIDE_MS = 1000,
    SUSPECT_AFTER = 3, /* batches of which nothing went */
    SUSPECT_MS = 60000,
};

static const struct metric_def sent_metric = {
    METRIC_COUNTER,
    "outbox_sent_total",
    "Rows given to a sink.",
    {"sink", "outcome"},
};
static const struct metric_def pending_metric = {
    METRIC_GAUGE,
    "outbox_pending",
    "Rows waiting to be sent.",
    {"sink"},
};

void lane_init(struct lane *lane, const struct outbox_sink *sink, void (*done)(void *), void *user)
{
    struct metric *sent = metric_register(&sent_metric);

    *lane = (struct lane){
        .sink = *sink,
        .more = true,
        .sent = METRIC_SERIES(sent, sink->name, "sent"),
        .failed = METRIC_SERIES(sent, sink->name, "failed"),
        .dead = METRIC_SERIES(sent, sink->name, "dead"),
        .pending = METRIC_SERIES(metric_register(&pending_metric), sink->name),
    };
    lane->sink.pace_ms = sink->pace_ms ? sink->pace_ms : PACE_MS;
    lane->sender = sender_new(&lane->sink, done, user);
}

static void forget_asides(struct lane *lane, int64_t due_ms)
{
    int kept = 0;

    for (int i = 0; i < lane->aside_count; i++) {
        if (lane->aside[i].until_ms > due_ms) {
            lane->aside[kept++] = lane->aside[i];
        } else {
            free(lane->aside[i].key);
            lane->more = true;
        }
    }
    lane->aside_count = kept;
}

void lane_finish(struct lane *lane)
{
    sender_free(lane->sender);
    forget_asides(lane, INT64_MAX);
}

void lane_disown(struct lane *lane)
{
    memset(lane->owned, 0, sizeof(lane->owned));
    memset(lane->floor, 0, sizeof(lane->floor));
    lane->owned_count = 0;
    lane->more = true;
    lane->disowned = sender_is_busy(lane->sender);
}

/* One number for each part of each sink, for the second key of the lock. */
static int lock_of(const struct lane *lane, int part)
{
    unsigned hash = 2166136261u;

    for (const char *c = lane->sink.name; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    }
    return (int)(hash % (INT32_MAX / OUTBOX_PARTS)) * OUTBOX_PARTS + part;
}

static enum status leave_part(struct ctx *ctx, struct lane *lane, struct db_conn *db, int part)
{
    struct db_rows row;

    if (!lane->owned[part]) {
        return ST_OK;
    }
    TRY(db_one(ctx, db, &SQL_OUTBOX_LEAVE_PART, DB_ARGS(db_int(lock_of(lane, part))), NULL, &row));
    lane->owned[part] = false;
    lane->owned_count--;
    return ST_OK;
}

static enum status take_part(struct ctx *ctx, struct lane *lane, struct db_conn *db, int part)
{
    struct db_rows row;

    if (lane->owned[part]) {
        return ST_OK;
    }
    TRY(db_one(ctx, db, &SQL_OUTBOX_TAKE_PART, DB_ARGS(db_int(lock_of(lane, part))), NULL, &row));
    if (db_get_bool(&row, 0, "taken")) {
        lane->owned[part] = true;
        lane->floor[part] = 0; /* its last owner may have left old rows */
        lane->owned_count++;
        lane->more = true;
    }
    return ST_OK;
}

enum status lane_balance(struct ctx *ctx, struct lane *lane, struct db_conn *db, int members)
{
    int share = (OUTBOX_PARTS + members - 1) / members;

    if (sender_is_busy(lane->sender)) {
        return ST_OK; /* what is under way is of parts that must stay ours */
    }
    for (int part = OUTBOX_PARTS - 1; part >= 0 && lane->owned_count > share; part--) {
        TRY(leave_part(ctx, lane, db, part));
    }
    for (int part = 0; part < OUTBOX_PARTS && lane->owned_count < share; part++) {
        TRY(take_part(ctx, lane, db, part));
    }
    return ST_OK;
}

/* Our parts and their floors, as two arrays. */
static void parts_of(struct ctx *ctx, const struct lane *lane, struct db_arg *parts,
                     struct db_arg *floors)
{
    int64_t part[OUTBOX_PARTS], floor[OUTBOX_PARTS];
    size_t count = 0;

    for (int i = 0; i < OUTBOX_PARTS; i++) {
        if (lane->owned[i]) {
            part[count] = i;
            floor[count++] = lane->floor[i];
        }
    }
    *parts = db_int_array(ctx->arena, part, count);
    *floors = db_int_array(ctx->arena, floor, count);
}

enum status lane_raise_floors(struct ctx *ctx, struct lane *lane, struct db_conn *db, int64_t id)
{
    struct db_arg parts, floors;
    struct db_rows rows;

    if (id == 0 || lane->owned_count == 0) {
        memset(lane->floor, 0, sizeof(lane->floor));
        return ST_OK;
    }
    parts_of(ctx, lane, &parts, &floors);
    TRY(db_many(ctx, db, &SQL_OUTBOX_FLOORS,
                DB_ARGS(db_text(lane->sink.name), parts, floors, db_int(id)), &rows));
    for (int i = 0; i < rows.count; i++) {
        int part = (int)db_get_int(&rows, i, "part");
        int64_t floor = db_get_int(&rows, i, "floor");

        lane->floor[part] = floor > lane->floor[part] ? floor : lane->floor[part];
    }
    return ST_OK;
}

enum status lane_count(struct ctx *ctx, struct lane *lane, struct db_conn *db)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_OUTBOX_PENDING, DB_ARGS(db_text(lane->sink.name)), NULL, &row));
    metric_set(lane->pending, db_get_int(&row, 0, "pending"));
    return ST_OK;
}

static void set_aside(struct lane *lane, const char *key, int ms)
{
    for (int i = 0; i < lane->aside_count; i++) {
        if (strcmp(lane->aside[i].key, key) == 0) {
            return;
        }
    }
    if (lane->aside_count == LANE_KEYS) {
        return; /* then it is tried again with the others */
    }
    char *copy = strdup(key);
    if (!copy) {
        abort();
    }
    lane->aside[lane->aside_count++] =
        (struct key_aside){.key = copy, .until_ms = clock_monotonic_ms() + ms};
}

static enum status bury(struct lane *lane, struct db_conn *db, const struct batch *batch, size_t i)
{
    const struct outbox_row *row = &batch->rows[i];
    const char *detail = batch->ctx->failure.detail;
    bool is_text = detail && text_is_utf8(detail, strlen(detail)); /* or the table refuses it */
    const char *cause = is_text ? detail : "refused by the sink";

    if (row->outcome != ST_INVALID) {
        return ST_OK;
    }
    metric_add(lane->dead, 1);
    log_error(batch->ctx, "outbox row is dead", log_text("sink", lane->sink.name),
              log_num("id", row->id), log_text("topic", row->topic), log_text("cause", cause));
    return db_exec(
        batch->ctx, db, &SQL_OUTBOX_BURY,
        DB_ARGS(db_text(lane->sink.name), db_int(batch->parts[i]), db_int(row->id), db_text(cause)),
        NULL);
}

static enum status delete_sent(struct lane *lane, struct db_conn *db, const struct batch *batch)
{
    struct ctx *ctx = batch->ctx;
    int64_t *parts = arena_new_array(ctx->arena, int64_t, batch->count);
    int64_t *ids = arena_new_array(ctx->arena, int64_t, batch->count);
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        if (batch->rows[i].outcome == ST_OK) {
            parts[count] = batch->parts[i];
            ids[count++] = batch->rows[i].id;
        }
    }
    metric_add(lane->sent, (int64_t)count);
    return count == 0
               ? ST_OK
               : db_exec(ctx, db, &SQL_OUTBOX_DELETE,
                         DB_ARGS(db_text(lane->sink.name), db_int_array(ctx->arena, parts, count),
                                 db_int_array(ctx->arena, ids, count)),
                         NULL);
}

static bool has_another_key(const struct batch *batch)
{
    size_t at = 1;

    while (at < batch->count && text_equal(batch->rows[at].key, batch->rows[0].key)) {
        at++;
    }
    return at < batch->count;
}

/* Nothing went out: the sink is away. Or it gave up at the first rows, and these alone are to
 * blame: so now and then they stand back, one key after the other, until something goes. */
static void wait_for_sink(struct lane *lane, const struct batch *batch)
{
    int64_t wait = FIRST_WAIT_MS << (lane->failures < 5 ? lane->failures : 5);

    if (lane->failures++ == 0) {
        log_warn(NULL, "outbox sink is away", log_text("sink", lane->sink.name));
    }
    if (lane->failures >= SUSPECT_AFTER && has_another_key(batch)) {
        set_aside(lane, batch->rows[0].key, SUSPECT_MS);
    }
    lane->wait_until_ms = clock_monotonic_ms() + (wait < LONGEST_WAIT_MS ? wait : LONGEST_WAIT_MS);
}

static bool has_failed(const struct outbox_row *row)
{
    return row->outcome != ST_OK && row->outcome != ST_INVALID;
}

/* A slow sink did not get to the rows after the last that went: their keys are not to blame, and
 * were they set aside, younger rows would overtake them. */
static size_t end_of_sent(const struct batch *batch)
{
    size_t end = batch->count;

    while (end > 0 && has_failed(&batch->rows[end - 1])) {
        end--;
    }
    return end;
}

static void settle_failed(struct lane *lane, const struct batch *batch)
{
    size_t failed = 0;

    for (size_t i = 0; i < batch->count; i++) {
        failed += has_failed(&batch->rows[i]);
    }
    metric_add(lane->failed, (int64_t)failed);
    if (failed == batch->count) {
        wait_for_sink(lane, batch);
        return;
    }
    if (lane->failures) {
        forget_asides(lane, INT64_MAX); /* none of them need have been to blame */
    }
    lane->failures = 0;
    for (size_t i = 0, end = failed ? end_of_sent(batch) : 0; i < end; i++) {
        if (has_failed(&batch->rows[i])) {
            set_aside(lane, batch->rows[i].key, ASIDE_MS);
        }
    }
}

static enum status settle(struct lane *lane, struct db_conn *db, const struct batch *batch)
{
    TRY(delete_sent(lane, db, batch));
    for (size_t i = 0; i < batch->count; i++) {
        TRY(bury(lane, db, batch, i));
    }
    settle_failed(lane, batch);
    return ST_OK;
}

static enum status fetch(struct lane *lane, struct db_conn *db, struct batch *batch)
{
    struct ctx *ctx = batch->ctx;
    const char *keys[LANE_KEYS];
    struct db_arg parts, floors;
    struct db_rows rows;

    for (int i = 0; i < lane->aside_count; i++) {
        keys[i] = lane->aside[i].key;
    }
    parts_of(ctx, lane, &parts, &floors);
    TRY(db_many(ctx, db, &SQL_OUTBOX_FETCH,
                DB_ARGS(db_text(lane->sink.name), parts, floors,
                        db_text_array(ctx->arena, keys, (size_t)lane->aside_count),
                        db_int(BATCH_ROWS / lane->owned_count)),
                &rows));
    batch->count = (size_t)rows.count;
    batch->rows = arena_new_array(ctx->arena, struct outbox_row, batch->count + 1);
    batch->parts = arena_new_array(ctx->arena, int, batch->count + 1);
    for (int i = 0; i < rows.count; i++) {
        batch->parts[i] = (int)db_get_int(&rows, i, "part");
        batch->rows[i] = (struct outbox_row){
            .id = db_get_int(&rows, i, "id"),
            .sink = lane->sink.name,
            .topic = db_get_text(&rows, i, "topic"),
            .key = db_get_text(&rows, i, "key"),
            .payload = db_get_text(&rows, i, "payload"),
            .traceparent = db_get_text(&rows, i, "traceparent"),
            .correlation_id = db_get_text(&rows, i, "correlation_id"),
            .outcome = ST_UNAVAILABLE,
        };
    }
    return ST_OK;
}

/* A batch has a ctx of its own, which goes from thread to thread and ends before ours. */
static enum status over(struct ctx *ctx, struct batch *batch, enum status st)
{
    if (st != ST_OK) {
        ctx_take_failure(ctx, batch->ctx);
    }
    ctx_free(batch->ctx);
    return st;
}

/* A row that comes after a pause goes at once. Of many that come one after another each would have
 * its own fetch, message and DELETE; they go some at a time. A backlog goes as fast as it can. */
static void set_pace(struct lane *lane, const struct batch *batch)
{
    int pace_ms = batch->count < LARGE_ROWS ? lane->sink.pace_ms : 0;

    lane->pace_until_ms = clock_monotonic_ms() + pace_ms;
}

static enum status start_batch(struct ctx *ctx, struct lane *lane, struct db_conn *db)
{
    struct batch batch = {.ctx = ctx_new_system("outbox")};
    enum status st = fetch(lane, db, &batch);

    if (st != ST_OK || batch.count == 0) {
        lane->more = false;
        lane->poll_at_ms = clock_monotonic_ms() + POLL_MS;
        if (st == ST_OK && lane->failures) {
            forget_asides(lane, INT64_MAX); /* else nobody finds out that the sink is back */
        }
        return over(ctx, &batch, st);
    }
    set_pace(lane, &batch);
    sender_give(lane->sender, &batch);
    return ST_OK;
}

enum status lane_turn(struct ctx *ctx, struct lane *lane, struct db_conn *db)
{
    int64_t now = clock_monotonic_ms();
    struct batch batch;

    if (sender_collect(lane->sender, &batch)) {
        enum status st = lane->disowned ? ST_OK : settle(lane, db, &batch);

        lane->disowned = false;
        lane->more = true;
        TRY(over(ctx, &batch, st));
    }
    forget_asides(lane, now);
    if (sender_is_busy(lane->sender) || lane->owned_count == 0 || now < lane->wait_until_ms ||
        now < lane->pace_until_ms || (!lane->more && now < lane->poll_at_ms)) {
        return ST_OK;
    }
    return start_batch(ctx, lane, db);
}

int64_t lane_due_ms(const struct lane *lane)
{
    int64_t due = lane->more ? 0 : lane->poll_at_ms;

    if (sender_is_busy(lane->sender) || lane->owned_count == 0) {
        return INT64_MAX; /* its sender, or the balance, will say */
    }
    for (int i = 0; i < lane->aside_count; i++) {
        due = lane->aside[i].until_ms < due ? lane->aside[i].until_ms : due;
    }
    due = due > lane->pace_until_ms ? due : lane->pace_until_ms;
    return due > lane->wait_until_ms ? due : lane->wait_until_ms;
}
