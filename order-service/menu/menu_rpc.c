/* The gRPC face of the menu: decode, call menu.c, encode. */
#include "order-service/menu/menu_rpc.h"

#include "coffee/menu/v1/menu.pb-c.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/json/timestamp.h"
#include "order-service/config.h"
#include "order-service/menu/menu.h"
#include "order-service/menu/menu_photo_rpc.h"
#include "order-service/service.h"

#include <string.h>

typedef Coffee__Menu__V1__MenuItem item_message;
typedef Coffee__Menu__V1__Customization customization_message;

static char *shared(const char *text)
{
    return (char *)text; /* protobuf-c wants char *, and only reads it when it packs */
}

static const int64_t *milliseconds(struct ctx *ctx, const Google__Protobuf__Timestamp *t)
{
    if (!t) {
        return NULL;
    }
    int64_t *ms = arena_new_struct(ctx->arena, int64_t);
    *ms = timestamp_ms(t);
    return ms;
}

static char **split(struct ctx *ctx, const char *joined, size_t *count)
{
    size_t most = 1;

    *count = 0;
    if (!*joined) {
        return NULL;
    }
    for (const char *c = joined; *c; c++) {
        most += *c == *MENU_SEPARATOR;
    }
    char **parts = arena_new_array(ctx->arena, char *, most);
    char *rest = arena_strdup(ctx->arena, joined);
    while (rest) {
        parts[(*count)++] = strsep(&rest, MENU_SEPARATOR);
    }
    return parts;
}

static void encode_customization(struct ctx *ctx, const struct menu_customization *from,
                                 customization_message *to)
{
    coffee__menu__v1__customization__init(to);
    to->id = shared(from->id);
    to->name = shared(from->name);
    to->kind = (Coffee__Menu__V1__CustomizationKind)from->kind;
    to->extra_cents = from->extra_cents;
    to->available = from->available;
    to->allergens = split(ctx, from->allergens, &to->n_allergens);
}

static void encode_item(struct ctx *ctx, const struct menu_item *from, int64_t now_ms,
                        item_message *to)
{
    size_t count = from->customization_count;
    customization_message *made = arena_new_array(ctx->arena, customization_message, count);

    coffee__menu__v1__menu_item__init(to);
    to->id = shared(from->id);
    to->name = shared(from->name);
    to->description = shared(from->description);
    to->kind = (Coffee__Menu__V1__Kind)from->kind;
    to->price_cents = from->price_cents;
    to->available = from->available && menu_item_in_season(from, now_ms);
    to->allergens = split(ctx, from->allergens, &to->n_allergens);
    to->valid_from = timestamp(ctx, from->valid_from_ms);
    to->valid_to = timestamp(ctx, from->valid_to_ms);
    to->photo = photo_rpc_sizes(ctx, from->photo_id);
    to->n_customizations = count;
    to->customizations = arena_new_array(ctx->arena, customization_message *, count);
    for (size_t i = 0; i < count; i++) {
        encode_customization(ctx, &from->customizations[i], &made[i]);
        to->customizations[i] = &made[i];
    }
}

/* Outside its season a drink is not on the menu at all; sold out it is, and says so. */
static item_message **encode_items(struct ctx *ctx, const struct menu *menu, int64_t now_ms,
                                   size_t *count)
{
    item_message *made = arena_new_array(ctx->arena, item_message, menu->count);
    item_message **list = arena_new_array(ctx->arena, item_message *, menu->count);

    *count = 0;
    for (size_t i = 0; i < menu->count; i++) {
        if (menu_item_in_season(&menu->items[i], now_ms)) {
            encode_item(ctx, &menu->items[i], now_ms, &made[i]);
            list[(*count)++] = &made[i];
        }
    }
    return list;
}

enum status menu_rpc_get(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Menu__V1__Menu *reply = out;
    int64_t now_ms = clock_wall_ms(); /* one moment for the drinks and the edition */
    const char *currency = service_config(service)->currency;
    const struct menu *menu;

    (void)in;
    TRY(menu_current(ctx, service, &menu));
    reply->version = menu->version;
    reply->edition = shared(menu_edition(ctx->arena, menu, currency, now_ms));
    reply->currency = shared(currency);
    reply->items = encode_items(ctx, menu, now_ms, &reply->n_items);
    return ST_OK;
}

static enum status answer_item(struct ctx *ctx, struct service *service, const char *id, void *out)
{
    const struct menu *menu;

    TRY(menu_current(ctx, service, &menu));
    const struct menu_item *item = menu_find(menu, id);
    if (!item) {
        return fail_with(ctx, ST_NOT_FOUND, "The menu has no such drink.", "item=%s", id);
    }
    encode_item(ctx, item, clock_wall_ms(), out);
    return ST_OK;
}

enum status menu_rpc_get_item(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__GetMenuItemRequest *request = in;

    return answer_item(ctx, service, request->id, out);
}

/* What the menu knows of a customization, by whichever drink has it. */
static const struct menu_customization *find_customization(const struct menu *menu, const char *id)
{
    for (size_t i = 0; i < menu->count; i++) {
        const struct menu_customization *found = menu_item_allows(&menu->items[i], id);

        if (found) {
            return found;
        }
    }
    return NULL;
}

