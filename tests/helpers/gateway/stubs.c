/* See stubs.h. */
#include "tests/helpers/gateway/stubs.h"

#include "coffee/auth/v1/auth.pb-c.h"
#include "coffee/customer/v1/customer.pb-c.h"
#include "coffee/menu/v1/menu.pb-c.h"
#include "coffee/order/v1/order.pb-c.h"
#include "coffee/shop/v1/shop.pb-c.h"
#include "common/base/clock.h"
#include "common/json/transcode.h"
#include "tests/helpers/gateway/stage.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena; /* of the tables */

static char *copy(struct ctx *ctx, const char *text)
{
    return arena_strdup(ctx->arena, text);
}

static enum status get_menu(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Menu__V1__Menu *menu = out;

    (void)service;
    (void)in;
    menu->version = 7;
    menu->edition = copy(ctx, "7.2");
    menu->n_items = 1;
    menu->items = arena_new_array(ctx->arena, Coffee__Menu__V1__MenuItem *, 1);
    menu->items[0] = (Coffee__Menu__V1__MenuItem *)message_new(
        ctx->arena, &coffee__menu__v1__menu_item__descriptor);
    menu->items[0]->id = copy(ctx, "flat-white");
    menu->items[0]->price_cents = 380;
    return ST_OK;
}

/* The id says what happens. */
static enum status get_item(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__GetMenuItemRequest *request = in;
    Coffee__Menu__V1__MenuItem *item = out;
    static const struct {
        const char *id;
        enum status status;
    } failures[] = {
        {"missing",   ST_NOT_FOUND  },
        {"internal",  ST_INTERNAL   },
        {"conflict",  ST_CONFLICT   },
        {"away",      ST_UNAVAILABLE},
        {"exists",    ST_EXISTS     },
        {"invalid",   ST_INVALID    },
        {"forbidden", ST_FORBIDDEN  },
        {"too-many",  ST_TOO_MANY   },
    };

    (void)service;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        if (strcmp(failures[i].id, request->id) == 0) {
            return fail_with(ctx, failures[i].status, "", "secret detail of SELECT 1");
        }
    }
    if (strcmp(request->id, "slow") == 0) {
        clock_pause_ms(3000);
    }
    item->id = copy(ctx, request->id);
    item->name = copy(ctx, ctx->correlation_id);
    item->description = copy(ctx, ctx->trace_id);
    return ST_OK;
}

/* As version 7 has it. */
static enum status update_item(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__UpdateMenuItemRequest *request = in;
    Coffee__Menu__V1__MenuItem *item = out;

    (void)service;
    if (*ctx->if_match && strcmp(ctx->if_match, "7.2") != 0) {
        return fail_problem(ctx, PROBLEM_PRECONDITION_FAILED, "read it again");
    }
    item->id = copy(ctx, request->id);
    item->description = copy(ctx, ctx->if_match);
    return ST_OK;
}

static enum status place_order(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__PlaceOrderRequest *request = in;
    Coffee__Order__V1__Order *order = out;

    (void)service;
    order->id = copy(ctx, STAGE_ORDER);
    order->status = COFFEE__ORDER__V1__STATUS__STATUS_PLACED;
    order->customer_id = copy(ctx, ctx->caller.subject);
    order->number = (int32_t)request->n_items;
    order->note = copy(ctx, ctx->idempotency_key ? ctx->idempotency_key : "");
    return ST_OK;
}

static enum status accept_order(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Order__V1__Order *order = out;

    (void)service;
    order->id = copy(ctx, ((const Coffee__Order__V1__MoveOrderRequest *)in)->id);
    return ST_OK;
}

static enum status list_orders(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__ListOrdersRequest *request = in;
    Coffee__Order__V1__ListOrdersResponse *response = out;

    (void)service;
    response->next_page_token = arena_printf(ctx->arena, "%d|%s|%s", request->page_size,
                                             request->page_token, request->scope);
    return ST_OK;
}

static enum status delete_item(struct ctx *ctx, void *service, const void *in, void *out)
{
    (void)ctx;
    (void)service;
    (void)in;
    (void)out;
    return ST_OK;
}

static enum status get_jwks(struct ctx *ctx, void *service, const void *in, void *out)
{
    const struct stage *stage = service;
    Coffee__Auth__V1__Jwks *set = out;
    struct token_jwk jwks[3];

