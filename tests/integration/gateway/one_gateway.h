/* What tests of one gateway share: its Valkey, the daemons behind it, and what it answers.
 * Included by those tests only. */
#ifndef TESTS_INTEGRATION_GATEWAY_ONE_GATEWAY_H
#define TESTS_INTEGRATION_GATEWAY_ONE_GATEWAY_H

#include "tests/helpers/gateway/stage.h"

#include <string.h>

static struct valkey_server valkey;
static struct stage stage;
static struct gateway *gateway;
static struct raw_reply reply;

static void start_valkey(void)
{
    valkey = valkey_server_start(0, NULL);
}

static void stop_valkey(void)
{
    valkey_server_stop(&valkey);
}

static void start(void)
{
    stage_make(&stage, valkey.port);
    stage_start_order(&stage);
    stage_start_customer(&stage);
    gateway = stage_open(&stage, NULL);
}

static void reopen(void)
{
    gateway_stop(stage.gateways[0]);
    stage.count = 0;
    gateway = stage_open(&stage, NULL);
}

static void stop(void)
{
    stage_close(&stage);
}

static const char *customer(void)
{
    return stage_token(&stage, ROLE_CUSTOMER, STAGE_CUSTOMER, STAGE_SESSION);
}

static int ask_with(const char *method, const char *path, const char *headers)
{
    return stage_ask(gateway, &(struct ask){.method = method, .path = path, .headers = headers},
                     &reply);
}

static bool says(const char *text)
{
    return strstr(reply.body, text) != NULL;
}

#endif
