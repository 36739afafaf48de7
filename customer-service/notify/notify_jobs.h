/* The job that sends notices. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTIFY_JOBS_H
#define CUSTOMER_SERVICE_NOTIFY_NOTIFY_JOBS_H

#include "common/jobs/jobs.h"

enum status notify_job_send(struct ctx *ctx, void *service, const struct job *job);

#endif
