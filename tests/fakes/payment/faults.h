/* How the provider misbehaves: rules with a count and a probability, rolled by a generator whose
 * seed is given, so that a run can be had again. Any thread may ask. */
#ifndef TESTS_FAKES_PAYMENT_FAULTS_H
#define TESTS_FAKES_PAYMENT_FAULTS_H

#include "tests/fakes/payment/acts.h"

#include <stddef.h>

enum fault {
    FAULT_NONE,
    FAULT_AWAY,        /* closes the connection; nothing was done */
    FAULT_UNAVAILABLE, /* 503; nothing was done */
    FAULT_DECLINE,     /* 402, for good */
    FAULT_ERROR,       /* does it and answers 500 */
    FAULT_CUT,         /* does it and closes the connection: who asks again hears it twice */
    FAULT_SILENT,      /* does it and never answers */
    FAULT_SLOW,        /* does it and answers after a while */
};

struct fault_rule {
    enum fault fault;
    bool any; /* act, else this one: */
    enum act act;
    int percent; /* of the acts it fits */
    int count;   /* how often at most; 0: without end */
    int delay_ms;
};

struct faults;
struct faults *faults_new(unsigned seed);
void faults_free(struct faults *faults); /* NULL is fine */

/* "slow:any:100:3:500": fault, act or "any", percent, count, milliseconds. False: it is none. */
bool faults_add(struct faults *faults, const char *rule);
/* Several, with a space between. */
bool faults_add_all(struct faults *faults, const char *rules);
void faults_clear(struct faults *faults);

/* What happens to this act; the first rule that fires. */
struct fault_rule faults_roll(struct faults *faults, enum act act);

#endif
