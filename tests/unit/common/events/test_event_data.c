/* links: common_events
 * The objects of a list in an event's data: each once, in their order, however many there are. */
#include "common/events/event_data.h"

#include "common/base/text.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <string.h>

enum { LINES = 500, NOTE = 600, LIMIT_MS = 1000 };

static struct ctx *ctx;

struct seen {
    const char *name;
    int64_t number, sum;
    size_t count;
};

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static void count(void *user)
{
    struct seen *seen = user;

    ck_assert_int_eq(seen->number, (int64_t)seen->count);
    seen->sum += seen->number;
    seen->count++;
}

static enum status read_lines(const char *payload, struct seen *seen)
{
    const struct event event = {.payload = payload, .size = strlen(payload)};
    const struct event_member members[] = {
        {.name = "name",    .text = &seen->name, .required = true},
        {.name = "n", .number = &seen->number},
        {0      },
    };

    return event_data_read_each(ctx, &event, "items", members, count, seen);
}

static const char *with_lines(int lines)
{
    struct text text = text_new(ctx->arena, 1024);

    text_add(&text, "{\"data\":{\"items\":[");
    for (int i = 0; i < lines; i++) {
        text_printf(&text, "%s{\"name\":\"x\",\"n\":%d,\"note\":\"%0*d\"}", i ? "," : "", i, NOTE,
                    i);
    }
    text_add(&text, "]}}");
    return text.data;
}

/* One who orders much must not hold up the events of all others. */
START_TEST(many_lines_are_read_at_once)
{
    const char *payload = with_lines(LINES);

    ck_assert_quick(LIMIT_MS, {
        struct seen seen = {0};
        ck_assert_int_eq(read_lines(payload, &seen), ST_OK);
        ck_assert_uint_eq(seen.count, LINES);
        ck_assert_int_eq(seen.sum, LINES * (LINES - 1) / 2);
    });
}
END_TEST

START_TEST(a_list_that_is_not_there_has_no_lines)
{
    struct seen seen = {0};

    ck_assert_int_eq(read_lines("{\"data\":{}}", &seen), ST_OK);
    ck_assert_int_eq(read_lines("{\"data\":{\"items\":[]}}", &seen), ST_OK);
    ck_assert_uint_eq(seen.count, 0);
}
END_TEST

START_TEST(a_line_without_what_it_must_have_is_refused)
{
    struct seen seen = {0};

    ck_assert_int_eq(
        read_lines("{\"data\":{\"items\":[{\"name\":\"x\",\"n\":0},{\"n\":1}]}}", &seen),
        ST_INVALID);
    ck_assert_uint_eq(seen.count, 1);
}
END_TEST

TEST_MAIN_AROUND("event_data", (&(struct test_around){.before = before, .after = after}),
                 many_lines_are_read_at_once, a_list_that_is_not_there_has_no_lines,
                 a_line_without_what_it_must_have_is_refused)
