/* See idempotency_key.h. */
#include "common/contract/idempotency_key.h"

#include <string.h>

bool idempotency_key_is_good(const char *key)
{
    size_t length = strlen(key);

    for (const char *c = key; *c; c++) {
        if (*c < '!' || *c > '~') {
            return false;
        }
    }
    return length >= 1 && length <= IDEMPOTENCY_KEY_MOST;
}
