/* The one thing that EXIF says which we want: which way up. A TIFF block is a header, then a
 * directory of twelve-byte entries; its order of bytes is its own. All of it is hostile. */
#include "photo-worker/picture.h"

#include <stdbool.h>
#include <string.h>

enum {
    TIFF_HEADER = 8,
    ENTRY_BYTES = 12,
    TAG_ORIENTATION = 0x0112,
    TYPE_SHORT = 3,
    UPRIGHT = 1,
    MOST = 8,
};

struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool little;
};

static unsigned short_at(const struct tiff *tiff, size_t at)
{
    const uint8_t *b = tiff->bytes + at;

    return tiff->little ? b[0] | (unsigned)b[1] << 8 : b[1] | (unsigned)b[0] << 8;
}

static uint32_t long_at(const struct tiff *tiff, size_t at)
{
    uint32_t first = short_at(tiff, at), second = short_at(tiff, at + 2);

    return tiff->little ? second << 16 | first : first << 16 | second;
}

static int look_up(const struct tiff *tiff, size_t directory)
{
    if (directory > tiff->size || tiff->size - directory < 2) {
        return UPRIGHT;
    }
    size_t count = short_at(tiff, directory), room = (tiff->size - directory - 2) / ENTRY_BYTES;

    for (size_t i = 0; i < count && i < room; i++) {
        size_t entry = directory + 2 + i * ENTRY_BYTES;

        if (short_at(tiff, entry) == TAG_ORIENTATION && short_at(tiff, entry + 2) == TYPE_SHORT) {
            unsigned value = short_at(tiff, entry + 8);

            return value >= UPRIGHT && value <= MOST ? (int)value : UPRIGHT;
        }
    }
    return UPRIGHT;
}

int exif_orientation(const uint8_t *bytes, size_t size)
{
    struct tiff tiff = {.bytes = bytes, .size = size};

    if (size < TIFF_HEADER) {
        return UPRIGHT;
    }
    tiff.little = memcmp(bytes, "II", 2) == 0;
    if ((!tiff.little && memcmp(bytes, "MM", 2) != 0) || short_at(&tiff, 2) != 42) {
        return UPRIGHT;
    }
    return look_up(&tiff, long_at(&tiff, 4));
}
