/* Calls to order-service about the menu, on this daemon's own behalf: names are no secret of the
 * caller's. Favourites are served without names rather than late. */
#include "customer-service/favourite/menu_client.h"

#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/rpc/rpc_client.h"
#include "customer-service/service.h"

#include <string.h>

enum { NAMES_MS = 500 };

struct menu_names menu_names_get(struct ctx *ctx, struct service *service, const char *const *ids,
                                 size_t count)
{
    Coffee__Menu__V1__DescribeItemsRequest request = COFFEE__MENU__V1__DESCRIBE_ITEMS_REQUEST__INIT;
    struct rpc_client *orders = service_orders(service);
    struct ctx as_daemon = *ctx;
    ProtobufCMessage *answer = NULL;

    if (!count || !orders || !rpc_client_is_up(orders)) {
        return (struct menu_names){0};
    }
    as_daemon.caller = (struct caller){.subject = "customer-service", .role = ROLE_SYSTEM};
    as_daemon.idempotency_key = NULL;
    request.n_ids = count;
    request.ids = (char **)ids; /* protobuf-c only reads them */
    if (rpc_call(&as_daemon, orders, "/coffee.menu.v1.MenuService/DescribeItems", &request.base,
                 &coffee__menu__v1__describe_items_response__descriptor, NAMES_MS,
                 &answer) != ST_OK) {
        log_failure(&as_daemon, "DescribeItems");
        return (struct menu_names){0};
    }
    const Coffee__Menu__V1__DescribeItemsResponse *said = (const void *)answer;
    return (struct menu_names){(const Coffee__Menu__V1__MenuItem *const *)said->items,
                               said->n_items, true};
}

const Coffee__Menu__V1__MenuItem *menu_names_item(const struct menu_names *names, const char *id)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i]->id, id) == 0) {
            return names->items[i];
        }
    }
    return NULL;
}

const Coffee__Menu__V1__Customization *
menu_names_customization(const Coffee__Menu__V1__MenuItem *item, const char *id)
{
    for (size_t i = 0; item && i < item->n_customizations; i++) {
        if (strcmp(item->customizations[i]->id, id) == 0) {
            return item->customizations[i];
        }
    }
    return NULL;
}
