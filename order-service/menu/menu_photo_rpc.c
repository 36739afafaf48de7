/* The gRPC face of photos: decode, call menu_photo.c, encode. */
#include "order-service/menu/menu_photo_rpc.h"

#include "common/json/timestamp.h"
#include "google/api/httpbody.pb-c.h"
#include "order-service/menu/menu_photo.h"

static char *shared(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c only reads it */
}

Coffee__Menu__V1__PhotoSizes *photo_rpc_sizes(struct ctx *ctx, const char *id)
{
    if (!*id) {
        return NULL;
    }
    Coffee__Menu__V1__PhotoSizes *sizes =
        arena_new_struct(ctx->arena, Coffee__Menu__V1__PhotoSizes);

    coffee__menu__v1__photo_sizes__init(sizes);
    sizes->small = shared(photo_path(ctx->arena, id, "small"));
    sizes->medium = shared(photo_path(ctx->arena, id, "medium"));
    sizes->large = shared(photo_path(ctx->arena, id, "large"));
    return sizes;
}

static void encode(struct ctx *ctx, const struct photo *from, Coffee__Menu__V1__Photo *to)
{
    to->id = shared(from->id);
    to->menu_item_id = shared(from->item);
    to->state = (Coffee__Menu__V1__PhotoState)from->state;
    to->reason = shared(from->reason);
    to->sha256 = shared(from->sha256);
    to->bytes = from->bytes;
    to->width = from->width;
    to->height = from->height;
    to->sizes = photo_rpc_sizes(ctx, from->state == PHOTO_READY ? from->id : "");
    to->created_at = timestamp(ctx, from->created_ms);
}

enum status photo_rpc_put(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__PutPhotoRequest *request = in;
    struct photo_image image = {request->image->data.data, request->image->data.len};
    struct photo photo;

    TRY(photo_put(ctx, service, request->id, &image, &photo));
    encode(ctx, &photo, out);
    return ST_OK;
}

enum status photo_rpc_get(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__GetPhotoRequest *request = in;
    struct photo photo;

    TRY(photo_newest(ctx, service, request->id, &photo));
    encode(ctx, &photo, out);
    return ST_OK;
}

enum status photo_rpc_delete(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__DeletePhotoRequest *request = in;

    (void)out;
    return photo_remove(ctx, service, request->id);
}

enum status photo_rpc_image(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Menu__V1__GetPhotoImageRequest *request = in;
    Google__Api__HttpBody *answer = out;
    struct photo_image image;

    TRY(photo_image(ctx, service, request->id, request->size, &image));
    answer->content_type = shared("image/jpeg");
    answer->data = (ProtobufCBinaryData){image.size, (uint8_t *)(uintptr_t)image.bytes};
    return ST_OK;
}
