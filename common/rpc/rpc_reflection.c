/* What grpcurl and other tools ask: which services are here, and the files that describe them. The
 * files come from the embedded descriptor set, so that options and comments are in them. */
#include "common/rpc/rpc_method.h"

#include "grpc/reflection/v1/reflection.pb-c.h"

#include <string.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

#define ASKS(what)  GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define TELLS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

static char *lend(const char *text) /* protobuf-c's strings are not const; packing only reads */
{
    return (char *)(uintptr_t)text;
}

static bool send_file(struct rpc_stream *stream, reflection_response *answer,
                      const struct contract_file *file)
{
    Grpc__Reflection__V1__FileDescriptorResponse files =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    ProtobufCBinaryData bytes;

    if (file) {
        bytes = (ProtobufCBinaryData){file->size, (uint8_t *)(uintptr_t)file->bytes};
        files.n_file_descriptor_proto = 1;
        files.file_descriptor_proto = &bytes;
        answer->message_response_case = TELLS(FILE_DESCRIPTOR_RESPONSE);
        answer->file_descriptor_response = &files;
    } else {
        error.error_code = ST_NOT_FOUND;
        error.error_message = lend("not found");
        answer->message_response_case = TELLS(ERROR_RESPONSE);
        answer->error_response = &error;
    }
    return rpc_stream_send(stream, &answer->base);
}

static bool send_services(struct ctx *ctx, struct rpc_stream *stream, reflection_response *answer,
                          const struct rpc_server *server)
{
    static const char *const internal[] = {"grpc.health.v1.Health",
                                           "grpc.reflection.v1.ServerReflection"};
    enum { MOST = 64 };
    Grpc__Reflection__V1__ServiceResponse names[MOST], *list[MOST];
    Grpc__Reflection__V1__ListServiceResponse services =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    size_t count = 0;

    (void)ctx;
    for (; count < ARRAY_LEN(internal); count++) {
        grpc__reflection__v1__service_response__init(&names[count]);
        names[count].name = lend(internal[count]);
    }
    for (const struct rpc_service *s = server->options.services; s->descriptor && count < MOST;
         s++, count++) {
        grpc__reflection__v1__service_response__init(&names[count]);
        names[count].name = lend(s->descriptor->name);
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = &names[i];
    }
    services.n_service = count;
    services.service = list;
    answer->message_response_case = TELLS(LIST_SERVICES_RESPONSE);
    answer->list_services_response = &services;
    return rpc_stream_send(stream, &answer->base);
}

static bool reply(struct ctx *ctx, struct rpc_stream *stream, const struct rpc_server *server,
                  const reflection_request *request)
{
    const struct contract *contract = server->options.contract;
    reflection_response answer = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    answer.valid_host = request->host;
    answer.original_request = (reflection_request *)(uintptr_t)request;
    switch (request->message_request_case) {
    case ASKS(LIST_SERVICES):
        return send_services(ctx, stream, &answer, server);
    case ASKS(FILE_BY_FILENAME):
        return send_file(stream, &answer, contract_file_named(contract, request->file_by_filename));
    case ASKS(FILE_CONTAINING_SYMBOL):
        return send_file(stream, &answer,
                         contract_file_of(contract, request->file_containing_symbol));
    default: /* extensions: nobody asks; what is unknown has no file */
        return send_file(stream, &answer, NULL);
    }
}

static enum status reflection_open(struct ctx *ctx, struct rpc_stream *stream, void *service,
                                   const void *in)
{
    (void)ctx;
    (void)stream;
    (void)service;
    (void)in;
    return ST_OK;
}

static enum status reflection_message(struct ctx *ctx, struct rpc_stream *stream, void *service,
                                      const void *in)
{
    if (!in) {
        rpc_stream_end(stream, ST_OK, NULL);
        return ST_OK;
    }
    if (!reply(ctx, stream, service, in)) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "the client asks faster than it reads");
    }
    return ST_OK;
}

static void reflection_closed(struct rpc_stream *stream, void *service)
{
    (void)stream;
    (void)service;
}

const struct rpc_stream_handler rpc_reflection = {
    .open = reflection_open, .message = reflection_message, .closed = reflection_closed};
