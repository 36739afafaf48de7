/* Settings: what is taken, what is refused and how that is told, and what is printed. */
#include "common/conf/settings.h"

#include "common/base/auto.h"
#include "tests/helpers/house_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    const char *host, *level;
    struct secret password, spare;
    int port;
    bool demo;
} loaded;

static const struct setting table[] = {
    SETTING_TEXT("T_HOST", &loaded.host, NULL, "who to ask"),
    SETTING_CHOICE("T_LEVEL", &loaded.level, "info", "debug info warn", "what is logged"),
    SETTING_NUMBER("T_PORT", &loaded.port, "50051", 1, 65535, "port of the server"),
    SETTING_FLAG("T_DEMO", &loaded.demo, "0", "it's a demo"),
    SETTING_SECRET("T_PASSWORD", &loaded.password, "password of the database"),
    SETTING_SECRET_OPTIONAL("T_SPARE", &loaded.spare, "a second key"),
};

static char *told; /* what was complained of or printed */
static size_t told_size;

static bool load(void)
{
    FILE *complaints = open_memstream(&told, &told_size);
    bool ok = settings_load(table, ARRAY_LEN(table), complaints);

    fclose(complaints);
    return ok;
}

static void print(void)
{
    FILE *out = open_memstream(&told, &told_size);

    settings_print(table, ARRAY_LEN(table), out);
    fclose(out);
}

static void set_required(void)
{
    setenv("T_HOST", "db.local", 1);
    setenv("T_PASSWORD", "hush", 1);
}

static void wipe(void)
{
    settings_wipe(table, ARRAY_LEN(table));
    free(told);
}

static void ck_refused(const char *complaint)
{
    ck_assert(!load());
    ck_assert_ptr_nonnull(strstr(told, complaint));
}

START_TEST(a_full_environment_loads)
{
    setenv("T_LEVEL", "warn", 1);
    setenv("T_PORT", "8080", 1);
    setenv("T_DEMO", "true", 1);
    ck_assert(load());
    ck_assert_str_eq(told, "");
    ck_assert_str_eq(loaded.host, "db.local");
    ck_assert_str_eq(loaded.level, "warn");
    ck_assert_int_eq(loaded.port, 8080);
    ck_assert(loaded.demo);
    ck_assert_str_eq(secret_reveal(&loaded.password), "hush");
    ck_assert(!secret_is_set(&loaded.spare));
}
END_TEST

START_TEST(what_is_unset_or_empty_has_its_default)
{
    setenv("T_PORT", "", 1);
    ck_assert(load());
    ck_assert_int_eq(loaded.port, 50051);
    ck_assert_str_eq(loaded.level, "info");
    ck_assert(!loaded.demo);
}
END_TEST

START_TEST(every_problem_is_told_at_once)
{
    unsetenv("T_HOST");
    unsetenv("T_PASSWORD");
    setenv("T_PORT", "abc", 1);
    setenv("T_DEMO", "maybe", 1);
    setenv("T_LEVEL", "loud", 1);
    ck_assert(!load());
    ck_assert_ptr_nonnull(strstr(told, "T_HOST: not set (who to ask)\n"));
    ck_assert_ptr_nonnull(strstr(told, "T_PASSWORD: not set"));
    ck_assert_ptr_nonnull(strstr(told, "T_PORT: 'abc' is not a number from 1 to 65535\n"));
    ck_assert_ptr_nonnull(strstr(told, "T_DEMO: 'maybe' is none of 1, 0, true, false\n"));
    ck_assert_ptr_nonnull(strstr(told, "T_LEVEL: 'loud' is none of: debug info warn\n"));
}
END_TEST

START_TEST(an_empty_required_setting_is_refused)
{
    setenv("T_HOST", "", 1);
    ck_refused("T_HOST: not set");
}
END_TEST

static const char *const no_ports[] = {
    "0", "65536", "-1", "50051x", "50051 ", " 50051", "0x10", "1e3", "99999999999999999999", "5.0",
};

START_TEST(a_number_that_is_not_wholly_one_or_outside_its_limits_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(no_ports); i++) {
        set_required();
        setenv("T_PORT", no_ports[i], 1);
        ck_refused("T_PORT: ");
        free(told);
        told = NULL;
    }
}
END_TEST

