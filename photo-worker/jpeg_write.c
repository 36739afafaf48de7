/* Pixels as a JPEG: no profile, no EXIF, no thumbnail; the tables fit the picture. */
#include "photo-worker/give_up.h"
#include "photo-worker/picture.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { QUALITY = 80, PROGRESSIVE_FROM = 480 };

static void refuse(j_common_ptr jpeg)
{
    (void)jpeg;
    give_up(IMAGE_COSTLY);
}

const uint8_t *jpeg_write(struct arena *arena, const struct picture *picture, size_t *size)
{
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long room = 0;

    jpeg.err = jpeg_std_error(&errors);
    errors.error_exit = refuse;
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &room);
    jpeg.image_width = (JDIMENSION)picture->width;
    jpeg.image_height = (JDIMENSION)picture->height;
    jpeg.input_components = RGB;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg.optimize_coding = TRUE;
    if (picture->width >= PROGRESSIVE_FROM || picture->height >= PROGRESSIVE_FROM) {
        jpeg_simple_progression(&jpeg); /* it shows before it is there, and is smaller */
    }
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = picture->rgb + (size_t)jpeg.next_scanline * (size_t)picture->width * RGB;

        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    arena_defer(arena, free, bytes);
    *size = room;
    return bytes;
}
