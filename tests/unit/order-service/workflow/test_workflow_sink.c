/* Which rows of a batch are sent to Temporal when some of them fail; the sending is played. */
#include "order-service/workflow/workflow_sink.h"

#include "common/base/auto.h"
#include "tests/helpers/house_test.h"

#include <string.h>

enum { LONG_MS = 10000 };

struct played { /* rows of these keys fail so */
    const char *key;
    enum status st;
    const char *other_key;
    enum status other_st;
    int tries;
};

static enum status play(struct ctx *ctx, void *user, const struct outbox_row *row, int64_t end_ms)
{
    struct played *played = user;

    (void)ctx, (void)end_ms;
    played->tries++;
    return strcmp(row->key, played->key) == 0                              ? played->st
           : played->other_key && strcmp(row->key, played->other_key) == 0 ? played->other_st
                                                                           : ST_OK;
}

/* Rows of a, b, a, c; what became of them as letters: o(k), l(ater), n(ever). */
static const char *sent(struct played *played)
{
    static char letters[5];
    struct ctx *ctx = ctx_new_system("test");
    struct outbox_row rows[] = {{.key = "a"}, {.key = "b"}, {.key = "a"}, {.key = "c"}};

    workflow_send_rows(ctx, &(struct workflow_sender){play, played}, rows, ARRAY_LEN(rows),
                       LONG_MS);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        letters[i] = rows[i].outcome == ST_OK ? 'o' : rows[i].outcome == ST_UNAVAILABLE ? 'l' : 'n';
    }
    ctx_free(ctx);
    return letters;
}

START_TEST(a_busy_workflow_keeps_back_its_own_rows_only)
{
    static const enum status busy[] = {ST_TIMEOUT, ST_TOO_MANY, ST_INTERNAL, ST_RETRY};

    for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
        struct played played = {.key = "a", .st = busy[i]};

        ck_assert_str_eq(sent(&played), "lolo");
        ck_assert_int_eq(played.tries, 3);
    }
}
END_TEST

START_TEST(nothing_more_is_tried_while_temporal_is_away)
{
    struct played played = {.key = "a", .st = ST_UNAVAILABLE};

    ck_assert_str_eq(sent(&played), "llll");
    ck_assert_int_eq(played.tries, 1);
}
END_TEST

START_TEST(two_keys_that_fail_in_a_row_are_enough)
{
    struct played played = {.key = "a", .st = ST_TIMEOUT, .other_key = "b", .other_st = ST_TIMEOUT};

    ck_assert_str_eq(sent(&played), "llll");
    ck_assert_int_eq(played.tries, 2);
}
END_TEST

START_TEST(a_row_that_can_never_be_told_keeps_nothing_back)
{
    struct played played = {.key = "a", .st = ST_INVALID};

    ck_assert_str_eq(sent(&played), "nono");
}
END_TEST

TEST_MAIN("workflow_sink", a_busy_workflow_keeps_back_its_own_rows_only,
          nothing_more_is_tried_while_temporal_is_away, two_keys_that_fail_in_a_row_are_enough,
          a_row_that_can_never_be_told_keeps_nothing_back)
