/* A job names a photo: its sizes are made. */
#include "order-service/menu/menu_photo_jobs.h"

#include "order-service/menu/menu_photo.h"

enum status photo_jobs_make_sizes(struct ctx *ctx, void *service, const struct job *job)
{
    return photo_make_sizes(ctx, service, job->payload, job->attempt);
}
