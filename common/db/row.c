/* Columns by name, out of the text that Postgres sends. */
#include "common/db/db_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int column_of(const struct db_rows *rows, const char *column)
{
    int n = PQfnumber(rows->result, column);

    if (n < 0) {
        fprintf(stderr, "no column '%s' in the result\n", column);
        abort();
    }
    return n;
}

const char *db_get_text(const struct db_rows *rows, int row, const char *column)
{
    int n = column_of(rows, column);

    return PQgetisnull(rows->result, row, n) ? NULL : PQgetvalue(rows->result, row, n);
}

int64_t db_get_int(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return text ? strtoll(text, NULL, 10) : 0;
}

bool db_get_bool(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return text && *text == 't';
}

/* ".125" is 125, ".1" is 100; microseconds are cut off. */
static int milliseconds_of(const char *fraction)
{
    int ms = 0, weight = 100;

    for (const char *c = fraction + 1; *fraction == '.' && *c >= '0' && *c <= '9'; c++) {
        ms += (*c - '0') * weight;
        weight /= 10;
    }
    return ms;
}

/* "2026-11-21 08:15:30.125+00": connections are set to ISO and UTC. */
int64_t db_get_time(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);
    struct tm tm = {0};

    if (!text) {
        return 0;
    }
    const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    if (!rest) {
        fprintf(stderr, "column '%s' is no time\n", column);
        abort();
    }
    return (int64_t)timegm(&tm) * 1000 + milliseconds_of(rest);
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* "\x0aff": connections are set to hex. */
const uint8_t *db_get_bytes(struct ctx *ctx, const struct db_rows *rows, int row,
                            const char *column, size_t *size)
{
    const char *text = db_get_text(rows, row, column);

    *size = 0;
    if (!text) {
        return NULL;
    }
    if (strncmp(text, "\\x", 2) != 0) {
        fprintf(stderr, "column '%s' is no bytea\n", column);
        abort();
    }
    *size = (strlen(text) - 2) / 2;
    uint8_t *bytes = arena_alloc(ctx->arena, *size + 1);
    for (size_t i = 0; i < *size; i++) {
        bytes[i] = (uint8_t)(hex_digit(text[2 + 2 * i]) << 4 | hex_digit(text[3 + 2 * i]));
    }
    return bytes;
}
