/* A JPEG as rows. libjpeg leaves out what the sizes need not: it decodes to an eighth of the side
 * and up. */
#include "photo-worker/give_up.h"
#include "photo-worker/picture.h"

#include <stdio.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum { EIGHTHS = 8, MOST_SCANS = 100, MAX_MARKER = 0xffff, EXIF_NAME = 6 };

struct jpeg_reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
};

static void refuse(j_common_ptr jpeg)
{
    give_up(jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? IMAGE_COSTLY : IMAGE_BROKEN);
}

/* libjpeg fills up with grey what is not there, and only warns. */
static void heed(j_common_ptr jpeg, int level)
{
    if (level >= 0) {
        return;
    }
    if (jpeg->err->msg_code == JWRN_JPEG_EOF || jpeg->err->msg_code == JWRN_HIT_MARKER) {
        give_up(IMAGE_TRUNCATED);
    }
}

/* A few kilobytes can have thousands of scans over all of the picture. */
static void count_scans(j_common_ptr jpeg)
{
    if (((j_decompress_ptr)jpeg)->input_scan_number > MOST_SCANS) {
        give_up(IMAGE_COSTLY);
    }
}

static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const char name[EXIF_NAME] = "Exif\0";

    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next) {
        if (m->data_length > EXIF_NAME && memcmp(m->data, name, EXIF_NAME) == 0) {
            return exif_orientation(m->data + EXIF_NAME, m->data_length - EXIF_NAME);
        }
    }
    return 1;
}

static void choose_scale(struct jpeg_decompress_struct *jpeg, int least)
{
    unsigned longer =
        jpeg->image_width > jpeg->image_height ? jpeg->image_width : jpeg->image_height;

    jpeg->scale_denom = EIGHTHS;
    for (jpeg->scale_num = 1; jpeg->scale_num < EIGHTHS; jpeg->scale_num *= 2) {
        if (longer * jpeg->scale_num / EIGHTHS >= (unsigned)least) {
            return;
        }
    }
}

void jpeg_open(struct source *source)
{
    struct jpeg_reader *reader = arena_new_struct(source->arena, struct jpeg_reader);
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;

    jpeg->err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = refuse;
    reader->errors.emit_message = heed;
    jpeg_create_decompress(jpeg);
    reader->progress.progress_monitor = count_scans;
    jpeg->progress = &reader->progress;
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, MAX_MARKER);
    jpeg_mem_src(jpeg, source->bytes, source->size);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->image_width * (uint64_t)jpeg->image_height > IMAGE_MAX_PIXELS) {
        give_up(IMAGE_PIXELS);
    }
    choose_scale(jpeg, source->least);
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_calc_output_dimensions(jpeg);
    source->width = (int)jpeg->output_width;
    source->height = (int)jpeg->output_height;
    source->orientation = find_orientation(jpeg);
    source->reader = reader;
}

/* Four inks to three lights. Adobe's programs, which wrote nearly all there are, turn them over. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, unsigned width, bool turned_over)
{
    for (unsigned x = 0; x < width; x++, cmyk += 4) {
        for (int c = 0; c < RGB; c++) {
            int ink = turned_over ? cmyk[c] : 255 - cmyk[c];
            int black = turned_over ? cmyk[3] : 255 - cmyk[3];

            *rgb++ = (uint8_t)(ink * black / 255);
        }
    }
}

void jpeg_read(struct source *source, struct row_sink sink)
{
    struct jpeg_reader *reader = source->reader;
    struct jpeg_decompress_struct *jpeg = &reader->jpeg;
    uint8_t *row = arena_alloc(source->arena, (size_t)source->width * 4);
    uint8_t *rgb = arena_alloc(source->arena, (size_t)source->width * RGB);
    bool inks = jpeg->out_color_space == JCS_CMYK;

    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[] = {inks ? row : rgb};

        if (jpeg_read_scanlines(jpeg, rows, 1) != 1) {
            give_up(IMAGE_TRUNCATED);
        }
        if (inks) {
            cmyk_to_rgb(row, rgb, jpeg->output_width, jpeg->saw_Adobe_marker);
        }
        sink.take(sink.user, rgb);
    }
    jpeg_finish_decompress(jpeg);
    jpeg_destroy_decompress(jpeg);
}
