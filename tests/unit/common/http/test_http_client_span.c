/* links: common_http
 * What a call leaves in its trace: whom it went to, and none of the secrets in its URL. */
#include "common/base/ctx.h"
#include "common/http/http_client.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"
#include "tests/helpers/house_test.h"
#include "tests/unit/common/http/no_proxy.h"

#include <string.h>

static void ignore_wake(void *user)
{
    (void)user;
}

static const char *server_of(const struct span_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->keys[i], "server.address") == 0) {
            return record->text + record->texts[i];
        }
    }
    return "";
}

/* Nobody listens there: what was asked for counts. */
START_TEST(a_span_names_the_host_and_no_secret_of_the_url)
{
    static const char *const cases[][2] = {
        {"http://127.0.0.1:1/secret",               "127.0.0.1:1"},
        {"http://127.0.0.1:1?token=secret",         "127.0.0.1:1"},
        {"http://user:secret@127.0.0.1:1/path",     "127.0.0.1:1"},
        {"http://user:sec@ret@127.0.0.1:1/me@here", "127.0.0.1:1"},
        {"http://127.0.0.1:1/someone@example.org",  "127.0.0.1:1"},
        {"http://127.0.0.1:1#secret",               "127.0.0.1:1"},
    };
    struct ctx *ctx = ctx_new_system("test");
    AUTO(http_client) struct http_client *client = http_client_new(NULL);
    struct span_record record;
    struct http_answer answer;

    trace_begin(ctx, NULL);
    spans_open(ignore_wake, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_call call = {.method = "GET", .url = cases[i][0]};

        ck_assert_int_ne(http_client_call(ctx, client, &call, &answer), ST_OK);
        ck_assert(spans_take(&record));
        ck_assert_str_eq(server_of(&record), cases[i][1]);
    }
    spans_close();
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND("http client's span", (&(struct test_around){.start = forget_proxies}),
                 a_span_names_the_host_and_no_secret_of_the_url)
