/* The job of a photo. */
#ifndef ORDER_SERVICE_MENU_MENU_PHOTO_JOBS_H
#define ORDER_SERVICE_MENU_MENU_PHOTO_JOBS_H

#include "common/jobs/jobs.h"

enum status photo_jobs_make_sizes(struct ctx *ctx, void *service, const struct job *job);

#endif
