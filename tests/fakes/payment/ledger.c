/* Acts go to the file first and then to memory; at start the file is read back in the same way. */
#include "tests/fakes/payment/ledger.h"

#include "common/base/clock.h"
#include "common/base/ctx.h"
#include "common/base/uuid.h"
#include "common/json/members.h"
#include "tests/fakes/payment/names.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct hold {
    const char *id, *currency, *customer;
    struct hold_sums sums;
    int64_t created_ms;
};

struct entry { /* a line of the file */
    const char *key, *digest, *answer;
    int64_t http;
    struct hold hold; /* as the act left it; no id: there was none */
};

struct ledger {
    pthread_mutex_t lock; /* guards all below */
    int fd;
    struct arena *arena;
    struct names *keys, *ids; /* into entries and holds */
    struct entry *entries;
    struct hold *holds;
    size_t entry_count, entry_room, hold_count, hold_room;
};

DEFINE_AUTO(file, FILE *, fclose)
DEFINE_AUTO(memory, char *, free)
DEFINE_AUTO(system_ctx, struct ctx *, ctx_free)

static void *grown(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return list;
    }
    *room = *room ? *room * 2 : 256;
    list = reallocarray(list, *room, size);
    if (!list) {
        abort();
    }
    return list;
}

static void remember_hold(struct ledger *ledger, const struct hold *hold)
{
    size_t at;

    if (names_find(ledger->ids, hold->id, &at)) {
        ledger->holds[at].sums = hold->sums;
        return;
    }
    ledger->holds =
        grown(ledger->holds, ledger->hold_count, &ledger->hold_room, sizeof(*ledger->holds));
    ledger->holds[ledger->hold_count] = (struct hold){
        .id = arena_strdup(ledger->arena, hold->id),
        .currency = arena_strdup(ledger->arena, hold->currency),
        .customer = arena_strdup(ledger->arena, hold->customer),
        .sums = hold->sums,
        .created_ms = hold->created_ms,
    };
    names_put(ledger->ids, ledger->holds[ledger->hold_count].id, ledger->hold_count);
    ledger->hold_count++;
}

static void remember(struct ledger *ledger, const struct entry *entry)
{
    ledger->entries =
        grown(ledger->entries, ledger->entry_count, &ledger->entry_room, sizeof(*ledger->entries));
    ledger->entries[ledger->entry_count] = (struct entry){
        .key = arena_strdup(ledger->arena, entry->key),
        .digest = arena_strdup(ledger->arena, entry->digest),
        .answer = arena_strdup(ledger->arena, entry->answer),
        .http = entry->http,
    };
    names_put(ledger->keys, ledger->entries[ledger->entry_count].key, ledger->entry_count);
    ledger->entry_count++;
    if (*entry->hold.id) {
        remember_hold(ledger, &entry->hold);
    }
}

/* ---- the file ---- */

static void add_text(struct text *out, const char *name, const char *value)
{
    text_printf(out, "\"%s\":", name);
    text_add_json(out, value);
}

static void write_down(struct ctx *ctx, struct ledger *ledger, const struct entry *entry)
{
    struct text line = text_new(ctx->arena, 512);

    text_add_char(&line, '{');
    add_text(&line, "key", entry->key);
    text_add_char(&line, ',');
    add_text(&line, "digest", entry->digest);
    text_add_char(&line, ',');
    add_text(&line, "hold", entry->hold.id);
    text_add_char(&line, ',');
    add_text(&line, "currency", entry->hold.currency);
    text_add_char(&line, ',');
    add_text(&line, "customer", entry->hold.customer);
    text_printf(&line,
                ",\"state\":%d,\"amountCents\":%lld,\"capturedCents\":%lld,\"refundedCents\":%lld,"
                "\"createdMs\":%lld,\"http\":%lld,",
                (int)entry->hold.sums.state, (long long)entry->hold.sums.amount_cents,
                (long long)entry->hold.sums.captured_cents,
                (long long)entry->hold.sums.refunded_cents, (long long)entry->hold.created_ms,
                (long long)entry->http);
    add_text(&line, "answer", entry->answer);
    text_add(&line, "}\n");
    if (write(ledger->fd, line.data, line.length) != (ssize_t)line.length ||
        fdatasync(ledger->fd) != 0) {
        perror("payment-provider: ledger");
        abort(); /* what is not on the disk was not done */
    }
}

