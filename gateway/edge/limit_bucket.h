/* The arithmetic of rates: pure, so that it can be tested without a clock or Valkey. */
#ifndef GATEWAY_EDGE_LIMIT_BUCKET_H
#define GATEWAY_EDGE_LIMIT_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct limit_rate {
    int quota, window_s; /* "60/60s": so many in so many seconds, and at once after a rest */
};

/* "60/60s", "10/1s", "600/10m"; false when it is none. */
bool limit_rate_parse(const char *text, struct limit_rate *rate);

/* How often a caller may come when Valkey is away and nobody knows what the other replicas
 * allow. */
struct limit_rate limit_rate_reduced(const struct limit_rate *rate);

/* A token bucket: full after a rest, then refilled evenly. */
struct limit_bucket {
    double tokens;
    int64_t at_ms; /* 0: never used, so full */
};

/* Takes one; false: not before *wait_ms. */
bool limit_bucket_take(struct limit_bucket *bucket, const struct limit_rate *rate, int64_t now_ms,
                       int64_t *wait_ms);

/* How many tokens to fetch at once. Someone who uses up a batch quickly gets twice as many next
 * time, someone who does not half: so a slow caller costs the others nothing, and a fast one few
 * round trips. */
int limit_next_batch(int batch, int64_t lasted_ms, int most);

#endif
