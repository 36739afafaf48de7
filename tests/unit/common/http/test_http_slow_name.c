/* links: common_http
 * A name that takes long to look up costs a call its own time, and no more. */
#include "common/base/clock.h"
#include "common/base/ctx.h"
#include "common/http/http_client.h"
#include "common/http/http_multi.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/unit/common/http/no_proxy.h"

#include <netdb.h>
#include <stdatomic.h>

enum { LOOK_UP_MS = 3000, CALL_MS = 300, SLACK_MS = 1000 };

/* In place of libc's: libcurl's thread that looks up finds nothing, and late. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    (void)name, (void)service, (void)hints, (void)found;
    clock_pause_ms(LOOK_UP_MS);
    return EAI_AGAIN;
}

static void after(void)
{
    clock_pause_ms(LOOK_UP_MS); /* the thread that looks up has ended, too */
}

static void call(void)
{
    struct ctx *ctx = ctx_new_system("test");
    struct http_answer answer;
    AUTO(http_client)
    struct http_client *client = http_client_new(
        &(struct http_client_options){.timeout_ms = CALL_MS, .connect_timeout_ms = CALL_MS});

    ck_assert_int_eq(
        http_client_call(ctx, client,
                         &(struct http_call){.method = "GET", .url = "https://slow.example/"},
                         &answer),
        ST_TIMEOUT);
    ctx_free(ctx);
}

START_TEST(a_call_ends_in_time)
{
    ck_assert_quick(CALL_MS + SLACK_MS, call());
}
END_TEST

static void note_end(struct http_multi_call *call, const struct http_multi_answer *answer)
{
    ck_assert(answer->timed_out);
    atomic_store((atomic_bool *)call->user, true);
}

static void call_two(void)
{
    atomic_bool ended[2] = {false, false};
    struct http_multi_call calls[2];
    struct http_multi *multi = http_multi_start(
        &(struct http_multi_options){.timeout_ms = CALL_MS, .connect_timeout_ms = CALL_MS});

    for (int i = 0; i < 2; i++) {
        calls[i] = (struct http_multi_call){.url = "https://slow.example/",
                                            .body = "x",
                                            .size = 1,
                                            .done = note_end,
                                            .user = &ended[i]};
        http_multi_post(multi, &calls[i]);
    }
    while (!atomic_load(&ended[0]) || !atomic_load(&ended[1])) {
        clock_pause_ms(5);
    }
    http_multi_stop(multi);
}

/* Those behind it wait for the thread that all share. */
START_TEST(one_of_many_calls_holds_up_no_other)
{
    ck_assert_quick(CALL_MS + SLACK_MS, call_two());
}
END_TEST

TEST_MAIN_AROUND("http_slow_name", (&(struct test_around){.start = forget_proxies, .after = after}),
                 a_call_ends_in_time, one_of_many_calls_holds_up_no_other)
