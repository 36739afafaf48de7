/* The clocks of the system, and one that tests may stop. */
#include "common/base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
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

int64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
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

static void put_digits(char *to, int64_t number, int count)
{
    while (count-- > 0) {
        to[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* A day since 1970 as year, month and day of the Gregorian calendar: years are counted from March,
 * so that the odd day of a leap year comes last, and in eras of 400, which are all alike. */
static void put_date(char *text, int64_t day)
{
    int64_t from_march_0 = day + 719468;
    int64_t era = from_march_0 / 146097, of_era = from_march_0 % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0: March */

    put_digits(text, year + era * 400 + (month >= 10), 4);
    put_digits(text + 5, month < 10 ? month + 3 : month - 9, 2);
    put_digits(text + 8, of_year - (153 * month + 2) / 5 + 1, 2);
}

/* Each line of the log has one: the C library's way would take a lock, and ten times as long. */
void clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE])
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    static const int64_t day_ms = 86400000, first_ms = -62135596800000, last_ms = 253402300799999;
    int64_t known = wall_ms > last_ms || wall_ms < first_ms ? last_ms : wall_ms; /* 4 digits */
    int64_t of_day = (known % day_ms + day_ms) % day_ms;

    memcpy(text, form, sizeof(form));
    put_date(text, (known - of_day) / day_ms);
    put_digits(text + 11, of_day / 3600000, 2);
    put_digits(text + 14, of_day / 60000 % 60, 2);
    put_digits(text + 17, of_day / 1000 % 60, 2);
    put_digits(text + 20, of_day % 1000, 3);
}
