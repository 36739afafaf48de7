/* W3C trace context, level 1: https://www.w3.org/TR/trace-context/. Ids come from a
 * generator of each thread, seeded by the kernel: they must be unique, not secret, and
 * a system call for each span would cost more than the span. */
#include "common/obs/trace.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* 00-<32 trace id>-<16 span id>-<2 flags> */
enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, TEXT_LENGTH = 55 };

static _Thread_local uint64_t generator; /* 0: not seeded yet; no other thread sees it */
static uint64_t sampled_below = UINT64_MAX;

/* splitmix64: every state gives another number, so a thread repeats none in 2^64. */
static uint64_t next_random(void)
{
    while (!generator) {
        if (getrandom(&generator, sizeof(generator), 0) != (ssize_t)sizeof(generator)) {
            generator = 0;
        }
    }
    uint64_t z = generator += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static uint64_t next_id(void)
{
    uint64_t id;

    do {
        id = next_random();
    } while (!id); /* all zero means "no id" */
    return id;
}

static bool is_hex(const char *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(isdigit((unsigned char)s[i]) || (s[i] >= 'a' && s[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

static bool is_id(const char *s, size_t count)
{
    return is_hex(s, count) && strspn(s, "0") < count;
}

static unsigned hex_value(char c)
{
    return (unsigned)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
}

/* Version 00 ends after the flags; a later one may go on after a dash. */
static bool has_form(const char *s)
{
    size_t length = strnlen(s, TEXT_LENGTH + 1);

    if (length < TEXT_LENGTH || !is_hex(s, 2) || strncmp(s, "ff", 2) == 0) {
        return false;
    }
    if (length > TEXT_LENGTH && (strncmp(s, "00", 2) == 0 || s[TEXT_LENGTH] != '-')) {
        return false;
    }
    return s[TRACE_AT - 1] == '-' && s[SPAN_AT - 1] == '-' && s[FLAGS_AT - 1] == '-';
}

bool trace_parse(const char *traceparent, struct trace_parent *parent)
{
    const char *s = traceparent;

    if (!s || !has_form(s) || !is_id(s + TRACE_AT, 32) || !is_id(s + SPAN_AT, 16) ||
        !is_hex(s + FLAGS_AT, 2)) {
        return false;
    }
    memcpy(parent->trace_id, s + TRACE_AT, 32);
    parent->trace_id[32] = '\0';
    memcpy(parent->span_id, s + SPAN_AT, 16);
    parent->span_id[16] = '\0';
    parent->sampled = hex_value(s[FLAGS_AT + 1]) & 1;
    return true;
}

static void put_hex(char text[17], uint64_t number)
{
    for (int i = 15; i >= 0; i--) {
        text[i] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
    text[16] = '\0';
}

void trace_begin(struct ctx *ctx, const char *traceparent)
{
    struct trace_parent parent;

    if (trace_parse(traceparent, &parent)) {
        memcpy(ctx->trace_id, parent.trace_id, sizeof(ctx->trace_id));
        memcpy(ctx->parent_id, parent.span_id, sizeof(ctx->parent_id));
        ctx->sampled = parent.sampled;
    } else {
        uint64_t low = next_id();

        put_hex(ctx->trace_id, next_random());
        put_hex(ctx->trace_id + 16, low);
        ctx->parent_id[0] = '\0';
        ctx->sampled = low <= sampled_below;
    }
    put_hex(ctx->span_id, next_id());
}

/* Not by the id, which the stranger chose. */
void trace_begin_for_stranger(struct ctx *ctx, const char *traceparent)
{
    trace_begin(ctx, traceparent);
    if (*ctx->parent_id) {
        ctx->sampled = ctx->sampled && next_random() <= sampled_below;
    }
}

void trace_join(struct ctx *ctx, const char *traceparent)
{
    struct trace_parent parent;

    trace_begin(ctx, traceparent);
    if (trace_parse(traceparent, &parent)) {
        memcpy(ctx->span_id, parent.span_id, sizeof(ctx->span_id));
        ctx->parent_id[0] = '\0';
    }
}

void trace_new_span_id(char id[17])
{
    put_hex(id, next_id());
}

/* By the id's lower half, as the samplers of OpenTelemetry do. */
void trace_sample(double ratio)
{
    sampled_below = ratio >= 1 ? UINT64_MAX : ratio <= 0 ? 0 : (uint64_t)(ratio * 0x1p64);
}

void trace_traceparent(const struct ctx *ctx, char text[TRACEPARENT_SIZE])
{
    text[0] = '\0';
    if (*ctx->trace_id && *ctx->span_id) {
        memcpy(text, "00-", TRACE_AT);
        memcpy(text + TRACE_AT, ctx->trace_id, 32);
        text[SPAN_AT - 1] = '-';
        memcpy(text + SPAN_AT, ctx->span_id, 16);
        memcpy(text + FLAGS_AT - 1, ctx->sampled ? "-01" : "-00", 4);
    }
}

/* It goes back out in a header and into logs: nothing that could break either. */
static bool is_presentable(const char *s)
{
    size_t length = strnlen(s, sizeof(((struct ctx *)0)->correlation_id));

    if (length == 0 || length >= sizeof(((struct ctx *)0)->correlation_id)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (s[i] < ' ' || s[i] > '~') {
            return false;
        }
    }
    return true;
}

void trace_correlation(struct ctx *ctx, const char *correlation_id)
{
    bool given = correlation_id && is_presentable(correlation_id);

    text_copy(ctx->correlation_id, sizeof(ctx->correlation_id),
              given ? correlation_id : ctx->trace_id);
}
