/* A job names an order: what is open of it is sent. */
#include "customer-service/notify/notify_jobs.h"

#include "customer-service/notify/notify.h"

enum status notify_job_send(struct ctx *ctx, void *service, const struct job *job)
{
    return notify_deliver(ctx, service, job->payload);
}
