/* links: PkgConfig::jansson */
/* A log line is one JSON object whatever it carries, and carries what correlates it. */
#include "common/obs/log.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int real_stdout;
static FILE *caught;
static struct ctx *ctx;

static void catch_stdout(void)
{
    caught = tmpfile();
    fflush(stdout);
    real_stdout = dup(STDOUT_FILENO);
    dup2(fileno(caught), STDOUT_FILENO);
    log_open("order-service", "info");
    ctx = ctx_new_system("order-service");
}

static void let_stdout_go(void)
{
    dup2(real_stdout, STDOUT_FILENO);
    close(real_stdout);
    fclose(caught);
    ctx_free(ctx);
}

/* The next line as JSON; NULL when there is none. The caller owns it. */
static json_t *next_line(void)
{
    char line[8192];

    if (!fgets(line, sizeof(line), caught)) {
        return NULL;
    }
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(object != NULL, "%s in %s", error.text, line);
    return object;
}

static json_t *only_line(void)
{
    rewind(caught);
    json_t *object = next_line();

    ck_assert_ptr_nonnull(object);
    ck_assert_ptr_null(next_line());
    return object;
}

static const char *field(json_t *line, const char *key)
{
    const char *value = json_string_value(json_object_get(line, key));

    return value ? value : "";
}

START_TEST(a_line_says_when_where_what_and_for_which_trace)
{
    snprintf(ctx->trace_id, sizeof(ctx->trace_id), "0af7651916cd43dd8448eb211c80319c");
    snprintf(ctx->span_id, sizeof(ctx->span_id), "b7ad6b7169203331");
    snprintf(ctx->correlation_id, sizeof(ctx->correlation_id), "tap-1");
    clock_pretend(1795335330125);
    log_info(ctx, "order placed", log_text("order", "o-1"), log_num("total_cents", -450));
    clock_pretend(0);

    json_t *line = only_line();
    ck_assert_str_eq(field(line, "at"), "2026-11-22T08:15:30.125Z");
    ck_assert_str_eq(field(line, "level"), "info");
    ck_assert_str_eq(field(line, "service"), "order-service");
    ck_assert_str_eq(field(line, "event"), "order placed");
    ck_assert_str_eq(field(line, "trace_id"), "0af7651916cd43dd8448eb211c80319c");
    ck_assert_str_eq(field(line, "span_id"), "b7ad6b7169203331");
    ck_assert_str_eq(field(line, "correlation_id"), "tap-1");
    ck_assert_str_eq(field(line, "order"), "o-1");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "total_cents")), -450);
    json_decref(line);
}
END_TEST

static const char *const texts[] = {
    "plain",
    "quote \" backslash \\ slash /",
    "line\nfeed\ttab\rreturn",
    "\x01\x02\x1f control",
    "caf\xc3\xa9 \xe2\x98\x95 \xf0\x9f\x98\x80",
    "\xe2\x80\xa8 line separator",
    "%s %n %d",
};

START_TEST(a_line_is_valid_json_for_any_utf8)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        log_info(ctx, "text", log_text("value", texts[i]));
    }
    rewind(caught);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        json_t *line = next_line();

        ck_assert_str_eq(field(line, "value"), texts[i]);
        json_decref(line);
    }
}
END_TEST

START_TEST(what_is_not_utf8_is_named_so_and_the_line_stays_valid)
{
    log_info(ctx, "text", log_text("value", "\xff\xfe"), log_num("after", 1));
    json_t *line = only_line();

    ck_assert_str_eq(field(line, "value"), "(not UTF-8)");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "after")), 1);
    json_decref(line);
}
END_TEST

START_TEST(a_long_text_is_one_line)
{
    char large[6000];

    memset(large, '"', sizeof(large) - 1);
    large[3000] = '\0';
    log_info(ctx, "text", log_text("value", large));
    json_t *line = only_line();
    ck_assert_uint_eq(strlen(field(line, "value")), 3000);
    json_decref(line);
}
END_TEST

