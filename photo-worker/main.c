/* Reads one picture, answers with its sizes, ends. order-service starts one for each photo, with a
 * socket and nothing else: a picture that makes the libraries misbehave does so here, where there
 * is nothing to be had. */
#include "photo-worker/confine.h"
#include "photo-worker/give_up.h"
#include "photo-worker/picture.h"

#include <errno.h>
#include <unistd.h>

enum { UNCONFINED = 3, UNANSWERED = 4, FIRST_BLOCK = 64 * 1024 };

static size_t read_all(uint8_t *bytes, size_t room)
{
    size_t size = 0;

    while (size < room) {
        ssize_t got = read(WORKER_FD, bytes + size, room - size);

        if (got == 0 || (got < 0 && errno != EINTR)) {
            break;
        }
        size += got > 0 ? (size_t)got : 0;
    }
    return size;
}

static bool answer(const struct jpeg_file made[IMAGE_SIZES])
{
    struct image_answer head = {.mark = IMAGE_ANSWER_MARK, .fault = IMAGE_NONE};

    for (int i = 0; i < IMAGE_SIZES; i++) {
        head.made[i] = (struct image_made){(uint32_t)made[i].width, (uint32_t)made[i].height,
                                           (uint32_t)made[i].size};
    }
    bool wrote = write_all(&head, sizeof(head));

    for (int i = 0; i < IMAGE_SIZES && wrote; i++) {
        wrote = write_all(made[i].bytes, made[i].size);
    }
    return wrote;
}

int main(void)
{
    if (!confine()) {
        _exit(UNCONFINED);
    }
    struct arena *arena = arena_new(FIRST_BLOCK);
    uint8_t *bytes = arena_alloc(arena, IMAGE_MAX_BYTES + 1);
    size_t size = read_all(bytes, IMAGE_MAX_BYTES + 1);
    struct jpeg_file made[IMAGE_SIZES];
    struct image_head head;
    enum image_fault fault = image_head_read(bytes, size, &head);

    if (fault != IMAGE_NONE) {
        give_up(fault);
    }
    make_sizes(arena, bytes, size, &head, made);
    _exit(answer(made) ? 0 : UNANSWERED);
}
