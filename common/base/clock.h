/* The clocks. Tests put one of their own in with clock_pretend(). */
#ifndef COMMON_BASE_CLOCK_H
#define COMMON_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);      /* since 1970, UTC */
int64_t clock_wall_us(void);      /* the same, which no test stops */
int64_t clock_monotonic_ms(void); /* for deadlines and pauses; never goes back */
int64_t clock_monotonic_us(void); /* for measuring */

void clock_pause_ms(int64_t ms);

/* From here on the wall clock stands at 'wall_ms' in the whole process; 0: the real one again. */
void clock_pretend(int64_t wall_ms);

enum { CLOCK_TEXT_SIZE = 32 };

/* RFC 3339 in UTC with milliseconds: 2026-11-21T08:15:30.125Z. */
void clock_format(int64_t wall_ms, char text[CLOCK_TEXT_SIZE]);

#endif