static const char *join(struct ctx *ctx, char *const *parts, size_t count)
{
    struct text joined = text_new(ctx->arena, 64);

    for (size_t i = 0; i < count; i++) {
        text_add(&joined, i ? MENU_SEPARATOR : "");
        text_add(&joined, parts[i]);
    }
    return joined.data;
}

/* From the request, so that a replay says the same though the drink was changed or removed
 * since. */
static enum status answer_created(struct ctx *ctx, struct service *service, const char *id,
                                  const Coffee__Menu__V1__CreateMenuItemRequest *request,
                                  item_message *out)
{
    const int64_t *from = milliseconds(ctx, request->valid_from);
    const int64_t *to = milliseconds(ctx, request->valid_to);
    struct menu_customization *may =
        arena_new_array(ctx->arena, struct menu_customization, request->n_customization_ids);
    const struct menu *menu;
    size_t count = 0;

    TRY(menu_current(ctx, service, &menu));
    for (size_t i = 0; i < request->n_customization_ids; i++) {
        const struct menu_customization *one =
            find_customization(menu, request->customization_ids[i]);
        if (one) {
            may[count++] = *one;
        }
    }
    const struct menu_item made = {
        .id = id,
        .name = request->name,
        .description = request->description,
        .photo_id = "",
        .kind = (int)request->kind,
        .price_cents = request->price_cents,
        .available = true,
        .allergens = join(ctx, request->allergens, request->n_allergens),
        .valid_from_ms = from ? *from : 0,
        .valid_to_ms = to ? *to : 0,
        .customizations = may,
        .customization_count = count,
    };
    encode_item(ctx, &made, clock_wall_ms(), out);
    return ST_OK;
}

enum status menu_rpc_create(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__CreateMenuItemRequest *request = in;
    int kind = (int)request->kind;
    struct menu_change drink = {
        .name = request->name,
        .description = request->description,
        .kind = &kind,
        .price_cents = &request->price_cents,
        .allergens = (const char *const *)request->allergens,
        .allergen_count = request->n_allergens,
        .customizations = (const char *const *)request->customization_ids,
        .customization_count = request->n_customization_ids,
        .valid_from_ms = milliseconds(ctx, request->valid_from),
        .valid_to_ms = milliseconds(ctx, request->valid_to),
    };
    const char *id;

    TRY(menu_create(ctx, service, &drink, &id));
    return answer_created(ctx, service, id, request, out);
}

enum status menu_rpc_update(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__UpdateMenuItemRequest *request = in;
    int kind = (int)request->kind;
    bool available = request->available;
    struct menu_change change = {
        .id = request->id,
        .name = request->opt_name_case ? request->name : NULL,
        .description = request->opt_description_case ? request->description : NULL,
        .kind = request->opt_kind_case ? &kind : NULL,
        .price_cents = request->opt_price_cents_case ? &request->price_cents : NULL,
        .available = request->opt_available_case ? &available : NULL,
        .valid_from_ms = milliseconds(ctx, request->valid_from),
        .valid_to_ms = milliseconds(ctx, request->valid_to),
    };
    static const char *const none[] = {NULL}; /* an empty list is a change, NULL is none */

    if (request->opt_customizations_case) {
        change.customization_count = request->customizations->n_ids;
        change.customizations =
            change.customization_count ? (const char *const *)request->customizations->ids : none;
    }
    if (request->opt_allergens_case) {
        change.allergen_count = request->allergens->n_names;
        change.allergens =
            change.allergen_count ? (const char *const *)request->allergens->names : none;
    }
    TRY(menu_update(ctx, service, &change));
    return answer_item(ctx, service, request->id, out);
}

enum status menu_rpc_delete(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__DeleteMenuItemRequest *request = in;

    (void)out;
    return menu_remove(ctx, service, request->id);
}

enum status menu_rpc_item_available(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__SetAvailableRequest *request = in;
    bool available = request->available;

    TRY(menu_update(ctx, service,
                    &(struct menu_change){.id = request->id, .available = &available}));
    return answer_item(ctx, service, request->id, out);
}

enum status menu_rpc_customization_available(struct ctx *ctx, void *service, const void *in,
                                             void *out)
{
    const Coffee__Menu__V1__SetAvailableRequest *request = in;
    const struct menu *menu;

    TRY(menu_set_customization(ctx, service, request->id, request->available));
    TRY(menu_current(ctx, service, &menu));
    const struct menu_customization *found = find_customization(menu, request->id);
    if (!found) {
        return fail_with(ctx, ST_NOT_FOUND, "No drink offers that.", "id=%s", request->id);
    }
    encode_customization(ctx, found, out);
    return ST_OK;
}

enum status menu_rpc_describe(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__DescribeItemsRequest *request = in;
    Coffee__Menu__V1__DescribeItemsResponse *reply = out;
    const struct menu *menu;

    TRY(menu_current(ctx, service, &menu));
    item_message *made = arena_new_array(ctx->arena, item_message, request->n_ids);
    reply->items = arena_new_array(ctx->arena, item_message *, request->n_ids);
    for (size_t i = 0; i < request->n_ids; i++) {
        const struct menu_item *item = menu_find(menu, request->ids[i]);

        if (item) {
            encode_item(ctx, item, clock_wall_ms(), &made[i]);
            reply->items[reply->n_items++] = &made[i];
        }
    }
    return ST_OK;
}
