/* Photos of drinks. What is put is stored and answered for at once; a job makes three sizes of it
 * in a process of its own, and then the drink shows them. */
#ifndef ORDER_SERVICE_MENU_MENU_PHOTO_H
#define ORDER_SERVICE_MENU_MENU_PHOTO_H

#include "common/base/ctx.h"

struct service;

#define PHOTO_JOB "photo.sizes"

enum { PHOTO_JOB_ATTEMPTS = 5, PHOTO_JOB_MS = 60000 };

enum photo_state { PHOTO_UNKNOWN, PHOTO_STORED, PHOTO_READY, PHOTO_FAILED }; /* as in the proto */

struct photo {
    const char *id, *item, *reason, *sha256;
    enum photo_state state;
    int64_t bytes, created_ms;
    int width, height;
};

struct photo_image {
    const uint8_t *bytes;
    size_t size;
};

/* Looks at the head of the picture only. PROBLEM_BAD_REQUEST, PROBLEM_TOO_LARGE,
 * PROBLEM_UNSUPPORTED_MEDIA, each with the field 'image'; ST_NOT_FOUND: no such drink. */
enum status photo_put(struct ctx *ctx, struct service *service, const char *item,
                      const struct photo_image *image, struct photo *photo) MUST_CHECK;
/* ST_NOT_FOUND: no such drink, or it has none. */
enum status photo_newest(struct ctx *ctx, struct service *service, const char *item,
                         struct photo *photo) MUST_CHECK;
enum status photo_remove(struct ctx *ctx, struct service *service, const char *item) MUST_CHECK;

/* 'size': "small", "medium", "large". */
enum status photo_image(struct ctx *ctx, struct service *service, const char *id, const char *size,
                        struct photo_image *image) MUST_CHECK;
const char *photo_path(struct arena *arena, const char *id, const char *size);

/* Of those that are shown no more, or never were, the old ones. */
enum status photo_forget_old(struct ctx *ctx, struct service *service) MUST_CHECK;

/* Of a job's attempt; the last one that fails says so of the photo. */
enum status photo_make_sizes(struct ctx *ctx, struct service *service, const char *id,
                             int attempt) MUST_CHECK;

#endif
