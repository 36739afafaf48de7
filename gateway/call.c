/* See call.h. */
#include "gateway/call.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/contract/idempotency_key.h"
#include "common/contract/template.h"
#include "common/crypto/crypto.h"
#include "common/json/transcode.h"
#include "gateway/edge/edge_etag.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"

#include "google/api/httpbody.pb-c.h"

#include <string.h>

enum { ANSWER_ROOM = 2048, NOT_MODIFIED = 304, NO_CONTENT = 204, VERSION_BYTES = 8 };

/* "application/json; charset=utf-8" is "application/json", "application/json-patch" is not. */
static bool is_type(const char *type, const char *wanted)
{
    size_t length = strlen(wanted);

    return type && strncasecmp(type, wanted, length) == 0 && strchr("; \t", type[length]);
}

/* The message that the body is for: all of the request, or one field of it. */
static ProtobufCMessage *body_target(struct ctx *ctx, ProtobufCMessage *message, const char *body)
{
    if (strcmp(body, "*") == 0) {
        return message;
    }
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, body);
    ProtobufCMessage *inner = message_new(ctx->arena, field->descriptor);

    *(ProtobufCMessage **)(void *)((char *)message + field->offset) = inner;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        *(uint32_t *)(void *)((char *)message + field->quantifier_offset) = field->id;
    }
    return inner;
}

/* Who does not say what it is leaves it to the daemon to find out, which looks anyway. */
static enum status check_type(struct exchange *exchange, const char *type)
{
    struct ctx *ctx = exchange->ctx;
    struct text known = text_new(ctx->arena, 64);

    if (!type || is_type(type, "application/octet-stream")) {
        return ST_OK;
    }
    for (const char *const *one = exchange->route->method->call.body_types; *one; one++) {
        if (is_type(type, *one)) {
            return ST_OK;
        }
        text_printf(&known, "%s%s", known.length ? " or " : "", *one);
    }
    return fail_problem(ctx, PROBLEM_UNSUPPORTED_MEDIA, "Content-Type must be %s", known.data);
}

static enum status read_raw_body(struct exchange *exchange, const void *body, size_t size)
{
    const ProtobufCFieldDescriptor *field = exchange->route->method->raw_body;
    const char *type = http_header(exchange->request, "Content-Type");

    TRY(check_type(exchange, type));
    Google__Api__HttpBody *raw = (void *)body_target(exchange->ctx, exchange->in, field->name);
    raw->content_type = arena_strdup(exchange->ctx->arena, type ? type : "");
    raw->data = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)body, .len = size};
    return ST_OK;
}

static enum status read_body(struct exchange *exchange, const char *target)
{
    struct ctx *ctx = exchange->ctx;
    size_t size;
    const char *body = http_body(exchange->request, &size);

    if (size == 0) {
        return ST_OK; /* as {}: what is required is missed by its name */
    }
    if (exchange->route->method->raw_body) {
        return read_raw_body(exchange, body, size);
    }
    if (!is_type(http_header(exchange->request, "Content-Type"), "application/json")) {
        return fail_problem(ctx, PROBLEM_UNSUPPORTED_MEDIA, "%s",
                            "Content-Type must be application/json");
    }
    return json_to_message(ctx, body, size, body_target(ctx, exchange->in, target));
}

struct query {
    struct exchange *exchange;
    enum status st;
};

static bool read_parameter(const char *name, const char *value, void *user)
{
    struct query *query = user;
    struct exchange *exchange = query->exchange;
    const char *body = exchange->route->method->body;

    if (body && strcmp(body, "*") == 0) {
        refuse_field(exchange->ctx, name, "is not known");
        query->st = ctx_refused(exchange->ctx);
    } else {
        query->st = text_to_field(exchange->ctx, exchange->in, name, value);
    }
    return query->st == ST_OK;
}

static enum status read_path(struct exchange *exchange)
{
    const struct route *route = exchange->route;

    enum status st = ST_OK;

    for (size_t i = 0, value = 0; i < route->count && st == ST_OK; i++) {
        if (route->segments[i].is_variable) {
            st = text_to_field(exchange->ctx, exchange->in, route->segments[i].text,
                               exchange->values[value++]);
        }
    }
    return st;
}

static enum status read_key(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;
    const char *key = http_header(exchange->request, "Idempotency-Key");

    if (!key || !exchange->route->method->call.idempotent) {
        return ST_OK;
    }
    if (!idempotency_key_is_good(key)) {
        refuse_field(ctx, "Idempotency-Key", IDEMPOTENCY_KEY_RULE, IDEMPOTENCY_KEY_MOST);
        return ctx_refused(ctx);
    }
    ctx->idempotency_key = arena_strdup(ctx->arena, key);
    return ST_OK;
}

