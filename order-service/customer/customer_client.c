/* Calls to customer-service. */
#include "order-service/customer/customer_client.h"

#include "coffee/customer/v1/customer.pb-c.h"
#include "common/rpc/rpc_client.h"
#include "order-service/service.h"

enum { USUAL_MS = 800 };

enum status customer_get_usual(struct ctx *ctx, struct service *service, struct order_line *line)
{
    Coffee__Customer__V1__GetUsualRequest request = COFFEE__CUSTOMER__V1__GET_USUAL_REQUEST__INIT;
    ProtobufCMessage *answer;

    request.without_names = true; /* the menu is ours: asking us back would be a cycle */
    TRY(rpc_call(ctx, service_customers(service), "/coffee.customer.v1.CustomerService/GetUsual",
                 &request.base, &coffee__customer__v1__favorite__descriptor, USUAL_MS, &answer));
    const Coffee__Customer__V1__Favorite *usual = (const Coffee__Customer__V1__Favorite *)answer;
    const char **ids = arena_new_array(ctx->arena, const char *, usual->n_customizations);
    for (size_t i = 0; i < usual->n_customizations; i++) {
        ids[i] = usual->customizations[i]->id;
    }
    line->menu_item_id = usual->menu_item_id;
    line->customization_ids = ids;
    line->customization_count = usual->n_customizations;
    return ST_OK;
}
