/* Calls to Temporal's frontend over common/rpc. The metadata is what every SDK sends; the namespace
 * is for proxies. */
#include "common/temporal/call.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 2000 };

static const char service[] = "/temporal.api.workflowservice.v1.WorkflowService/";

static char *keep(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return copy;
}

static char *identity_of_process(void)
{
    char host[65] = "", text[96];

    gethostname(host, sizeof(host) - 1);
    snprintf(text, sizeof(text), "%d@%s", (int)getpid(), host);
    return keep(text);
}

struct rpc_client *temporal_poll_client(struct temporal *temporal)
{
    return rpc_client_new(&(struct rpc_client_options){
        .target = temporal->target,
        .metadata = temporal->metadata,
        .no_retry = true,
        .beside = temporal->client, /* NULL when it is that one */
    });
}

struct temporal *temporal_new(const struct temporal_options *options)
{
    struct temporal *temporal = calloc(1, sizeof(*temporal));

    if (!temporal) {
        fputs("out of memory\n", stderr);
        abort();
    }
    temporal->target = keep(options->target);
    temporal->namespace_ = keep(options->namespace_ ? options->namespace_ : "default");
    temporal->identity = options->identity ? keep(options->identity) : identity_of_process();
    const char *metadata[] = {"client-name", "everything-c",       "client-version",
                              "1.0.0",       "temporal-namespace", temporal->namespace_,
                              NULL};
    memcpy(temporal->metadata, metadata, sizeof(metadata));
    temporal->client = temporal_poll_client(temporal);
    return temporal;
}

void temporal_free(struct temporal *temporal)
{
    if (!temporal) {
        return;
    }
    rpc_client_free(temporal->client);
    free(temporal->target);
    free(temporal->namespace_);
    free(temporal->identity);
    free(temporal);
}

bool temporal_is_up(struct temporal *temporal)
{
    return rpc_client_is_up(temporal->client);
}

enum status temporal_poll(struct ctx *ctx, const struct long_poll *poll, const void *in,
                          const ProtobufCMessageDescriptor *out_type, void *out)
{
    ProtobufCMessage *message = NULL;
    char path[128];

    snprintf(path, sizeof(path), "%s%s", service, poll->method);
    TRY(rpc_call(ctx, poll->client, path, in, out_type, poll->timeout_ms, &message));
    if (out) {
        memcpy(out, &message, sizeof(message)); /* any message's pointer */
    }
    return ST_OK;
}

enum status temporal_call(struct ctx *ctx, struct temporal *temporal, const char *method,
                          const void *in, const ProtobufCMessageDescriptor *out_type, void *out)
{
    const struct long_poll call = {temporal->client, method, CALL_TIMEOUT_MS};

    return temporal_poll(ctx, &call, in, out_type, out);
}

enum status temporal_insist(struct ctx *ctx, struct temporal *temporal,
                            const struct insistence *insistence, const void *in,
                            const ProtobufCMessageDescriptor *out_type)
{
    int64_t pause_ms = FIRST_PAUSE_MS;

    for (;;) {
        enum status st = temporal_call(ctx, temporal, insistence->method, in, out_type, NULL);
        bool may_pass = st == ST_UNAVAILABLE || st == ST_TIMEOUT || st == ST_TOO_MANY;

        if (!may_pass || atomic_load(insistence->is_hurrying) ||
            clock_monotonic_ms() + pause_ms > insistence->until_ms) {
            return st;
        }
        ctx_forgive(ctx);
        clock_pause_ms(pause_ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}
