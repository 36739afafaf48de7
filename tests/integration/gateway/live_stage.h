/* What tests of streams share: a gateway over an order-service of their own, whose order has come
 * to 'seq'. Included by those tests only. */
#ifndef TESTS_INTEGRATION_GATEWAY_LIVE_STAGE_H
#define TESTS_INTEGRATION_GATEWAY_LIVE_STAGE_H

#include "coffee/order/v1/order.pb-c.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/gateway/stubs.h"

#include <stdatomic.h>

static struct valkey_server valkey;
static struct stage stage;
static atomic_int seq;

static void start_with(const struct rpc_handler *handlers)
{
    atomic_store(&seq, 1);
    valkey = valkey_server_start(0, NULL);
    stage_make(&stage, valkey.port);
    stage_start_order_with(
        &stage,
        stub_service(stage.contract, &coffee__order__v1__order_service__descriptor, handlers));
    stage_start_customer(&stage);
    stage_open(&stage, NULL);
}

static void stop(void)
{
    stage_close(&stage);
    valkey_server_stop(&valkey);
}

#endif
