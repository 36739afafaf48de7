/* links: photo_worker_parts */
/* Smaller, and upright: every pixel where it belongs. MENU-06 */
#include "photo-worker/picture.h"
#include "tests/helpers/house_test.h"

#include <string.h>

static struct arena *arena;

static void start(void)
{
    arena = arena_new(64 * 1024);
}

static void stop(void)
{
    arena_free(arena);
}

struct kept {
    uint8_t bytes[8192];
    size_t size, row;
};

static void keep(void *user, const uint8_t *rgb)
{
    struct kept *kept = user;

    ck_assert_uint_le(kept->size + kept->row, sizeof(kept->bytes));
    memcpy(kept->bytes + kept->size, rgb, kept->row);
    kept->size += kept->row;
}

/* A picture whose pixel (x, y) has the red x, the green y, the blue 200. */
static void scale(int from_width, int from_height, int to_width, int to_height, struct kept *kept)
{
    const struct picture to = {.width = to_width, .height = to_height};
    struct scaler *scaler =
        scaler_new(arena, from_width, from_height, &to, (struct row_sink){keep, kept});
    uint8_t row[3 * 256];

    *kept = (struct kept){.row = (size_t)to_width * RGB};
    for (int y = 0; y < from_height; y++) {
        for (int x = 0; x < from_width; x++) {
            row[x * RGB] = (uint8_t)x;
            row[x * RGB + 1] = (uint8_t)y;
            row[x * RGB + 2] = 200;
        }
        scaler_take(scaler, row);
    }
    ck_assert_uint_eq(kept->size, (size_t)to_width * (size_t)to_height * RGB);
}

START_TEST(the_same_size_is_the_same_picture)
{
    struct kept kept;

    scale(7, 5, 7, 5, &kept);
    for (int i = 0; i < 7 * 5; i++) {
        ck_assert_uint_eq(kept.bytes[i * RGB], (unsigned)i % 7);
        ck_assert_uint_eq(kept.bytes[i * RGB + 1], (unsigned)i / 7);
        ck_assert_uint_eq(kept.bytes[i * RGB + 2], 200);
    }
}
END_TEST

START_TEST(half_the_size_is_the_mean_of_four)
{
    struct kept kept;

    scale(8, 4, 4, 2, &kept);
    for (int i = 0; i < 4 * 2; i++) { /* of 0 and 1, halves upwards: 1 */
        ck_assert_uint_eq(kept.bytes[i * RGB], (unsigned)i % 4 * 2 + 1);
        ck_assert_uint_eq(kept.bytes[i * RGB + 1], (unsigned)i / 4 * 2 + 1);
        ck_assert_uint_eq(kept.bytes[i * RGB + 2], 200);
    }
}
END_TEST

START_TEST(shares_of_a_pixel_are_exact)
{
    struct kept kept;

    scale(3, 1, 2, 1, &kept); /* 0, 1, 2: two thirds of the first, one of the second */
    ck_assert_uint_eq(kept.bytes[0], 0);
    ck_assert_uint_eq(kept.bytes[RGB], 2);
    scale(200, 1, 1, 1, &kept);
    ck_assert_uint_eq(kept.bytes[0], 100);
}
END_TEST

START_TEST(any_size_gives_all_its_rows_and_no_colour_of_its_own)
{
    struct kept kept;

    for (int from = 1; from <= 40; from++) {
        for (int to = 1; to <= from; to++) {
            scale(from, from, to, to, &kept);
            for (int i = 0; i < to * to; i++) {
                ck_assert_uint_eq(kept.bytes[i * RGB + 2], 200);
                ck_assert_uint_lt(kept.bytes[i * RGB], (unsigned)from);
            }
        }
    }
}
END_TEST

/* How a camera that was held in that way writes the upright picture
 *     1 2
 *     3 4
 *     5 6 */
static const struct {
    int orientation, width, height;
    const char *written;
} held[] = {
    {1, 2, 3, "123456"},
    {2, 2, 3, "214365"},
    {3, 2, 3, "654321"},
    {4, 2, 3, "563412"},
    {5, 3, 2, "135246"},
    {6, 3, 2, "246135"},
    {7, 3, 2, "642531"},
    {8, 3, 2, "531642"},
    {0, 2, 3, "123456"},
    {9, 2, 3, "123456"},
};

START_TEST(all_eight_ways_are_turned)
{
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        uint8_t rgb[6 * RGB];

        for (int j = 0; j < 6; j++) {
            memset(rgb + (ptrdiff_t)j * RGB, held[i].written[j], RGB);
        }
        struct picture upright = turn_upright(
            arena, (struct picture){held[i].width, held[i].height, rgb}, held[i].orientation);

        ck_assert_int_eq(upright.width, 2);
        ck_assert_int_eq(upright.height, 3);
        for (int j = 0; j < 6; j++) {
            ck_assert_int_eq(upright.rgb[j * RGB + 2], '1' + j);
        }
    }
}
END_TEST

#define EXIF(bytes) exif_orientation((const uint8_t *)(bytes), sizeof(bytes) - 1)

START_TEST(exif_says_which_way_up_in_either_order_of_bytes)
{
    ck_assert_int_eq(EXIF("II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"), 6);
    ck_assert_int_eq(EXIF("MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0"), 8);
}
END_TEST

START_TEST(exif_that_makes_no_sense_is_upright)
{
    ck_assert_int_eq(EXIF(""), 1);
    ck_assert_int_eq(EXIF("XX\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"), 1);
    ck_assert_int_eq(EXIF("II\x2a\0\xff\xff\xff\xff\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"), 1);
    ck_assert_int_eq(EXIF("II\x2a\0\x08\0\0\0\xff\xff\x12\x01\x03\0\x01\0\0\0\x06\0\0"), 1);
    ck_assert_int_eq(EXIF("II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0"), 1);
    ck_assert_int_eq(EXIF("II\x2a\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x06\0\0\0"), 1);
}
END_TEST

TEST_MAIN_AROUND("pixels", (&(struct test_around){.before = start, .after = stop}),
                 the_same_size_is_the_same_picture, half_the_size_is_the_mean_of_four,
                 shares_of_a_pixel_are_exact, any_size_gives_all_its_rows_and_no_colour_of_its_own,
                 all_eight_ways_are_turned, exif_says_which_way_up_in_either_order_of_bytes,
                 exif_that_makes_no_sense_is_upright)
