/* What server and client share of the gRPC core: events that carry a function, messages as byte
 * buffers, metadata as text. Internal to common/rpc. */
#ifndef COMMON_RPC_RPC_WIRE_H
#define COMMON_RPC_RPC_WIRE_H

#include "common/base/ctx.h"

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

/* What an event of a completion queue carries: who goes on. */
struct rpc_tag {
    void (*run)(struct rpc_tag *tag, bool ok);
    void *owner;
};

enum {
    RPC_MAX_MESSAGE = 4 << 20, /* of an answer */
    /* a list of empty messages is a hundred times larger once unpacked */
    RPC_MAX_REQUEST = 256 << 10,
};

/* grpc_init(), with the core's complaints going to our log. grpc_shutdown() is its pair. */
void rpc_init(void);

/* Starts the operations; the tag runs when all are done. */
void rpc_start(grpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag);
/* The same for a call that is bound to a queue of callbacks: 'done' runs on whichever thread
 * completes the operations, this one included. */
void rpc_start_inline(grpc_call *call, const grpc_op *ops, size_t count,
                      grpc_completion_queue_functor *done);

/* Runs tags until the queue is shut down and empty: the body of a thread. */
void *rpc_queue_run(void *queue);

grpc_byte_buffer *rpc_pack(const ProtobufCMessage *message);

/* Into the arena; NULL when it is no message of that type. */
ProtobufCMessage *rpc_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
                             grpc_byte_buffer *buffer);
ProtobufCMessage *rpc_unpack_bytes(struct arena *arena, const ProtobufCMessageDescriptor *type,
                                   const void *bytes, size_t size);

/* The bytes of a buffer, in the arena when they were scattered. */
const uint8_t *rpc_bytes(struct arena *arena, grpc_byte_buffer *buffer, size_t *size);

/* The value of the first entry with this key as text in the arena, or NULL. 'size' may be NULL. */
const char *rpc_metadata(struct arena *arena, const grpc_metadata_array *metadata, const char *key,
                         size_t *size);

int64_t rpc_deadline_ms(gpr_timespec deadline);  /* on clock_monotonic_ms(); 0: none */
gpr_timespec rpc_deadline(int64_t monotonic_ms); /* 0: never */

/* Never returns NULL. */
void *rpc_alloc(size_t size);

#endif
