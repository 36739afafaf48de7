/* A hash table with open addressing; nothing is ever taken out of a ledger. */
#include "tests/fakes/payment/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024 };

struct slot {
    const char *name; /* NULL: free */
    size_t number;
};

struct names {
    struct slot *slots;
    size_t room, used;
};

static void *must(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

static uint64_t hash(const char *name) /* FNV-1a */
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *name; name++) {
        h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    }
    return h;
}

static struct slot *slot_of(const struct names *names, const char *name)
{
    size_t at = hash(name) % names->room;

    while (names->slots[at].name && strcmp(names->slots[at].name, name) != 0) {
        at = (at + 1) % names->room;
    }
    return &names->slots[at];
}

struct names *names_new(void)
{
    struct names *names = must(calloc(1, sizeof(*names)));

    names->room = FIRST_SLOTS;
    names->slots = must(calloc(names->room, sizeof(*names->slots)));
    return names;
}

void names_free(struct names *names)
{
    if (names) {
        free(names->slots);
        free(names);
    }
}

static void grow(struct names *names)
{
    struct names larger = {.room = names->room * 2, .used = names->used};

    larger.slots = must(calloc(larger.room, sizeof(*larger.slots)));
    for (size_t i = 0; i < names->room; i++) {
        if (names->slots[i].name) {
            *slot_of(&larger, names->slots[i].name) = names->slots[i];
        }
    }
    free(names->slots);
    *names = larger;
}

void names_put(struct names *names, const char *name, size_t number)
{
    if (names->used * 2 >= names->room) {
        grow(names);
    }
    struct slot *slot = slot_of(names, name);
    names->used += slot->name ? 0 : 1;
    *slot = (struct slot){.name = name, .number = number};
}

bool names_find(const struct names *names, const char *name, size_t *number)
{
    const struct slot *slot = slot_of(names, name);

    if (slot->name) {
        *number = slot->number;
    }
    return slot->name;
}