    (void)in;
    set->n_keys = token_signer_jwks(stage->signer, jwks);
    set->keys = arena_new_array(ctx->arena, Coffee__Auth__V1__Jwk *, set->n_keys);
    for (size_t i = 0; i < set->n_keys; i++) {
        set->keys[i] =
            (Coffee__Auth__V1__Jwk *)message_new(ctx->arena, &coffee__auth__v1__jwk__descriptor);
        set->keys[i]->kty = copy(ctx, "EC");
        set->keys[i]->kid = copy(ctx, jwks[i].kid);
        set->keys[i]->x = copy(ctx, jwks[i].x);
        set->keys[i]->y = copy(ctx, jwks[i].y);
    }
    return ST_OK;
}

static enum status login(struct ctx *ctx, void *service, const void *in, void *out)
{
    (void)service;
    (void)in;
    (void)out;
    return fail_problem(ctx, PROBLEM_BAD_CREDENTIALS, "Handle or password is wrong");
}

static enum status logout(struct ctx *ctx, void *service, const void *in, void *out)
{
    return delete_item(ctx, service, in, out);
}

static enum status get_profile(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Customer__V1__Customer *customer = out;

    (void)service;
    (void)in;
    customer->id = copy(ctx, ctx->caller.subject);
    customer->handle = copy(ctx, role_name(ctx->caller.role));
    return ST_OK;
}

static const struct rpc_handler made[] = {
    {"GetMenu",        get_menu, NULL},
    {"GetMenuItem",            get_item, NULL},
    {"UpdateMenuItem",    update_item, NULL},
    {"DeleteMenuItem",            delete_item, NULL},
    {"PlaceOrder", place_order, NULL},
    {"AcceptOrder",            accept_order, NULL},
    {"ListOrders", list_orders, NULL},
    {"GetJwks",            get_jwks, NULL},
    {"Login",     login, NULL},
    {"Logout",            logout, NULL},
    {"GetProfile",    get_profile, NULL},
    {0           },
};

static enum status not_made(struct ctx *ctx, void *service, const void *in, void *out)
{
    (void)service;
    (void)in;
    (void)out;
    return fail_with(ctx, ST_UNIMPLEMENTED, "", "a stub");
}

static enum status no_stream(struct ctx *ctx, struct rpc_stream *stream, void *service,
                             const void *in)
{
    (void)stream;
    return not_made(ctx, service, in, NULL);
}

static void stream_closed(struct rpc_stream *stream, void *service)
{
    (void)stream;
    (void)service;
}

static const struct rpc_stream_handler no_streams = {.open = no_stream, .closed = stream_closed};

static const struct rpc_handler *find(const struct rpc_handler *table, const char *name)
{
    for (; table && table->method; table++) {
        if (strcmp(table->method, name) == 0) {
            return table;
        }
    }
    return NULL;
}

static void fill(struct rpc_service *service, const struct contract *contract,
                 const ProtobufCServiceDescriptor *descriptor, const struct rpc_handler *own)
{
    struct rpc_handler *handlers =
        arena_new_array(arena, struct rpc_handler, descriptor->n_methods + 1);

    for (unsigned i = 0; i < descriptor->n_methods; i++) {
        const char *name = descriptor->methods[i].name;
        const struct contract_method *method =
            contract_find(contract, arena_printf(arena, "/%s/%s", descriptor->name, name));
        const struct rpc_handler *found = find(own, name);

        found = found ? found : find(made, name);
        handlers[i] = found                    ? *found
                      : method->server_streams ? (struct rpc_handler){name, NULL, &no_streams}
                                               : (struct rpc_handler){name, not_made, NULL};
    }
    *service = (struct rpc_service){descriptor, handlers};
}

static struct rpc_service *new_services(size_t count)
{
    arena = arena ? arena : arena_new(16 * 1024);
    return arena_new_array(arena, struct rpc_service, count + 1);
}

const struct rpc_service *stub_service(const struct contract *contract,
                                       const ProtobufCServiceDescriptor *descriptor,
                                       const struct rpc_handler *own)
{
    struct rpc_service *services = new_services(1);

    fill(&services[0], contract, descriptor, own);
    return services;
}

const struct rpc_service *stub_order_services(const struct contract *contract)
{
    struct rpc_service *services = new_services(3);

    fill(&services[0], contract, &coffee__menu__v1__menu_service__descriptor, NULL);
    fill(&services[1], contract, &coffee__order__v1__order_service__descriptor, NULL);
    fill(&services[2], contract, &coffee__shop__v1__shop_service__descriptor, NULL);
    return services;
}

const struct rpc_service *stub_customer_services(const struct contract *contract)
{
    struct rpc_service *services = new_services(2);

    fill(&services[0], contract, &coffee__auth__v1__auth_service__descriptor, NULL);
    fill(&services[1], contract, &coffee__customer__v1__customer_service__descriptor, NULL);
    return services;
}

void stubs_free(void)
{
    arena_free(arena);
    arena = NULL;
}
