/* A picture as it was seen, not as the camera was held. */
#include "photo-worker/picture.h"

#include <stdbool.h>
#include <string.h>

/* Of the upright picture: does it have the sides swapped, and does each run backwards in the file.
 * As EXIF numbers them. */
static const struct way {
    bool swapped, right_to_left, bottom_up;
} ways[] = {
    [1] = {false, false, false},
      [2] = {false, true,  false},
      [3] = {false, true,  true },
    [4] = {false, false, true },
      [5] = {true,  false, false},
      [6] = {true,  false, true },
    [7] = {true,  true,  true },
      [8] = {true,  true,  false},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

struct picture turn_upright(struct arena *arena, struct picture picture, int orientation)
{
    if (orientation < 2 || orientation >= WAYS) {
        return picture;
    }
    const struct way *way = &ways[orientation];
    struct picture upright = {
        .width = way->swapped ? picture.height : picture.width,
        .height = way->swapped ? picture.width : picture.height,
    };
    uint8_t *to = arena_alloc_array(arena, (size_t)picture.width * (size_t)picture.height, RGB);

    upright.rgb = to;
    for (int y = 0; y < upright.height; y++) {
        for (int x = 0; x < upright.width; x++, to += RGB) {
            int column = way->swapped ? y : x, row = way->swapped ? x : y;

            column = way->right_to_left ? picture.width - 1 - column : column;
            row = way->bottom_up ? picture.height - 1 - row : row;
            memcpy(to, picture.rgb + ((size_t)row * (size_t)picture.width + (size_t)column) * RGB,
                   RGB);
        }
    }
    return upright;
}
