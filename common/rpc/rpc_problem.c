/* A failure as protobuf and back. What is for the log (detail, where) stays at home. */
#include "common/rpc/rpc_problem.h"

#include "common/base/text.h"

#include "coffee/common/v1/common.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <string.h>

#define TYPE_URL "type.googleapis.com/coffee.common.v1.Problem"

enum { MAX_FIELDS = 64 }; /* trailers are bounded by the peer: 8 KiB */

const char *rpc_problem_text(const struct failure *failure)
{
    bool may_tell = failure->status != ST_INTERNAL && failure->message;

    return may_tell ? failure->message : problem_title(failure->problem);
}

/* protobuf-c's strings are not const, though packing reads only. */
static char *lend(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void add_fields(struct arena *arena, const struct failure *failure,
                       Coffee__Common__V1__Problem *problem)
{
    problem->errors = arena_new_array(arena, Coffee__Common__V1__FieldProblem *, MAX_FIELDS);
    for (const struct field_error *f = failure->fields; f && problem->n_errors < MAX_FIELDS;
         f = f->next) {
        Coffee__Common__V1__FieldProblem *one =
            arena_new_struct(arena, Coffee__Common__V1__FieldProblem);

        coffee__common__v1__field_problem__init(one);
        one->field = lend(f->field);
        one->message = lend(f->message);
        problem->errors[problem->n_errors++] = one;
    }
}

static ProtobufCBinaryData packed(struct arena *arena, const ProtobufCMessage *message)
{
    ProtobufCBinaryData bytes = {.len = protobuf_c_message_get_packed_size(message)};

    bytes.data = arena_alloc(arena, bytes.len + 1);
    protobuf_c_message_pack(message, bytes.data);
    return bytes;
}

grpc_slice rpc_problem_encode(const struct failure *failure)
{
    AUTO(arena) struct arena *arena = arena_new(2048);
    Coffee__Common__V1__Problem problem = COFFEE__COMMON__V1__PROBLEM__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any *details[] = {&any};

    problem.code = lend(problem_code(failure->problem));
    problem.detail = lend(rpc_problem_text(failure));
    problem.retry_after_s = failure->retry_after_s;
    if (failure->status != ST_INTERNAL) {
        add_fields(arena, failure, &problem);
    }
    any.type_url = lend(TYPE_URL);
    any.value = packed(arena, &problem.base);
    status.code = (int)failure->status;
    status.message = problem.detail;
    status.n_details = 1;
    status.details = details;

    ProtobufCBinaryData bytes = packed(arena, &status.base);
    return grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.len);
}

static const Coffee__Common__V1__Problem *find_problem(struct arena *arena, const char *bytes,
                                                       size_t size)
{
    const Google__Rpc__Status *status = (const Google__Rpc__Status *)rpc_unpack_bytes(
        arena, &google__rpc__status__descriptor, bytes, size);

    for (size_t i = 0; status && i < status->n_details; i++) {
        const Google__Protobuf__Any *any = status->details[i];

        if (text_equal(any->type_url, TYPE_URL)) {
            return (const Coffee__Common__V1__Problem *)rpc_unpack_bytes(
                arena, &coffee__common__v1__problem__descriptor, any->value.data, any->value.len);
        }
    }
    return NULL;
}

bool rpc_problem_decode(struct arena *arena, const char *bytes, size_t size,
                        struct failure *failure)
{
    const Coffee__Common__V1__Problem *problem = find_problem(arena, bytes, size);
    struct field_error **last = &failure->fields;

    if (!problem || problem_parse(problem->code) == PROBLEM_NONE) {
        return false;
    }
    failure->problem = problem_parse(problem->code);
    failure->message = *problem->detail ? problem->detail : NULL;
    failure->retry_after_s = problem->retry_after_s;
    for (size_t i = 0; i < problem->n_errors; i++) {
        struct field_error *one = arena_new_struct(arena, struct field_error);

        one->field = problem->errors[i]->field;
        one->message = problem->errors[i]->message;
        *last = one;
        last = &one->next;
    }
    return true;
}
