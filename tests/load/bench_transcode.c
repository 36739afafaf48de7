/* What the transcoder costs: nanoseconds of CPU for an order of 455 bytes, in and out, with
 * its arena; jansson's parser and the field checks beside it. Not a test: build target
 * bench_transcode in the preset 'release' and run it on a quiet machine. */
#include "common/contract/contract.h"
#include "common/json/transcode.h"

#include "coffee/order/v1/order.pb-c.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 50000, ROUNDS = 5 };

/* An order of three lines: 455 bytes, as clients send it. */
static const char request[] =
    "{\"items\":[{\"menuItemId\":\"flat-white\",\"quantity\":2,\"customizationIds\":[\"oat-milk\","
    "\"extra-shot\",\"vanilla-syrup\"],\"note\":\"not too hot, "
    "please\"},{\"menuItemId\":\"cinnamon-"
    "roll\",\"quantity\":1,\"customizationIds\":[\"warm\"],\"note\":\"\"},{\"menuItemId\":"
    "\"cortado\","
    "\"quantity\":1,\"customizationIds\":[],\"note\":\"for Nana, who sits at the "
    "window\"}],\"note\":"
    "\"We come at a quarter past eight and would like to sit outside if the sun is "
    "out, as we always do\",\"pickupName\":\"Grandma\"}";

struct work {
    const struct contract *contract;
    const ProtobufCMessage *message;
    struct ctx *ctx;
    size_t sum;
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fresh_arena(struct work *work)
{
    ctx_free(work->ctx);
    work->ctx = ctx_new_system("bench");
}

static void read_json(struct work *work)
{
    fresh_arena(work);
    ProtobufCMessage *message = message_new(work->ctx->arena, work->message->descriptor);
    if (json_to_message(work->ctx, request, sizeof(request) - 1, message) != ST_OK) {
        abort();
    }
    work->sum += message->descriptor->n_fields;
}

static void write_json(struct work *work)
{
    fresh_arena(work);
    struct text text = text_new(work->ctx->arena, 1024);
    message_to_json(&text, work->message);
    work->sum += text.length;
}

static void check_fields(struct work *work)
{
    if (contract_check(work->ctx, work->contract, work->message) != ST_OK) {
        abort();
    }
}

static void nothing_but_an_arena(struct work *work)
{
    fresh_arena(work);
}

static void parse_with_jansson(struct work *work)
{
    json_t *tree = json_loadb(request, sizeof(request) - 1, JSON_REJECT_DUPLICATES, NULL);

    work->sum += json_object_size(tree);
    json_decref(tree);
}

static const struct {
    const char *name;
    void (*run)(struct work *work);
} parts[] = {
    {"an arena alone",     nothing_but_an_arena},
    {"JSON to message",    read_json           },
    {"message to JSON",    write_json          },
    {"contract_check",     check_fields        },
    {"jansson parse+free", parse_with_jansson  },
};

int main(void)
{
    const ProtobufCServiceDescriptor *const services[] = {
        &coffee__order__v1__order_service__descriptor, NULL};
    struct work work = {.contract = contract_new(services, stderr), .ctx = ctx_new_system("bench")};
    struct ctx *keep = ctx_new_system("bench");
    ProtobufCMessage *message =
        message_new(keep->arena, &coffee__order__v1__place_order_request__descriptor);

    if (!work.contract || json_to_message(keep, request, sizeof(request) - 1, message) != ST_OK) {
        return EXIT_FAILURE;
    }
    work.message = message;
    printf("%zu bytes\n", sizeof(request) - 1);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        double best = 1e18;

        for (int round = 0; round < ROUNDS; round++) {
            double start = now_ns();
            for (int turn = 0; turn < TURNS; turn++) {
                parts[i].run(&work);
            }
            double took = (now_ns() - start) / TURNS;
            best = took < best ? took : best;
        }
        printf("%-20s %6.0f ns\n", parts[i].name, best);
    }
    ctx_free(work.ctx);
    ctx_free(keep);
    contract_free((struct contract *)(uintptr_t)work.contract);
    return work.sum ? EXIT_SUCCESS : EXIT_FAILURE;
}
