/* The job that sends notices. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTIFY_JOBS_H
#define CUSTOMER_SERVICE_NOTIFY_NOTIFY_JOBS_H

#include "common/jobs/jobs.h"

void notify_jobs_send(struct ctx *ctx, void *service, const struct job *jobs, size_t count,
                      struct job_outcome *outcomes);

#endif
