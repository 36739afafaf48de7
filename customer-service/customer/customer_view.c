/* Profiles are cached as packed messages. */
#include "customer-service/customer/customer_view.h"

#include "common/base/auto.h"
#include "common/cache/cache_aside.h"
#include "common/db/db.h"
#include "customer-service/service.h"

typedef Coffee__Customer__V1__Customer customer_message;

static const struct {
    enum role role;
    Coffee__Customer__V1__Role number;
} roles[] = {
    {ROLE_CUSTOMER, COFFEE__CUSTOMER__V1__ROLE__ROLE_CUSTOMER},
    {ROLE_BARISTA,  COFFEE__CUSTOMER__V1__ROLE__ROLE_BARISTA },
    {ROLE_ADMIN,    COFFEE__CUSTOMER__V1__ROLE__ROLE_ADMIN   },
    {ROLE_DRIVER,   COFFEE__CUSTOMER__V1__ROLE__ROLE_DRIVER  },
};

Coffee__Customer__V1__Role customer_view_role(enum role role)
{
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (roles[i].role == role) {
            return roles[i].number;
        }
    }
    return COFFEE__CUSTOMER__V1__ROLE__ROLE_UNSPECIFIED;
}

enum role customer_view_role_of(Coffee__Customer__V1__Role role)
{
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (roles[i].number == role) {
            return roles[i].role;
        }
    }
    return ROLE_NOBODY;
}

void customer_view(struct ctx *ctx, const struct customer *customer, customer_message *out)
{
    out->id = arena_strdup(ctx->arena, customer->id.text);
    out->handle = arena_strdup(ctx->arena, customer->handle);
    out->name = arena_strdup(ctx->arena, customer->name);
    out->email = arena_strdup(ctx->arena, customer->email);
    out->role = customer_view_role(customer->role);
}

struct loading {
    struct service *service;
    struct customer_id id;
};

static enum status load(struct ctx *ctx, void *user, const char **value, size_t *size)
{
    const struct loading *loading = user;
    struct db_conn *db = NULL;
    struct customer found;
    customer_message message = COFFEE__CUSTOMER__V1__CUSTOMER__INIT;

    TRY(service_db(ctx, loading->service, &db));
    enum status st = customer_get(ctx, db, loading->id, &found);
    db_give_back(&db);
    TRY(st);
    customer_view(ctx, &found, &message);
    uint8_t *bytes =
        arena_alloc(ctx->arena, coffee__customer__v1__customer__get_packed_size(&message));
    *size = coffee__customer__v1__customer__pack(&message, bytes);
    *value = (const char *)bytes;
    return ST_OK;
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void never_free(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

enum status customer_view_cached(struct ctx *ctx, struct service *service, struct customer_id id,
                                 customer_message *out)
{
    ProtobufCAllocator in_arena = {from_arena, never_free, ctx->arena};
    struct loading loading = {.service = service, .id = id};
    struct cache_reply value = {0};

    TRY(cache_aside_get(ctx, service_profiles(service), customer_cache_key(ctx, id), load, &loading,
                        &value));
    const customer_message *message =
        coffee__customer__v1__customer__unpack(&in_arena, value.size, (const uint8_t *)value.text);
    if (!message) {
        customer_drop_cached(ctx, service, id);
        return fail_with(ctx, ST_INTERNAL, "", "cached profile of %s cannot be read", id.text);
    }
    *out = *message;
    return ST_OK;
}
