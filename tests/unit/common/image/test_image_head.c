/* What the first bytes of a picture say, and that they are not believed too much. MENU-06 */
#include "common/image/image.h"
#include "tests/helpers/house_test.h"

#include <string.h>

#define PNG_MARK "\x89PNG\r\n\x1a\n"
#define IEND     "\0\0\0\0IEND\xae\x42\x60\x82"
#define EOI      "\xff\xd9"
#define APP0     "\xff\xe0\x00\x04\x00\x00"

/* A string literal's bytes without its NUL. */
#define READ(bytes, head) image_head_read((const uint8_t *)(bytes), sizeof(bytes) - 1, (head))

/* A frame of three colours, 4:2:0, of the kind that 'marker' is. */
#define FRAME(marker, height, width) \
    "\xff" marker "\x00\x11\x08" height width "\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
/* The beginning of a scan of so many colours. */
#define SCAN(colours)             "\xff\xda\x00\x08" colours "\x01\x00\x00\x3f\x00"
#define IHDR(width, height, rest) "\0\0\0\x0dIHDR" width height rest "\0\0\0\0"

START_TEST(a_jpeg_says_its_size)
{
    struct image_head head;

    ck_assert_int_eq(
        READ("\xff\xd8" APP0 FRAME("\xc0", "\x03\x00", "\x04\x00") APP0 SCAN("\x03") EOI, &head),
        IMAGE_NONE);
    ck_assert_int_eq(head.type, IMAGE_JPEG);
    ck_assert_int_eq(head.width, 1024);
    ck_assert_int_eq(head.height, 768);
    ck_assert_int_eq(head.working_bytes, 0);
}
END_TEST

START_TEST(a_progressive_one_is_held_as_a_whole)
{
    struct image_head head;

    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc2", "\x03\x00", "\x04\x00") EOI, &head), IMAGE_NONE);
    ck_assert_int_eq(head.working_bytes, 1024 * 768 * 2 * 3 / 2);
    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc2", "\x12\x00", "\x12\x00") EOI, &head),
                     IMAGE_WORKING);
    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc0", "\x12\x00", "\x12\x00") SCAN("\x03") EOI, &head),
                     IMAGE_NONE);
}
END_TEST

START_TEST(one_that_comes_colour_by_colour_is_held_as_a_whole)
{
    struct image_head head;

    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc0", "\x03\x00", "\x04\x00") SCAN("\x01") EOI, &head),
                     IMAGE_NONE);
    ck_assert_int_eq(head.working_bytes, 1024 * 768 * 2 * 3 / 2);
    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc0", "\x12\x00", "\x12\x00") SCAN("\x01") EOI, &head),
                     IMAGE_WORKING);
    /* decoders skip what is between two segments, so that it hides no scan */
    ck_assert_int_eq(
        READ("\xff\xd8" FRAME("\xc0", "\x12\x00", "\x12\x00") "\x00" SCAN("\x01") EOI, &head),
        IMAGE_WORKING);
}
END_TEST

START_TEST(a_png_says_its_size)
{
    struct image_head head;

    ck_assert_int_eq(
        READ(PNG_MARK IHDR("\0\0\x02\x00", "\0\0\x01\x00", "\x10\x06\0\0\0") IEND, &head),
        IMAGE_NONE);
    ck_assert_int_eq(head.type, IMAGE_PNG);
    ck_assert_int_eq(head.width, 512);
    ck_assert_int_eq(head.height, 256);
    ck_assert_int_eq(
        READ(PNG_MARK IHDR("\0\0\x02\x00", "\0\0\x01\x00", "\x08\x03\0\0\1") IEND, &head),
        IMAGE_NONE);
    ck_assert_int_eq(head.working_bytes, 512 * 256 * 4);
}
END_TEST

START_TEST(a_bomb_is_known_by_its_head)
{
    struct image_head head = {.width = 7};

    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc0", "\x4e\x20", "\x4e\x20") EOI, &head),
                     IMAGE_PIXELS);
    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc0", "\x00\x08", "\xff\xff") EOI, &head),
                     IMAGE_PIXELS);
    ck_assert_int_eq(
        READ(PNG_MARK IHDR("\xff\xff\xff\xff", "\xff\xff\xff\xff", "\x08\x02\0\0\0") IEND, &head),
        IMAGE_PIXELS);
    ck_assert_int_eq(
        READ(PNG_MARK IHDR("\0\0\x13\x00", "\0\0\x13\x00", "\x08\x02\0\0\1") IEND, &head),
        IMAGE_WORKING);
    ck_assert_int_eq(head.width, 7);
}
END_TEST