START_TEST(a_line_without_a_request_needs_no_ctx)
{
    log_warn(NULL, "starting slowly");
    json_t *line = only_line();

    ck_assert_str_eq(field(line, "level"), "warn");
    ck_assert_ptr_null(json_object_get(line, "trace_id"));
    json_decref(line);
}
END_TEST

START_TEST(an_empty_or_missing_text_is_left_out)
{
    log_info(NULL, "text", log_text("none", NULL), log_text("empty", ""), log_num("zero", 0));
    json_t *line = only_line();

    ck_assert_ptr_null(json_object_get(line, "none"));
    ck_assert_ptr_null(json_object_get(line, "empty"));
    ck_assert(json_is_integer(json_object_get(line, "zero")));
    json_decref(line);
}
END_TEST

START_TEST(what_is_below_the_level_is_not_written)
{
    log_debug(NULL, "unseen");
    log_open("order-service", "error");
    log_warn(NULL, "unseen");
    log_error(NULL, "seen");
    json_t *line = only_line();

    ck_assert_str_eq(field(line, "event"), "seen");
    json_decref(line);
}
END_TEST

START_TEST(an_unknown_level_means_info)
{
    log_open("order-service", "error");
    log_open("order-service", "loud");
    log_debug(NULL, "unseen");
    log_info(NULL, "seen");
    json_t *line = only_line();

    ck_assert_str_eq(field(line, "event"), "seen");
    json_decref(line);
}
END_TEST

START_TEST(a_failed_request_says_status_problem_message_detail_and_place)
{
    enum status st = fail_with(ctx, ST_CONFLICT, "order cannot move to that state", "order=%d", 7);

    ck_assert_int_eq(st, ST_CONFLICT);
    log_failure(ctx, "OrderService/Accept");
    json_t *line = only_line();
    ck_assert_str_eq(field(line, "level"), "warn");
    ck_assert_str_eq(field(line, "operation"), "OrderService/Accept");
    ck_assert_str_eq(field(line, "status"), "CONFLICT");
    ck_assert_str_eq(field(line, "problem"), "conflict");
    ck_assert_str_eq(field(line, "message"), "order cannot move to that state");
    ck_assert_str_eq(field(line, "detail"), "order=7");
    ck_assert_ptr_nonnull(strstr(field(line, "where"), "test_log.c:"));
    json_decref(line);
}
END_TEST

START_TEST(only_a_fault_of_ours_is_logged_as_an_error)
{
    enum status st = fail_with(ctx, ST_INTERNAL, "", "%s", "a column is missing");

    ck_assert_int_eq(st, ST_INTERNAL);
    log_failure(ctx, "x");
    json_t *line = only_line();
    ck_assert_str_eq(field(line, "level"), "error");
    json_decref(line);
}
END_TEST

static void *log_many(void *unused)
{
    for (int i = 0; i < 500; i++) {
        log_info(NULL, "busy", log_text("filler", "0123456789012345678901234567890123456789"));
    }
    return unused;
}

START_TEST(lines_of_several_threads_never_mix)
{
    pthread_t threads[4];
    int lines = 0;

    fcntl(STDOUT_FILENO, F_SETFL, O_APPEND);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    rewind(caught);
    for (json_t *line = next_line(); line; line = next_line(), lines++) {
        ck_assert_str_eq(field(line, "event"), "busy");
        json_decref(line);
    }
    ck_assert_int_eq(lines, 2000);
}
END_TEST

TEST_MAIN_AROUND("log", (&(struct test_around){.before = catch_stdout, .after = let_stdout_go}),
                 a_line_says_when_where_what_and_for_which_trace, a_line_is_valid_json_for_any_utf8,
                 what_is_not_utf8_is_named_so_and_the_line_stays_valid, a_long_text_is_one_line,
                 a_line_without_a_request_needs_no_ctx, an_empty_or_missing_text_is_left_out,
                 what_is_below_the_level_is_not_written, an_unknown_level_means_info,
                 a_failed_request_says_status_problem_message_detail_and_place,
                 only_a_fault_of_ours_is_logged_as_an_error, lines_of_several_threads_never_mix)
