/* photo-worker, started for one picture: private to this folder. It is not trusted: whatever it
 * answers is looked at, and it is gone with its owner. */
#ifndef ORDER_SERVICE_MENU_MENU_PHOTO_WORKER_H
#define ORDER_SERVICE_MENU_MENU_PHOTO_WORKER_H

#include "common/base/ctx.h"
#include "common/image/image.h"
#include "order-service/menu/menu_photo.h"

#include <sys/types.h>

struct photo_worker {
    pid_t pid; /* 0: none */
    int fd;
};

/* 'program' is its path; "": beside our own. ST_UNAVAILABLE. */
enum status photo_worker_start(struct ctx *ctx, const char *program,
                               struct photo_worker *worker) MUST_CHECK;
/* A piece of the picture. One that reads no more has an answer already, or is dead: answer()
 * tells. */
enum status photo_worker_send(struct ctx *ctx, struct photo_worker *worker,
                              const struct photo_image *piece) MUST_CHECK;

struct photo_sizes {
    enum image_fault fault; /* what is wrong with the picture; then there are no sizes */
    struct photo_image sizes[IMAGE_SIZES];
};
/* The picture has ended. ST_TIMEOUT, ST_UNAVAILABLE: there was no answer. A worker that its own
 * limits ended is an answer, IMAGE_COSTLY. */
enum status photo_worker_answer(struct ctx *ctx, struct photo_worker *worker,
                                struct photo_sizes *sizes) MUST_CHECK;
void photo_worker_end(struct photo_worker *worker); /* none is fine */

#endif
