/* The gRPC methods of the shop. */
#ifndef ORDER_SERVICE_SHOP_SHOP_RPC_H
#define ORDER_SERVICE_SHOP_SHOP_RPC_H

#include "common/rpc/rpc_server.h"

rpc_unary shop_rpc_get, shop_rpc_put;

#endif
