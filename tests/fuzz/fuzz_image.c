/* links: photo_worker_parts common_image */
/* Any bytes as the head of a picture, and as EXIF: what is read stays within them, and what is
 * taken for a picture is of a size that we bear. The decoders themselves run in a process that may
 * die. */
#include "photo-worker/picture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1); /* of just that size: a step beyond it is seen */
    struct image_head head = {.width = -1};

    if (!copy) {
        return 0;
    }
    memcpy(copy, bytes, size);
    enum image_fault fault = image_head_read(copy, size, &head);
    bool is_good = head.width >= 1 && head.height >= 1 && head.width <= IMAGE_MAX_SIDE &&
                   head.height <= IMAGE_MAX_SIDE &&
                   (int64_t)head.width * head.height <= IMAGE_MAX_PIXELS &&
                   head.working_bytes >= 0 && head.working_bytes <= IMAGE_MAX_WORKING;
    int orientation = exif_orientation(copy, size);

    if ((fault == IMAGE_NONE) != is_good || orientation < 1 || orientation > 8) {
        abort();
    }
    free(copy);
    return 0;
}
