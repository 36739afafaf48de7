/* The gRPC methods of orders. */
#ifndef ORDER_SERVICE_ORDER_ORDER_RPC_H
#define ORDER_SERVICE_ORDER_ORDER_RPC_H

#include "common/rpc/rpc_server.h"

rpc_unary order_rpc_health, order_rpc_place, order_rpc_usual, order_rpc_reorder, order_rpc_get;
rpc_unary order_rpc_list, order_rpc_queue, order_rpc_events, order_rpc_compare;
rpc_unary order_rpc_accept, order_rpc_decline, order_rpc_prepare, order_rpc_ready;
rpc_unary order_rpc_undo_ready, order_rpc_pick_up, order_rpc_cancel;

#endif
