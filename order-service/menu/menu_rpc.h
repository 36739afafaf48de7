/* The gRPC methods of the menu. */
#ifndef ORDER_SERVICE_MENU_MENU_RPC_H
#define ORDER_SERVICE_MENU_MENU_RPC_H

#include "common/rpc/rpc_server.h"

rpc_unary menu_rpc_get, menu_rpc_get_item, menu_rpc_create, menu_rpc_update, menu_rpc_delete;
rpc_unary menu_rpc_item_available, menu_rpc_customization_available, menu_rpc_describe;

#endif