START_TEST(a_flag_is_one_of_four_words)
{
    static const struct {
        const char *word;
        bool taken, means;
    } words[] = {
        {"1",     true,  true },
        {"0",     true,  false},
        {"true",  true,  true },
        {"false", true,  false},
        {"True",  false, false},
        {"yes",   false, false},
        {"10",    false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        set_required();
        setenv("T_DEMO", words[i].word, 1);
        ck_assert_msg(load() == words[i].taken, "'%s'", words[i].word);
        ck_assert_msg(!words[i].taken || loaded.demo == words[i].means, "'%s'", words[i].word);
        free(told);
        told = NULL;
    }
}
END_TEST

START_TEST(part_of_a_choice_is_no_choice)
{
    setenv("T_LEVEL", "info warn", 1);
    ck_refused("T_LEVEL: ");
    free(told);
    set_required();
    setenv("T_LEVEL", "inf", 1);
    ck_refused("T_LEVEL: ");
}
END_TEST

START_TEST(a_secret_leaves_the_environment_once_it_is_read)
{
    const char *in_environment = getenv("T_PASSWORD");

    ck_assert(load());
    ck_assert_ptr_null(getenv("T_PASSWORD"));
    ck_assert_str_eq(in_environment, "");
}
END_TEST

static void write_secret_file(char path[], const char *bytes, size_t length)
{
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    unsetenv("T_PASSWORD");
    setenv("T_PASSWORD_FILE", path, 1);
}

START_TEST(a_secret_may_come_from_a_file_without_its_last_newline)
{
    char path[] = "/tmp/secret.XXXXXX";

    write_secret_file(path, "two\nlines\n", 10);
    ck_assert(load());
    ck_assert_str_eq(secret_reveal(&loaded.password), "two\nlines");
    unlink(path);
}
END_TEST

START_TEST(a_secret_file_that_is_missing_empty_or_binary_is_refused)
{
    char empty[] = "/tmp/secret.XXXXXX", binary[] = "/tmp/secret.XXXXXX";

    write_secret_file(empty, "\n", 1);
    ck_refused("T_PASSWORD: is empty");
    unlink(empty);
    free(told);
    ck_refused("T_PASSWORD_FILE: cannot open");
    free(told);
    write_secret_file(binary, "a\0b", 3);
    ck_refused("T_PASSWORD: holds a NUL byte");
    unlink(binary);
}
END_TEST

START_TEST(a_secret_given_twice_is_refused)
{
    setenv("T_PASSWORD_FILE", "/dev/null", 1);
    ck_refused("T_PASSWORD: is set, and so is its _FILE");
}
END_TEST

START_TEST(an_example_secret_is_refused_and_not_repeated)
{
    setenv("T_PASSWORD", "Example-hush-hush", 1);
    ck_refused("T_PASSWORD: is an example");
    ck_assert_ptr_null(strstr(told, "hush"));
    free(told);
    setenv("T_PASSWORD", "change-me", 1);
    ck_refused("T_PASSWORD: is an example");
}
END_TEST

START_TEST(the_table_prints_as_an_env_file_with_its_defaults)
{
    print();
    ck_assert_str_eq(told, "# who to ask (required)\n"
                           "T_HOST=\n"
                           "# what is logged (one of: debug info warn)\n"
                           "T_LEVEL=info\n"
                           "# port of the server (1 to 65535)\n"
                           "T_PORT=50051\n"
                           "# it's a demo\n"
                           "T_DEMO=0\n"
                           "# password of the database (required, secret; or name a file in "
                           "T_PASSWORD_FILE)\n"
                           "T_PASSWORD=\n"
                           "# a second key (secret; or name a file in T_SPARE_FILE)\n"
                           "T_SPARE=\n");
}
END_TEST

START_TEST(a_loaded_secret_is_never_printed)
{
    ck_assert(load());
    free(told);
    print();
    ck_assert_ptr_null(strstr(told, "hush"));
}
END_TEST

START_TEST(a_default_with_spaces_is_quoted_for_a_shell)
{
    static const char *words;
    static const struct setting spaced[] = {
        SETTING_TEXT("T_WORDS", &words, "it's $HOME now", "some words"),
    };
    FILE *out = open_memstream(&told, &told_size);

    settings_print(spaced, 1, out);
    fclose(out);
    ck_assert_str_eq(told, "# some words\nT_WORDS='it'\\''s $HOME now'\n");
}
END_TEST

START_TEST(wiping_unsets_every_secret)
{
    ck_assert(load());
    settings_wipe(table, ARRAY_LEN(table));
    ck_assert(!secret_is_set(&loaded.password));
}
END_TEST

/* What --migrate relies on. */
START_TEST(of_some_settings_the_others_are_neither_asked_for_nor_read)
{
    static const char *const names[] = {"T_LEVEL", "T_SPARE", NULL};

    unsetenv("T_HOST");
    unsetenv("T_PASSWORD");
    setenv("T_PORT", "no number", 1);
    setenv("T_LEVEL", "loud", 1);
    setenv("T_SPARE", "hush", 1);
    FILE *complaints = open_memstream(&told, &told_size);
    ck_assert(!settings_load_only(table, ARRAY_LEN(table), names, complaints));
    setenv("T_LEVEL", "warn", 1);
    setenv("T_SPARE", "hush", 1);
    ck_assert(settings_load_only(table, ARRAY_LEN(table), names, complaints));
    fclose(complaints);
    ck_assert_str_eq(told, "T_LEVEL: 'loud' is none of: debug info warn\n");
    ck_assert_str_eq(secret_reveal(&loaded.spare), "hush");
}
END_TEST

TEST_MAIN_AROUND("settings", (&(struct test_around){.before = set_required, .after = wipe}),
                 a_full_environment_loads, what_is_unset_or_empty_has_its_default,
                 every_problem_is_told_at_once, an_empty_required_setting_is_refused,
                 a_number_that_is_not_wholly_one_or_outside_its_limits_is_refused,
                 a_flag_is_one_of_four_words, part_of_a_choice_is_no_choice,
                 a_secret_leaves_the_environment_once_it_is_read,
                 a_secret_may_come_from_a_file_without_its_last_newline,
                 a_secret_file_that_is_missing_empty_or_binary_is_refused,
                 a_secret_given_twice_is_refused, an_example_secret_is_refused_and_not_repeated,
                 the_table_prints_as_an_env_file_with_its_defaults,
                 a_loaded_secret_is_never_printed, a_default_with_spaces_is_quoted_for_a_shell,
                 wiping_unsets_every_secret,
                 of_some_settings_the_others_are_neither_asked_for_nor_read)
