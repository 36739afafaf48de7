/* The one way out of a picture that cannot be read. The libraries' errors must not return, and a
 * process that has one picture to read need not go on: it says why, and ends. */
#ifndef PHOTO_WORKER_GIVE_UP_H
#define PHOTO_WORKER_GIVE_UP_H

#include "common/image/image.h"

#include <stdbool.h>

enum { WORKER_FD = 0 }; /* a socket: the picture comes in, the answer goes out */

__attribute__((noreturn)) void give_up(enum image_fault fault);

bool write_all(const void *bytes, size_t size);

#endif
