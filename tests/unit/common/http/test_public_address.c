/* Where a stranger's URL may lead. */
#include "common/base/auto.h"
#include "common/http/public_address.h"
#include "tests/helpers/house_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static struct sockaddr_storage parse(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

    address.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    ck_assert_int_eq(
        inet_pton(address.ss_family, text,
                  address.ss_family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr),
        1);
    return address;
}

START_TEST(public_addresses_are_public)
{
    static const char *const texts[] = {"8.8.8.8",         "17.188.143.34",       "172.15.0.1",
                                        "172.32.0.1",      "192.167.255.255",     "100.63.0.1",
                                        "2606:4700::1111", "2a00:1450:4001::200e"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sockaddr_storage address = parse(texts[i]);

        ck_assert_msg(address_is_public((struct sockaddr *)&address), "%s", texts[i]);
    }
}
END_TEST

START_TEST(private_local_and_reserved_addresses_are_not)
{
    static const char *const texts[] = {
        "0.0.0.0",         "10.1.2.3",   "100.64.0.1",      "127.0.0.1",   "127.255.255.254",
        "169.254.169.254", "172.16.0.1", "172.31.255.255",  "192.168.1.1", "198.18.0.1",
        "203.0.113.9",     "224.0.0.1",  "255.255.255.255", "::",          "::1",
        "::ffff:10.0.0.1", "fc00::1",    "fe80::1",         "ff02::1",     "2001:db8::1",
        "2002:a00:1::1",   "2001::1",    "64:ff9b::a00:1",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sockaddr_storage address = parse(texts[i]);

        ck_assert_msg(!address_is_public((struct sockaddr *)&address), "%s", texts[i]);
    }
}
END_TEST

START_TEST(only_loopback_is_loopback)
{
    struct sockaddr_storage v4 = parse("127.0.0.9"), v6 = parse("::1"), other = parse("10.0.0.1");

    ck_assert(address_is_loopback((struct sockaddr *)&v4));
    ck_assert(address_is_loopback((struct sockaddr *)&v6));
    ck_assert(!address_is_loopback((struct sockaddr *)&other));
}
END_TEST

TEST_MAIN("public_address", public_addresses_are_public,
          private_local_and_reserved_addresses_are_not, only_loopback_is_loopback)
