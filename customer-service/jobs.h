/* What this daemon does in the background, each a row in jobs.jobs. */
#ifndef CUSTOMER_SERVICE_JOBS_H
#define CUSTOMER_SERVICE_JOBS_H

#include "common/jobs/jobs.h"

extern const struct job_kind job_kinds[]; /* ends with {0} */

#endif
