/* A secret is no string for any printing call, and is gone once wiped. */
#include "common/base/secret.h"

#include "tests/helpers/house_test.h"

#include <string.h>

#define IS_TEXT(x) _Generic((x), char * : 1, const char * : 1, void * : 1, default : 0)

/* log_text(config.password) does not compile */
_Static_assert(!IS_TEXT((struct secret){0}), "a secret must not pass for a text");

START_TEST(a_secret_holds_a_copy)
{
    struct secret secret = {0};
    char word[] = "hush";

    secret_keep(&secret, word, 4);
    memset(word, 'x', 4);
    ck_assert(secret_is_set(&secret));
    ck_assert_str_eq(secret_reveal(&secret), "hush");
    ck_assert_uint_eq(secret.length, 4);
    secret_wipe(&secret);
}
END_TEST

START_TEST(a_wiped_secret_is_unset)
{
    struct secret secret = {0};

    secret_keep(&secret, "hush", 4);
    secret_wipe(&secret);
    ck_assert(!secret_is_set(&secret));
    ck_assert_str_eq(secret_reveal(&secret), "");
    secret_wipe(&secret);
}
END_TEST

START_TEST(a_secret_may_be_replaced_by_its_own_text)
{
    struct secret secret = {0};

    secret_keep(&secret, "hush", 4);
    secret_keep(&secret, secret_reveal(&secret), 2);
    ck_assert_str_eq(secret_reveal(&secret), "hu");
    secret_wipe(&secret);
}
END_TEST

TEST_MAIN("secret", a_secret_holds_a_copy, a_wiped_secret_is_unset,
          a_secret_may_be_replaced_by_its_own_text)
