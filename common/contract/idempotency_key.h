/* What an Idempotency-Key may be: one rule for the gateway, which tells clients of it, and for the
 * daemons, which keep the key. */
#ifndef COMMON_CONTRACT_IDEMPOTENCY_KEY_H
#define COMMON_CONTRACT_IDEMPOTENCY_KEY_H

#include <stdbool.h>

enum { IDEMPOTENCY_KEY_MOST = 255 }; /* characters */
#define IDEMPOTENCY_KEY_PATTERN "^[!-~]+$"
#define IDEMPOTENCY_KEY_RULE    "must be 1 to %d printable characters without blanks"

bool idempotency_key_is_good(const char *key);

#endif
