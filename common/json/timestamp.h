/* Our milliseconds since 1970 as protobuf's Timestamp, and back: for the edges that encode. */
#ifndef COMMON_JSON_TIMESTAMP_H
#define COMMON_JSON_TIMESTAMP_H

#include "common/base/ctx.h"
#include "google/protobuf/timestamp.pb-c.h"

/* In the arena; NULL for 0: what has not happened is absent. */
Google__Protobuf__Timestamp *timestamp(struct ctx *ctx, int64_t ms);

/* 0 for NULL. */
int64_t timestamp_ms(const Google__Protobuf__Timestamp *t);

#endif
