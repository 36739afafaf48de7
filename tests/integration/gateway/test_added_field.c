/* links: test_gateway */
/* Every message of the answers gets one field more, and nothing else: here in protoc-c's
 * descriptors, at run time. What clients of v1 asked is asked of that build, and of every mixture
 * of it and today's that a rolling update passes through. */
#include "coffee/menu/v1/menu.pb-c.h"
#include "coffee/order/v1/order.pb-c.h"
#include "coffee/shop/v1/shop.pb-c.h"
#include "common/base/clock.h"
#include "gateway/contracts.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/gateway/stubs.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <string.h>

enum {
    MOST_GROWN = 32,
    MOST_FIELDS = 40,
    MOST_METHODS = 32,
    MOST_SERVICES = 16,
    FIELD_GAP = 100,
    BACK_S = 60
};

/* What protoc-c would make of the message with `string added_later = N;` at its end. */
struct grown {
    const ProtobufCMessageDescriptor *old;
    ProtobufCMessageDescriptor now;
    ProtobufCFieldDescriptor fields[MOST_FIELDS];
    ProtobufCIntRange ranges[MOST_FIELDS];
    unsigned by_name[MOST_FIELDS];
};

static struct grown grown[MOST_GROWN];
static size_t grown_count;

static struct grown_service {
    ProtobufCServiceDescriptor now;
    ProtobufCMethodDescriptor methods[MOST_METHODS];
} menu_service, order_service, shop_service;

static const ProtobufCServiceDescriptor *services[MOST_SERVICES];

static struct valkey_server valkey;
static struct stage stage;
static struct gateway *newer, *older;
static struct contract *newer_contract, *older_contract; /* of the daemons */
static struct raw_reply reply;

/* ---- the field ---- */

/* Where the new field of a message is; NULL: it is one of today's. */
static char **added_later(ProtobufCMessage *message)
{
    for (size_t i = 0; i < grown_count; i++) {
        if (message->descriptor == &grown[i].now) {
            const ProtobufCFieldDescriptor *field = &grown[i].fields[grown[i].old->n_fields];

            return (char **)(void *)((char *)message + field->offset);
        }
    }
    return NULL;
}

static void init_grown(const struct grown *type, ProtobufCMessage *message)
{
    memset(message, 0, type->now.sizeof_message);
    type->old->message_init(message);
    message->descriptor = &type->now;
    *added_later(message) = (char *)(uintptr_t)protobuf_c_empty_string;
}

/* protobuf-c does not tell an initialiser which type it is for: one for each. */
/* clang-format off */
#define INITS(W)                                                                                   \
    W(0) W(1) W(2) W(3) W(4) W(5) W(6) W(7) W(8) W(9) W(10) W(11) W(12) W(13) W(14) W(15) W(16)    \
    W(17) W(18) W(19) W(20) W(21) W(22) W(23) W(24) W(25) W(26) W(27) W(28) W(29) W(30) W(31)
/* clang-format on */
#define INIT(i)                                     \
    static void init_##i(ProtobufCMessage *message) \
    {                                               \
        init_grown(&grown[i], message);             \
    }
#define INIT_NAME(i) init_##i,
INITS(INIT)
static const ProtobufCMessageInit inits[MOST_GROWN] = {INITS(INIT_NAME)};

static void add_name(struct grown *type)
{
    unsigned at = 0, count = type->old->n_fields;

    while (at < count && strcmp(type->old->fields[type->old->fields_sorted_by_name[at]].name,
                                "added_later") < 0) {
        at++;
    }
    memcpy(type->by_name, type->old->fields_sorted_by_name, at * sizeof(unsigned));
    type->by_name[at] = count;
    memcpy(type->by_name + at + 1, type->old->fields_sorted_by_name + at,
           (count - at) * sizeof(unsigned));
}

static void add_field(struct grown *type)
{
    const ProtobufCMessageDescriptor *old = type->old;
    unsigned count = old->n_fields, ranges = old->n_field_ranges;
    uint32_t id = old->fields[count - 1].id + FIELD_GAP;
    size_t offset = (old->sizeof_message + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);

    ck_assert_uint_lt(count + 1, MOST_FIELDS);
    memcpy(type->fields, old->fields, count * sizeof(*type->fields));
    type->fields[count] = (ProtobufCFieldDescriptor){.name = "added_later",
                                                     .id = id,
                                                     .label = PROTOBUF_C_LABEL_NONE,
                                                     .type = PROTOBUF_C_TYPE_STRING,
                                                     .offset = (unsigned)offset,
                                                     .default_value = &protobuf_c_empty_string};
    memcpy(type->ranges, old->field_ranges, ranges * sizeof(*type->ranges));
    type->ranges[ranges] = (ProtobufCIntRange){(int)id, count};
    type->ranges[ranges + 1] = (ProtobufCIntRange){0, count + 1};
    add_name(type);
    type->now.fields = type->fields;
    type->now.n_fields = count + 1;
    type->now.fields_sorted_by_name = type->by_name;
    type->now.field_ranges = type->ranges;
    type->now.n_field_ranges = ranges + 1;
    type->now.sizeof_message = offset + sizeof(char *);
}

