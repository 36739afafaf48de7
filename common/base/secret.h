/* A password, key or token that outlives a request. It is a type of its own, so that no
 * log or print call takes it by accident: grep for secret_reveal() to see every place
 * that looks at one. */
#ifndef COMMON_BASE_SECRET_H
#define COMMON_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *hidden; /* allotted, NUL-terminated; NULL: none */
    size_t length;
};

/* Keeps a copy of the bytes; what was kept before is wiped. */
void secret_keep(struct secret *secret, const char *bytes, size_t length);

bool secret_is_set(const struct secret *secret);

/* The text itself, "" when there is none. Lives until secret_wipe(). */
const char *secret_reveal(const struct secret *secret);

/* Overwrites and frees. The secret is then unset. */
void secret_wipe(struct secret *secret);

#endif
