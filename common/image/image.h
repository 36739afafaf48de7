/* Pictures that strangers send: what their first bytes say of them, and what a process of its own
 * (photo-worker/) answers that makes small ones of them. Nothing here decodes: the libraries that
 * do are the worker's. */
#ifndef COMMON_IMAGE_IMAGE_H
#define COMMON_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

enum {
    IMAGE_MAX_BYTES = 8 << 20,
    IMAGE_MAX_PIXELS = 24000000,
    IMAGE_MAX_SIDE = 20000,
    IMAGE_MAX_WORKING = 40 << 20, /* what decoding may need beside the rows that come and go */
};

/*    name, what is wrong with the picture, for people */
#define IMAGE_FAULT_LIST(X)                                                                     \
    X(NONE, "")                                                                                 \
    X(TYPE, "is neither JPEG nor PNG")                                                          \
    X(HEIC, "is HEIC, please send it as JPEG or PNG")                                           \
    X(WEBP, "is WebP, please send it as JPEG or PNG")                                           \
    X(BROKEN, "is damaged")                                                                     \
    X(KIND, "is of a rare kind of JPEG that cannot be read, please save it as an ordinary one") \
    X(TRUNCATED, "ends before the picture does")                                                \
    X(BYTES, "has more than 8 MiB")                                                             \
    X(PIXELS, "has more than 24 million pixels, or a side of more than 20000")                  \
    X(WORKING,                                                                                  \
      "is progressive or interlaced and too large for that, please save it as an ordinary one") \
    X(COSTLY, "takes too much time or memory to read")

enum image_fault {
#define X(name, text) IMAGE_##name,
    IMAGE_FAULT_LIST(X)
#undef X
        IMAGE_FAULT_COUNT
};

const char *image_fault_text(enum image_fault fault);

enum image_type { IMAGE_JPEG, IMAGE_PNG };

struct image_head {
    enum image_type type;
    int width, height;
    int64_t working_bytes; /* of one held as a whole: progressive, interlaced, colour by colour */
};

/* By what the bytes are, whatever they are called. Reads as far as the size of the picture, and
 * looks whether its end is there; 'head' is untouched on a fault. */
enum image_fault image_head_read(const uint8_t *bytes, size_t size, struct image_head *head);

/* The worker gets a picture until the end of its input, and answers with this and then the bytes of
 * each size: JPEG, upright, without anything but pixels in it. Both are of one build. */
enum image_size { IMAGE_SMALL, IMAGE_MEDIUM, IMAGE_LARGE, IMAGE_SIZES };

enum { IMAGE_ANSWER_MARK = 0x50484f54, IMAGE_MAX_ANSWER = 2 << 20 };

struct image_answer {
    uint32_t mark;
    uint32_t fault; /* enum image_fault; the sizes are empty then */
    struct image_made {
        uint32_t width, height, bytes;
    } made[IMAGE_SIZES];
};

extern const char *const image_size_names[IMAGE_SIZES];
extern const int image_size_sides[IMAGE_SIZES]; /* pixels of the longer side, at most */

#endif
