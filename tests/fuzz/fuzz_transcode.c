/* links: common_json test_contracts */
/* Any bytes as JSON for a message of every kind. What is taken must be written, be taken again and
 * written the same; what is refused must say why. The bytes also go into single fields as text, and
 * into a message as protobuf, whose JSON must never upset the writer. */
#include "common/json/transcode.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void read_write_read(struct ctx *ctx, const char *json, size_t size)
{
    const ProtobufCMessageDescriptor *type = &test__kinds__v1__everything__descriptor;
    ProtobufCMessage *once = message_new(ctx->arena, type), *twice = message_new(ctx->arena, type);
    struct text a = text_new(ctx->arena, 256), b = text_new(ctx->arena, 256);

    if (json_to_message(ctx, json, size, once) != ST_OK) {
        must(ctx->failure.message && *ctx->failure.message);
        must(ctx->failure.problem == PROBLEM_BAD_REQUEST || ctx->failure.fields);
        return;
    }
    message_to_json(&a, once);
    must(json_to_message(ctx, a.data, a.length, twice) == ST_OK);
    message_to_json(&b, twice);
    must(a.length == b.length && memcmp(a.data, b.data, a.length) == 0);
}

/* The first line is the field, the rest its value. */
static void set_field(struct ctx *ctx, const uint8_t *bytes, size_t size)
{
    ProtobufCMessage *message =
        message_new(ctx->arena, &test__kinds__v1__get_one_request__descriptor);
    char *text = arena_alloc(ctx->arena, size + 1);

    memcpy(text, bytes, size);
    char *value = strchr(text, '\n');
    if (!value) {
        return;
    }
    *value++ = '\0';
    ctx_forgive(ctx);
    if (text_to_field(ctx, message, text, value) == ST_OK) {
        (void)message_field_text(ctx->arena, message, text);
    } else {
        must(ctx->failure.message && *ctx->failure.message);
    }
}

static void write_foreign(struct ctx *ctx, const uint8_t *bytes, size_t size)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(&test__kinds__v1__everything__descriptor, NULL, size, bytes);
    struct text json = text_new(ctx->arena, 256);

    if (message) {
        message_to_json(&json, message);
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ctx *ctx = ctx_new_system("fuzz");
    char *exact = malloc(size ? size : 1); /* so that a byte too far is seen */

    memcpy(exact, bytes, size);
    read_write_read(ctx, exact, size);
    set_field(ctx, bytes, size);
    write_foreign(ctx, bytes, size);
    free(exact);
    ctx_free(ctx);
    return 0;
}
