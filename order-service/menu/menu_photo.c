/* What may be done with photos. The row is the truth: a job that is done twice finds that it is
 * ended, and two photos of one drink may be ready in any order. */
#include "order-service/menu/menu_photo.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/crypto/crypto.h"
#include "common/image/image.h"
#include "common/jobs/jobs.h"
#include "common/obs/log.h"
#include "order-service/menu/menu.h"
#include "order-service/menu/menu_photo_store.h"
#include "order-service/menu/menu_photo_worker.h"
#include "order-service/service.h"

#include <string.h>

/* The worker is missing, cannot confine itself, or was held up or ended from outside each time.
 * What a picture does to it is an answer (IMAGE_COSTLY): nothing is wrong with this one, and its
 * owner has it still. */
#define OUR_FAULT "The photo could not be made small just now; please put it again."

enum { PIECE_PARTS = 4, PIECE_ROOM = 64 * 1024, ALL_PARTS = 64 };

DEFINE_AUTO(photo_worker, struct photo_worker *, photo_worker_end)

/* ---- put --------------------------------------------------------------------------------- */

static enum problem problem_of(enum image_fault fault)
{
    switch (fault) {
    case IMAGE_TYPE:
    case IMAGE_HEIC:
    case IMAGE_WEBP:
    case IMAGE_KIND:
        return PROBLEM_UNSUPPORTED_MEDIA;
    case IMAGE_BYTES:
    case IMAGE_PIXELS:
    case IMAGE_WORKING:
        return PROBLEM_TOO_LARGE;
    case IMAGE_NONE:
    case IMAGE_BROKEN:
    case IMAGE_TRUNCATED:
    case IMAGE_COSTLY:
    case IMAGE_FAULT_COUNT:
        break;
    }
    return PROBLEM_BAD_REQUEST;
}

static enum status look_at(struct ctx *ctx, const struct photo_image *image, struct photo *photo)
{
    struct image_head head = {0};
    enum image_fault fault = image_head_read(image->bytes, image->size, &head);

    if (fault != IMAGE_NONE) {
        refuse_field(ctx, "image", "%s", image_fault_text(fault));
        return fail_problem(ctx, problem_of(fault), "The image %s", image_fault_text(fault));
    }
    photo->width = head.width;
    photo->height = head.height;
    return ST_OK;
}

static void name_new(struct ctx *ctx, const struct photo_image *image, struct photo *photo)
{
    char *id = arena_alloc(ctx->arena, ID_TEXT_SIZE);
    char *sum = arena_alloc(ctx->arena, 2 * SHA256_SIZE + 1);
    uint8_t digest[SHA256_SIZE];

    uuid_v7(id);
    sha256(image->bytes, image->size, digest);
    hex_encode(digest, SHA256_SIZE, sum);
    photo->id = id;
    photo->sha256 = sum;
    photo->bytes = (int64_t)image->size;
    photo->state = PHOTO_STORED;
    photo->reason = "";
}

static enum status keep(struct ctx *ctx, struct db_conn *tx, const struct photo_image *image,
                        struct photo *photo)
{
    TRY(photo_store_insert(ctx, tx, photo));
    return photo_store_bytes(ctx, tx, photo->id, PHOTO_ORIGINAL, image);
}

enum status photo_put(struct ctx *ctx, struct service *service, const char *item,
                      const struct photo_image *image, struct photo *photo)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct photo made = {.item = item}, newest;
    struct db_conn *db;
    bool found;

    TRY(look_at(ctx, image, &made));
    name_new(ctx, image, &made);
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(photo_store_lock_item(ctx, tx, item));
    TRY(photo_store_newest(ctx, tx, item, &newest, &found));
    bool known = found && newest.state != PHOTO_FAILED && text_equal(newest.sha256, made.sha256);

    *photo = known ? newest : made;
    if (!known) {
        TRY(keep(ctx, tx, image, photo));
    }
    if (photo->state == PHOTO_STORED) { /* of a known one too: its job may be dead */
        TRY(job_enqueue(ctx, tx, &(struct job_request){.kind = PHOTO_JOB, .payload = photo->id},
                        NULL, NULL));
    }
    TRY(db_commit(ctx, &tx));
    service_wake_jobs(service);
    return ST_OK;
}

/* ---- look, take away --------------------------------------------------------------------- */

static enum status none(struct ctx *ctx, const char *item)
{
    return fail_with(ctx, ST_NOT_FOUND, "The drink has no photo.", "item=%s", item);
}

enum status photo_newest(struct ctx *ctx, struct service *service, const char *item,
                         struct photo *photo)
{
    struct db_conn *db;
    bool found;

    TRY(service_db(ctx, service, &db));
    TRY(photo_store_newest(ctx, db, item, photo, &found));
    return found ? ST_OK : none(ctx, item);
}

