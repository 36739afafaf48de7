/* See give_up.h. */
#include "photo-worker/give_up.h"

#include <errno.h>
#include <unistd.h>

bool write_all(const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(WORKER_FD, (const char *)bytes + done, size - done);

        if (wrote < 0 && errno != EINTR) {
            return false;
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

void give_up(enum image_fault fault)
{
    const struct image_answer answer = {.mark = IMAGE_ANSWER_MARK, .fault = fault};

    _exit(write_all(&answer, sizeof(answer)) ? 0 : 1);
}
