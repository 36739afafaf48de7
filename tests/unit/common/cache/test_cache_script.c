/* The digest names a script just as Valkey computes it. */
#include "common/cache/cache.h"

#include "tests/helpers/house_test.h"

#include <string.h>

static const char fifty_six[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

START_TEST(a_script_is_named_by_its_sha1)
{
    /* FIPS 180-1, and the lengths around which padding takes another block */
    static const struct {
        const char *text, *sha1;
    } known[] = {
        {"",        "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc",     "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {fifty_six, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct cache_script script;

        cache_script_init(&script, known[i].text);
        ck_assert_str_eq(script.sha1, known[i].sha1);
    }
}
END_TEST

TEST_MAIN("cache_script", a_script_is_named_by_its_sha1)
