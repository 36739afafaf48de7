/* The gRPC methods of payments. */
#ifndef ORDER_SERVICE_PAYMENT_PAYMENT_RPC_H
#define ORDER_SERVICE_PAYMENT_PAYMENT_RPC_H

#include "common/rpc/rpc_server.h"

rpc_unary payment_rpc_get, payment_rpc_list;

#endif
