/* Payloads, durations, headers and failures. JSON is opaque: what comes in goes out. */
#include "common/temporal/payload.h"

#include "common/base/text.h"
#include "common/obs/trace.h"

#include <string.h>

/* What the interceptors of the Go, Java and Python SDKs call it, and keep in it. */
static const char trace_key[] = "_tracer-data";
static const char trace_field[] = "\"traceparent\":\"";

void *temporal_message(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    void *message = arena_alloc(arena, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

char *message_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)message_text(text)};
}

Temporal__Payload *payload_json(struct arena *arena, const char *json)
{
    Temporal__Payload *payload = temporal_message(arena, &temporal__payload__descriptor);
    Temporal__Payload__MetadataEntry *encoding =
        temporal_message(arena, &temporal__payload__metadata_entry__descriptor);

    encoding->key = message_text("encoding");
    encoding->value = bytes_of("json/plain");
    payload->metadata = arena_new_array(arena, Temporal__Payload__MetadataEntry *, 1);
    payload->metadata[0] = encoding;
    payload->n_metadata = 1;
    payload->data = bytes_of(json);
    return payload;
}

Temporal__Payloads *payloads_json(struct arena *arena, const char *json)
{
    if (!json) {
        return NULL;
    }
    Temporal__Payloads *payloads = temporal_message(arena, &temporal__payloads__descriptor);

    payloads->payloads = arena_new_array(arena, Temporal__Payload *, 1);
    payloads->payloads[0] = payload_json(arena, json);
    payloads->n_payloads = 1;
    return payloads;
}

/* "binary/null" of other SDKs has no bytes: no value. */
const char *payload_text(struct arena *arena, const Temporal__Payload *payload)
{
    if (!payload || payload->data.len == 0) {
        return NULL;
    }
    char *text = arena_alloc(arena, payload->data.len + 1);

    memcpy(text, payload->data.data, payload->data.len);
    return text;
}

const char *payloads_text(struct arena *arena, const Temporal__Payloads *payloads)
{
    return payloads && payloads->n_payloads ? payload_text(arena, payloads->payloads[0]) : NULL;
}

Temporal__Duration *duration_of(struct arena *arena, int64_t ms)
{
    if (ms <= 0) {
        return NULL;
    }
    Temporal__Duration *duration = temporal_message(arena, &temporal__duration__descriptor);

    duration->seconds = ms / 1000;
    duration->nanos = (int32_t)(ms % 1000) * 1000000;
    return duration;
}

int64_t duration_ms(const Temporal__Duration *duration)
{
    return duration ? duration->seconds * 1000 + duration->nanos / 1000000 : 0;
}

int64_t temporal_time_ms(const Temporal__Timestamp *timestamp)
{
    return timestamp ? timestamp->seconds * 1000 + timestamp->nanos / 1000000 : 0;
}

Temporal__TaskQueue *task_queue_of(struct arena *arena, const char *name)
{
    Temporal__TaskQueue *queue = temporal_message(arena, &temporal__task_queue__descriptor);

    queue->name = message_text(name);
    queue->kind = TEMPORAL__TASK_QUEUE_KIND__TASK_QUEUE_KIND_NORMAL;
    return queue;
}

Temporal__WorkflowType *flow_type_of(struct arena *arena, const char *name)
{
    Temporal__WorkflowType *type = temporal_message(arena, &temporal__workflow_type__descriptor);

    type->name = message_text(name);
    return type;
}

Temporal__WorkflowExecution *execution_of(struct arena *arena, const char *id, const char *run_id)
{
    Temporal__WorkflowExecution *execution =
        temporal_message(arena, &temporal__workflow_execution__descriptor);

    execution->workflow_id = message_text(id);
    execution->run_id = message_text(run_id ? run_id : "");
    return execution;
}

Temporal__Memo *memo_of(struct arena *arena, const char *key, const char *json)
{
    if (!key || !json) {
        return NULL;
    }
    Temporal__Memo *memo = temporal_message(arena, &temporal__memo__descriptor);
    Temporal__Memo__FieldsEntry *field =
        temporal_message(arena, &temporal__memo__fields_entry__descriptor);

    field->key = message_text(key);
    field->value = payload_json(arena, json);
    memo->fields = arena_new_array(arena, Temporal__Memo__FieldsEntry *, 1);
    memo->fields[0] = field;
    memo->n_fields = 1;
    return memo;
}

/* ---- trace -------------------------------------------------------------------------------- */

