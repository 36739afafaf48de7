/* The life of an order, as a table: who may move what where, and what the world is told. */
#include "order-service/order/order.h"

#include "common/base/auto.h"

#include <string.h>

/* clang-format off */
static const struct transition transitions[] = {
    /* from            command                 to               roles         owner  event             topics beside audit.events */
    {ORDER_PLACED,    COMMAND_ACCEPT,         ORDER_ACCEPTED,  ROLE_STAFF,    false, "OrderAccepted",  "order.accepted"},
    {ORDER_PLACED,    COMMAND_DECLINE,        ORDER_CANCELLED, ROLE_STAFF,    false, "OrderCancelled", "order.cancelled"},
    {ORDER_PLACED,    COMMAND_CANCEL,         ORDER_CANCELLED, ROLE_STAFF,    true,  "OrderCancelled", "order.cancelled"},
    {ORDER_PLACED,    COMMAND_EXPIRE_ACCEPT,  ORDER_CANCELLED, ROLE_SYSTEM,   false, "OrderCancelled", "order.cancelled"},
    {ORDER_PLACED,    COMMAND_STOP,           ORDER_CANCELLED, ROLE_SYSTEM,   false, "OrderCancelled", "order.cancelled"},
    {ORDER_ACCEPTED,  COMMAND_PREPARE,        ORDER_PREPARING, ROLE_STAFF,    false, "OrderPreparing", NULL},
    {ORDER_ACCEPTED,  COMMAND_READY,          ORDER_READY,     ROLE_STAFF,    false, "OrderReady",     "order.ready"},
    {ORDER_ACCEPTED,  COMMAND_CANCEL,         ORDER_CANCELLED, ROLE_STAFF,    false, "OrderCancelled", "order.cancelled"},
    {ORDER_ACCEPTED,  COMMAND_STOP,           ORDER_CANCELLED, ROLE_SYSTEM,   false, "OrderCancelled", "order.cancelled"},
    {ORDER_PREPARING, COMMAND_READY,          ORDER_READY,     ROLE_STAFF,    false, "OrderReady",     "order.ready"},
    {ORDER_PREPARING, COMMAND_CANCEL,         ORDER_CANCELLED, ROLE_STAFF,    false, "OrderCancelled", "order.cancelled"},
    {ORDER_PREPARING, COMMAND_STOP,           ORDER_CANCELLED, ROLE_SYSTEM,   false, "OrderCancelled", "order.cancelled"},
    {ORDER_READY,     COMMAND_UNDO_READY,     ORDER_PREPARING, ROLE_STAFF,    false, "OrderReadyUndone", NULL},
    {ORDER_READY,     COMMAND_PICK_UP,        ORDER_COMPLETED, ROLE_STAFF,    true,  "OrderCompleted", "order.completed"},
    {ORDER_READY,     COMMAND_EXPIRE_COLLECT, ORDER_CANCELLED, ROLE_SYSTEM,   false, "OrderCancelled", "order.cancelled"},
    {ORDER_READY,     COMMAND_STOP,           ORDER_CANCELLED, ROLE_SYSTEM,   false, "OrderCancelled", "order.cancelled"},
    {ORDER_COMPLETED, COMMAND_FIND_UNPAID,    ORDER_COMPLETED, ROLE_SYSTEM,   false, "OrderUnpaid",    NULL},
};

static const struct {
    const char *name, *bucket;
    int bucket_number;
    bool final;
} statuses[] = {
    [ORDER_PLACED]    = {"placed",    "new",         1, false},
    [ORDER_ACCEPTED]  = {"accepted",  "in_progress", 2, false},
    [ORDER_PREPARING] = {"preparing", "in_progress", 2, false},
    [ORDER_READY]     = {"ready",     "ready",       3, false},
    [ORDER_COMPLETED] = {"completed", "done",        4, true},
    [ORDER_CANCELLED] = {"cancelled", "done",        4, true},
};

static const char *const commands[] = {
    [COMMAND_PLACE] = "place it",           [COMMAND_ACCEPT] = "accept it",
    [COMMAND_DECLINE] = "decline it",       [COMMAND_PREPARE] = "begin it",
    [COMMAND_READY] = "mark it ready",      [COMMAND_UNDO_READY] = "call it not ready",
    [COMMAND_PICK_UP] = "pick it up",       [COMMAND_CANCEL] = "cancel it",
    [COMMAND_EXPIRE_ACCEPT] = "expire it",  [COMMAND_EXPIRE_COLLECT] = "expire it",
    [COMMAND_STOP] = "stop it",             [COMMAND_FIND_UNPAID] = "find it unpaid",
};
/* clang-format on */

const struct transition *order_transition(enum order_status from, enum order_command command)
{
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
        if (transitions[i].from == from && transitions[i].command == command) {
            return &transitions[i];
        }
    }
    return NULL;
}

int64_t order_expires_by(const struct order *order, enum order_command command)
{
    return command == COMMAND_EXPIRE_ACCEPT    ? order->accept_by_ms
           : command == COMMAND_EXPIRE_COLLECT ? order->collect_by_ms
                                               : 0;
}

/* No other command is legal in that state, and this one is its last. */
bool order_is_unpaid(const struct order *order)
{
    return order->last_command == COMMAND_FIND_UNPAID;
}

bool order_is_final(enum order_status status)
{
    return statuses[status].final;
}

/* What only we may say: money and notices go by it. */
static bool is_reserved(const char *reason)
{
    static const char *const reserved[] = {ORDER_NOT_ACCEPTED, ORDER_NOT_COLLECTED,
                                           ORDER_PAYMENT_FAILED, ORDER_WORKFLOW_CANCELLED};

    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcmp(reserved[i], reason) == 0) {
            return true;
        }
    }
    return false;
}

static const char *usual_reason(enum order_command command)
{
    switch (command) {
    case COMMAND_DECLINE:
        return "declined";
    case COMMAND_EXPIRE_ACCEPT:
        return ORDER_NOT_ACCEPTED;
    case COMMAND_EXPIRE_COLLECT:
        return ORDER_NOT_COLLECTED;
    case COMMAND_CANCEL:
    case COMMAND_STOP:
    case COMMAND_FIND_UNPAID:
    case COMMAND_PLACE:
    case COMMAND_ACCEPT:
    case COMMAND_PREPARE:
    case COMMAND_READY:
    case COMMAND_UNDO_READY:
    case COMMAND_PICK_UP:
        return "cancelled";
    }
    return "cancelled";
}

const char *order_cancel_reason(enum order_command command, const char *said)
{
    bool is_free = command == COMMAND_DECLINE || command == COMMAND_CANCEL;

    return said && *said && !(is_free && is_reserved(said)) ? said : usual_reason(command);
}

const char *order_status_name(enum order_status status)
{
    return statuses[status].name;
}

const char *order_command_name(enum order_command command)
{
    return commands[command];
}

const char *order_bucket_name(enum order_status status)
{
    return statuses[status].bucket;
}

int order_bucket(enum order_status status)
{
    return statuses[status].bucket_number;
}

bool order_status_parse(const char *name, enum order_status *status)
{
    for (size_t i = ORDER_PLACED; i < ARRAY_LEN(statuses); i++) {
        if (strcmp(statuses[i].name, name) == 0) {
            *status = (enum order_status)i;
            return true;
        }
    }
    return false;
}
