/* The first four are typing errors; from the fifth on each doubles the wait, up to the time after
 * which failures are forgotten. */
#include "customer-service/auth/sign_in_pause.h"

int sign_in_pause_s(int64_t failures)
{
    int64_t pause = FIRST_PAUSE_S;

    if (failures < FREE_FAILURES) {
        return 0;
    }
    for (int64_t i = FREE_FAILURES; i < failures && pause < FAILURE_WINDOW_S; i++) {
        pause *= 2;
    }
    return (int)(pause < FAILURE_WINDOW_S ? pause : FAILURE_WINDOW_S);
}
