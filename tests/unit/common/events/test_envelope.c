/* The envelope: what is written reads back, and what is none is refused in our own words. */
#include "common/events/envelope.h"

#include "tests/helpers/house_test.h"

#include <string.h>

#define ID "0190a7c0-0000-7000-8000-00000000000a"

static struct ctx *ctx;

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static enum status read_text(const char *payload, struct event *event)
{
    *event = (struct event){.payload = payload, .size = strlen(payload)};
    return envelope_read(ctx, event);
}

START_TEST(what_is_written_reads_back) /* EVT-22 */
{
    struct caller actor = {.subject = "0190a7c0-0000-7000-8000-00000000000b", .role = ROLE_BARISTA};
    struct event_draft draft = {
        .id = ID,
        .type = "OrderReady",
        .subject = "orderId",
        .subject_id = "0190a7c0-0000-7000-8000-00000000000c",
        .data = "{\"photo\":null}",
        .seq = 4,
        .at_ms = 1795248930125,
        .actor = &actor,
    };
    const char *payload = event_envelope(ctx->arena, &draft);
    struct event event;

    ck_assert_str_eq(payload, "{\"id\":\"" ID "\",\"v\":1,\"type\":\"OrderReady\","
                              "\"at\":\"2026-11-21T08:15:30.125Z\","
                              "\"orderId\":\"0190a7c0-0000-7000-8000-00000000000c\",\"seq\":4,"
                              "\"actor\":{\"role\":\"barista\","
                              "\"id\":\"0190a7c0-0000-7000-8000-00000000000b\"},"
                              "\"data\":{\"photo\":null}}");
    ck_assert_int_eq(read_text(payload, &event), ST_OK);
    ck_assert_str_eq(event.id, ID);
    ck_assert_str_eq(event.type, "OrderReady");
    ck_assert_int_eq(event.seq, 4);
    ck_assert_int_eq(event.at_ms, 1795248930125);
}
END_TEST

START_TEST(without_an_actor_it_was_the_system)
{
    struct event_draft draft = {.id = ID, .type = "T", .data = "{}"};

    ck_assert_ptr_nonnull(
        strstr(event_envelope(ctx->arena, &draft), "\"actor\":{\"role\":\"system\"}"));
}
END_TEST

static const struct {
    const char *payload, *why;
} refused[] = {
    {"",                                                                                          "no JSON at byte 0"  },
    {"{\"id\":",                                                                                  "no JSON at byte 6"  },
    {"[]",                                                                                        "it is no object"    },
    {"{\"v\":1,\"v\":1}",                                                                         "no JSON"            },
    {"{\"id\":\"" ID "\"}",                                                                       "no version"         },
    {"{\"v\":\"1\"}",                                                                             "no version"         },
    {"{\"v\":2,\"id\":\"" ID "\"}",                                                               "version 2, known is"},
    {"{\"v\":1,\"id\":\"7\"}",                                                                    "'id' is no UUID"    },
    {"{\"v\":1,\"id\":\"" ID "\",\"type\":\"\"}",                                                 "no 'type'"          },
    {"{\"v\":1,\"id\":\"" ID "\",\"type\":\"T\",\"at\":\"now\"}",                                 "'at' is no time"    },
    {"{\"v\":1,\"id\":\"" ID "\",\"type\":\"T\",\"at\":\"2026-11-21T08:15:30.125Z\",\"seq\":-1}",
     "'seq' is no number"                                                                                              },
    {"{\"v\":1,\"id\":\"" ID "\",\"type\":\"T\",\"at\":\"2026-11-21T08:15:30.125Z\",\"data\":7}",
     "'data' is no object"                                                                                             },
};

START_TEST(what_is_no_envelope_is_refused_with_its_reason) /* EVT-22 */
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct event event;

        ck_assert_int_eq(read_text(refused[i].payload, &event), ST_INVALID);
        ck_assert_msg(strstr(ctx->failure.detail, refused[i].why), "%s: %s", refused[i].payload,
                      ctx->failure.detail);
    }
}
END_TEST

TEST_MAIN_AROUND("envelope", (&(struct test_around){.before = before, .after = after}),
                 what_is_written_reads_back, without_an_actor_it_was_the_system,
                 what_is_no_envelope_is_refused_with_its_reason)
