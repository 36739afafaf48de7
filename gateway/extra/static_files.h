/* What is under web/, embedded at build time: pages without a framework, served with their
 * version as ETag. */
#ifndef GATEWAY_EXTRA_STATIC_FILES_H
#define GATEWAY_EXTRA_STATIC_FILES_H

#include "common/base/arena.h"
#include "gateway/extra/extra_routes.h"

#include <stddef.h>

/* As cmake/embed_web.cmake lays it out; ends with a NULL path. */
struct embedded_file {
    const char *path; /* "/docs/docs.js" */
    const char *bytes;
    size_t size;
};
extern const struct embedded_file embedded_files[];

/* 'first', and after them a route for each file; a folder's index.html is the folder: "/docs".
 * Ends with {0}. */
const struct extra_route *static_files_add_routes(struct arena *arena,
                                                  const struct extra_route *first);

#endif
