/* libcurl is in the process from the first call on, and not before. */
#include "common/http/http_client.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <string.h>

DEFINE_AUTO(file, FILE *, fclose)

static bool is_in_memory(const char *library)
{
    AUTO(file) FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    bool found = false;

    ck_assert_ptr_nonnull(maps);
    while (!found && fgets(line, sizeof(line), maps)) {
        found = strstr(line, library) != NULL;
    }
    return found;
}

START_TEST(libcurl_comes_with_the_first_client)
{
    ck_assert(is_in_memory("/libc.so"));
    ck_assert(!is_in_memory("/libcurl.so"));
    struct http_client *client = http_client_new(NULL);
    ck_assert(is_in_memory("/libcurl.so"));
    http_client_free(client);
}
END_TEST

TEST_MAIN("curl late", libcurl_comes_with_the_first_client)
