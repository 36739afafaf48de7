/* A job names a photo: its sizes are made. */
#include "order-service/menu/menu_photo_jobs.h"

#include "order-service/menu/menu_photo.h"

#include <malloc.h>

enum status photo_jobs_make_sizes(struct ctx *ctx, void *service, const struct job *job)
{
    enum status st = photo_make_sizes(ctx, service, job->payload, job->attempt);

    malloc_trim(0); /* a picture of megabytes came through, in many pieces */
    return st;
}
