/* links: test_gateway */
/* A method is added to a proto, and nothing else: here to the descriptor set, at run time. The
 * gateway then has a documented, authorised, limited, counted route for it. */
#include "coffee/menu/v1/menu.pb-c.h"
#include "common/base/text.h"
#include "common/json/transcode.h"
#include "common/obs/metrics.h"
#include "everything/options.pb-c.h"
#include "gateway/contracts.h"
#include "google/api/http.pb-c.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/gateway/stubs.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const uint8_t descriptors_start[], descriptors_end[];

enum { HTTP_OPTION = 72295728, CALL_OPTION = 50001, MAX_METHODS = 32 };

/* The new method: what protoc and protoc-c would make of
 *     rpc Recommend(GetMenuItemRequest) returns (MenuItem) {
 *       option (google.api.http) = {get: "/recommendations/{id}"};
 *       option (everything.call) = {roles: ROLE_CUSTOMER limit: "write"
 *                                   summary: "What goes with it"};
 *     } */
static ProtobufCMethodDescriptor methods[MAX_METHODS];
static unsigned by_name[MAX_METHODS];
static ProtobufCServiceDescriptor menu_service;
static const ProtobufCServiceDescriptor *services[16];

static struct valkey_server valkey;
static struct stage stage;
static struct gateway *gateway;
static struct raw_reply reply;

static int compare_names(const void *a, const void *b)
{
    return strcmp(methods[*(const unsigned *)a].name, methods[*(const unsigned *)b].name);
}

static void add_to_service(void)
{
    const ProtobufCServiceDescriptor *old = &coffee__menu__v1__menu_service__descriptor;

    memcpy(methods, old->methods, old->n_methods * sizeof(*methods));
    methods[old->n_methods] = (ProtobufCMethodDescriptor){
        "Recommend", &coffee__menu__v1__get_menu_item_request__descriptor,
        &coffee__menu__v1__menu_item__descriptor};
    menu_service = *old;
    menu_service.n_methods++;
    menu_service.methods = methods;
    for (unsigned i = 0; i < menu_service.n_methods; i++) {
        by_name[i] = i;
    }
    qsort(by_name, menu_service.n_methods, sizeof(*by_name), compare_names);
    menu_service.method_indices_by_name = by_name;
    for (size_t i = 0; contract_services[i]; i++) {
        services[i] = contract_services[i] == old ? &menu_service : contract_services[i];
    }
}

static ProtobufCMessageUnknownField option(struct arena *arena, uint32_t tag,
                                           const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size + 1);

    ck_assert_uint_lt(size, 128); /* a length of one byte */
    data[0] = (uint8_t)size;
    protobuf_c_message_pack(message, data + 1);
    return (ProtobufCMessageUnknownField){tag, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, size + 1,
                                          data};
}

static Google__Protobuf__MethodDescriptorProto *new_method(struct arena *arena)
{
    Google__Api__HttpRule rule = GOOGLE__API__HTTP_RULE__INIT;
    Everything__Call call = EVERYTHING__CALL__INIT;
    static Everything__Role roles[] = {EVERYTHING__ROLE__ROLE_CUSTOMER};
    Google__Protobuf__MethodDescriptorProto *method =
        arena_new_struct(arena, Google__Protobuf__MethodDescriptorProto);
    ProtobufCMessageUnknownField *unknown = arena_new_array(arena, ProtobufCMessageUnknownField, 2);

    google__protobuf__method_descriptor_proto__init(method);
    method->name = arena_strdup(arena, "Recommend");
    method->input_type = arena_strdup(arena, ".coffee.menu.v1.GetMenuItemRequest");
    method->output_type = arena_strdup(arena, ".coffee.menu.v1.MenuItem");
    method->options = arena_new_struct(arena, Google__Protobuf__MethodOptions);
    google__protobuf__method_options__init(method->options);
    rule.pattern_case = GOOGLE__API__HTTP_RULE__PATTERN_GET;
    rule.get = arena_strdup(arena, "/recommendations/{id}");
    call.n_roles = 1;
    call.roles = roles;
    call.limit = arena_strdup(arena, "write");
    call.summary = arena_strdup(arena, "What goes with it");
    unknown[0] = option(arena, HTTP_OPTION, &rule.base);
    unknown[1] = option(arena, CALL_OPTION, &call.base);
    method->options->base.n_unknown_fields = 2;
    method->options->base.unknown_fields = unknown;
    return method;
}