Temporal__Header *header_of_trace(const struct ctx *ctx)
{
    char traceparent[TRACEPARENT_SIZE];

    trace_traceparent(ctx, traceparent);
    if (!*traceparent) {
        return NULL;
    }
    Temporal__Header *header = temporal_message(ctx->arena, &temporal__header__descriptor);
    Temporal__Header__FieldsEntry *field =
        temporal_message(ctx->arena, &temporal__header__fields_entry__descriptor);

    field->key = message_text(trace_key);
    field->value =
        payload_json(ctx->arena, arena_printf(ctx->arena, "{%s%s\"}", trace_field, traceparent));
    header->fields = arena_new_array(ctx->arena, Temporal__Header__FieldsEntry *, 1);
    header->fields[0] = field;
    header->n_fields = 1;
    return header;
}

const char *header_traceparent(struct arena *arena, const Temporal__Header *header)
{
    for (size_t i = 0; header && i < header->n_fields; i++) {
        const Temporal__Header__FieldsEntry *field = header->fields[i];
        const char *json =
            strcmp(field->key, trace_key) == 0 ? payload_text(arena, field->value) : NULL;
        const char *found = json ? strstr(json, trace_field) : NULL;

        if (found) {
            found += sizeof(trace_field) - 1;
            return arena_printf(arena, "%.*s", (int)strcspn(found, "\""), found);
        }
    }
    return NULL;
}

/* ---- failures ----------------------------------------------------------------------------- */

static const enum status statuses[] = {
#define X(name, grpc, problem) ST_##name,
    STATUS_LIST(X)
#undef X
};

bool status_may_pass(enum status st)
{
    switch (st) {
    case ST_TIMEOUT:
    case ST_RETRY:
    case ST_TOO_MANY:
    case ST_INTERNAL:
    case ST_UNAVAILABLE:
    case ST_CANCELLED:
        return true;
    case ST_OK:
    case ST_INVALID:
    case ST_NOT_FOUND:
    case ST_EXISTS:
    case ST_FORBIDDEN:
    case ST_CONFLICT:
    case ST_UNIMPLEMENTED:
    case ST_UNAUTHENTICATED:
        return false;
    }
    return true;
}

Temporal__Failure *failure_text(struct arena *arena, const char *type, const char *message)
{
    Temporal__Failure *failure = temporal_message(arena, &temporal__failure__descriptor);
    Temporal__ApplicationFailureInfo *info =
        temporal_message(arena, &temporal__application_failure_info__descriptor);

    info->type = message_text(type);
    failure->message = message_text(message);
    failure->source = message_text("everything-c");
    failure->failure_info_case = TEMPORAL__FAILURE__FAILURE_INFO_APPLICATION_FAILURE_INFO;
    failure->application_failure_info = info;
    return failure;
}

/* The detail is for operators, and so is Temporal. */
Temporal__Failure *failure_of(struct ctx *ctx, enum status st)
{
    const struct failure *why = &ctx->failure;
    bool ours = why->status == st;
    const char *message = ours && why->detail && *why->detail     ? why->detail
                          : ours && why->message && *why->message ? why->message
                                                                  : status_name(st);
    Temporal__Failure *failure = failure_text(ctx->arena, status_name(st), message);

    failure->application_failure_info->non_retryable = !status_may_pass(st);
    return failure;
}

static const Temporal__Failure *innermost(const Temporal__Failure *failure)
{
    while (failure && failure->cause) {
        failure = failure->cause;
    }
    return failure;
}

static enum status status_of(const Temporal__Failure *why)
{
    switch ((int)why->failure_info_case) {
    case TEMPORAL__FAILURE__FAILURE_INFO_TIMEOUT_FAILURE_INFO:
        return ST_TIMEOUT;
    case TEMPORAL__FAILURE__FAILURE_INFO_CANCELED_FAILURE_INFO:
        return ST_CANCELLED;
    case TEMPORAL__FAILURE__FAILURE_INFO_APPLICATION_FAILURE_INFO:
        break;
    default:
        return ST_INTERNAL;
    }
    for (size_t i = 1; i < ARRAY_LEN(statuses); i++) { /* a failure is never ST_OK */
        if (text_equal(status_name(statuses[i]), why->application_failure_info->type)) {
            return statuses[i];
        }
    }
    return ST_INTERNAL;
}

struct told failure_told(const Temporal__Failure *failure)
{
    const Temporal__Failure *why = innermost(failure);

    return (struct told){why ? status_of(why) : ST_INTERNAL,
                         why && why->message ? why->message : ""};
}