/* "*" asks for no version. */
static enum status read_version(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;
    const char *seen = http_header(exchange->request, "If-Match");

    if (!seen || !exchange->route->method->call.if_match || strcmp(seen, "*") == 0 ||
        etag_version(seen, ctx->if_match, sizeof(ctx->if_match))) {
        return ST_OK;
    }
    return fail_problem(ctx, PROBLEM_PRECONDITION_FAILED, "If-Match must be one ETag of ours");
}

enum status call_prepare(struct exchange *exchange)
{
    const struct contract_method *method = exchange->route->method;
    struct query query = {.exchange = exchange, .st = ST_OK};

    exchange->in = message_new(exchange->ctx->arena, method->in);
    TRY(read_key(exchange));
    TRY(read_version(exchange));
    if (method->body) {
        TRY(read_body(exchange, method->body));
    }
    http_query(exchange->request, read_parameter, &query);
    TRY(query.st);
    return read_path(exchange);
}

const char *call_location(struct arena *arena, const char *template, const ProtobufCMessage *answer)
{
    struct text location = text_new(arena, 80);
    struct template_variable variable;
    const char *from = template;

    for (const char *at = template; template_next(&at, &variable); from = at) {
        const char *name = arena_printf(arena, "%.*s", (int)variable.length, variable.name);
        const char *value = message_field_text(arena, answer, name);

        if (!value) {
            return NULL;
        }
        text_add_bytes(&location, from, (size_t)(variable.name - 1 - from));
        text_add(&location, value);
    }
    text_add(&location, from);
    return location.data;
}

/* Whether the client has this version already. */
static bool add_version(struct exchange *exchange, const ProtobufCMessage *answer)
{
    struct http_request *request = exchange->request;
    const struct contract_call *call = &exchange->route->method->call;
    const char *version =
        call->etag ? message_field_text(exchange->ctx->arena, answer, call->etag) : NULL;

    http_reply_header(request, "Cache-Control",
                      version ? (call->own_data ? "private, no-cache" : "no-cache") : "no-store");
    if (!version) {
        return false;
    }
    const char *etag = etag_of(exchange->ctx->arena, version);

    http_reply_header(request, "ETag", etag);
    return etag_is_listed(http_header(request, "If-None-Match"), etag);
}

/* Bytes as they are. What never changes is its own version, and may be kept by anybody. */
static void answer_raw(struct exchange *exchange, const Google__Api__HttpBody *raw)
{
    struct http_request *request = exchange->request;
    struct arena *arena = exchange->ctx->arena;
    const struct contract_call *call = &exchange->route->method->call;
    uint8_t digest[SHA256_SIZE];
    char version[2 * VERSION_BYTES + 1];

    sha256(raw->data.data, raw->data.len, digest);
    hex_encode(digest, VERSION_BYTES, version);
    const char *etag = etag_of(arena, version);

    http_reply_header(request, "Cache-Control",
                      call->immutable  ? "public, max-age=31536000, immutable"
                      : call->own_data ? "private, no-cache"
                                       : "no-cache");
    http_reply_header(request, "ETag", etag);
    if (etag_is_listed(http_header(request, "If-None-Match"), etag)) {
        exchange_reply(exchange, NOT_MODIFIED, NULL, "", 0);
        return;
    }
    exchange_reply(exchange, call->success, raw->content_type, (const char *)raw->data.data,
                   raw->data.len);
}

static void answered(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct exchange *exchange = user;

    if (st != ST_OK) {
        exchange_problem(exchange);
        return;
    }
    const struct contract_call *call = &exchange->route->method->call;

    if (exchange->route->method->raw_answer) {
        answer_raw(exchange, (const void *)out);
        return;
    }
    struct text body = text_new(ctx->arena, ANSWER_ROOM);

    if (add_version(exchange, out)) {
        exchange_reply(exchange, NOT_MODIFIED, NULL, "", 0);
        return;
    }
    const char *location = call->location ? call_location(ctx->arena, call->location, out) : NULL;

    if (location) {
        http_reply_header(exchange->request, "Location", location);
    }
    if (call->success == NO_CONTENT) {
        exchange_reply(exchange, NO_CONTENT, NULL, "", 0);
        return;
    }
    message_to_json(&body, out);
    exchange_reply(exchange, call->success, "application/json", body.data, body.length);
}

void call_send(struct exchange *exchange)
{
    const struct contract_method *method = exchange->route->method;
    struct backend *backend = exchange->gateway->backends[exchange->route->backend];

    exchange->ctx->deadline_ms = clock_monotonic_ms() + method->call.deadline_ms;
    backend_call(exchange->ctx, backend, method->path, exchange->in, method->out,
                 method->call.deadline_ms, answered, exchange);
}
