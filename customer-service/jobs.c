/* Every background job of the customer service. */
#include "customer-service/jobs.h"

#include "customer-service/notify/notify.h"
#include "customer-service/notify/notify_jobs.h"

/* Pauses double up to five minutes: forty attempts outlast the hour that a notice is worth
 * sending. Those that wait go to Apple together, on one connection. */
const struct job_kind job_kinds[] = {
    {NOTIFY_JOB, 8, 40, 35000, 250, NULL, notify_jobs_send, 64},
    {0       },
};
