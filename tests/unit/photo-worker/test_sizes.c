/* links: photo_worker_parts PkgConfig::libjpeg PkgConfig::libpng */
/* Pictures of every kind as three sizes: they are there, no larger than they may be, and of the
 * colours that the picture had. MENU-06 */
#include "photo-worker/picture.h"
#include "tests/helpers/house_test.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { WIDTH = 1300, HEIGHT = 650 };

static struct arena *arena;

static void start(void)
{
    arena = arena_new(64 * 1024);
}

static void stop(void)
{
    arena_free(arena);
}

struct bytes {
    uint8_t *at;
    size_t size;
};

/* One colour, in as many channels as it has. */
static struct bytes jpeg_of(int channels, J_COLOR_SPACE space, const uint8_t *colour,
                            bool progressive)
{
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long size = 0;
    uint8_t row[WIDTH * 4];

    for (int i = 0; i < WIDTH * channels; i++) {
        row[i] = colour[i % channels];
    }
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &size);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = channels;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    if (progressive) {
        jpeg_simple_progression(&jpeg);
    }
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < HEIGHT) {
        JSAMPROW rows[] = {row};

        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    arena_defer(arena, free, out);
    return (struct bytes){out, size};
}

static void append(png_structp png, png_bytep data, size_t size)
{
    struct bytes *out = png_get_io_ptr(png);

    out->at = realloc(out->at, out->size + size);
    ck_assert_ptr_nonnull(out->at);
    memcpy(out->at + out->size, data, size);
    out->size += size;
}

struct png_kind {
    int colour, depth, interlaced, channels;
    uint8_t pixel[8]; /* bytes of one, in its depth */
};

static struct bytes png_of(const struct png_kind *kind)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    const png_color palette[] = {
        {0,   0,   0 },
        {250, 100, 50}
    };
    const png_byte clear[] = {255, 128};
    struct bytes out = {0};
    int pixel_bytes = kind->channels * kind->depth / 8;
    uint8_t row[WIDTH * 8];

    for (int i = 0; i < WIDTH * pixel_bytes; i++) {
        row[i] = kind->pixel[i % pixel_bytes];
    }
    png_set_write_fn(png, &out, append, NULL);
    png_set_IHDR(png, info, WIDTH, HEIGHT, kind->depth, kind->colour, kind->interlaced, 0, 0);
    if (kind->colour == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 2);
        png_set_tRNS(png, info, clear, 2, NULL);
    }
    png_write_info(png, info);
    for (int pass = png_set_interlace_handling(png); pass; pass--) {
        for (int y = 0; y < HEIGHT; y++) {
            png_write_row(png, row);
        }
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    arena_defer(arena, free, out.at);
    return out;
}

static void keep_first(void *user, const uint8_t *rgb)
{
    memcpy(user, rgb, RGB);
}

static void is_colour(const struct jpeg_file *file, const uint8_t *wanted)
{
    struct source source = {
        .arena = arena, .bytes = file->bytes, .size = file->size, .least = 1080};
    uint8_t seen[RGB];

    jpeg_open(&source);
    jpeg_read(&source, (struct row_sink){keep_first, seen});
    for (int c = 0; c < RGB; c++) {
        ck_assert_int_le(abs((int)seen[c] - wanted[c]), 4);
    }
}

static void are_made(struct bytes picture, const uint8_t *wanted)
{
    struct jpeg_file made[IMAGE_SIZES];
    struct image_head head;

    ck_assert_int_eq(image_head_read(picture.at, picture.size, &head), IMAGE_NONE);
    make_sizes(arena, picture.at, picture.size, &head, made);
    for (int i = 0; i < IMAGE_SIZES; i++) {
        ck_assert_int_eq(made[i].width, image_size_sides[i]);
        ck_assert_int_eq(made[i].height, image_size_sides[i] / 2);
        is_colour(&made[i], wanted);
    }
}

START_TEST(jpegs_of_all_kinds_keep_their_colours)
{
    are_made(jpeg_of(3, JCS_RGB, (uint8_t[]){200, 100, 50}, false), (uint8_t[]){200, 100, 50});
    are_made(jpeg_of(3, JCS_RGB, (uint8_t[]){200, 100, 50}, true), (uint8_t[]){200, 100, 50});
    are_made(jpeg_of(1, JCS_GRAYSCALE, (uint8_t[]){77}, false), (uint8_t[]){77, 77, 77});
    /* with Adobe's mark, which libjpeg writes for four colours: 255 is no ink */
    are_made(jpeg_of(4, JCS_CMYK, (uint8_t[]){255, 128, 0, 255}, false), (uint8_t[]){255, 128, 0});
}
END_TEST

START_TEST(pngs_of_all_kinds_are_on_white)
{
    static const struct {
        struct png_kind kind;
        uint8_t seen[RGB];
    } kinds[] = {
        {{PNG_COLOR_TYPE_RGB, 8, 0, 3, {10, 20, 30}},                       {10, 20, 30}   },
        {{PNG_COLOR_TYPE_RGB, 8, 1, 3, {10, 20, 30}},                       {10, 20, 30}   },
        {{PNG_COLOR_TYPE_RGB, 16, 0, 3, {100, 0, 20, 0, 30, 0}},            {100, 20, 30}  },
        {{PNG_COLOR_TYPE_RGBA, 8, 0, 4, {0, 0, 255, 0}},                    {255, 255, 255}},
        {{PNG_COLOR_TYPE_RGBA, 16, 1, 4, {255, 255, 0, 0, 0, 0, 255, 255}}, {255, 0, 0}    },
        {{PNG_COLOR_TYPE_PALETTE, 8, 0, 1, {1}},                            {252, 177, 152}},
        {{PNG_COLOR_TYPE_GRAY, 8, 0, 1, {99}},                              {99, 99, 99}   },
        {{PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0, 2, {0, 128}},                    {127, 127, 127}},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        are_made(png_of(&kinds[i].kind), kinds[i].seen);
    }
}
END_TEST

START_TEST(what_is_small_is_not_blown_up)
{
    struct jpeg_file made[IMAGE_SIZES];
    const struct jpeg_file *small = &made[IMAGE_SMALL], *large = &made[IMAGE_LARGE];
    struct bytes picture = jpeg_of(3, JCS_RGB, (uint8_t[]){1, 2, 3}, false);
    struct image_head head = {.type = IMAGE_JPEG};

    make_sizes(arena, picture.at, picture.size, &head, made);
    struct image_head again = {.type = IMAGE_JPEG};
    struct jpeg_file of_small[IMAGE_SIZES];

    make_sizes(arena, small->bytes, small->size, &again, of_small);
    ck_assert_int_eq(of_small[IMAGE_LARGE].width, small->width);
    ck_assert_int_eq(of_small[IMAGE_MEDIUM].height, small->height);
    ck_assert_int_lt(small->width, large->width);
}
END_TEST

TEST_MAIN_AROUND("sizes", (&(struct test_around){.before = start, .after = stop}),
                 jpegs_of_all_kinds_keep_their_colours, pngs_of_all_kinds_are_on_white,
                 what_is_small_is_not_blown_up)
