/* What tests of limits share: rounds, each with a caller of its own. Limits go by Valkey, which has
 * 250 ms for an answer; where that came later, on a machine that was held up, a gateway decided
 * alone and the round says nothing: there is another. Included by those tests only. */
#ifndef TESTS_INTEGRATION_GATEWAY_VALKEY_ROUNDS_H
#define TESTS_INTEGRATION_GATEWAY_VALKEY_ROUNDS_H

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/patience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED_AGAIN_MS = 1100 }; /* Valkey, after it did not answer */

static struct {
    int number;
    int64_t alone; /* decided so before it */
    char caller[ID_TEXT_SIZE];
} rounds = {.caller = STAGE_CUSTOMER};

static int64_t metric_value(const char *name)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text text = text_new(arena, 4096);
    char line[128];

    metrics_print(&text, false);
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(text.data, line);
    return at ? strtoll(at + strlen(line), NULL, 10) : -1;
}

static int64_t decided_alone(void)
{
    return metric_value("ratelimit_fallback_total{class=\"read\"}") +
           metric_value("ratelimit_fallback_total{class=\"write\"}") +
           metric_value("ratelimit_fallback_total{class=\"auth\"}") +
           metric_value("ratelimit_fallback_total{class=\"image\"}");
}

static bool round_counts(void)
{
    return decided_alone() == rounds.alone;
}

/* while (next_round()): until one counted; fails when none does. */
static bool next_round(void)
{
    if (rounds.number > 0) {
        if (round_counts()) {
            return false;
        }
        clock_pause_ms(ASKED_AGAIN_MS);
    }
    rounds.number++;
    ck_assert_int_le(rounds.number, PATIENCE_TRIES);
    snprintf(rounds.caller + strlen(STAGE_CUSTOMER) - 2, 3, "%02d", rounds.number);
    rounds.alone = decided_alone();
    return true;
}

#define ck_assert_in_round(found, wanted)           \
    do {                                            \
        int64_t found_ = (found);                   \
        if (found_ != (wanted) && round_counts()) { \
            ck_assert_int_eq(found_, (wanted));     \
        }                                           \
    } while (0)

#endif
