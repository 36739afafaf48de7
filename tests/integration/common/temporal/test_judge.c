/* links: test_temporal */
/* Others judge us: Temporal's own protos judge ours, and its official Python SDK replays what our
 * worker did. Both come from PyPI once and are then in the cache (tools/temporal-proto/sdk.sh). */
#include "tests/helpers/temporal/flow_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* The exit code of a shell command; what it says goes to our stderr. */
static int run(const char *command)
{
    int status = system(arena_printf(desk.ctx->arena, "cd '%s' && %s >&2", SOURCE_DIR, command));

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The history of a workflow in a file, for the judge. */
static const char *saved(const char *id)
{
    const char *path = arena_printf(desk.ctx->arena, "%s/%s", desk.server.folder, id);
    struct temporal_bytes history;

    ck_assert_int_eq(temporal_history(desk.ctx, desk.temporal, id, &history), ST_OK);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(history.bytes, 1, history.size, file), history.size);
    fclose(file);
    return path;
}

static int judge(const char *workflow, const char *history)
{
    return run(arena_printf(desk.ctx->arena,
                            "PYTHONPATH=tests/helpers/temporal "
                            "timeout 50 \"$(tools/temporal-proto/sdk.sh)\"/bin/python -B "
                            "tests/integration/common/temporal/judge.py %s '%s'",
                            workflow, history));
}

START_TEST(every_field_has_the_name_number_type_and_label_of_upstream)
{
    ck_assert_int_eq(run("tools/temporal-proto/check.sh"), 0);
}
END_TEST

START_TEST(a_wrong_number_is_found)
{
    const char *copy = arena_printf(desk.ctx->arena, "%s/wrong", desk.server.folder);

    ck_assert_int_eq(
        run(arena_printf(desk.ctx->arena,
                         "mkdir '%s' && cp -r proto/temporal '%s/' && "
                         "sed -i 's/string signal_name = 3;/string signal_name = 9;/' "
                         "'%s/temporal/client.proto' && ! cmp -s proto/temporal/client.proto "
                         "'%s/temporal/client.proto'",
                         copy, copy, copy, copy)),
        0);
    ck_assert_int_eq(run(arena_printf(desk.ctx->arena, "tools/temporal-proto/check.sh '%s'", copy)),
                     1);
    ck_assert_int_eq(run(arena_printf(desk.ctx->arena, "rm -r '%s'", copy)), 0);
}
END_TEST

START_TEST(the_official_sdk_accepts_a_completed_order)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{}");
    desk_until_step(id, "waiting");
    desk_signal(id, "accepted", "\"ada\"");
    desk_until_step(id, "preparing");
    desk_signal(id, "ready", NULL);
    desk_until_step(id, "ready");
    desk_signal(id, "picked_up", NULL);
    desk_end(id);
    flow_process_end(&worker, SIGKILL);
    const char *history = saved(id);
    ck_assert_int_eq(judge("CoffeeOrder", history), 0);
    ck_assert_int_eq(judge("WrongOrder", history), 2);
}
END_TEST

START_TEST(the_official_sdk_accepts_an_order_that_timed_out)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{\"accept_ms\":500}");
    desk_end(id);
    flow_process_end(&worker, SIGKILL);
    ck_assert_int_eq(judge("CoffeeOrder", saved(id)), 0);
}
END_TEST

/* WF-14 */
START_TEST(the_official_sdk_takes_our_versions_for_its_patches)
{
    struct flow_process worker = desk_worker(2);
    const char *id = desk_id("versioned");

    desk_begin("Versioned", id, "{}");
    desk_signal(id, "go", NULL);
    ck_assert_str_eq(desk_end(id), "completed \"with thanks\"");
    flow_process_end(&worker, SIGKILL);
    const char *history = saved(id);
    ck_assert_int_eq(judge("Versioned", history), 0);
    ck_assert_int_eq(judge("WrongVersioned", history), 2); /* without patched() */
}
END_TEST

/* The first time this takes longer than a test may. Without it the tests fail, and say why. */
static void fetch_and_start(void)
{
    if (system("cd '" SOURCE_DIR "' && tools/temporal-proto/fetch.sh >&2") != 0) {
        fputs("the official SDK cannot be had\n", stderr);
    }
    desk_start();
}

static const struct test_around around = {fetch_and_start, desk_stop, desk_open, desk_close};
FLOW_TEST_MAIN("judge", &around, every_field_has_the_name_number_type_and_label_of_upstream,
               a_wrong_number_is_found, the_official_sdk_accepts_a_completed_order,
               the_official_sdk_accepts_an_order_that_timed_out,
               the_official_sdk_takes_our_versions_for_its_patches)
