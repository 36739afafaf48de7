/* One call to Temporal's frontend. Internal to common/temporal. */
#ifndef COMMON_TEMPORAL_CALL_H
#define COMMON_TEMPORAL_CALL_H

#include "common/rpc/rpc_client.h"
#include "common/temporal/temporal.h"

#include <protobuf-c/protobuf-c.h>

#include <stdatomic.h>

enum { CALL_TIMEOUT_MS = 10000 };

struct temporal {
    struct rpc_client *client;
    char *target, *namespace_, *identity;
    const char *metadata[8];
};

/* "StartWorkflowExecution" and what it answers with. 'out' may be NULL. */
enum status temporal_call(struct ctx *ctx, struct temporal *temporal, const char *method,
                          const void *in, const ProtobufCMessageDescriptor *out_type,
                          void *out) MUST_CHECK;
/* The same on a client of its own, which rpc_client_cancel() can break off, and longer. */
struct long_poll {
    struct rpc_client *client;
    const char *method;
    int timeout_ms;
};
struct rpc_client *temporal_poll_client(struct temporal *temporal);
enum status temporal_poll(struct ctx *ctx, const struct long_poll *poll, const void *in,
                          const ProtobufCMessageDescriptor *out_type, void *out) MUST_CHECK;
/* Repeats while the server is away, at most until then (monotonic), and no longer once the worker
 * hurries: for answers to tasks, which are lost with the work they stand for. */
struct insistence {
    const char *method;
    int64_t until_ms;
    const atomic_bool *is_hurrying;
};
enum status temporal_insist(struct ctx *ctx, struct temporal *temporal,
                            const struct insistence *insistence, const void *in,
                            const ProtobufCMessageDescriptor *out_type) MUST_CHECK;

#endif
