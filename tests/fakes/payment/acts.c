/* A card is declined for every amount that ends in 13; nothing is captured that was voided, nothing
 * voided that was captured, and nothing refunded twice. */
#include "tests/fakes/payment/acts.h"

#include "common/base/auto.h"

#include <stddef.h>
#include <string.h>

enum { UNLUCKY = 13, MOST_CENTS = 100000000 };

static const char *const act_names[] = {"authorize", "capture", "void", "refund"};
static const char *const state_names[] = {"none", "declined", "authorized", "captured", "voided"};

/* Who is not in the table is refused with 409 and the name of the state. */
static const struct {
    enum act act;
    enum hold_state from, to;
} legal[] = {
    {ACT_AUTHORIZE, HOLD_NONE,       HOLD_AUTHORIZED},
    {ACT_CAPTURE,   HOLD_AUTHORIZED, HOLD_CAPTURED  },
    {ACT_VOID,      HOLD_AUTHORIZED, HOLD_VOIDED    },
    {ACT_VOID,      HOLD_VOIDED,     HOLD_VOIDED    },
    {ACT_REFUND,    HOLD_CAPTURED,   HOLD_CAPTURED  },
};

static bool is_legal(enum act act, enum hold_state from, enum hold_state *to)
{
    for (size_t i = 0; i < ARRAY_LEN(legal); i++) {
        if (legal[i].act == act && legal[i].from == from) {
            *to = legal[i].to;
            return true;
        }
    }
    return false;
}

static struct act_outcome refused(int http, const char *code, struct hold_sums now)
{
    return (struct act_outcome){.http = http, .code = code, .now = now};
}

struct act_outcome act_do(enum act act, struct hold_sums before, int64_t cents, bool decline)
{
    static const char *const wrong_state[] = {"no_such_hold", "declined", "not_captured",
                                              "already_captured", "already_voided"};
    struct hold_sums now = before;

    if (!is_legal(act, before.state, &now.state)) {
        return refused(before.state == HOLD_NONE ? 404 : 409, wrong_state[before.state], before);
    }
    if (cents < 0 || cents > MOST_CENTS) {
        return refused(422, "amount", before);
    }
    if (act == ACT_AUTHORIZE) {
        now.amount_cents = cents;
        decline = decline || cents % 100 == UNLUCKY;
    }
    if (decline) {
        now.state = act == ACT_AUTHORIZE ? HOLD_DECLINED : before.state;
        return refused(402, "card_declined", now);
    }
    if (act == ACT_CAPTURE) {
        now.captured_cents = now.amount_cents;
    }
    if (act == ACT_REFUND && cents > before.captured_cents - before.refunded_cents) {
        return refused(422, "over_captured", before);
    }
    now.refunded_cents += act == ACT_REFUND ? cents : 0;
    return (struct act_outcome){
        .http = act == ACT_AUTHORIZE || act == ACT_REFUND ? 201 : 200, .code = "", .now = now};
}

const char *act_name(enum act act)
{
    return act_names[act];
}

bool act_parse(const char *name, enum act *act)
{
    for (size_t i = 0; i < ARRAY_LEN(act_names); i++) {
        if (strcmp(act_names[i], name) == 0) {
            *act = (enum act)i;
            return true;
        }
    }
    return false;
}

const char *hold_state_name(enum hold_state state)
{
    return state_names[state];
}
