/* See trim.h. */
#include "gateway/trim.h"

enum { MANY = 32, QUIET_MS = 2000 };

bool trim_is_due(struct trim *trim, int open, int64_t now_ms)
{
    if (open != trim->last) {
        trim->last = open;
        trim->since_ms = now_ms;
    }
    trim->most = open > trim->most ? open : trim->most;
    if (trim->most - open < MANY || now_ms - trim->since_ms < QUIET_MS) {
        return false;
    }
    trim->most = open;
    return true;
}
