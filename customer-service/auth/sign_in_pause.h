/* How long somebody waits after wrong passwords. Pure. */
#ifndef CUSTOMER_SERVICE_AUTH_SIGN_IN_PAUSE_H
#define CUSTOMER_SERVICE_AUTH_SIGN_IN_PAUSE_H

#include <stdint.h>

enum { FREE_FAILURES = 5, FIRST_PAUSE_S = 30, FAILURE_WINDOW_S = 900 };

/* Seconds, after that many wrong passwords in a row; 0: none. */
int sign_in_pause_s(int64_t failures);

#endif
