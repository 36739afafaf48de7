/* What order-service's menu calls things. */
#ifndef CUSTOMER_SERVICE_FAVOURITE_MENU_CLIENT_H
#define CUSTOMER_SERVICE_FAVOURITE_MENU_CLIENT_H

#include "coffee/menu/v1/menu.pb-c.h"
#include "common/base/ctx.h"

struct service;

struct menu_names {
    const Coffee__Menu__V1__MenuItem *const *items;
    size_t count;
    bool known; /* order-service answered: what is not in 'items' is not on the menu */
};

/* Asks at most half a second, and not at all while order-service is away; never fails. */
struct menu_names menu_names_get(struct ctx *ctx, struct service *service, const char *const *ids,
                                 size_t count);

/* NULL when the menu has none of that id. */
const Coffee__Menu__V1__MenuItem *menu_names_item(const struct menu_names *names, const char *id);
const Coffee__Menu__V1__Customization *
menu_names_customization(const Coffee__Menu__V1__MenuItem *item, const char *id);

#endif
