/* Before a stranger's picture is read: nothing is left that reading it could do harm with. */
#ifndef PHOTO_WORKER_CONFINE_H
#define PHOTO_WORKER_CONFINE_H

#include <stdbool.h>

/* No files, no processes, no network; bounded memory and time; of the kernel's calls only those
 * that reading, writing and memory need, any other ends the process. False: the kernel cannot. */
bool confine(void);

#endif
