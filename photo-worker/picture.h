/* Rows of pixels, three bytes each, from the file to the sizes. */
#ifndef PHOTO_WORKER_PICTURE_H
#define PHOTO_WORKER_PICTURE_H

#include "common/base/arena.h"
#include "common/image/image.h"

#include <stdbool.h>

enum { RGB = 3 };

/* Who takes rows from the top down. */
struct row_sink {
    void (*take)(void *user, const uint8_t *rgb);
    void *user;
};

struct picture {
    int width, height;
    uint8_t *rgb;
};

/* Fed row by row, it gives a smaller picture to the next: each pixel is the mean of those it
 * covers. From a width and height to others that are not larger. */
struct scaler;
struct scaler *scaler_new(struct arena *arena, int from_width, int from_height,
                          const struct picture *to, struct row_sink next);
void scaler_take(void *scaler, const uint8_t *rgb); /* row_sink.take */

/* EXIF's eight ways that a camera was held; 1 is upright, as is any other number. */
struct picture turn_upright(struct arena *arena, struct picture picture, int orientation);

/* The orientation that a TIFF block has (EXIF without its name); 1 when it says none. */
int exif_orientation(const uint8_t *tiff, size_t size);

/* jpeg_read.c, png_read.c: give_up() on what is wrong. open() tells how large the rows are that
 * read() gives, at least 'least' pixels on the longer side where the picture has as many, and which
 * way up. */
struct source {
    struct arena *arena;
    const uint8_t *bytes;
    size_t size;
    int least;
    int width, height, orientation;
    void *reader;
};
void jpeg_open(struct source *source);
void jpeg_read(struct source *source, struct row_sink sink);
void png_open(struct source *source);
void png_read(struct source *source, struct row_sink sink);

/* As JPEG, with nothing but the pixels. */
const uint8_t *jpeg_write(struct arena *arena, const struct picture *picture, size_t *size);

/* sizes.c: a file, whose head was read, as its sizes. */
struct jpeg_file {
    int width, height;
    const uint8_t *bytes;
    size_t size;
};
void make_sizes(struct arena *arena, const uint8_t *bytes, size_t size,
                const struct image_head *head, struct jpeg_file made[IMAGE_SIZES]);

#endif
