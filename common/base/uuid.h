/* UUIDs of version 7: they sort by the time they were made. */
#ifndef COMMON_BASE_UUID_H
#define COMMON_BASE_UUID_H

#include "common/base/ctx.h"

#include <stdbool.h>

/* Monotonic within the process, safe from any thread. */
void uuid_v7(char text[ID_TEXT_SIZE]);

/* Any UUID in its 36-character form; 'text' gets it in lower case. */
bool uuid_parse(const char *input, char text[ID_TEXT_SIZE]);

#endif