static Google__Protobuf__ServiceDescriptorProto *
menu_of(const Google__Protobuf__FileDescriptorSet *set)
{
    for (size_t i = 0; i < set->n_file; i++) {
        if (strcmp(set->file[i]->name, "coffee/menu/v1/menu.proto") == 0) {
            return set->file[i]->service[0];
        }
    }
    ck_abort_msg("no menu.proto");
    return NULL;
}

static struct contract *contract_with_one_more(void)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
        NULL, (size_t)(descriptors_end - descriptors_start), descriptors_start);
    Google__Protobuf__ServiceDescriptorProto *menu = menu_of(set);
    Google__Protobuf__MethodDescriptorProto **old = menu->method;
    Google__Protobuf__MethodDescriptorProto *more[MAX_METHODS];

    memcpy(more, old, menu->n_method * sizeof(*more));
    more[menu->n_method++] = new_method(arena);
    menu->method = more;
    size_t size = google__protobuf__file_descriptor_set__get_packed_size(set);
    uint8_t *bytes = malloc(size);
    google__protobuf__file_descriptor_set__pack(set, bytes);
    menu->method = old;
    menu->n_method--;
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);

    struct contract *contract = contract_new_from(bytes, size, services, stderr);
    free(bytes);
    ck_assert_ptr_nonnull(contract);
    return contract;
}

static enum status recommend(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__GetMenuItemRequest *request = in;
    Coffee__Menu__V1__MenuItem *item = out;

    (void)service;
    item->id = arena_printf(ctx->arena, "cookie-for-%s", request->id);
    return ST_OK;
}

static void start(void)
{
    static const struct rpc_handler own[] = {
        {"Recommend", recommend, NULL},
        {0      }
    };

    valkey = valkey_server_start(0, NULL);
    stage_make(&stage, valkey.port);
    add_to_service();
    contract_free(stage.contract);
    stage.contract = contract_with_one_more();
    stage_start_customer(&stage);
    stage_start_order_with(&stage, stub_service(stage.contract, &menu_service, own));
    gateway = stage_open(&stage, contract_with_one_more());
}

static void stop(void)
{
    stage_close(&stage);
    valkey_server_stop(&valkey);
}

static int ask(const char *path, const char *token)
{
    return stage_ask(gateway, &(struct ask){.method = "GET", .path = path, .token = token}, &reply);
}

static const char *token_of(enum role role)
{
    return stage_token(&stage, role, STAGE_CUSTOMER, STAGE_SESSION);
}

/* GW-02 GW-03 */
START_TEST(a_method_with_options_is_a_route_that_is_authorised_limited_and_counted)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text text = text_new(arena, 4096);

    ck_assert_int_eq(ask("/recommendations/latte", NULL), 401);
    ck_assert_int_eq(ask("/recommendations/latte", token_of(ROLE_BARISTA)), 403);
    ck_assert_int_eq(ask("/recommendations/latte", token_of(ROLE_CUSTOMER)), 200);
    ck_assert_ptr_nonnull(strstr(reply.body, "\"id\":\"cookie-for-latte\""));
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "RateLimit"), "\"write\";"));
    ck_assert_uint_eq(strlen(raw_header(&reply, "traceparent")), 55);
    metrics_print(&text, false);
    ck_assert_ptr_nonnull(strstr(text.data,
                                 "http_request_duration_seconds_count"
                                 "{route=\"GET /recommendations/{id}\",code=\"200\"} 1"));
}
END_TEST

static char document[512 * 1024];

START_TEST(the_new_route_is_documented)
{
    int fd = raw_connect(http_server_port(gateway->http));

    ck_assert(raw_send(fd, "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    raw_read(fd, document, sizeof(document), 3000);
    ck_assert_ptr_nonnull(strstr(document, "\"/recommendations/{id}\""));
    ck_assert_ptr_nonnull(strstr(document, "\"What goes with it\""));
}
END_TEST

TEST_MAIN_AROUND("added route", (&(struct test_around){.before = start, .after = stop}),
                 a_method_with_options_is_a_route_that_is_authorised_limited_and_counted,
                 the_new_route_is_documented)
