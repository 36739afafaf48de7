/* The lists of status.h: whole, consistent and in step with gRPC. */
#include "common/base/status.h"

#include "common/base/auto.h"
#include "tests/helpers/house_test.h"

#include <string.h>

static const enum status all[] = {
#define X(name, grpc, problem) ST_##name,
    STATUS_LIST(X)
#undef X
};

START_TEST(a_status_has_the_value_of_its_grpc_code)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        ck_assert_int_eq(status_from_grpc((int)all[i]), all[i]);
    }
    ck_assert_int_eq(ST_NOT_FOUND, 5);
    ck_assert_int_eq(ST_UNAVAILABLE, 14);
}
END_TEST

START_TEST(a_grpc_code_that_we_never_send_is_an_internal_failure)
{
    static const int strange[] = {2, 11, 15, 17, -1};

    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        ck_assert_int_eq(status_from_grpc(strange[i]), ST_INTERNAL);
    }
}
END_TEST

START_TEST(the_problem_of_a_status_has_that_status)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        ck_assert_int_eq(problem_status(status_problem(all[i])), all[i]);
    }
}
END_TEST

START_TEST(a_problem_code_reads_back)
{
    for (int i = 1; i < PROBLEM_COUNT; i++) {
        ck_assert_int_eq(problem_parse(problem_code((enum problem)i)), i);
    }
    ck_assert_int_eq(problem_parse("no_such_problem"), PROBLEM_NONE);
    ck_assert_int_eq(problem_parse(""), PROBLEM_NONE);
}
END_TEST

START_TEST(a_problem_has_a_title_and_an_http_status_of_a_failure)
{
    for (int i = 1; i < PROBLEM_COUNT; i++) {
        int http = problem_http((enum problem)i);

        ck_assert_int_ge(http, 400);
        ck_assert_int_le(http, 599);
        ck_assert_uint_gt(strlen(problem_title((enum problem)i)), 5);
        ck_assert_int_ne(problem_status((enum problem)i), ST_OK);
    }
}
END_TEST

/* GW-03 */
START_TEST(the_statuses_of_the_contract_become_the_http_codes_it_promises)
{
    static const struct {
        enum status status;
        int http;
    } promised[] = {
        {ST_INVALID,         400},
        {ST_UNAUTHENTICATED, 401},
        {ST_FORBIDDEN,       403},
        {ST_NOT_FOUND,       404},
        {ST_CONFLICT,        409},
        {ST_TOO_MANY,        429},
        {ST_UNAVAILABLE,     503},
        {ST_TIMEOUT,         504},
    };

    for (size_t i = 0; i < ARRAY_LEN(promised); i++) {
        ck_assert_int_eq(problem_http(status_problem(promised[i].status)), promised[i].http);
    }
    ck_assert_int_eq(problem_http(PROBLEM_INVALID_FIELDS), 422);
}
END_TEST

START_TEST(status_names_are_all_different)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t k = i + 1; k < ARRAY_LEN(all); k++) {
            ck_assert_str_ne(status_name(all[i]), status_name(all[k]));
        }
    }
}
END_TEST

TEST_MAIN("status", a_status_has_the_value_of_its_grpc_code,
          a_grpc_code_that_we_never_send_is_an_internal_failure,
          the_problem_of_a_status_has_that_status, a_problem_code_reads_back,
          a_problem_has_a_title_and_an_http_status_of_a_failure,
          the_statuses_of_the_contract_become_the_http_codes_it_promises,
          status_names_are_all_different)
