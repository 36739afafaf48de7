/* A picture as three smaller ones: its rows go into the largest, whose rows go into the next. None
 * is larger than the picture. */
#include "photo-worker/give_up.h"
#include "photo-worker/picture.h"

#include <string.h>

/* A size while it is filled; what it gets it hands on to the next smaller one. */
struct stage {
    struct picture picture;
    int filled; /* rows */
    struct scaler *scaler;
    struct stage *smaller;
};

static void keep_row(void *user, const uint8_t *rgb)
{
    struct stage *stage = user;
    size_t size = (size_t)stage->picture.width * RGB;

    if (stage->filled < stage->picture.height) {
        memcpy(stage->picture.rgb + (size_t)stage->filled++ * size, rgb, size);
    }
    if (stage->smaller) {
        scaler_take(stage->smaller->scaler, rgb);
    }
}

static int shrink(int side, int longer, int most)
{
    int64_t shrunk = ((int64_t)side * most + longer / 2) / longer;

    return longer <= most ? side : shrunk < 1 ? 1 : (int)shrunk;
}

static void prepare(struct arena *arena, struct stage *stage, const struct picture *from, int most)
{
    int longer = from->width > from->height ? from->width : from->height;
    struct picture *to = &stage->picture;

    to->width = shrink(from->width, longer, most);
    to->height = shrink(from->height, longer, most);
    to->rgb = arena_alloc_array(arena, (size_t)to->width * (size_t)to->height, RGB);
    stage->scaler =
        scaler_new(arena, from->width, from->height, to, (struct row_sink){keep_row, stage});
}

void make_sizes(struct arena *arena, const uint8_t *bytes, size_t size,
                const struct image_head *head, struct jpeg_file made[IMAGE_SIZES])
{
    struct source source = {
        .arena = arena, .bytes = bytes, .size = size, .least = image_size_sides[IMAGE_LARGE]};
    struct stage stages[IMAGE_SIZES] = {0};

    (head->type == IMAGE_JPEG ? jpeg_open : png_open)(&source);
    struct picture from = {.width = source.width, .height = source.height};

    for (int i = IMAGE_LARGE; i >= 0; i--) {
        prepare(arena, &stages[i], &from, image_size_sides[i]);
        stages[i].smaller = i ? &stages[i - 1] : NULL;
        from = stages[i].picture;
    }
    (head->type == IMAGE_JPEG ? jpeg_read : png_read)(
        &source, (struct row_sink){scaler_take, stages[IMAGE_LARGE].scaler});
    for (int i = 0; i < IMAGE_SIZES; i++) {
        struct picture upright = turn_upright(arena, stages[i].picture, source.orientation);

        made[i] = (struct jpeg_file){.width = upright.width, .height = upright.height};
        made[i].bytes = jpeg_write(arena, &upright, &made[i].size);
    }
}
