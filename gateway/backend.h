/* The daemons behind the gateway, and whether they are worth asking: one that is away is answered
 * for at once, and asked again once a second. */
#ifndef GATEWAY_BACKEND_H
#define GATEWAY_BACKEND_H

#include "common/rpc/rpc_client.h"

enum backend_id { BACKEND_ORDER, BACKEND_CUSTOMER, BACKEND_COUNT };

struct backend;

/* 'beside': another whose threads it shares, and which is freed later; NULL: 'threads' of its
 * own. */
struct backend *backend_new(enum backend_id id, const char *address,
                            const struct identity_keys *keys, int threads, struct backend *beside);
void backend_free(struct backend *backend); /* NULL is fine */
struct rpc_client *backend_client(struct backend *backend);
const char *backend_name(const struct backend *backend);
bool backend_is_up(struct backend *backend); /* as known; does not block */

/* One call. done() runs on a thread of the client, or on this one when the backend is known to be
 * away: then it is ST_UNAVAILABLE at once. A backend that does not connect is given a second. */
void backend_call(struct ctx *ctx, struct backend *backend, const char *path,
                  const ProtobufCMessage *in, const ProtobufCMessageDescriptor *out_type,
                  int timeout_ms, rpc_done *done, void *user);

#endif
