/* The smallest layer over the gRPC core: queues, buffers, metadata, time. Knows no call. */
#include "common/rpc/rpc_wire.h"

#include "common/base/clock.h"
#include "common/base/tsan.h"
#include "common/obs/log.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef TSAN_IS_ON
/* libgrpc and absl are not instrumented: without this, every binary that links us would drown in
 * reports of theirs. TSAN_OPTIONS still comes on top. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "ignore_noninstrumented_modules=1";
}
#endif

/* What the core has to say is a line of our log like any other. */
static void log_of_core(gpr_log_func_args *args)
{
    if (args->severity == GPR_LOG_SEVERITY_ERROR) {
        log_warn(NULL, "grpc", log_text("message", args->message));
    }
}

/* Debian builds absl with its debug checks: each lock of the core would pass through one graph of
 * all locks, in search of deadlocks. Where absl has no such function, or another name for it, there
 * is nothing to switch off. */
enum { IGNORE_CYCLES = 0 };
extern void absl_set_deadlock_detection(int mode) __asm__(
    "_ZN4absl7debian329SetMutexDeadlockDetectionModeENS0_15OnDeadlockCycleE") __attribute__((weak));

static void stop_deadlock_checks(void)
{
    if (absl_set_deadlock_detection) {
        absl_set_deadlock_detection(IGNORE_CYCLES);
    }
}

static void prepare_core(void)
{
    gpr_set_log_function(log_of_core);
    stop_deadlock_checks();
}

void rpc_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, prepare_core);
    grpc_init();
}

void *rpc_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory) {
        abort(); /* as an arena does */
    }
    return memory;
}

void rpc_start(grpc_call *call, const grpc_op *ops, size_t count, struct rpc_tag *tag)
{
    HB_RELEASE(tag);
    if (grpc_call_start_batch(call, ops, count, tag, NULL) != GRPC_CALL_OK) {
        abort(); /* a misuse of the core, never the peer's doing */
    }
}

void rpc_start_inline(grpc_call *call, const grpc_op *ops, size_t count,
                      grpc_completion_queue_functor *done)
{
    HB_RELEASE(done);
    if (grpc_call_start_batch(call, ops, count, done, NULL) != GRPC_CALL_OK) {
        abort();
    }
}

void *rpc_queue_run(void *queue)
{
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        if (event.type == GRPC_OP_COMPLETE) {
            struct rpc_tag *tag = event.tag;

            HB_ACQUIRE(tag);
            tag->run(tag, event.success != 0);
        }
    }
}

/* Packs straight into the slice that goes on the wire: one copy in all. */
grpc_byte_buffer *rpc_pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

const uint8_t *rpc_bytes(struct arena *arena, grpc_byte_buffer *buffer, size_t *size)
{
    const grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;
    grpc_byte_buffer_reader reader;

    if (buffer->data.raw.compression == GRPC_COMPRESS_NONE && slices->count == 1) {
        *size = GRPC_SLICE_LENGTH(slices->slices[0]);
        return GRPC_SLICE_START_PTR(slices->slices[0]);
    }
    if (!grpc_byte_buffer_reader_init(&reader, buffer)) {
        return NULL;
    }
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    *size = GRPC_SLICE_LENGTH(all);
    uint8_t *bytes = arena_alloc(arena, *size + 1);
    if (*size) {
        memcpy(bytes, GRPC_SLICE_START_PTR(all), *size);
    }
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
    return bytes;
}

static void *take(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void leave(void *arena, void *memory) /* it goes with the arena */
{
    (void)arena;
    (void)memory;
}

ProtobufCMessage *rpc_unpack_bytes(struct arena *arena, const ProtobufCMessageDescriptor *type,
                                   const void *bytes, size_t size)
{
    ProtobufCAllocator allocator = {.alloc = take, .free = leave, .allocator_data = arena};

    return protobuf_c_message_unpack(type, &allocator, size, bytes);
}

ProtobufCMessage *rpc_unpack(struct arena *arena, const ProtobufCMessageDescriptor *type,
                             grpc_byte_buffer *buffer)
{
    size_t size;
    const uint8_t *bytes = rpc_bytes(arena, buffer, &size);

    return bytes ? rpc_unpack_bytes(arena, type, bytes, size) : NULL;
}

const char *rpc_metadata(struct arena *arena, const grpc_metadata_array *metadata, const char *key,
                         size_t *size)
{
    for (size_t i = 0; i < metadata->count; i++) {
        const grpc_metadata *entry = &metadata->metadata[i];

        if (grpc_slice_str_cmp(entry->key, key) == 0) {
            size_t length = GRPC_SLICE_LENGTH(entry->value);
            char *value = arena_alloc(arena, length + 1);

            memcpy(value, GRPC_SLICE_START_PTR(entry->value), length);
            if (size) {
                *size = length;
            }
            return value;
        }
    }
    return NULL;
}

int64_t rpc_deadline_ms(gpr_timespec deadline)
{
    gpr_timespec at = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);

    if (gpr_time_cmp(at, gpr_inf_future(GPR_CLOCK_MONOTONIC)) == 0) {
        return 0;
    }
    gpr_timespec left = gpr_time_sub(at, gpr_now(GPR_CLOCK_MONOTONIC));
    return clock_monotonic_ms() + gpr_time_to_millis(left);
}

gpr_timespec rpc_deadline(int64_t monotonic_ms)
{
    if (!monotonic_ms) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }
    int64_t left = monotonic_ms - clock_monotonic_ms();
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(left, GPR_TIMESPAN));
}
