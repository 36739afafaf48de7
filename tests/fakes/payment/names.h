/* From a name to a number, for ledgers that are read by key. */
#ifndef TESTS_FAKES_PAYMENT_NAMES_H
#define TESTS_FAKES_PAYMENT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names; /* names are not copied: they live as long as it does */

struct names *names_new(void);
void names_free(struct names *names); /* NULL is fine */
void names_put(struct names *names, const char *name, size_t number);
/* False when it is unknown. */
bool names_find(const struct names *names, const char *name, size_t *number);

#endif
