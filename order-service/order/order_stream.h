/* Orders as streams: one order as it changes, and a history. */
#ifndef ORDER_SERVICE_ORDER_ORDER_STREAM_H
#define ORDER_SERVICE_ORDER_ORDER_STREAM_H

#include "common/rpc/rpc_server.h"

extern const struct rpc_stream_handler order_stream_watch, order_stream_history;

#endif
