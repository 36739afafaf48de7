/* For tests of our HTTP clients, which go through a proxy of the environment: the machine's own
 * knows nothing of the hosts that a test plays. */
#ifndef TESTS_UNIT_COMMON_HTTP_NO_PROXY_H
#define TESTS_UNIT_COMMON_HTTP_NO_PROXY_H

#include <stddef.h>
#include <stdlib.h>

static void forget_proxies(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsetenv(names[i]);
    }
}

#endif
