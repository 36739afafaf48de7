/* links: contracts */
/* The contract read from the embedded descriptor set: routes, options, comments, files. */
#include "common/contract/contract.h"

#include "tests/helpers/house_test.h"

#include "coffee/auth/v1/auth.pb-c.h"
#include "coffee/customer/v1/customer.pb-c.h"
#include "coffee/menu/v1/menu.pb-c.h"
#include "coffee/order/v1/order.pb-c.h"
#include "coffee/shop/v1/shop.pb-c.h"

#include <stdio.h>
#include <string.h>

static const ProtobufCServiceDescriptor *const services[] = {
    &coffee__order__v1__order_service__descriptor,
    &coffee__menu__v1__menu_service__descriptor,
    &coffee__shop__v1__shop_service__descriptor,
    &coffee__customer__v1__customer_service__descriptor,
    &coffee__auth__v1__auth_service__descriptor,
    NULL,
};

static struct contract *contract;

static void make(void)
{
    contract = contract_new(services, stderr);
    ck_assert_ptr_nonnull(contract);
}

static void unmake(void)
{
    contract_free(contract);
}

static const struct contract_method *find(const char *path)
{
    const struct contract_method *method = contract_find(contract, path);

    ck_assert_msg(method != NULL, "%s", path);
    return method;
}

START_TEST(a_method_has_its_route_and_options)
{
    const struct contract_method *place = find("/coffee.order.v1.OrderService/PlaceOrder");

    ck_assert_int_eq(place->verb, VERB_POST);
    ck_assert_str_eq(place->template, "/orders");
    ck_assert_str_eq(place->body, "*");
    ck_assert_str_eq(place->service, "coffee.order.v1.OrderService");
    ck_assert_str_eq(place->name, "PlaceOrder");
    ck_assert_ptr_eq(place->in, &coffee__order__v1__place_order_request__descriptor);
    ck_assert_int_eq((int)place->call.roles, ROLE_CUSTOMER | ROLE_BARISTA | ROLE_ADMIN);
    ck_assert_str_eq(place->call.limit, "write");
    ck_assert_int_eq(place->call.success, 201);
    ck_assert_str_eq(place->call.location, "/orders/{id}");
    ck_assert(place->call.idempotent && !place->call.step_up && !place->call.own_data);
    ck_assert_str_eq(place->call.problems[0], "shop_closed");
    ck_assert_str_eq(place->call.summary, "Place an order");
}
END_TEST

START_TEST(what_an_option_leaves_out_has_its_default)
{
    const struct contract_method *menu = find("/coffee.menu.v1.MenuService/GetMenu");

    ck_assert_int_eq(menu->call.success, 200);
    ck_assert_str_eq(menu->call.limit, "read");
    ck_assert_int_eq(menu->call.deadline_ms, 2000);
    ck_assert_ptr_null(menu->call.location);
    ck_assert_str_eq(menu->call.etag, "edition");
    ck_assert(!menu->call.if_match);
    ck_assert(find("/coffee.menu.v1.MenuService/UpdateMenuItem")->call.if_match);
    ck_assert_ptr_null(menu->call.problems[0]);
    ck_assert_ptr_null(menu->body);
}
END_TEST

START_TEST(a_stream_is_told_from_a_call)
{
    const struct contract_method *watch = find("/coffee.order.v1.OrderService/WatchOrder");

    ck_assert(watch->server_streams && !watch->client_streams);
    ck_assert_int_eq(watch->verb, VERB_NONE);
}
END_TEST

START_TEST(comments_of_the_proto_come_along)
{
    const ProtobufCMessageDescriptor *order = &coffee__order__v1__order__descriptor;
    const ProtobufCFieldDescriptor *number =
        protobuf_c_message_descriptor_get_field_by_name(order, "number");

    ck_assert_str_eq(find("/coffee.order.v1.OrderService/OrderUsual")->comment,
                     "Orders what the caller marked as the usual.");
    ck_assert_str_eq(contract_field(contract, order, number)->comment,
                     "short, for people, new every day");
    ck_assert_str_eq(contract_comment(contract, "coffee.shop.v1.ShopService"),
                     "Whether the shop takes orders.");
    ck_assert_str_eq(contract_comment(contract, "coffee.none"), "");
}
END_TEST

START_TEST(a_field_has_its_rules_and_defaults)
{
    const ProtobufCMessageDescriptor *line = &coffee__order__v1__order_line__descriptor;
    const struct contract_field *quantity = contract_field(
        contract, line, protobuf_c_message_descriptor_get_field_by_name(line, "quantity"));
    const struct contract_field *extras = contract_field(
        contract, line, protobuf_c_message_descriptor_get_field_by_name(line, "customization_ids"));
    const ProtobufCMessageDescriptor *favorite = &coffee__customer__v1__favorite__descriptor;

    ck_assert_int_eq(quantity->min, 1);
    ck_assert_int_eq(quantity->max, 50);
    ck_assert_str_eq(quantity->example, "1");
    ck_assert_int_eq(extras->max_items, 20);
    ck_assert_int_eq(contract_field(contract, favorite, &favorite->fields[0])->max_length, 1000);
    ck_assert_int_eq(contract_field(contract, favorite, &favorite->fields[3])->max_items, 100);
}
END_TEST

START_TEST(an_unknown_path_is_not_found)
{
    ck_assert_ptr_null(contract_find(contract, "/coffee.order.v1.OrderService/Nothing"));
    ck_assert_ptr_null(contract_find(contract, ""));
}
END_TEST

START_TEST(every_method_of_a_service_is_listed_once)
{
    size_t count = 0;

    for (size_t i = 0; services[i]; i++) {
        count += services[i]->n_methods;
    }
    ck_assert_uint_eq(contract_count(contract), count);
    for (size_t i = 0; i < count; i++) {
        const struct contract_method *method = contract_at(contract, i);
        ck_assert_ptr_eq(contract_find(contract, method->path), method);
    }
}
END_TEST

START_TEST(a_file_is_found_by_name_and_by_any_symbol_in_it) /* GRPC-03 */
{
    static const char *const symbols[] = {
        "coffee.order.v1.OrderService",
        "coffee.order.v1.OrderService.PlaceOrder",
        "coffee.order.v1.Order",
        "coffee.order.v1.Status",
    };
    const struct contract_file *file = contract_file_named(contract, "coffee/order/v1/order.proto");

    ck_assert_ptr_nonnull(file);
    ck_assert(file->size > 100 && file->bytes[0] == 0x0a);
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        ck_assert_ptr_eq(contract_file_of(contract, symbols[i]), file);
    }
    ck_assert_str_eq(
        contract_file_of(contract, "coffee.common.v1.HealthCheckResponse.Status")->name,
        "coffee/common/v1/common.proto");
    ck_assert_ptr_null(contract_file_of(contract, "coffee.order.v1.Tea"));
    ck_assert_ptr_null(contract_file_named(contract, "tea.proto"));
}
END_TEST

TEST_MAIN_AROUND("contract", (&(struct test_around){.before = make, .after = unmake}),
                 a_method_has_its_route_and_options, what_an_option_leaves_out_has_its_default,
                 a_stream_is_told_from_a_call, comments_of_the_proto_come_along,
                 a_field_has_its_rules_and_defaults, an_unknown_path_is_not_found,
                 every_method_of_a_service_is_listed_once,
                 a_file_is_found_by_name_and_by_any_symbol_in_it)
