/* The life of a payment, as a table. A state ending in -ing is written down before the provider is
 * asked, so that whoever comes after a crash asks again; 'failed' is not the end: what is still
 * held can be given back. */
#include "common/base/auto.h"
#include "order-service/payment/payment.h"

#include <string.h>

#define TOLD(name) "payment." name

/* clang-format off */
static const struct payment_transition transitions[] = {
    /* from               command                  to                  event               topic */
    {PAYMENT_AUTHORIZED, PAYMENT_BEGIN_CAPTURE,   PAYMENT_CAPTURING,  "CaptureBegun",     NULL},
    {PAYMENT_CAPTURING,  PAYMENT_CAPTURE_DONE,    PAYMENT_CAPTURED,   "PaymentCompleted", TOLD("completed")},
    {PAYMENT_CAPTURING,  PAYMENT_CAPTURE_REFUSED, PAYMENT_FAILED,     "PaymentFailed",    TOLD("failed")},

    {PAYMENT_AUTHORIZED, PAYMENT_BEGIN_RETURN,    PAYMENT_VOIDING,    "VoidBegun",        NULL},
    /* whether the capture arrived is the provider's to say: it voids or says that it is too late */
    {PAYMENT_CAPTURING,  PAYMENT_BEGIN_RETURN,    PAYMENT_VOIDING,    "VoidBegun",        NULL},
    {PAYMENT_FAILED,     PAYMENT_BEGIN_RETURN,    PAYMENT_VOIDING,    "VoidBegun",        NULL},
    {PAYMENT_CAPTURED,   PAYMENT_BEGIN_RETURN,    PAYMENT_REFUNDING,  "RefundBegun",      NULL},
    {PAYMENT_SETTLED,    PAYMENT_BEGIN_RETURN,    PAYMENT_REFUNDING,  "RefundBegun",      NULL},

    {PAYMENT_VOIDING,    PAYMENT_VOID_DONE,       PAYMENT_VOIDED,     "PaymentVoided",    TOLD("refunded")},
    {PAYMENT_VOIDING,    PAYMENT_VOID_TOO_LATE,   PAYMENT_REFUNDING,  "RefundBegun",      NULL},
    {PAYMENT_REFUNDING,  PAYMENT_REFUND_DONE,     PAYMENT_REFUNDED,   "PaymentRefunded",  TOLD("refunded")},
    {PAYMENT_REFUNDING,  PAYMENT_REFUND_REFUSED,  PAYMENT_FAILED,     "PaymentFailed",    TOLD("failed")},
};

static const char *const names[] = {
    [PAYMENT_AUTHORIZED] = "authorized", [PAYMENT_CAPTURING] = "capturing",
    [PAYMENT_CAPTURED] = "captured",     [PAYMENT_VOIDING] = "voiding",
    [PAYMENT_VOIDED] = "voided",         [PAYMENT_REFUNDING] = "refunding",
    [PAYMENT_REFUNDED] = "refunded",     [PAYMENT_FAILED] = "failed",
    [PAYMENT_SETTLED] = "settled",
};
/* clang-format on */

const struct payment_transition *payment_transition(enum payment_state from,
                                                    enum payment_command command)
{
    for (size_t i = 0; i < ARRAY_LEN(transitions); i++) {
        if (transitions[i].from == from && transitions[i].command == command) {
            return &transitions[i];
        }
    }
    return NULL;
}

const char *payment_state_name(enum payment_state state)
{
    return names[state];
}

bool payment_state_parse(const char *name, enum payment_state *state)
{
    for (size_t i = PAYMENT_AUTHORIZED; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *state = (enum payment_state)i;
            return true;
        }
    }
    return false;
}