static enum status read_line(struct ctx *ctx, const char *line, size_t size, struct entry *entry)
{
    int64_t state = HOLD_NONE;
    struct hold *hold = &entry->hold;
    const struct member members[] = {
        {"key",                               .text = &entry->key},
        {"digest",                                   .text = &entry->digest},
        {"hold",.text = &hold->id},
        {"currency",                              .text = &hold->currency},
        {"customer",                                   .text = &hold->customer},
        {"answer",.text = &entry->answer},
        {"state",                          .number = &state},
        {"amountCents",                                   .number = &hold->sums.amount_cents},
        {"capturedCents",                               .number = &hold->sums.captured_cents},
        {"refundedCents",                             .number = &hold->sums.refunded_cents},
        {"createdMs",                                   .number = &hold->created_ms},
        {"http",.number = &entry->http},
        {0                    },
    };

    TRY(members_read(ctx, line, size, members));
    hold->sums.state = (enum hold_state)state;
    return ST_OK;
}

/* False when the file is not one of ours. Only its end can be torn: lines are appended. */
static bool read_back(struct ledger *ledger, const char *path)
{
    AUTO(file) FILE *file = fopen(path, "r");
    AUTO(memory) char *line = NULL;
    size_t room = 0;
    off_t good = 0;
    ssize_t size;

    while (file && (size = getline(&line, &room, file)) > 0 && line[size - 1] == '\n') {
        AUTO(system_ctx) struct ctx *ctx = ctx_new_system("payment-provider");
        struct entry entry = {
            .key = "", .digest = "", .answer = "", .hold = {"", "", "", {0}, 0}
        };

        if (read_line(ctx, line, (size_t)size, &entry) != ST_OK) {
            fprintf(stderr, "%s: byte %lld: not a ledger\n", path, (long long)good);
            return false;
        }
        remember(ledger, &entry);
        good += size;
    }
    return ftruncate(ledger->fd, good) == 0;
}

struct ledger *ledger_open(const char *path)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger) {
        abort();
    }
    pthread_mutex_init(&ledger->lock, NULL);
    ledger->arena = arena_new((size_t)64 * 1024);
    ledger->keys = names_new();
    ledger->ids = names_new();
    ledger->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (ledger->fd < 0) {
        perror(path);
        ledger_close(ledger);
        return NULL;
    }
    if (!read_back(ledger, path)) {
        ledger_close(ledger);
        return NULL;
    }
    return ledger;
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger) {
        return;
    }
    if (ledger->fd >= 0) {
        close(ledger->fd);
    }
    names_free(ledger->keys);
    names_free(ledger->ids);
    free(ledger->entries);
    free(ledger->holds);
    arena_free(ledger->arena);
    pthread_mutex_destroy(&ledger->lock);
    free(ledger);
}

/* ---- acting ---- */

static void add_hold(struct text *out, const struct hold *hold)
{
    text_add(out, "{\"id\":");
    text_add_json(out, hold->id);
    text_printf(out,
                ",\"state\":\"%s\",\"amountCents\":%lld,\"capturedCents\":%lld,"
                "\"refundedCents\":%lld,\"currency\":",
                hold_state_name(hold->sums.state), (long long)hold->sums.amount_cents,
                (long long)hold->sums.captured_cents, (long long)hold->sums.refunded_cents);
    text_add_json(out, hold->currency);
    text_add(out, ",\"customer\":");
    text_add_json(out, hold->customer);
    text_printf(out, ",\"createdMs\":%lld}", (long long)hold->created_ms);
}

static const char *error_body(struct ctx *ctx, const char *code)
{
    return arena_printf(ctx->arena, "{\"error\":{\"code\":\"%s\"}}", code);
}

