/* Between C and what Temporal's messages are made of. Internal to common/temporal; everything made
 * lives in the arena. */
#ifndef COMMON_TEMPORAL_PAYLOAD_H
#define COMMON_TEMPORAL_PAYLOAD_H

#include "common/base/ctx.h"

#include <temporal/common.pb-c.h>
#include <temporal/failure.pb-c.h>

/* A zeroed message: temporal_message(arena, &temporal__duration__descriptor) */
void *temporal_message(struct arena *arena, const ProtobufCMessageDescriptor *type);
/* Protobuf-c's strings are not const, and it does not write to them. */
char *message_text(const char *text);

Temporal__Payload *payload_json(struct arena *arena, const char *json);
/* One payload of JSON; NULL for NULL. */
Temporal__Payloads *payloads_json(struct arena *arena, const char *json);
/* The first one as text, or NULL. */
const char *payload_text(struct arena *arena, const Temporal__Payload *payload);
const char *payloads_text(struct arena *arena, const Temporal__Payloads *payloads);

Temporal__Duration *duration_of(struct arena *arena, int64_t ms); /* NULL for 0 */
int64_t duration_ms(const Temporal__Duration *duration);
int64_t temporal_time_ms(const Temporal__Timestamp *timestamp);

Temporal__TaskQueue *task_queue_of(struct arena *arena, const char *name);
Temporal__WorkflowType *flow_type_of(struct arena *arena, const char *name);
Temporal__WorkflowExecution *execution_of(struct arena *arena, const char *id, const char *run_id);
Temporal__Memo *memo_of(struct arena *arena, const char *key, const char *json); /* NULL for NULL */

/* The trace of ctx as the official SDKs' OpenTelemetry interceptors send it; NULL without one. */
Temporal__Header *header_of_trace(const struct ctx *ctx);
/* The traceparent in it, or NULL. */
const char *header_traceparent(struct arena *arena, const Temporal__Header *header);

/* A status and why, as an application failure whose type is the status' name. */
Temporal__Failure *failure_of(struct ctx *ctx, enum status st);
Temporal__Failure *failure_text(struct arena *arena, const char *type, const char *message);
/* Back again: the innermost cause says it. ST_INTERNAL for types that are no status. */
struct told {
    enum status st;
    const char *message; /* never NULL */
};
struct told failure_told(const Temporal__Failure *failure);

/* After these statuses an activity is tried again. */
bool status_may_pass(enum status st);

#endif
