/* Timestamps as RFC 3339 and durations as "1.5s", both ways, without the C library's calendar:
 * it would read the time zone and take what is no date. */
#include "common/json/value_text.h"

#include <stdlib.h>
#include <string.h>

enum {
    NANOS_IN_SECOND = 1000000000,
    NANO_DIGITS = 9,
    SECONDS_IN_DAY = 86400,
    DAYS_IN_ERA = 146097, /* 400 years */
    DAYS_TO_1970 = 719468 /* from 1 March 0000 */
};

struct cursor {
    const char *at, *end;
};

/* Exactly 'count' digits. */
static bool take_number(struct cursor *cursor, int count, int *number)
{
    *number = 0;
    for (int i = 0; i < count; i++, cursor->at++) {
        if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') {
            return false;
        }
        *number = *number * 10 + (*cursor->at - '0');
    }
    return true;
}

static bool take_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c) {
        return false;
    }
    cursor->at++;
    return true;
}

/* ".5": up to nine digits; nothing at all is 0. */
static bool take_fraction(struct cursor *cursor, int32_t *nanos)
{
    int digits = 0;

    *nanos = 0;
    if (cursor->at == cursor->end || *cursor->at != '.') {
        return true;
    }
    for (cursor->at++; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
         cursor->at++) {
        if (++digits > NANO_DIGITS) {
            return false;
        }
        *nanos = *nanos * 10 + (*cursor->at - '0');
    }
    for (int i = digits; i < NANO_DIGITS; i++) {
        *nanos *= 10;
    }
    return digits > 0;
}

/* Days since 1970 of a date of the Gregorian calendar, years counted from March. */
static int64_t days_of(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y - era * 400;
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_IN_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct cursor *cursor, int64_t *days)
{
    int year, month, day;

    if (!take_number(cursor, 4, &year) || !take_char(cursor, '-') ||
        !take_number(cursor, 2, &month) || !take_char(cursor, '-') ||
        !take_number(cursor, 2, &day)) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *days = days_of(year, month, day);
    return true;
}

static bool take_offset(struct cursor *cursor, int *seconds)
{
    int hours, minutes, sign = 1;

    *seconds = 0;
    if (take_char(cursor, 'Z') || take_char(cursor, 'z')) {
        return true;
    }
    if (cursor->at == cursor->end || (*cursor->at != '+' && *cursor->at != '-')) {
        return false;
    }
    sign = *cursor->at++ == '-' ? -1 : 1;
    if (!take_number(cursor, 2, &hours) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool timestamp_from(struct cursor *cursor, struct seconds_nanos *time)
{
    int hours, minutes, seconds, offset;
    int64_t days;

    if (!take_date(cursor, &days) || !(take_char(cursor, 'T') || take_char(cursor, 't')) ||
        !take_number(cursor, 2, &hours) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, &minutes) || !take_char(cursor, ':') ||
        !take_number(cursor, 2, &seconds) || !take_fraction(cursor, &time->nanos) ||
        !take_offset(cursor, &offset)) {
        return false;
    }
    if (hours > 23 || minutes > 59 ||
        seconds > 59) { /* a leap second has no place in UTC's count */
        return false;
    }
    time->seconds = days * SECONDS_IN_DAY + hours * 3600L + minutes * 60L + seconds - offset;
    return true;
}

static bool duration_from(struct cursor *cursor, struct seconds_nanos *time)
{
    bool negative = take_char(cursor, '-');
    int64_t seconds = 0;
    int digits = 0, digit;

    while (take_number(cursor, 1, &digit)) {
        seconds = seconds * 10 + digit;
        if (++digits > 12) {
            return false;
        }
    }
    if (!digits || !take_fraction(cursor, &time->nanos) || !take_char(cursor, 's')) {
        return false;
    }
    time->seconds = negative ? -seconds : seconds;
    time->nanos = negative ? -time->nanos : time->nanos;
    return true;
}

bool time_from_text(enum message_form form, const char *text, size_t length,
                    struct seconds_nanos *time)
{
    struct cursor cursor = {.at = text, .end = text + length};
    bool read =
        form == FORM_TIMESTAMP ? timestamp_from(&cursor, time) : duration_from(&cursor, time);

    return read && cursor.at == cursor.end && seconds_nanos_are_valid(form, time);
}

static char *put_digits(char *to, int64_t number, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return to + width;
}

/* None, three, six or nine digits: as few as say it. */
static char *put_fraction(char *to, int32_t nanos)
{
    int width = NANO_DIGITS;

    if (!nanos) {
        return to;
    }
    for (; nanos % 1000 == 0; nanos /= 1000) {
        width -= 3;
    }
    *to++ = '.';
    return put_digits(to, nanos, width);
}

static char *put_timestamp(char *to, const struct seconds_nanos *time)
{
    int64_t days = time->seconds / SECONDS_IN_DAY, left = time->seconds % SECONDS_IN_DAY;

    if (left < 0) {
        left += SECONDS_IN_DAY;
        days--;
    }
    int64_t from_march = days + DAYS_TO_1970;
    int64_t era = (from_march >= 0 ? from_march : from_march - DAYS_IN_ERA + 1) / DAYS_IN_ERA;
    int64_t of_era = from_march - era * DAYS_IN_ERA;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    to = put_digits(to, year + era * 400 + (month >= 10), 4);
    *to++ = '-';
    to = put_digits(to, month < 10 ? month + 3 : month - 9, 2);
    *to++ = '-';
    to = put_digits(to, of_year - (153 * month + 2) / 5 + 1, 2);
    *to++ = 'T';
    to = put_digits(to, left / 3600, 2);
    *to++ = ':';
    to = put_digits(to, left / 60 % 60, 2);
    *to++ = ':';
    to = put_digits(to, left % 60, 2);
    to = put_fraction(to, time->nanos);
    *to++ = 'Z';
    return to;
}

static char *put_duration(char *to, const struct seconds_nanos *time)
{
    int64_t seconds = llabs(time->seconds);
    int width = 1;

    for (int64_t rest = seconds / 10; rest; rest /= 10) {
        width++;
    }
    if (time->seconds < 0 || time->nanos < 0) {
        *to++ = '-';
    }
    to = put_digits(to, seconds, width);
    to = put_fraction(to, abs(time->nanos));
    *to++ = 's';
    return to;
}

void text_add_time(struct text *text, enum message_form form, const struct seconds_nanos *time)
{
    char buffer[64] = "\"";

    if (!seconds_nanos_are_valid(form, time)) {
        text_add(text, "null");
        return;
    }
    char *end =
        form == FORM_TIMESTAMP ? put_timestamp(buffer + 1, time) : put_duration(buffer + 1, time);
    *end++ = '"';
    text_add_bytes(text, buffer, (size_t)(end - buffer));
}