/* That type and all within it. Types of Google and empty ones stay. */
static const ProtobufCMessageDescriptor *grow(const ProtobufCMessageDescriptor *old)
{
    if (old->n_fields == 0 || strncmp(old->name, "google.", strlen("google.")) == 0) {
        return old;
    }
    for (size_t i = 0; i < grown_count; i++) {
        if (grown[i].old == old) {
            return &grown[i].now;
        }
    }
    ck_assert_uint_lt(grown_count, MOST_GROWN);
    struct grown *type = &grown[grown_count];

    *type = (struct grown){.old = old, .now = *old};
    type->now.message_init = inits[grown_count++];
    add_field(type);
    for (unsigned i = 0; i < old->n_fields; i++) {
        if (old->fields[i].type == PROTOBUF_C_TYPE_MESSAGE) {
            type->fields[i].descriptor = grow(old->fields[i].descriptor);
        }
    }
    return &type->now;
}

static void grow_service(struct grown_service *service, const ProtobufCServiceDescriptor *old)
{
    ck_assert_uint_le(old->n_methods, MOST_METHODS);
    memcpy(service->methods, old->methods, old->n_methods * sizeof(*old->methods));
    for (unsigned i = 0; i < old->n_methods; i++) {
        service->methods[i].output = grow(old->methods[i].output);
    }
    service->now = *old;
    service->now.methods = service->methods;
    for (size_t i = 0; services[i]; i++) {
        services[i] = services[i] == old ? &service->now : services[i];
    }
}

/* ---- the stage ---- */

static enum status get_item(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__GetMenuItemRequest *request = in;
    Coffee__Menu__V1__MenuItem *item = out;
    char **added = added_later(&item->base);

    (void)service;
    if (strcmp(request->id, "missing") == 0) {
        return fail_with(ctx, ST_NOT_FOUND, "", "a stub");
    }
    item->id = arena_strdup(ctx->arena, request->id);
    item->price_cents = 380;
    if (added) {
        *added = arena_strdup(ctx->arena, "new");
    }
    return ST_OK;
}

static const struct rpc_handler own[] = {
    {"GetMenuItem", get_item, NULL},
    {0        }
};

static struct rpc_service newer_services[4], older_services[4];

static const struct rpc_service *stubs(struct rpc_service into[4], const struct contract *contract,
                                       const ProtobufCServiceDescriptor *const from[3])
{
    for (size_t i = 0; i < 3; i++) {
        into[i] = *stub_service(contract, from[i], i == 0 ? own : NULL);
    }
    return into;
}

static void start_newer_daemons(void)
{
    stage.contract = newer_contract;
    stage_start_order_with(&stage,
                           stubs(newer_services, newer_contract,
                                 (const ProtobufCServiceDescriptor *const[]){
                                     &menu_service.now, &order_service.now, &shop_service.now}));
}

static void start_older_daemons(void)
{
    stage.contract = older_contract;
    stage_start_order_with(&stage, stubs(older_services, older_contract,
                                         (const ProtobufCServiceDescriptor *const[]){
                                             &coffee__menu__v1__menu_service__descriptor,
                                             &coffee__order__v1__order_service__descriptor,
                                             &coffee__shop__v1__shop_service__descriptor}));
}

static struct contract *contract_of_the_newer(void)
{
    struct contract *contract = contract_new(services, stderr);

    ck_assert_ptr_nonnull(contract);
    return contract;
}

static void start(void)
{
    valkey = valkey_server_start(0, NULL);
    stage_make(&stage, valkey.port);
    for (size_t i = 0; contract_services[i]; i++) {
        ck_assert_uint_lt(i + 1, MOST_SERVICES);
        services[i] = contract_services[i];
    }
    grow_service(&menu_service, &coffee__menu__v1__menu_service__descriptor);
    grow_service(&order_service, &coffee__order__v1__order_service__descriptor);
    grow_service(&shop_service, &coffee__shop__v1__shop_service__descriptor);
    older_contract = stage.contract;
    newer_contract = contract_of_the_newer();
    stage_start_customer(&stage);
    start_newer_daemons();
    newer = stage_open(&stage, contract_of_the_newer());
    older = stage_open(&stage, NULL);
}

static void stop(void)
{
    stage.contract = older_contract; /* which it frees */
    stage_close(&stage);
    contract_free(newer_contract);
    valkey_server_stop(&valkey);
}

/* ---- what clients of v1 asked, and what of the answers they read ---- */

