/* The mean over an area, exact: positions are counted in units of which a pixel of the source has
 * as many as the target has pixels, and the other way round, so that no share is ever rounded. */
#include "photo-worker/picture.h"

#include <stdbool.h>
#include <string.h>

/* One direction: how many pixels there are, how many there shall be, and how far we are. */
struct axis {
    int64_t from, to, at;
};

struct scaler {
    struct axis x, y;
    uint32_t *row;  /* sums of this row, along x: 255 * from fits */
    uint64_t *sums; /* and of the rows that the next row of the target covers */
    uint8_t *out;
    struct row_sink next;
};

struct scaler *scaler_new(struct arena *arena, int from_width, int from_height,
                          const struct picture *to, struct row_sink next)
{
    struct scaler *scaler = arena_new_struct(arena, struct scaler);
    size_t values = (size_t)to->width * RGB;

    *scaler = (struct scaler){
        .x = {from_width,  to->width,  0},
        .y = {from_height, to->height, 0},
        .row = arena_new_array(arena, uint32_t, values),
        .sums = arena_new_array(arena, uint64_t, values),
        .out = arena_new_array(arena, uint8_t, values),
        .next = next,
    };
    return scaler;
}

/* How much of the pixel that comes falls to the target's that is being filled; the rest is the
 * next one's. Tells whether that one is full. */
static bool advance(struct axis *axis, int64_t *share)
{
    int64_t room = axis->from - axis->at;

    *share = axis->to < room ? axis->to : room;
    axis->at += axis->to;
    if (axis->at < axis->from) {
        return false;
    }
    axis->at -= axis->from;
    return true;
}

static void sum_row(struct scaler *scaler, const uint8_t *rgb)
{
    uint32_t *to = scaler->row;
    struct axis x = scaler->x;

    memset(to, 0, (size_t)x.to * RGB * sizeof(*to));
    for (int64_t i = 0; i < x.from; i++, rgb += RGB) {
        int64_t share;
        bool full = advance(&x, &share);

        for (int c = 0; c < RGB; c++) {
            to[c] += (uint32_t)share * rgb[c];
        }
        if (!full) {
            continue;
        }
        to += RGB;
        for (int c = 0; c < RGB && x.at; c++) {
            to[c] += (uint32_t)x.at * rgb[c];
        }
    }
}

static void add_sums(struct scaler *scaler, int64_t share)
{
    for (int64_t i = 0; i < scaler->x.to * RGB; i++) {
        scaler->sums[i] += (uint64_t)share * scaler->row[i];
    }
}

static void give_row(struct scaler *scaler)
{
    uint64_t whole = (uint64_t)(scaler->x.from * scaler->y.from);

    for (int64_t i = 0; i < scaler->x.to * RGB; i++) {
        scaler->out[i] = (uint8_t)((scaler->sums[i] + whole / 2) / whole);
        scaler->sums[i] = 0;
    }
    scaler->next.take(scaler->next.user, scaler->out);
}

void scaler_take(void *user, const uint8_t *rgb)
{
    struct scaler *scaler = user;
    int64_t share;

    sum_row(scaler, rgb);
    bool full = advance(&scaler->y, &share);

    add_sums(scaler, share);
    if (full) {
        give_row(scaler);
        if (scaler->y.at) {
            add_sums(scaler, scaler->y.at);
        }
    }
}
