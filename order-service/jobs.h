/* Every background job of the order service: one table. */
#ifndef ORDER_SERVICE_JOBS_H
#define ORDER_SERVICE_JOBS_H

#include "common/jobs/jobs.h"

extern const struct job_kind job_kinds[]; /* ends with {0} */

#endif
