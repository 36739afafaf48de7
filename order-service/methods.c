/* Every gRPC method of the order service, in one table a service. Roles, deadlines and the rest are
 * in the protos, beside the method. */
#include "order-service/methods.h"

#include "coffee/menu/v1/menu.pb-c.h"
#include "coffee/menu/v1/photo.pb-c.h"
#include "coffee/order/v1/order.pb-c.h"
#include "coffee/payment/v1/payment.pb-c.h"
#include "coffee/shop/v1/shop.pb-c.h"
#include "order-service/menu/menu_photo_rpc.h"
#include "order-service/menu/menu_rpc.h"
#include "order-service/order/order_rpc.h"
#include "order-service/order/order_stream.h"
#include "order-service/payment/payment_rpc.h"
#include "order-service/shop/shop_rpc.h"

static const struct rpc_handler order_methods[] = {
    {"HealthCheck",     order_rpc_health, NULL},
    {"PlaceOrder",             order_rpc_place, NULL},
    {"OrderUsual",      order_rpc_usual, NULL},
    {"Reorder",             order_rpc_reorder, NULL},
    {"GetOrder",      order_rpc_get, NULL},
    {"ListOrders",             order_rpc_list, NULL},
    {"ListQueue",         order_rpc_queue, NULL},
    {"CompareOrders",             order_rpc_compare, NULL},
    {"ListOrderEvents",        order_rpc_events, NULL},
    {"AcceptOrder",             order_rpc_accept, NULL},
    {"DeclineOrder",      order_rpc_decline, NULL},
    {"StartPreparing",             order_rpc_prepare, NULL},
    {"MarkReady",       order_rpc_ready, NULL},
    {"UndoReady",             order_rpc_undo_ready, NULL},
    {"PickUp",   order_rpc_pick_up, NULL},
    {"CancelOrder",             order_rpc_cancel, NULL},
    {"WatchOrder", NULL, &order_stream_watch},
    {"StreamOrderHistory",             NULL, &order_stream_history},
    {0    },
};

static const struct rpc_handler menu_methods[] = {
    {"GetMenu",        menu_rpc_get, NULL},
    {"GetMenuItem",            menu_rpc_get_item, NULL},
    {"CreateMenuItem",    menu_rpc_create, NULL},
    {"UpdateMenuItem",            menu_rpc_update, NULL},
    {"DeleteMenuItem", menu_rpc_delete, NULL},
    {"SetItemAvailable",            menu_rpc_item_available, NULL},
    {"SetCustomizationAvailable", menu_rpc_customization_available, NULL},
    {"DescribeItems",            menu_rpc_describe, NULL},
    {0},
};

static const struct rpc_handler photo_methods[] = {
    {"PutPhoto",    photo_rpc_put, NULL},
    {"GetPhoto",         photo_rpc_get, NULL},
    {"DeletePhoto",    photo_rpc_delete, NULL},
    {"GetPhotoImage",         photo_rpc_image, NULL},
    {0},
};

static const struct rpc_handler shop_methods[] = {
    {"GetShop", shop_rpc_get, NULL},
    {"PutShop",     shop_rpc_put, NULL},
    {0},
};

static const struct rpc_handler payment_methods[] = {
    {"GetPayment",   payment_rpc_get, NULL},
    {"ListPayments",          payment_rpc_list, NULL},
    {0},
};

const struct rpc_service methods[] = {
    {&coffee__order__v1__order_service__descriptor, order_methods},
    {&coffee__menu__v1__menu_service__descriptor,                                             menu_methods},
    {&coffee__menu__v1__photo_service__descriptor,photo_methods},
    {&coffee__shop__v1__shop_service__descriptor,  shop_methods},
    {&coffee__payment__v1__payment_service__descriptor,                                             payment_methods},
    {0                               },
};

const ProtobufCServiceDescriptor *const method_services[] = {
    &coffee__order__v1__order_service__descriptor,     &coffee__menu__v1__menu_service__descriptor,
    &coffee__menu__v1__photo_service__descriptor,      &coffee__shop__v1__shop_service__descriptor,
    &coffee__payment__v1__payment_service__descriptor, NULL,
};
