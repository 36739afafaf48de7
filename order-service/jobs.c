/* Every background job of the order service. */
#include "order-service/jobs.h"

#include "order-service/menu/menu_photo.h"
#include "order-service/menu/menu_photo_jobs.h"

/* Heavy work has a kind of its own, of which a replica does one at a time. */
const struct job_kind job_kinds[] = {
    {PHOTO_JOB,           1, PHOTO_JOB_ATTEMPTS, PHOTO_JOB_MS, 500, photo_jobs_make_sizes, NULL, 0},
    {0},
};