START_TEST(what_is_cut_short_is_told_at_any_length)
{
    static const char jpeg[] =
        "\xff\xd8" APP0 FRAME("\xc0", "\x03\x00", "\x04\x00") SCAN("\x03") EOI;
    static const char png[] = PNG_MARK IHDR("\0\0\x02\x00", "\0\0\x01\x00", "\x08\x02\0\0\0") IEND;
    struct image_head head;

    for (size_t size = 3; size < sizeof(jpeg) - 1; size++) {
        ck_assert_int_eq(image_head_read((const uint8_t *)jpeg, size, &head), IMAGE_TRUNCATED);
    }
    for (size_t size = 8; size < sizeof(png) - 1; size++) {
        ck_assert_int_eq(image_head_read((const uint8_t *)png, size, &head), IMAGE_TRUNCATED);
    }
}
END_TEST

START_TEST(what_makes_no_sense_is_damaged)
{
    struct image_head head;

    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc0", "\x00\x00", "\x04\x00") EOI, &head),
                     IMAGE_BROKEN);
    ck_assert_int_eq(READ("\xff\xd8\xff\xe0\x00\x01\x00\x00\x00", &head), IMAGE_BROKEN);
    ck_assert_int_eq(READ("\xff\xd8\xff\xda\x00\x08\x00\x00\x00", &head), IMAGE_BROKEN);
    ck_assert_int_eq(READ("\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x05"
                          "0123456789" EOI,
                          &head),
                     IMAGE_BROKEN);
    ck_assert_int_eq(
        READ(PNG_MARK IHDR("\0\0\x02\x00", "\0\0\x01\x00", "\x07\x02\0\0\0") IEND, &head),
        IMAGE_BROKEN);
    ck_assert_int_eq(READ(PNG_MARK IHDR("\0\0\0\0", "\0\0\x01\x00", "\x08\x02\0\0\0") IEND, &head),
                     IMAGE_BROKEN);
}
END_TEST

START_TEST(other_kinds_are_known_by_their_bytes)
{
    struct image_head head;

    ck_assert_int_eq(READ("\0\0\0\x18"
                          "ftypheic\0\0\0\0",
                          &head),
                     IMAGE_HEIC);
    ck_assert_int_eq(READ("\0\0\0\x18"
                          "ftypmp42\0\0\0\0",
                          &head),
                     IMAGE_TYPE);
    ck_assert_int_eq(READ("RIFF\x10\0\0\0WEBPVP8 ", &head), IMAGE_WEBP);
    ck_assert_int_eq(READ("GIF89a", &head), IMAGE_TYPE);
    ck_assert_int_eq(READ("", &head), IMAGE_TYPE);
    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc3", "\x03\x00", "\x04\x00") EOI, &head), IMAGE_KIND);
    ck_assert_int_eq(READ("\xff\xd8" FRAME("\xc9", "\x03\x00", "\x04\x00") EOI, &head), IMAGE_KIND);
}
END_TEST

START_TEST(every_fault_has_its_words)
{
    for (int fault = IMAGE_NONE + 1; fault < IMAGE_FAULT_COUNT; fault++) {
        ck_assert_int_gt(strlen(image_fault_text((enum image_fault)fault)), 0);
    }
    ck_assert_str_eq(image_fault_text(IMAGE_FAULT_COUNT), image_fault_text(IMAGE_BROKEN));
}
END_TEST

TEST_MAIN("image_head", a_jpeg_says_its_size, a_progressive_one_is_held_as_a_whole,
          one_that_comes_colour_by_colour_is_held_as_a_whole, a_png_says_its_size,
          a_bomb_is_known_by_its_head, what_is_cut_short_is_told_at_any_length,
          what_makes_no_sense_is_damaged, other_kinds_are_known_by_their_bytes,
          every_fault_has_its_words)
