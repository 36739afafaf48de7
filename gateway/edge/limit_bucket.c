/* See limit_bucket.h. */
#include "gateway/edge/limit_bucket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000000, REDUCED_BY = 4, QUICK_MS = 250 };

static bool parse_count(const char **at, int most, int *count)
{
    char *end;

    errno = 0;
    long number = **at >= '0' && **at <= '9' ? strtol(*at, &end, 10) : 0;
    if (errno || number < 1 || number > most) {
        return false;
    }
    *at = end;
    *count = (int)number;
    return true;
}

bool limit_rate_parse(const char *text, struct limit_rate *rate)
{
    static const char units[] = "smh";
    static const int seconds[] = {1, 60, 3600};
    struct limit_rate read;
    const char *at = text;

    if (!parse_count(&at, MOST, &read.quota) || *at++ != '/' ||
        !parse_count(&at, 86400, &read.window_s)) {
        return false;
    }
    const char *unit = *at ? strchr(units, *at) : NULL;
    if (!unit || at[1] != '\0') {
        return false;
    }
    read.window_s *= seconds[unit - units];
    *rate = read;
    return true;
}

struct limit_rate limit_rate_reduced(const struct limit_rate *rate)
{
    int quota = rate->quota / REDUCED_BY;

    return (struct limit_rate){quota > 0 ? quota : 1, rate->window_s};
}

bool limit_bucket_take(struct limit_bucket *bucket, const struct limit_rate *rate, int64_t now_ms,
                       int64_t *wait_ms)
{
    double per_ms = (double)rate->quota / (rate->window_s * 1000.0);
    double passed = bucket->at_ms ? (double)(now_ms - bucket->at_ms) : 0;

    if (!bucket->at_ms) {
        bucket->tokens = rate->quota;
    }
    bucket->tokens += passed > 0 ? passed * per_ms : 0;
    bucket->tokens = bucket->tokens < rate->quota ? bucket->tokens : rate->quota;
    bucket->at_ms = now_ms;
    if (bucket->tokens >= 1) {
        bucket->tokens -= 1;
        *wait_ms = 0;
        return true;
    }
    *wait_ms = (int64_t)((1 - bucket->tokens) / per_ms) + 1;
    return false;
}

int limit_next_batch(int batch, int64_t lasted_ms, int most)
{
    int next = lasted_ms < QUICK_MS ? batch * 2 : batch / 2;

    next = next < most ? next : most;
    return next > 1 ? next : 1;
}
