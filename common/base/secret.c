/* Secrets in memory of their own, overwritten before it goes back. */
#include "common/base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void secret_keep(struct secret *secret, const char *bytes, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy) {
        fputs("out of memory\n", stderr);
        abort();
    }
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    secret_wipe(secret);
    *secret = (struct secret){.hidden = copy, .length = length};
}

bool secret_is_set(const struct secret *secret)
{
    return secret->hidden != NULL;
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->hidden ? secret->hidden : "";
}

void secret_wipe(struct secret *secret)
{
    if (secret->hidden) {
        explicit_bzero(secret->hidden, secret->length);
        free(secret->hidden);
    }
    *secret = (struct secret){0};
}
