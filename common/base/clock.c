/* The clocks of the system, and one that tests may stop. */
#include "common/base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t pretended_ms; /* 0: no test stands at the clock */

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    int64_t pretended = atomic_load(&pretended_ms);

    return pretended ? pretended : read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

void clock_pause_ms(int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (ms > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

void clock_pretend(int64_t wall_ms)
{
    atomic_store(&pretended_ms, wall_ms);
}

void clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    int64_t ms = (wall_ms % 1000 + 1000) % 1000;
    time_t seconds = (wall_ms - ms) / 1000;
    struct tm utc;
    char date[21];

    if (!gmtime_r(&seconds, &utc) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc)) {
        snprintf(date, sizeof(date), "9999-12-31T23:59:59"); /* RFC 3339 has four digits */
    }
    snprintf(text, CLOCK_TEXT_SIZE, "%s.%03dZ", date, (int)ms);
}
