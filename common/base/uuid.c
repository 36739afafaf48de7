/* 48 bits of milliseconds, 12 bits of a counter, 62 random bits. The counter is what
 * keeps ids of one process in order within a millisecond; when it runs over, the
 * milliseconds go ahead of the clock by one. */
#include "common/base/uuid.h"

#include "common/base/clock.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static struct {
    pthread_mutex_t lock; /* guards the two below */
    uint64_t millisecond;
    unsigned counter;
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void next_moment(uint64_t *millisecond, unsigned *counter)
{
    uint64_t now = (uint64_t)clock_wall_ms();

    pthread_mutex_lock(&last.lock);
    if (now > last.millisecond) {
        last.millisecond = now;
        last.counter = 0;
    } else if (++last.counter > 0xfff) {
        last.millisecond++;
        last.counter = 0;
    }
    *millisecond = last.millisecond;
    *counter = last.counter;
    pthread_mutex_unlock(&last.lock);
}

void uuid_v7(char text[ID_TEXT_SIZE])
{
    uint64_t millisecond, chance = 0;
    unsigned counter;

    next_moment(&millisecond, &counter);
    while (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance)) {
    }
    snprintf(text, ID_TEXT_SIZE, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(millisecond >> 16),
             (unsigned)(millisecond & 0xffff), counter, 0x8000u | (unsigned)(chance >> 48 & 0x3fff),
             (unsigned long long)(chance & 0xffffffffffffULL));
}

bool uuid_parse(const char *input, char text[ID_TEXT_SIZE])
{
    char lower[ID_TEXT_SIZE];

    if (strnlen(input, ID_TEXT_SIZE) != ID_TEXT_SIZE - 1) {
        return false;
    }
    for (int i = 0; i < ID_TEXT_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        unsigned char c = (unsigned char)input[i];

        if (dash ? c != '-' : !isxdigit(c)) {
            return false;
        }
        lower[i] = (char)tolower(c);
    }
    lower[ID_TEXT_SIZE - 1] = '\0';
    memcpy(text, lower, ID_TEXT_SIZE);
    return true;
}
