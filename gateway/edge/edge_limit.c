/* A caller's bucket is an entry of a table. Whoever finds it without tokens waits on it, and an
 * errand asks Valkey for all who wait, and some more. */
#include "gateway/edge/edge_limit.h"

#include "common/base/clock.h"
#include "common/obs/metrics.h"
#include "gateway/edge/limit_bucket.h"
#include "gateway/edge/subject_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = 4,
    MOST_AT_ONCE = 64,
    GUARD_FACTOR = 20,
    AWAY_MS = 1000, /* how long we do not ask after Valkey did not answer */
    SWEEP_MS = 10000,
    IDLE_MS = 120000,
};

/* Token bucket. KEYS[1]; ARGV: quota, window in ms, how many we would like, how many wait. Who
 * would like more than wait gets no more than an eighth of what is there. Time is the server's.
 * Reply: granted, left, ms until there is one. */
static const char script_text[] =
    "local quota, window = tonumber(ARGV[1]), tonumber(ARGV[2])\n"
    "local like, need = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "local b = redis.call('HMGET', KEYS[1], 't', 'ts')\n"
    "local tokens, at = tonumber(b[1]) or quota, tonumber(b[2]) or now\n"
    "tokens = math.min(quota, tokens + math.max(0, now - at) * quota / window)\n"
    "local give = math.max(need, math.min(like, math.floor(tokens / 8)))\n"
    "give = math.min(give, math.floor(tokens))\n"
    "tokens = tokens - give\n"
    "redis.call('HSET', KEYS[1], 't', string.format('%.3f', tokens), 'ts', now)\n"
    "redis.call('PEXPIRE', KEYS[1], window * 2)\n"
    "local wait = 0\n"
    "if tokens < 1 then wait = math.ceil((1 - tokens) * window / quota) end\n"
    "return {give, math.floor(tokens), wait}\n";

struct limit_class {
    const char *name;
    struct limit_rate rate, reduced, guard;
    struct metric_series *rejected, *fallback;
};

struct limiter {
    struct cache *cache;
    struct errands *errands;
    struct cache_script script;
    struct limit_class classes[CLASSES];
    struct subject_table *callers;
    _Atomic int64_t away_until_ms;
    int64_t next_sweep_ms; /* of the ticking thread */
};

struct caller_entry {
    struct subject_entry entry; /* first */
    struct errand errand;
    struct limiter *limiter;
    const struct limit_class *class;
    struct limit_bucket local; /* with Valkey away, and for guards */
    struct limit_wait *waiting, **last;
    int waiting_count;
    int tokens;    /* fetched, not yet used */
    int remaining; /* in Valkey, when we last looked */
    int batch;
    int64_t fetched_ms, blocked_until_ms;
    bool fetching;
};

static struct limit_class make_class(const char *name, const char *rate)
{
    static const struct metric_def rejected = {
        METRIC_COUNTER, "ratelimit_rejected_total", "Requests refused with 429.", {"class"}};
    static const struct metric_def fallback = {METRIC_COUNTER,
                                               "ratelimit_fallback_total",
                                               "Limits decided in the process, without Valkey.",
                                               {"class"}};
    struct limit_class class = {.name = name};

    if (!limit_rate_parse(rate, &class.rate)) {
        class.rate = (struct limit_rate){60, 60}; /* config.c has looked at it */
    }
    class.reduced = limit_rate_reduced(&class.rate);
    class.guard = class.rate;
    class.guard.quota *= GUARD_FACTOR;
    class.rejected = METRIC_SERIES(metric_register(&rejected), name);
    class.fallback = METRIC_SERIES(metric_register(&fallback), name);
    return class;
}

static bool may_go(const void *entry, bool is_full)
{
    const struct caller_entry *caller = entry;

    (void)is_full;
    return !caller->fetching && !caller->waiting;
}

struct limiter *limiter_new(const struct limiter_options *options)
{
    struct limiter *limiter = calloc(1, sizeof(*limiter));

    if (!limiter) {
        fputs("out of memory\n", stderr);
        abort();
    }
    limiter->cache = options->cache;
    limiter->errands = options->errands;
    cache_script_init(&limiter->script, script_text);
    limiter->classes[0] = make_class("read", options->read);
    limiter->classes[1] = make_class("write", options->write);
    limiter->classes[2] = make_class("auth", options->auth);
    limiter->classes[3] = make_class("image", options->image);
    limiter->callers = subject_table_new(sizeof(struct caller_entry), may_go);
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (limiter) {
        subject_table_free(limiter->callers);
        free(limiter);
    }
}

static const struct limit_class *class_named(const struct limiter *limiter, const char *name)
{
    for (size_t i = 0; i < CLASSES; i++) {
        if (strcmp(limiter->classes[i].name, name) == 0) {
            return &limiter->classes[i];
        }
    }
    return &limiter->classes[0];
}

