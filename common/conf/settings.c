/* Reads a table of settings from the environment, and prints it. The only file that
 * calls getenv(). */
#include "common/conf/settings.h"

#include "common/base/auto.h"
#include "common/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_LIMIT = 64 * 1024 };

static bool complain(FILE *complaints, const struct setting *s, const char *why)
{
    fprintf(complaints, "%s: %s\n", s->env, why);
    return false;
}

static bool complain_unset(FILE *complaints, const struct setting *s)
{
    fprintf(complaints, "%s: not set (%s)\n", s->env, s->about);
    return false;
}

static bool parse_number(const struct setting *s, const char *value, FILE *complaints)
{
    int64_t n;

    if (!text_parse_int(value, s->min, s->max, &n)) {
        fprintf(complaints, "%s: '%s' is not a number from %d to %d\n", s->env, value, s->min,
                s->max);
        return false;
    }
    *s->number = (int)n;
    return true;
}

static bool parse_flag(const struct setting *s, const char *value, FILE *complaints)
{
    static const struct {
        const char *word;
        bool means;
    } words[] = {
        {"1",     true },
        {"0",     false},
        {"true",  true },
        {"false", false}
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, value) == 0) {
            *s->flag = words[i].means;
            return true;
        }
    }
    fprintf(complaints, "%s: '%s' is none of 1, 0, true, false\n", s->env, value);
    return false;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (const char *word = choices; *word; word += strspn(word, " ")) {
        size_t word_length = strcspn(word, " ");

        if (word_length == length && memcmp(word, value, length) == 0) {
            return true;
        }
        word += word_length;
    }
    return false;
}

static bool parse_text(const struct setting *s, const char *value, FILE *complaints)
{
    if (s->choices && !is_choice(s->choices, value)) {
        fprintf(complaints, "%s: '%s' is none of: %s\n", s->env, value, s->choices);
        return false;
    }
    if (!text_is_utf8(value, strlen(value))) {
        return complain(complaints, s, "is not UTF-8");
    }
    *s->text = value;
    return true;
}

static bool keep_secret(const struct setting *s, const char *bytes, size_t length, FILE *complaints)
{
    while (length && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) {
        length--;
    }
    if (length == 0) {
        return complain(complaints, s, "is empty");
    }
    if (memchr(bytes, '\0', length)) {
        return complain(complaints, s, "holds a NUL byte");
    }
    if (strncasecmp(bytes, "example", 7) == 0 || strncasecmp(bytes, "change", 6) == 0) {
        return complain(complaints, s, "is an example: make one of your own");
    }
    secret_keep(s->secret, bytes, length);
    return true;
}

DEFINE_AUTO(file, FILE *, fclose)

static bool secret_from_file(const struct setting *s, const char *path, FILE *complaints)
{
    char bytes[SECRET_LIMIT + 1];
    AUTO(file) FILE *file = fopen(path, "re");

    if (!file) {
        fprintf(complaints, "%s_FILE: cannot open '%s': %s\n", s->env, path, strerror(errno));
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0); /* or the secret would stay behind in stdio's buffer */
    size_t length = fread(bytes, 1, sizeof(bytes), file);
    bool ok = ferror(file)            ? complain(complaints, s, "the file cannot be read")
              : length > SECRET_LIMIT ? complain(complaints, s, "the file is over 64 KiB")
                                      : keep_secret(s, bytes, length, complaints);
    explicit_bzero(bytes, sizeof(bytes));
    return ok;
}

/* Child processes and /proc/PID/environ need not see it either. */
static bool secret_from_environment(const struct setting *s, char *value, FILE *complaints)
{
    bool ok = keep_secret(s, value, strlen(value), complaints);

    explicit_bzero(value, strlen(value));
    unsetenv(s->env);
    return ok;
}

static bool load_secret(const struct setting *s, FILE *complaints)
{
    char name[128];
    char *value = getenv(s->env);

    snprintf(name, sizeof(name), "%s_FILE", s->env);
    const char *path = getenv(name);

    if (value && *value && path && *path) {
        return complain(complaints, s, "is set, and so is its _FILE: which of them?");
    }
    if (value && *value) {
        return secret_from_environment(s, value, complaints);
    }
    if (path && *path) {
        return secret_from_file(s, path, complaints);
    }
    return s->fallback ? true : complain_unset(complaints, s);
}

static bool load_one(const struct setting *s, FILE *complaints)
{
    if (s->secret) {
        return load_secret(s, complaints);
    }
    const char *value = getenv(s->env);

    if (!value || !*value) {
        value = s->fallback;
    }
    if (!value) {
        return complain_unset(complaints, s);
    }
    if (s->number) {
        return parse_number(s, value, complaints);
    }
    return s->flag ? parse_flag(s, value, complaints) : parse_text(s, value, complaints);
}

bool settings_load(const struct setting *table, size_t count, FILE *complaints)
{
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        ok = load_one(&table[i], complaints) && ok;
    }
    return ok;
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0) {
        names++;
    }
    return *names;
}

bool settings_load_only(const struct setting *table, size_t count, const char *const *names,
                        FILE *complaints)
{
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        ok = (!is_among(names, table[i].env) || load_one(&table[i], complaints)) && ok;
    }
    return ok;
}

/* What a reader of the file could get wrong. */
static void print_limits(const struct setting *s, FILE *out)
{
    if (s->secret) {
        fprintf(out, " (%ssecret; or name a file in %s_FILE)", s->fallback ? "" : "required, ",
                s->env);
    } else if (!s->fallback) {
        fputs(" (required)", out);
    }
    if (s->number) {
        fprintf(out, " (%d to %d)", s->min, s->max);
    }
    if (s->choices) {
        fprintf(out, " (one of: %s)", s->choices);
    }
}

/* As a shell reads it, for `. ./.env`. */
static void print_value(const char *value, FILE *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@%+=-";

    if (value[strspn(value, plain)] == '\0') {
        fputs(value, out);
        return;
    }
    fputc('\'', out);
    for (; *value; value++) {
        if (*value == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*value, out);
        }
    }
    fputc('\'', out);
}

void settings_print(const struct setting *table, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct setting *s = &table[i];

        fprintf(out, "# %s", s->about);
        print_limits(s, out);
        fprintf(out, "\n%s=", s->env);
        print_value(s->fallback ? s->fallback : "", out);
        fputc('\n', out);
    }
}

void settings_wipe(const struct setting *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].secret) {
            secret_wipe(table[i].secret);
        }
    }
}
