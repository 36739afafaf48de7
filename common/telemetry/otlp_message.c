/* See otlp_message.h. Ids are text with us and bytes with them; times are theirs in nanoseconds. */
#include "common/telemetry/otlp_message.h"

#include "common/base/text.h"
#include "common/crypto/crypto.h"

#include <opentelemetry/trace.pb-c.h>

#include <string.h>

enum { MOST_ATTRIBUTES = SPAN_MOST_FIELDS + 2 };

static void *new_message(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    void *message = arena_alloc(arena, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

#define NEW(arena, type) new_message((arena), &opentelemetry__##type##__descriptor)

static char *text_of(const char *text) /* protobuf-c knows no const */
{
    return (char *)(uintptr_t)text;
}

static Opentelemetry__KeyValue *number(struct arena *arena, const char *key, int64_t value)
{
    Opentelemetry__KeyValue *pair = NEW(arena, key_value);

    pair->key = text_of(key);
    pair->value = NEW(arena, any_value);
    pair->value->value_case = OPENTELEMETRY__ANY_VALUE__VALUE_INT_VALUE;
    pair->value->int_value = value;
    return pair;
}

static Opentelemetry__KeyValue *text(struct arena *arena, const char *key, const char *value)
{
    Opentelemetry__KeyValue *pair = NEW(arena, key_value);

    pair->key = text_of(key);
    pair->value = NEW(arena, any_value);
    pair->value->value_case = OPENTELEMETRY__ANY_VALUE__VALUE_STRING_VALUE;
    pair->value->string_value = text_of(value);
    return pair;
}

static ProtobufCBinaryData id_of(struct arena *arena, const char *hex, size_t size)
{
    ProtobufCBinaryData id = {.len = size, .data = arena_alloc(arena, size)};

    if (!hex_decode(hex, id.data, size)) { /* no parent */
        id.len = 0;
    }
    return id;
}

/* "common/db/query.c:94", as the conventions want it. */
static void add_where(struct arena *arena, Opentelemetry__Span *span, char *where)
{
    char *colon = strrchr(where, ':');
    int64_t line = 0;

    if (colon && text_parse_int(colon + 1, 1, INT32_MAX, &line)) {
        span->attributes[span->n_attributes++] =
            text(arena, "code.filepath", arena_printf(arena, "%.*s", (int)(colon - where), where));
        span->attributes[span->n_attributes++] = number(arena, "code.lineno", line);
    }
}

static void add_attributes(struct arena *arena, Opentelemetry__Span *span,
                           struct span_record *record)
{
    span->attributes = arena_new_array(arena, Opentelemetry__KeyValue *, MOST_ATTRIBUTES);
    for (size_t i = 0; i < record->count; i++) {
        const char *key = record->keys[i];

        span->attributes[span->n_attributes++] =
            record->texts[i] ? text(arena, key, record->text + record->texts[i])
                             : number(arena, key, record->numbers[i]);
    }
    if (record->where) {
        add_where(arena, span, record->text + record->where);
    }
}

static Opentelemetry__Span *span_message(struct arena *arena, struct span_record *record)
{
    Opentelemetry__Span *span = NEW(arena, span);

    span->trace_id = id_of(arena, record->trace_id, 16);
    span->span_id = id_of(arena, record->id, 8);
    span->parent_span_id = id_of(arena, record->parent_id, 8);
    span->name = record->text;
    span->kind = (Opentelemetry__Span__SpanKind)record->kind;
    span->start_time_unix_nano = (uint64_t)record->began_us * 1000;
    span->end_time_unix_nano = (uint64_t)record->ended_us * 1000;
    add_attributes(arena, span, record);
    if (record->is_error) {
        span->status = NEW(arena, status);
        span->status->code = OPENTELEMETRY__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    }
    return span;
}

static Opentelemetry__Resource *resource_message(struct arena *arena,
                                                 const struct otlp_resource *from)
{
    Opentelemetry__Resource *resource = NEW(arena, resource);

    resource->attributes = arena_new_array(arena, Opentelemetry__KeyValue *, 3);
    resource->attributes[0] = text(arena, "service.name", from->daemon);
    resource->attributes[1] = text(arena, "service.version", from->version);
    resource->attributes[2] = text(arena, "service.instance.id", from->instance);
    resource->n_attributes = 3;
    return resource;
}

static Opentelemetry__ScopeSpans *scope_message(struct arena *arena, struct span_record *records,
                                                size_t count)
{
    Opentelemetry__ScopeSpans *scope = NEW(arena, scope_spans);

    scope->scope = NEW(arena, instrumentation_scope);
    scope->scope->name = text_of("common/obs");
    scope->spans = arena_new_array(arena, Opentelemetry__Span *, count);
    for (size_t i = 0; i < count; i++) {
        scope->spans[i] = span_message(arena, &records[i]);
    }
    scope->n_spans = count;
    return scope;
}

ProtobufCMessage *otlp_message(struct arena *arena, const struct otlp_resource *resource,
                               struct span_record *records, size_t count)
{
    Opentelemetry__ExportTraceServiceRequest *request = NEW(arena, export_trace_service_request);
    Opentelemetry__ResourceSpans *spans = NEW(arena, resource_spans);

    spans->resource = resource_message(arena, resource);
    spans->scope_spans = arena_new_array(arena, Opentelemetry__ScopeSpans *, 1);
    spans->scope_spans[0] = scope_message(arena, records, count);
    spans->n_scope_spans = 1;
    request->resource_spans = arena_new_array(arena, Opentelemetry__ResourceSpans *, 1);
    request->resource_spans[0] = spans;
    request->n_resource_spans = 1;
    return &request->base;
}

int64_t otlp_rejected(const ProtobufCMessage *answer)
{
    const Opentelemetry__ExportTraceServiceResponse *response =
        (const Opentelemetry__ExportTraceServiceResponse *)answer;

    return response->partial_success ? response->partial_success->rejected_spans : 0;
}