void limiter_tick(struct limiter *limiter, int64_t now_ms)
{
    if (now_ms >= limiter->next_sweep_ms) {
        limiter->next_sweep_ms = now_ms + SWEEP_MS;
        subject_sweep(limiter->callers, now_ms, IDLE_MS);
    }
}

/* How long until the bucket is full again, as the draft's t. */
static void fill_answer(const struct limit_class *class, const struct limit_rate *rate, int left,
                        int64_t wait_ms, struct limit_answer *answer)
{
    int missing = rate->quota - left;

    *answer = (struct limit_answer){
        .allowed = wait_ms == 0,
        .limit_class = class->name,
        .quota = rate->quota,
        .window_s = rate->window_s,
        .remaining = left,
        .reset_s = wait_ms
                       ? (int)((wait_ms + 999) / 1000)
                       : (int)(((int64_t)missing * rate->window_s + rate->quota - 1) / rate->quota),
    };
    if (!answer->allowed) {
        metric_add(class->rejected, 1);
    }
}

/* Under lock. */
static void decide_here(struct caller_entry *caller, const struct limit_rate *rate, int64_t now_ms,
                        struct limit_answer *answer)
{
    int64_t wait_ms;

    limit_bucket_take(&caller->local, rate, now_ms, &wait_ms);
    fill_answer(caller->class, rate, (int)caller->local.tokens, wait_ms, answer);
}

static void decide_without_valkey(struct caller_entry *caller, int64_t now_ms,
                                  struct limit_answer *answer)
{
    metric_add(caller->class->fallback, 1);
    decide_here(caller, &caller->class->reduced, now_ms, answer);
}

/* Under lock: from what was fetched. */
static void use_token(struct caller_entry *caller, struct limit_answer *answer)
{
    caller->tokens--;
    fill_answer(caller->class, &caller->class->rate, caller->remaining + caller->tokens, 0, answer);
}

static void refuse(struct caller_entry *caller, int64_t now_ms, struct limit_answer *answer)
{
    int64_t wait_ms = caller->blocked_until_ms - now_ms;

    fill_answer(caller->class, &caller->class->rate, 0, wait_ms > 0 ? wait_ms : 1, answer);
}

/* Under lock. One of those who wait is told on the errand's thread, so without the lock: it is
 * copied. */
static bool next_told(struct caller_entry *caller, int64_t now_ms, bool away,
                      struct limit_wait **wait, struct limit_answer *answer)
{
    if (!caller->waiting) {
        return false;
    }
    if (away) {
        decide_without_valkey(caller, now_ms, answer);
    } else if (caller->tokens > 0) {
        use_token(caller, answer);
    } else if (caller->blocked_until_ms > now_ms) {
        refuse(caller, now_ms, answer);
    } else {
        return false; /* came while we asked for the others: ask again */
    }
    *wait = caller->waiting;
    caller->waiting = caller->waiting->next;
    caller->last = caller->waiting ? caller->last : &caller->waiting;
    caller->waiting_count--;
    return true;
}

struct fetched {
    int granted, remaining;
    int64_t wait_ms;
};

static enum status fetch(struct ctx *ctx, struct caller_entry *caller, int like, int need,
                         struct fetched *fetched)
{
    const struct limit_rate *rate = &caller->class->rate;
    struct cache_reply reply;
    const char *key = arena_printf(ctx->arena, "server:rl:%s", caller->entry.key);
    const char *args[] = {
        arena_printf(ctx->arena, "%d", rate->quota),
        arena_printf(ctx->arena, "%lld", (long long)rate->window_s * 1000),
        arena_printf(ctx->arena, "%d", like),
        arena_printf(ctx->arena, "%d", need),
    };
    const struct cache_call call = {
        .keys = &key, .key_count = 1, .args = args, .arg_count = ARRAY_LEN(args)};

    TRY(cache_eval(ctx, caller->limiter->cache, &caller->limiter->script, &call, &reply));
    if (reply.kind != CACHE_LIST || reply.count != 3) {
        return fail_with(ctx, ST_INTERNAL, "", "the limiter's script answered something else");
    }
    *fetched = (struct fetched){(int)reply.items[0].number, (int)reply.items[1].number,
                                reply.items[2].number};
    return ST_OK;
}

/* Under lock: what Valkey has said. */
static void note(struct caller_entry *caller, const struct fetched *fetched, int64_t now_ms)
{
    caller->batch = limit_next_batch(caller->batch, now_ms - caller->fetched_ms, MOST_AT_ONCE);
    caller->tokens += fetched->granted;
    caller->remaining = fetched->remaining;
    caller->fetched_ms = now_ms;
    caller->blocked_until_ms = fetched->wait_ms ? now_ms + fetched->wait_ms : 0;
}

