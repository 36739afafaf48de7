/* What protobuf-c lets through in the bytes of a request. Internal to common/rpc. */
#ifndef COMMON_RPC_RPC_SCAN_H
#define COMMON_RPC_RPC_SCAN_H

#include "common/base/ctx.h"

#include <protobuf-c/protobuf-c.h>

enum { RPC_DEEPEST = 32 }; /* messages within each other, the outermost included */

/* ST_INVALID, with the field refused, when a string holds a NUL (protobuf-c would cut it there)
 * or messages nest deeper than RPC_DEEPEST (it recurses without a bound); and, without a field,
 * when the bytes are no message at all. Fields that the type does not know are stepped over. */
enum status rpc_scan(struct ctx *ctx, const ProtobufCMessageDescriptor *type, const void *bytes,
                     size_t size) MUST_CHECK;

#endif
