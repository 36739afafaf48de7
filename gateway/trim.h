/* Memory comes back after a crowd has gone: the allocator keeps what many of them gave back, in
 * pages between others that are in use, and hands it to the system only when told to. */
#ifndef GATEWAY_TRIM_H
#define GATEWAY_TRIM_H

#include <stdbool.h>
#include <stdint.h>

struct trim {
    int most,
        last; /* open requests and streams: the most since the last time, and at the last look */
    int64_t since_ms; /* the number has been the same */
};

/* Called now and then with the number of what is open. True: many have gone, and it is quiet. */
bool trim_is_due(struct trim *trim, int open, int64_t now_ms);

#endif