/* True when some came while we asked for the others. */
static bool tell_all(struct caller_entry *caller, bool away)
{
    struct limiter *limiter = caller->limiter;
    struct limit_answer answer;
    struct limit_wait *wait;

    for (;;) {
        int64_t now = clock_monotonic_ms();

        subject_relock(limiter->callers, caller);
        bool told = next_told(caller, now, away, &wait, &answer);
        bool again = !told && caller->waiting;
        caller->fetching = told || again;
        subject_unlock(limiter->callers, caller);
        if (!told) {
            return again;
        }
        wait->told(wait, &answer);
    }
}

static struct caller_entry *caller_of(struct errand *errand)
{
    return (struct caller_entry *)((char *)errand - offsetof(struct caller_entry, errand));
}

/* True when Valkey has answered. */
static bool ask_once(struct caller_entry *caller)
{
    struct limiter *limiter = caller->limiter;
    struct ctx *ctx = ctx_new_system("gateway");
    struct fetched fetched = {0};

    subject_relock(limiter->callers, caller);
    int need = caller->waiting_count, like = caller->batch;
    subject_unlock(limiter->callers, caller);

    bool answered = fetch(ctx, caller, like, need, &fetched) == ST_OK;
    int64_t now = clock_monotonic_ms();

    if (answered) {
        subject_relock(limiter->callers, caller);
        note(caller, &fetched, now);
        subject_unlock(limiter->callers, caller);
    } else {
        atomic_store(&limiter->away_until_ms, now + AWAY_MS);
    }
    ctx_free(ctx);
    return answered;
}

static void ask_valkey(struct errand *errand)
{
    struct caller_entry *caller = caller_of(errand);
    bool again = true;

    while (again) {
        again = tell_all(caller, !ask_once(caller));
    }
}

/* Under lock; true when decided. */
static bool decide_now(struct caller_entry *caller, int64_t now_ms, struct limit_answer *answer)
{
    struct limiter *limiter = caller->limiter;
    int64_t window_ms = (int64_t)caller->class->rate.window_s * 1000;

    if (now_ms - caller->fetched_ms > window_ms) {
        caller->tokens = 0; /* the bucket has filled meanwhile: these would come on top */
    }
    if (caller->tokens > 0 && !caller->waiting) {
        use_token(caller, answer);
        return true;
    }
    if (caller->blocked_until_ms > now_ms) {
        refuse(caller, now_ms, answer);
        return true;
    }
    if (atomic_load(&limiter->away_until_ms) > now_ms && !caller->waiting) {
        decide_without_valkey(caller, now_ms, answer);
        return true;
    }
    if (!caller->fetching && !errands_push(limiter->errands, &caller->errand)) {
        decide_without_valkey(caller, now_ms, answer);
        return true;
    }
    caller->fetching = true;
    return false;
}

static struct caller_entry *lock_caller(struct limiter *limiter, const struct limit_class *class,
                                        const char *key, int64_t now_ms)
{
    struct caller_entry *caller = subject_lock(limiter->callers, key, now_ms);

    if (!caller->limiter) {
        caller->limiter = limiter;
        caller->class = class;
        caller->errand.run = ask_valkey;
        caller->last = &caller->waiting;
        caller->batch = 1;
    }
    return caller;
}

bool limiter_take(struct limiter *limiter, const char *limit_class, const char *subject,
                  struct limit_wait *wait, struct limit_answer *answer)
{
    const struct limit_class *class = class_named(limiter, limit_class);
    int64_t now = clock_monotonic_ms();
    char key[256];

    snprintf(key, sizeof(key), "%s:%s", class->name, subject);
    struct caller_entry *caller = lock_caller(limiter, class, key, now);
    bool decided = decide_now(caller, now, answer);

    if (!decided) {
        wait->next = NULL;
        *caller->last = wait;
        caller->last = &wait->next;
        caller->waiting_count++;
    }
    subject_unlock(limiter->callers, caller);
    return decided;
}

enum status limit_refuse(struct ctx *ctx, const struct limit_answer *answer)
{
    enum status st =
        fail_problem(ctx, PROBLEM_TOO_MANY_REQUESTS, "At most %d %s requests in %d seconds",
                     answer->quota, answer->limit_class, answer->window_s);

    ctx->failure.retry_after_s = answer->reset_s > 0 ? answer->reset_s : 1;
    return st;
}

bool limiter_guard(struct limiter *limiter, const char *limit_class, const char *address,
                   struct limit_answer *answer)
{
    const struct limit_class *class = class_named(limiter, limit_class);
    int64_t now = clock_monotonic_ms();
    char key[256];

    snprintf(key, sizeof(key), "@%s:%s", class->name, address);
    struct caller_entry *caller = lock_caller(limiter, class, key, now);

    decide_here(caller, &class->guard, now, answer);
    subject_unlock(limiter->callers, caller);
    return answer->allowed;
}
