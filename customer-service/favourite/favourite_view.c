/* The messages of favourites, and the list of them as Valkey has it. */
#include "customer-service/favourite/favourite_view.h"

#include "common/cache/cache_aside.h"
#include "customer-service/service.h"

typedef Coffee__Customer__V1__Favorite favourite_message;
typedef Coffee__Customer__V1__FavoriteCustomization customization_message;
typedef Coffee__Customer__V1__ListFavoritesResponse list_message;

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void never_free(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

void favourite_view_name(const struct menu_names *names, favourite_message *out)
{
    const Coffee__Menu__V1__MenuItem *item = menu_names_item(names, out->menu_item_id);

    out->available = item && item->available;
    out->name = item ? item->name : out->name;
    for (size_t i = 0; i < out->n_customizations; i++) {
        const Coffee__Menu__V1__Customization *found =
            menu_names_customization(item, out->customizations[i]->id);

        out->available = out->available && found && found->available;
        out->customizations[i]->name = found ? found->name : out->customizations[i]->name;
    }
}

void favourite_view(struct ctx *ctx, const struct favourite *favourite,
                    const struct menu_names *names, favourite_message *out)
{
    size_t count = favourite->customization_count;
    customization_message *made = arena_new_array(ctx->arena, customization_message, count);

    out->id = arena_strdup(ctx->arena, favourite->id);
    out->menu_item_id = arena_strdup(ctx->arena, favourite->menu_item_id);
    out->is_usual = favourite->is_usual;
    out->n_customizations = count;
    out->customizations = arena_new_array(ctx->arena, customization_message *, count);
    for (size_t i = 0; i < count; i++) {
        coffee__customer__v1__favorite_customization__init(&made[i]);
        made[i].id = arena_strdup(ctx->arena, favourite->customization_ids[i]);
        out->customizations[i] = &made[i];
    }
    favourite_view_name(names, out);
}

struct favourite_answer favourite_view_pack(struct ctx *ctx, const favourite_message *message)
{
    uint8_t *bytes =
        arena_alloc(ctx->arena, coffee__customer__v1__favorite__get_packed_size(message) + 1);

    return (struct favourite_answer){bytes, coffee__customer__v1__favorite__pack(message, bytes)};
}

enum status favourite_view_unpack(struct ctx *ctx, struct favourite_answer answer,
                                  favourite_message *out)
{
    ProtobufCAllocator in_arena = {from_arena, never_free, ctx->arena};
    const favourite_message *message =
        coffee__customer__v1__favorite__unpack(&in_arena, answer.size, answer.bytes);

    if (!message) {
        return fail_with(ctx, ST_INTERNAL, "", "a kept favourite cannot be read");
    }
    *out = *message;
    return ST_OK;
}

struct loading {
    struct service *service;
    struct customer_id id;
};

static enum status load(struct ctx *ctx, void *user, const char **value, size_t *size)
{
    static const struct menu_names no_names;
    const struct loading *loading = user;
    list_message message = COFFEE__CUSTOMER__V1__LIST_FAVORITES_RESPONSE__INIT;
    const struct favourite *list;

    TRY(favourite_list(ctx, loading->service, loading->id, &list, &message.n_favorites));
    favourite_message *made = arena_new_array(ctx->arena, favourite_message, message.n_favorites);
    message.favorites = arena_new_array(ctx->arena, favourite_message *, message.n_favorites);
    for (size_t i = 0; i < message.n_favorites; i++) {
        coffee__customer__v1__favorite__init(&made[i]);
        favourite_view(ctx, &list[i], &no_names, &made[i]);
        message.favorites[i] = &made[i];
    }
    uint8_t *bytes = arena_alloc(
        ctx->arena, coffee__customer__v1__list_favorites_response__get_packed_size(&message) + 1);
    *size = coffee__customer__v1__list_favorites_response__pack(&message, bytes);
    *value = (const char *)bytes;
    return ST_OK;
}

enum status favourite_view_cached(struct ctx *ctx, struct service *service, struct customer_id id,
                                  list_message *out)
{
    ProtobufCAllocator in_arena = {from_arena, never_free, ctx->arena};
    struct loading loading = {.service = service, .id = id};
    struct cache_reply value = {0};

    TRY(cache_aside_get(ctx, service_favourites(service), favourite_cache_key(ctx, id), load,
                        &loading, &value));
    const list_message *message = coffee__customer__v1__list_favorites_response__unpack(
        &in_arena, value.size, (const uint8_t *)value.text);
    if (!message) {
        return fail_with(ctx, ST_INTERNAL, "", "cached favourites of %s cannot be read", id.text);
    }
    *out = *message;
    return ST_OK;
}
