/* How a failure travels: google.rpc.Status with one coffee.common.v1.Problem in it, as the
 * metadata "grpc-status-details-bin". Internal to common/rpc. */
#ifndef COMMON_RPC_RPC_PROBLEM_H
#define COMMON_RPC_RPC_PROBLEM_H

#include "common/rpc/rpc_wire.h"

#define RPC_DETAILS_KEY "grpc-status-details-bin"

/* What the client may read; never more than the title for ST_INTERNAL. */
const char *rpc_problem_text(const struct failure *failure);

grpc_slice rpc_problem_encode(const struct failure *failure);

/* Fills problem, message, fields and retry_after_s; false when the bytes hold no problem of
 * ours. */
bool rpc_problem_decode(struct arena *arena, const char *bytes, size_t size,
                        struct failure *failure);

#endif
