/* The first bytes of a picture: its type by what it begins with, its size by the one segment or
 * chunk that says so. Bytes are hostile: every step is bounded by what is left. */
#include "common/image/image.h"

#include <stdbool.h>
#include <string.h>

#define X(name, text) text,
static const char *const texts[] = {IMAGE_FAULT_LIST(X)};
#undef X

const char *const image_size_names[IMAGE_SIZES] = {"small", "medium", "large"};
const int image_size_sides[IMAGE_SIZES] = {160, 480, 1080};

const char *image_fault_text(enum image_fault fault)
{
    return (unsigned)fault < IMAGE_FAULT_COUNT ? texts[fault] : texts[IMAGE_BROKEN];
}

static unsigned be16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)be16(at) << 16 | be16(at + 2);
}

static enum image_fault check_size(int64_t width, int64_t height)
{
    if (width < 1 || height < 1) {
        return IMAGE_BROKEN;
    }
    return width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE || width * height > IMAGE_MAX_PIXELS
               ? IMAGE_PIXELS
               : IMAGE_NONE;
}

static enum image_fault finish(const struct image_head *read, struct image_head *head)
{
    if (read->working_bytes > IMAGE_MAX_WORKING) {
        return IMAGE_WORKING;
    }
    *head = *read;
    return IMAGE_NONE;
}

/* ---- JPEG -------------------------------------------------------------------------------- */

enum {
    JPEG_SOF0 = 0xc0,
    JPEG_SOF2 = 0xc2, /* progressive */
    JPEG_DHT = 0xc4,
    JPEG_JPG = 0xc8,
    JPEG_DAC = 0xcc,
    JPEG_SOF15 = 0xcf,
    JPEG_RST0 = 0xd0,
    JPEG_EOI = 0xd9,
    JPEG_SOS = 0xda,
    JPEG_TEM = 0x01,
    COMPONENT_BYTES = 3,
    FRAME_BYTES = 8, /* of a SOF segment before its components, the length included */
    BLOCK_SIDE = 8,
    SCAN_BYTES = 4, /* of a scan before it says how many colours it has, the marker included */
};

static bool is_frame(unsigned marker)
{
    return marker >= JPEG_SOF0 && marker <= JPEG_SOF15 && marker != JPEG_DHT &&
           marker != JPEG_JPG && marker != JPEG_DAC;
}

static bool stands_alone(unsigned marker)
{
    return marker == JPEG_TEM || (marker >= JPEG_RST0 && marker <= JPEG_EOI);
}

/* With all colours in its first scan its rows come one after another; else it is held until the
 * last colour is there, as is one whose first scan cannot be found. */
static bool is_in_one_scan(const uint8_t *bytes, size_t size, int components)
{
    size_t at = 0;

    while (size - at > SCAN_BYTES && bytes[at] == 0xff) {
        unsigned marker = bytes[at + 1];
        size_t length = be16(bytes + at + 2);

        if (marker == 0xff) {
            at++;
            continue;
        }
        if (marker == JPEG_SOS) {
            return bytes[at + SCAN_BYTES] == components;
        }
        if (marker == 0 || stands_alone(marker) || length < 2 || length > size - at - 2) {
            return false;
        }
        at += 2 + length;
    }
    return false;
}

/* A JPEG that is held as a whole is held as its coefficients, two bytes each, of whole blocks. */
static int64_t coefficient_bytes(const uint8_t *frame, int components, int width, int height)
{
    int most_h = 1, most_v = 1;
    int64_t bytes = 0;

    for (int i = 0; i < components; i++) {
        int sampling = frame[FRAME_BYTES + i * COMPONENT_BYTES + 1];

        most_h = sampling >> 4 > most_h ? sampling >> 4 : most_h;
        most_v = (sampling & 15) > most_v ? sampling & 15 : most_v;
    }
    int64_t across = (width + most_h * BLOCK_SIDE - 1) / (most_h * BLOCK_SIDE);
    int64_t down = (height + most_v * BLOCK_SIDE - 1) / (most_v * BLOCK_SIDE);

    for (int i = 0; i < components; i++) {
        int sampling = frame[FRAME_BYTES + i * COMPONENT_BYTES + 1];

        bytes += across * (sampling >> 4) * down * (sampling & 15) * BLOCK_SIDE * BLOCK_SIDE * 2;
    }
    return bytes;
}

static enum image_fault read_frame(const uint8_t *frame, size_t size, unsigned marker,
                                   struct image_head *read)
{
    if (size < FRAME_BYTES) {
        return IMAGE_BROKEN;
    }
    int components = frame[7];

    if (marker > JPEG_SOF2 || frame[2] != 8) { /* lossless, arithmetic, twelve bits */
        return IMAGE_KIND;
    }
    if (components < 1 || components > 4 ||
        size < FRAME_BYTES + (size_t)components * COMPONENT_BYTES) {
        return IMAGE_BROKEN;
    }
    for (int i = 0; i < components; i++) {
        int sampling = frame[FRAME_BYTES + i * COMPONENT_BYTES + 1];

        if (sampling >> 4 < 1 || sampling >> 4 > 4 || (sampling & 15) < 1 || (sampling & 15) > 4) {
            return IMAGE_BROKEN;
        }
    }
    enum image_fault fault = check_size(be16(frame + 5), be16(frame + 3));

    if (fault != IMAGE_NONE) {
        return fault;
    }
    read->width = (int)be16(frame + 5);
    read->height = (int)be16(frame + 3);
    return IMAGE_NONE;
}

