/* Records of spans as the collector wants them. Internal to common/telemetry. */
#ifndef COMMON_TELEMETRY_OTLP_MESSAGE_H
#define COMMON_TELEMETRY_OTLP_MESSAGE_H

#include "common/base/arena.h"
#include "common/obs/span.h"

#include <protobuf-c/protobuf-c.h>

struct otlp_resource {
    const char *daemon, *version;
    char instance[96];
};

/* In the arena; the texts stay where they are, in the records. */
ProtobufCMessage *otlp_message(struct arena *arena, const struct otlp_resource *resource,
                               struct span_record *records, size_t count);

/* How many spans the collector did not want, by its answer. */
int64_t otlp_rejected(const ProtobufCMessage *answer);

#endif
