/* Favourites over gRPC: decode, call, encode. Names are asked for before a connection to the
 * database is taken. */
#include "customer-service/favourite/favourite_rpc.h"

#include "common/base/text.h"
#include "customer-service/favourite/favourite_view.h"

typedef Coffee__Customer__V1__Favorite favourite_message;

enum status favourite_rpc_list(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Customer__V1__ListFavoritesResponse *answer = out;

    (void)in;
    TRY(favourite_view_cached(ctx, service, customer_caller(ctx), answer));
    const char **ids = arena_new_array(ctx->arena, const char *, answer->n_favorites);
    for (size_t i = 0; i < answer->n_favorites; i++) {
        ids[i] = answer->favorites[i]->menu_item_id;
    }
    struct menu_names names = menu_names_get(ctx, service, ids, answer->n_favorites);
    for (size_t i = 0; i < answer->n_favorites; i++) {
        favourite_view_name(&names, answer->favorites[i]);
    }
    return ST_OK;
}

/* Of these a drink takes one each, as order-service's order_price.c has it. */
static bool takes_one(Coffee__Menu__V1__CustomizationKind kind)
{
    return kind == COFFEE__MENU__V1__CUSTOMIZATION_KIND__CUSTOMIZATION_KIND_MILK ||
           kind == COFFEE__MENU__V1__CUSTOMIZATION_KIND__CUSTOMIZATION_KIND_SIZE ||
           kind == COFFEE__MENU__V1__CUSTOMIZATION_KIND__CUSTOMIZATION_KIND_TEMP;
}

/* The same one twice is no second: a favourite has each once. */
static bool is_second_of_its_kind(const Coffee__Menu__V1__MenuItem *item,
                                  const Coffee__Customer__V1__AddFavoriteRequest *request,
                                  size_t at)
{
    const Coffee__Menu__V1__Customization *own =
        menu_names_customization(item, request->customization_ids[at]);

    for (size_t i = 0; i < at && takes_one(own->kind); i++) {
        const Coffee__Menu__V1__Customization *other =
            menu_names_customization(item, request->customization_ids[i]);

        if (other && other != own && other->kind == own->kind) {
            return true;
        }
    }
    return false;
}

/* What is known not to be sold so; nothing is refused while nobody can tell. */
static void refuse_unsold(struct ctx *ctx, const Coffee__Customer__V1__AddFavoriteRequest *request,
                          const struct menu_names *names)
{
    const Coffee__Menu__V1__MenuItem *item = menu_names_item(names, request->menu_item_id);

    if (names->known && !item) {
        refuse_field(ctx, "menuItemId", "is not on the menu");
    }
    for (size_t i = 0; item && i < request->n_customization_ids; i++) {
        const char *field = arena_printf(ctx->arena, "customizationIds[%zu]", i);

        if (!menu_names_customization(item, request->customization_ids[i])) {
            refuse_field(ctx, field, "is not offered with this drink");
        } else if (is_second_of_its_kind(item, request, i)) {
            refuse_field(ctx, field, "is a second one of its kind: choose one");
        }
    }
}

static struct favourite_answer encode(struct ctx *ctx, const struct favourite *favourite,
                                      const void *names)
{
    favourite_message message = COFFEE__CUSTOMER__V1__FAVORITE__INIT;

    favourite_view(ctx, favourite, names, &message);
    return favourite_view_pack(ctx, &message);
}

enum status favourite_rpc_add(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Customer__V1__AddFavoriteRequest *request = in;
    const char *const ids[] = {request->menu_item_id};
    struct menu_names names = menu_names_get(ctx, service, ids, 1);
    struct favourite_wish wish = {
        .menu_item_id = request->menu_item_id,
        .customization_ids = (const char *const *)request->customization_ids,
        .customization_count = request->n_customization_ids,
        .is_usual = request->is_usual,
    };
    struct favourite_answer answer;

    refuse_unsold(ctx, request, &names);
    TRY(ctx_refused(ctx));
    TRY(favourite_add(ctx, service, &wish, encode, &names, &answer));
    return favourite_view_unpack(ctx, answer, out);
}

enum status favourite_rpc_remove(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Customer__V1__RemoveFavoriteRequest *request = in;

    (void)out;
    return favourite_remove(ctx, service, request->id);
}

enum status favourite_rpc_usual(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Customer__V1__GetUsualRequest *request = in;
    struct menu_names names = {0};
    struct favourite usual;

    TRY(favourite_usual(ctx, service, customer_caller(ctx), &usual));
    if (!request->without_names) { /* order-service knows them; asking it back would be a cycle */
        const char *const ids[] = {usual.menu_item_id};

        names = menu_names_get(ctx, service, ids, 1);
    }
    favourite_view(ctx, &usual, &names, out);
    return ST_OK;
}
