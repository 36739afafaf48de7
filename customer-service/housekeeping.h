/* What the daemon does unasked: seeds a demonstration, tells denied sessions again, forgets what
 * ran out. */
#ifndef CUSTOMER_SERVICE_HOUSEKEEPING_H
#define CUSTOMER_SERVICE_HOUSEKEEPING_H

#include <stdbool.h>

struct housekeeping;
struct service;

/* One thread. */
struct housekeeping *housekeeping_start(struct service *service, bool demo);
void housekeeping_stop(struct housekeeping *housekeeping); /* NULL is fine */

/* Whether the demonstration's accounts are there; true where none is wanted. */
bool housekeeping_is_seeded(struct housekeeping *housekeeping);

/* From any thread: Valkey is there again, or did not hear of a denied session. That it was emptied
 * is found without this, within a second. */
void housekeeping_tell_denied(struct housekeeping *housekeeping);

#endif
