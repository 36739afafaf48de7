/* What may be done with money that is held, as one table; pure. */
#ifndef TESTS_FAKES_PAYMENT_ACTS_H
#define TESTS_FAKES_PAYMENT_ACTS_H

#include <stdbool.h>
#include <stdint.h>

enum act { ACT_AUTHORIZE, ACT_CAPTURE, ACT_VOID, ACT_REFUND, ACT_COUNT };
enum hold_state { HOLD_NONE, HOLD_DECLINED, HOLD_AUTHORIZED, HOLD_CAPTURED, HOLD_VOIDED };

struct hold_sums {
    enum hold_state state;
    int64_t amount_cents, captured_cents, refunded_cents;
};

struct act_outcome {
    int http;
    const char *code;     /* why it was refused; "": it was done */
    struct hold_sums now; /* as it is afterwards */
};

/* 'cents' is the amount of an authorisation or a refund; 'decline': the card says no. */
struct act_outcome act_do(enum act act, struct hold_sums before, int64_t cents, bool decline);

const char *act_name(enum act act);
bool act_parse(const char *name, enum act *act);
const char *hold_state_name(enum hold_state state);

#endif
