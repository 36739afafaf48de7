/* What may be listened on. */
#include "common/base/socket_address.h"

#include "tests/helpers/house_test.h"

START_TEST(either_kind_of_ip_is_read_with_its_port)
{
    union socket_address address;

    ck_assert(socket_address_parse("127.0.0.1", 8000, &address));
    ck_assert_int_eq(address.any.sa_family, AF_INET);
    ck_assert_int_eq(ntohl(address.v4.sin_addr.s_addr), INADDR_LOOPBACK);
    ck_assert_int_eq(ntohs(address.v4.sin_port), 8000);
    ck_assert(socket_address_parse("::1", 8000, &address));
    ck_assert_int_eq(address.any.sa_family, AF_INET6);
    ck_assert(IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr));
    ck_assert_int_eq(ntohs(address.v6.sin6_port), 8000);
}
END_TEST

START_TEST(a_name_is_no_address)
{
    union socket_address address;

    ck_assert(!socket_address_parse("localhost", 8000, &address));
    ck_assert(!socket_address_parse("", 8000, &address));
}
END_TEST

TEST_MAIN("socket_address", either_kind_of_ip_is_read_with_its_port, a_name_is_no_address)
