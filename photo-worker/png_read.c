/* A PNG as rows, on white: eight bits, three colours, whatever it came as. */
#include "photo-worker/give_up.h"
#include "photo-worker/picture.h"

#include <png.h>
#include <string.h>

enum { RGBA = 4, WHITE = 255, MAX_CHUNK = 1 << 20 };

struct png_reader {
    png_structp png;
    png_infop info;
    const uint8_t *at;
    size_t left;
    int passes;
};

static void refuse(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
    give_up(IMAGE_BROKEN);
}

static void ignore(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void copy(png_structp png, png_bytep to, size_t size)
{
    struct png_reader *reader = png_get_io_ptr(png);

    if (size > reader->left) {
        give_up(IMAGE_TRUNCATED);
    }
    memcpy(to, reader->at, size);
    reader->at += size;
    reader->left -= size;
}

static void make_rgba(struct png_reader *reader)
{
    png_set_expand(reader->png); /* palettes, few bits, a transparent colour */
    png_set_scale_16(reader->png);
    png_set_gray_to_rgb(reader->png);
    png_set_add_alpha(reader->png, WHITE, PNG_FILLER_AFTER);
    reader->passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
}

static int find_orientation(struct png_reader *reader)
{
    png_bytep exif = NULL;
    png_uint_32 size = 0;

    return png_get_eXIf_1(reader->png, reader->info, &size, &exif) && exif
               ? exif_orientation(exif, size)
               : 1;
}

void png_open(struct source *source)
{
    struct png_reader *reader = arena_new_struct(source->arena, struct png_reader);

    *reader = (struct png_reader){.at = source->bytes, .left = source->size};
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, refuse, ignore);
    reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
    if (!reader->info) {
        give_up(IMAGE_COSTLY);
    }
    png_set_user_limits(reader->png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(reader->png, MAX_CHUNK);
    png_set_read_fn(reader->png, reader, copy);
    png_read_info(reader->png, reader->info);
    source->width = (int)png_get_image_width(reader->png, reader->info);
    source->height = (int)png_get_image_height(reader->png, reader->info);
    if ((int64_t)source->width * source->height > IMAGE_MAX_PIXELS) {
        give_up(IMAGE_PIXELS);
    }
    source->orientation = find_orientation(reader);
    make_rgba(reader);
    if (png_get_rowbytes(reader->png, reader->info) != (size_t)source->width * RGBA) {
        give_up(IMAGE_BROKEN);
    }
    source->reader = reader;
}

static void put_on_white(const uint8_t *rgba, uint8_t *rgb, int width)
{
    for (int x = 0; x < width; x++, rgba += RGBA) {
        for (int c = 0; c < RGB; c++) {
            *rgb++ = (uint8_t)((rgba[c] * rgba[RGB] + WHITE * (255 - rgba[RGB]) + 127) / 255);
        }
    }
}

/* Rows of an interlaced picture come seven times, a few pixels each. */
static void read_whole(struct source *source, struct row_sink sink, uint8_t *rgb)
{
    struct png_reader *reader = source->reader;
    size_t row_size = (size_t)source->width * RGBA;
    uint8_t *all = arena_alloc_array(source->arena, (size_t)source->height, row_size);

    for (int pass = 0; pass < reader->passes; pass++) {
        for (int y = 0; y < source->height; y++) {
            png_read_row(reader->png, all + (size_t)y * row_size, NULL);
        }
    }
    for (int y = 0; y < source->height; y++) {
        put_on_white(all + (size_t)y * row_size, rgb, source->width);
        sink.take(sink.user, rgb);
    }
}

void png_read(struct source *source, struct row_sink sink)
{
    struct png_reader *reader = source->reader;
    uint8_t *rgba = arena_alloc(source->arena, (size_t)source->width * RGBA);
    uint8_t *rgb = arena_alloc(source->arena, (size_t)source->width * RGB);

    if (reader->passes > 1) {
        read_whole(source, sink, rgb);
    } else {
        for (int y = 0; y < source->height; y++) {
            png_read_row(reader->png, rgba, NULL);
            put_on_white(rgba, rgb, source->width);
            sink.take(sink.user, rgb);
        }
    }
    png_read_end(reader->png, NULL);
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
}