enum status photo_remove(struct ctx *ctx, struct service *service, const char *item)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;
    bool any;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(photo_store_lock_item(ctx, tx, item));
    TRY(photo_store_remove(ctx, tx, item, &any));
    return any ? menu_commit(ctx, service, &tx, item) : none(ctx, item);
}

enum status photo_image(struct ctx *ctx, struct service *service, const char *id, const char *size,
                        struct photo_image *image)
{
    struct db_conn *db;

    TRY(service_db(ctx, service, &db));
    TRY(photo_store_read(ctx, db, id, size, 0, ALL_PARTS, image));
    return image->size ? ST_OK
                       : fail_with(ctx, ST_NOT_FOUND, "There is no such photo.", "photo=%s", id);
}

enum status photo_forget_old(struct ctx *ctx, struct service *service)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = photo_store_prune(ctx, db);
    db_give_back(&db);
    return st;
}

const char *photo_path(struct arena *arena, const char *id, const char *size)
{
    return arena_printf(arena, "/photos/%s/%s", id, size);
}

/* ---- the job ----------------------------------------------------------------------------- */

/* Piece by piece, each in memory of its own: the picture is never held here as a whole. */
static enum status feed_piece(struct ctx *ctx, struct service *service, struct photo_worker *worker,
                              const char *id, int part, bool *more)
{
    AUTO(arena) struct arena *arena = arena_new(PIECE_ROOM);
    struct ctx piece_ctx = *ctx;
    struct photo_image piece = {0};
    struct db_conn *db = NULL;

    piece_ctx.arena = arena;
    enum status st = service_db(&piece_ctx, service, &db);

    if (st == ST_OK) {
        st = photo_store_read(&piece_ctx, db, id, PHOTO_ORIGINAL, part, PIECE_PARTS, &piece);
    }
    db_give_back(&db);
    if (st == ST_OK) {
        st = photo_worker_send(&piece_ctx, worker, &piece);
    }
    if (st != ST_OK) {
        ctx_take_failure(ctx, &piece_ctx);
    }
    *more = piece.size > 0;
    return st;
}

static enum status ask_worker(struct ctx *ctx, struct service *service, const char *id,
                              struct photo_sizes *sizes)
{
    struct photo_worker started = {0};
    AUTO(photo_worker) struct photo_worker *worker = &started;
    bool more = true;

    TRY(photo_worker_start(ctx, service_config(service)->photo_worker, worker));
    for (int part = 0; more; part += PIECE_PARTS) {
        TRY(feed_piece(ctx, service, worker, id, part, &more));
    }
    return photo_worker_answer(ctx, worker, sizes);
}

/* 'reason' is for people. */
static enum status give_up(struct ctx *ctx, struct service *service, const char *id,
                           const char *reason)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;
    const char *item;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(photo_store_end(ctx, tx, id, PHOTO_FAILED, reason, &item));
    log_info(ctx, "photo has failed", log_text("photo", id), log_text("reason", reason));
    return db_commit(ctx, &tx);
}

static enum status finish(struct ctx *ctx, struct service *service, const char *id,
                          const struct photo_sizes *sizes)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;
    const char *item;
    bool shown;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(photo_store_end(ctx, tx, id, PHOTO_READY, "", &item));
    if (!item) {
        return ST_OK; /* another was faster, or it was taken away */
    }
    for (int i = 0; i < IMAGE_SIZES; i++) {
        TRY(photo_store_bytes(ctx, tx, id, image_size_names[i], &sizes->sizes[i]));
    }
    TRY(photo_store_show(ctx, tx, id, item, &shown));
    log_info(ctx, "photo is ready", log_text("photo", id), log_text("item", item));
    return shown ? menu_commit(ctx, service, &tx, item) : db_commit(ctx, &tx);
}

static const char *blame(struct ctx *ctx, enum image_fault fault)
{
    return arena_printf(ctx->arena, "The image %s.", image_fault_text(fault));
}

enum status photo_make_sizes(struct ctx *ctx, struct service *service, const char *id, int attempt)
{
    struct db_conn *db = NULL;
    struct photo_sizes sizes;
    bool waits;

    TRY(service_db(ctx, service, &db));
    TRY(photo_store_waits(ctx, db, id, &waits));
    db_give_back(&db);
    if (!waits) {
        return ST_OK;
    }
    enum status st = ask_worker(ctx, service, id, &sizes);

    if (st != ST_OK && attempt < PHOTO_JOB_ATTEMPTS) {
        return st;
    }
    if (st != ST_OK) { /* it was not to be: somebody waits to be told */
        log_failure(ctx, "photo-worker");
        ctx_forgive(ctx);
        return give_up(ctx, service, id, OUR_FAULT);
    }
    return sizes.fault == IMAGE_NONE ? finish(ctx, service, id, &sizes)
                                     : give_up(ctx, service, id, blame(ctx, sizes.fault));
}
