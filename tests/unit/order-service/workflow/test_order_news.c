/* News of an order as JSON: what the outbox, Temporal and activities hand on. */
#include "order-service/workflow/order_news.h"

#include "tests/helpers/house_test.h"

#include <string.h>

static const struct order_news some = {
    .order = {"019aa1f0-5c3e-7000-8000-000000000001"},
    .seq = 7,
    .status = ORDER_READY,
    .at_ms = 1800000000123,
    .accept_by_ms = 1800000300000,
    .collect_by_ms = 1800001800000,
    .reason = "he said \"no\"\n",
    .pays = true,
};

START_TEST(news_read_back_as_they_were_written)
{
    struct ctx *ctx = ctx_new_system("test");
    struct order_news read;

    ck_assert_int_eq(order_news_read(ctx, order_news_json(ctx->arena, &some), &read), ST_OK);
    ck_assert_str_eq(read.order.text, some.order.text);
    ck_assert_int_eq(read.seq, 7);
    ck_assert_int_eq(read.status, ORDER_READY);
    ck_assert_int_eq(read.at_ms, some.at_ms);
    ck_assert_int_eq(read.accept_by_ms, some.accept_by_ms);
    ck_assert_int_eq(read.collect_by_ms, some.collect_by_ms);
    ck_assert_str_eq(read.reason, some.reason);
    ck_assert(read.pays && !read.keeps_uncollected);
    ctx_free(ctx);
}
END_TEST

START_TEST(fields_of_a_later_build_are_passed_over)
{
    struct ctx *ctx = ctx_new_system("test");
    struct order_news read;
    const char *json = "{\"new\":{\"x\":[1,2]},\"orderId\":\"a\",\"seq\":1,\"status\":\"placed\"}";

    ck_assert_int_eq(order_news_read(ctx, json, &read), ST_OK);
    ck_assert_str_eq(read.reason, "");
    ctx_free(ctx);
}
END_TEST

START_TEST(what_is_no_news_is_refused)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"orderId\":\"a\",\"seq\":1}",
        "{\"orderId\":\"a\",\"seq\":0,\"status\":\"placed\"}",
        "{\"orderId\":\"a\",\"seq\":1,\"status\":\"lost\"}",
        "{\"orderId\":\"019aa1f0-5c3e-7000-8000-000000000001-x\",\"seq\":1,\"status\":\"ready\"}",
        "{\"orderId\":\"a\",\"seq\":1,\"status\":\"placed\"",
        "{\"orderId\":\"a\",\"seq\":1,\"status\":\"placed\"} more",
        "{\"orderId\":\"a\",\"seq\":\"1\",\"status\":\"placed\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct ctx *ctx = ctx_new_system("test");
        struct order_news read;

        ck_assert_msg(order_news_read(ctx, bad[i], &read) == ST_INVALID, "%s", bad[i]);
        ctx_free(ctx);
    }
}
END_TEST

/* What people write comes last in the row and cannot pose as any of it. */
START_TEST(a_new_orders_deadline_counts_from_the_time_the_database_gave_it)
{
    struct ctx *ctx = ctx_new_system("test");
    struct order_news placed = some, read;
    const struct order order = {.id = some.order,
                                .number = 17,
                                .status = ORDER_PLACED,
                                .seq = 1,
                                .placed_ms = 1800000000123,
                                .lines = "[]",
                                .placed_by = "",
                                .note = ",\"order\":{\"acceptWithin\":1",
                                .pickup_name = ",\"acceptWithin\":5,\"order\":"};

    placed.seq = 1;
    placed.status = ORDER_PLACED;
    const char *row =
        arena_printf(ctx->arena, "%s%s%s", order_news_before_view(ctx->arena, &placed, 300000),
                     order_view(ctx->arena, &order), ORDER_NEWS_AFTER_VIEW);
    ck_assert_int_eq(order_news_read_placed(ctx, row, &read), ST_OK);
    ck_assert_int_eq(read.at_ms, 1800000000123);
    ck_assert_int_eq(read.accept_by_ms, 1800000300123);
    ck_assert_int_eq(read.status, ORDER_PLACED);
    ck_assert(read.pays);
    ck_assert_int_eq(order_news_read_placed(ctx, "{\"news\":{}}", &read), ST_INVALID);
    ck_assert_int_eq(order_news_read_placed(ctx, "nothing", &read), ST_INVALID);
    ctx_free(ctx);
}
END_TEST

TEST_MAIN("order_news", news_read_back_as_they_were_written,
          fields_of_a_later_build_are_passed_over, what_is_no_news_is_refused,
          a_new_orders_deadline_counts_from_the_time_the_database_gave_it)