static bool has_end(const uint8_t *from, size_t size)
{
    static const uint8_t end[] = {0xff, JPEG_EOI};

    return memmem(from, size, end, sizeof(end)) != NULL;
}

static enum image_fault read_jpeg(const uint8_t *bytes, size_t size, struct image_head *head)
{
    struct image_head read = {.type = IMAGE_JPEG};
    size_t at = 2;

    for (;;) {
        while (at < size && bytes[at] == 0xff && at + 1 < size && bytes[at + 1] == 0xff) {
            at++; /* fill bytes */
        }
        if (size - at < 4) {
            return IMAGE_TRUNCATED;
        }
        unsigned marker = bytes[at + 1];
        size_t length = be16(bytes + at + 2);

        if (bytes[at] != 0xff || marker == 0 || marker == JPEG_SOS || stands_alone(marker) ||
            length < 2) {
            return IMAGE_BROKEN;
        }
        if (length > size - at - 2) {
            return IMAGE_TRUNCATED;
        }
        if (is_frame(marker)) {
            const uint8_t *frame = bytes + at + 2;
            enum image_fault fault = read_frame(frame, length, marker, &read);

            if (fault != IMAGE_NONE) {
                return fault;
            }
            at += 2 + length;
            if (marker == JPEG_SOF2 || !is_in_one_scan(bytes + at, size - at, frame[7])) {
                read.working_bytes = coefficient_bytes(frame, frame[7], read.width, read.height);
            }
            return has_end(bytes + at, size - at) ? finish(&read, head) : IMAGE_TRUNCATED;
        }
        at += 2 + length;
    }
}

/* ---- PNG --------------------------------------------------------------------------------- */

enum {
    PNG_MARK = 8,
    PNG_CHUNK = 12, /* length, name and sum of a chunk */
    PNG_IHDR = 13,
    PNG_PALETTE = 3,
    PNG_RGBA = 4, /* bytes of a pixel as the worker holds it */
};

static const uint8_t png_mark[PNG_MARK] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static bool is_depth(unsigned colour, unsigned depth)
{
    static const struct {
        unsigned colour, depths; /* a bit a depth */
    } known[] = {
        {0,           1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 | 1u << 16},
        {2,           1u << 8 | 1u << 16                              },
        {PNG_PALETTE, 1u << 1 | 1u << 2 | 1u << 4 | 1u << 8           },
        {4,           1u << 8 | 1u << 16                              },
        {6,           1u << 8 | 1u << 16                              },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].colour == colour) {
            return depth <= 16 && known[i].depths & 1u << depth;
        }
    }
    return false;
}

/* From chunk to chunk up to the last. */
static enum image_fault find_png_end(const uint8_t *bytes, size_t size)
{
    size_t at = PNG_MARK;

    while (size - at >= PNG_CHUNK) {
        uint32_t length = be32(bytes + at);

        if (length > size - at - PNG_CHUNK) {
            return IMAGE_TRUNCATED;
        }
        if (memcmp(bytes + at + 4, "IEND", 4) == 0) {
            return IMAGE_NONE;
        }
        at += PNG_CHUNK + length;
    }
    return IMAGE_TRUNCATED;
}

static enum image_fault read_png(const uint8_t *bytes, size_t size, struct image_head *head)
{
    struct image_head read = {.type = IMAGE_PNG};
    const uint8_t *ihdr = bytes + PNG_MARK + 8;

    if (size < PNG_MARK + PNG_CHUNK + PNG_IHDR) {
        return IMAGE_TRUNCATED;
    }
    if (be32(bytes + PNG_MARK) != PNG_IHDR || memcmp(bytes + PNG_MARK + 4, "IHDR", 4) != 0 ||
        !is_depth(ihdr[9], ihdr[8]) || ihdr[10] != 0 || ihdr[11] != 0 || ihdr[12] > 1) {
        return IMAGE_BROKEN;
    }
    enum image_fault fault = check_size(be32(ihdr), be32(ihdr + 4));

    if (fault == IMAGE_NONE) {
        fault = find_png_end(bytes, size);
    }
    if (fault != IMAGE_NONE) {
        return fault;
    }
    read.width = (int)be32(ihdr);
    read.height = (int)be32(ihdr + 4);
    read.working_bytes = ihdr[12] ? (int64_t)read.width * read.height * PNG_RGBA : 0;
    return finish(&read, head);
}

/* ---- which ------------------------------------------------------------------------------- */

/* An ISO media file: a box "ftyp" comes first, and names its brand. */
static bool is_heic(const uint8_t *bytes, size_t size)
{
    static const char *const brands[] = {"heic", "heix", "heim", "heis", "hevc",
                                         "mif1", "msf1", "avif", "avis"};

    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++) {
        if (size >= 12 && memcmp(bytes + 4, "ftyp", 4) == 0 &&
            memcmp(bytes + 8, brands[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

enum image_fault image_head_read(const uint8_t *bytes, size_t size, struct image_head *head)
{
    if (size > IMAGE_MAX_BYTES) {
        return IMAGE_BYTES;
    }
    if (size >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff) {
        return read_jpeg(bytes, size, head);
    }
    if (size >= PNG_MARK && memcmp(bytes, png_mark, PNG_MARK) == 0) {
        return read_png(bytes, size, head);
    }
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) {
        return IMAGE_WEBP;
    }
    return is_heic(bytes, size) ? IMAGE_HEIC : IMAGE_TYPE;
}
