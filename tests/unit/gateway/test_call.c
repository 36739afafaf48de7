/* Where a thing that was made can be found. */
#include "coffee/auth/v1/auth.pb-c.h"
#include "coffee/order/v1/order.pb-c.h"
#include "gateway/call.h"
#include "tests/helpers/house_test.h"

static struct arena *arena;

static void start(void)
{
    arena = arena_new(1024);
}

static void stop(void)
{
    arena_free(arena);
}

START_TEST(a_location_is_made_of_the_answer)
{
    Coffee__Order__V1__Order order = COFFEE__ORDER__V1__ORDER__INIT;
    char id[] = "17";

    order.id = id;
    order.number = 3;
    ck_assert_str_eq(call_location(arena, "/orders/{id}", &order.base), "/orders/17");
    ck_assert_str_eq(call_location(arena, "/o/{number}/x/{id}/y", &order.base), "/o/3/x/17/y");
    ck_assert_str_eq(call_location(arena, "/shop", &order.base), "/shop");
}
END_TEST

START_TEST(an_answer_without_the_field_has_no_location)
{
    Coffee__Order__V1__Order order = COFFEE__ORDER__V1__ORDER__INIT;
    Coffee__Auth__V1__SignUpResponse nobody = COFFEE__AUTH__V1__SIGN_UP_RESPONSE__INIT;

    ck_assert_ptr_null(call_location(arena, "/orders/{id}", &order.base));
    ck_assert_ptr_null(call_location(arena, "/users/{customer.id}", &nobody.base));
}
END_TEST

TEST_MAIN_AROUND("call", (&(struct test_around){.before = start, .after = stop}),
                 a_location_is_made_of_the_answer, an_answer_without_the_field_has_no_location)
