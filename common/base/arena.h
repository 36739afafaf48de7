/* Memory that lives exactly as long as one request, event or workflow task.
 *
 * Allocate freely, free nothing: arena_free() runs what arena_defer() registered,
 * newest first, and then releases all memory at once. Allocation never
 * returns NULL: without memory the process ends, and Kubernetes starts it anew. */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include "common/base/auto.h"

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t first_block);
void arena_free(struct arena *arena); /* NULL is fine */
DEFINE_AUTO(arena, struct arena *, arena_free)

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Runs release(handle) when the arena goes: for a PGresult or json_t that must
 * outlive the function that made it. */
void arena_defer(struct arena *arena, void (*release)(void *), void *handle);

#define arena_new_struct(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_new_array(arena, type, count) \
    ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
