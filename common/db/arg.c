/* Arguments that need memory: arrays and times, as the text that Postgres reads. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/db/db.h"

struct db_arg db_text_array(struct arena *arena, const char *const *texts, size_t count)
{
    struct text array = text_new(arena, 16 + 16 * count);

    text_add_char(&array, '{');
    for (size_t i = 0; i < count; i++) {
        text_add(&array, i ? "," : "");
        if (!texts[i]) {
            text_add(&array, "NULL");
            continue;
        }
        text_add_char(&array, '"');
        for (const char *c = texts[i]; *c; c++) {
            if (*c == '"' || *c == '\\') {
                text_add_char(&array, '\\');
            }
            text_add_char(&array, *c);
        }
        text_add_char(&array, '"');
    }
    text_add_char(&array, '}');
    return db_text(array.data);
}

struct db_arg db_int_array(struct arena *arena, const int64_t *numbers, size_t count)
{
    struct text array = text_new(arena, 16 + 8 * count);

    text_add_char(&array, '{');
    for (size_t i = 0; i < count; i++) {
        text_add(&array, i ? "," : "");
        text_add_number(&array, numbers[i]);
    }
    text_add_char(&array, '}');
    return db_text(array.data);
}

struct db_arg db_time(struct arena *arena, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (!wall_ms) {
        return db_text(NULL);
    }
    clock_format(wall_ms, text);
    return db_text(arena_strdup(arena, text));
}