static void act_new(struct ctx *ctx, struct ledger *ledger, const struct ledger_request *request,
                    struct ledger_answer *answer)
{
    struct hold hold = {.id = "", .currency = request->currency, .customer = request->customer};
    char id[ID_TEXT_SIZE];
    size_t at;

    if (request->act == ACT_AUTHORIZE) {
        uuid_v7(id);
        hold.id = arena_printf(ctx->arena, "auth_%s", id);
        hold.created_ms = clock_wall_ms();
    } else if (names_find(ledger->ids, request->hold_id, &at)) {
        hold = ledger->holds[at];
    }
    struct act_outcome outcome = act_do(request->act, hold.sums, request->cents, request->decline);
    struct text body = text_new(ctx->arena, 256);
    hold.sums = outcome.now;
    add_hold(&body, &hold);
    answer->http = outcome.http;
    answer->body = *outcome.code ? error_body(ctx, outcome.code) : body.data;

    const struct entry entry = {request->key, request->digest, answer->body, outcome.http, hold};
    write_down(ctx, ledger, &entry);
    remember(ledger, &entry);
}

void ledger_do(struct ctx *ctx, struct ledger *ledger, const struct ledger_request *request,
               struct ledger_answer *answer)
{
    size_t at;

    *answer = (struct ledger_answer){0};
    pthread_mutex_lock(&ledger->lock);
    if (!names_find(ledger->keys, request->key, &at)) {
        act_new(ctx, ledger, request, answer);
    } else if (!text_equal(ledger->entries[at].digest, request->digest)) {
        answer->http = 422;
        answer->body = error_body(ctx, "idempotency_mismatch");
    } else {
        answer->http = (int)ledger->entries[at].http;
        answer->body = arena_strdup(ctx->arena, ledger->entries[at].answer);
        answer->replayed = true;
    }
    pthread_mutex_unlock(&ledger->lock);
}

/* ---- looking ---- */

bool ledger_show(struct ledger *ledger, const char *hold_id, struct text *out)
{
    size_t at;

    pthread_mutex_lock(&ledger->lock);
    bool found = names_find(ledger->ids, hold_id, &at);
    if (found) {
        add_hold(out, &ledger->holds[at]);
    }
    pthread_mutex_unlock(&ledger->lock);
    return found;
}

static bool fits(const struct hold *hold, const struct ledger_filter *filter)
{
    return (!filter->state || strcmp(hold_state_name(hold->sums.state), filter->state) == 0) &&
           (!filter->before_ms || hold->created_ms < filter->before_ms);
}

void ledger_list(struct ledger *ledger, const struct ledger_filter *filter, struct text *out)
{
    size_t from = 0, told = 0;
    bool more = false;

    pthread_mutex_lock(&ledger->lock);
    if (filter->after && names_find(ledger->ids, filter->after, &from)) {
        from++;
    }
    text_add(out, "{\"authorizations\":[");
    for (size_t i = from; i < ledger->hold_count && !more; i++) {
        if (!fits(&ledger->holds[i], filter)) {
            continue;
        }
        more = told == filter->limit;
        if (!more) {
            text_add(out, told++ ? "," : "");
            add_hold(out, &ledger->holds[i]);
        }
    }
    text_printf(out, "],\"more\":%s}", more ? "true" : "false");
    pthread_mutex_unlock(&ledger->lock);
}

void ledger_sum(struct ledger *ledger, struct text *out)
{
    long long held = 0, captured = 0, refunded = 0;

    pthread_mutex_lock(&ledger->lock);
    for (size_t i = 0; i < ledger->hold_count; i++) {
        const struct hold_sums *sums = &ledger->holds[i].sums;

        held += sums->state == HOLD_AUTHORIZED ? sums->amount_cents : 0;
        captured += sums->captured_cents;
        refunded += sums->refunded_cents;
    }
    text_printf(out,
                "{\"acts\":%zu,\"authorizations\":%zu,\"heldCents\":%lld,\"capturedCents\":%lld,"
                "\"refundedCents\":%lld}",
                ledger->entry_count, ledger->hold_count, held, captured, refunded);
    pthread_mutex_unlock(&ledger->lock);
}