#define LATTE "{\"items\":[{\"menuItemId\":\"latte\",\"quantity\":1}]}"

/* clang-format off */
static const struct recorded {
    const char *method, *path, *body;
    enum role role;
    int code;
    const char *members[12];
} recorded[] = {
    {"GET", "/menu", NULL, ROLE_CUSTOMER, 200,
     {"\"items\":[{\"id\":\"flat-white\",\"name\":\"\",", "\"priceCents\":380", "\"available\":false",
      "\"customizations\":[]", "\"allergens\":[]"}},
    {"GET", "/menu/latte", NULL, ROLE_CUSTOMER, 200,
     {"\"id\":\"latte\"", "\"name\":\"", "\"description\":\"", "\"kind\":\"", "\"priceCents\":380",
      "\"available\":false", "\"customizations\":[]"}},
    {"GET", "/menu/missing", NULL, ROLE_CUSTOMER, 404, {"\"code\":\"not_found\"", "\"status\":404"}},
    {"POST", "/orders", LATTE, ROLE_CUSTOMER, 201,
     {"\"id\":\"" STAGE_ORDER "\"", "\"number\":1", "\"status\":\"placed\"",
      "\"customerId\":\"" STAGE_CUSTOMER "\"", "\"items\":[]", "\"totalCents\":0", "\"currency\":\"",
      "\"bucket\":\"", "\"queuePosition\":0", "\"etaSeconds\":0", "\"seq\":0"}},
    {"POST", "/orders", "{\"items\":[]}", ROLE_CUSTOMER, 422,
     {"\"code\":\"invalid_fields\"", "\"field\":\"items\""}},
    {"GET", "/orders?pageSize=5", NULL, ROLE_CUSTOMER, 200,
     {"\"orders\":[]", "\"nextPageToken\":\"5||\""}},
    {"POST", "/orders/" STAGE_ORDER "/accept", "{}", ROLE_BARISTA, 200,
     {"\"id\":\"" STAGE_ORDER "\"", "\"baristaId\":\""}},
};
/* clang-format on */

static int ask(const struct gateway *gateway, const struct recorded *what)
{
    return stage_ask(
        gateway,
        &(struct ask){.method = what->method,
                      .path = what->path,
                      .body = what->body,
                      .token = stage_token(&stage, what->role, STAGE_CUSTOMER, STAGE_SESSION)},
        &reply);
}

/* Plays all of them; how many answers had the new field. */
static int replay(const struct gateway *gateway)
{
    int with = 0;

    for (size_t i = 0; i < ARRAY_LEN(recorded); i++) {
        const struct recorded *what = &recorded[i];

        ck_assert_msg(ask(gateway, what) == what->code, "%s %s: %s", what->method, what->path,
                      reply.body);
        for (size_t m = 0; what->members[m]; m++) {
            ck_assert_msg(strstr(reply.body, what->members[m]), "%s %s: no %s in %s", what->method,
                          what->path, what->members[m], reply.body);
        }
        with += strstr(reply.body, "\"addedLater\":") != NULL;
    }
    return with;
}

/* After daemons were started again: gRPC tries a lost one again after a second or more. */
static void wait_until_back(const struct gateway *gateway)
{
    for (int left = BACK_S * 10; ask(gateway, &recorded[0]) == 503; left--) {
        ck_assert_int_gt(left, 0);
        clock_pause_ms(100);
    }
}

static const char *item_from(const struct gateway *gateway)
{
    ck_assert_int_eq(ask(gateway, &recorded[1]), 200);
    return reply.body;
}

/* GW-14 */
START_TEST(a_client_of_v1_is_served_by_a_build_with_one_more_field_in_each_answer)
{
    ck_assert_int_eq(replay(newer), 5);
    ck_assert_ptr_nonnull(strstr(item_from(newer), "\"addedLater\":\"new\""));
}
END_TEST

/* GW-14: a daemon is updated first */
START_TEST(todays_gateway_leaves_out_what_newer_daemons_add)
{
    ck_assert_int_eq(replay(older), 0);
}
END_TEST

/* GW-14: the gateway is updated first */
START_TEST(a_newer_gateway_shows_what_older_daemons_do_not_know_as_empty)
{
    stage_stop_order(&stage);
    start_older_daemons();
    wait_until_back(newer);
    ck_assert_int_eq(replay(newer), 5);
    ck_assert_ptr_nonnull(strstr(item_from(newer), "\"addedLater\":\"\""));
}
END_TEST

TEST_MAIN_AROUND("added field", (&(struct test_around){.before = start, .after = stop}),
                 a_client_of_v1_is_served_by_a_build_with_one_more_field_in_each_answer,
                 todays_gateway_leaves_out_what_newer_daemons_add,
                 a_newer_gateway_shows_what_older_daemons_do_not_know_as_empty)
