/* See static_files.h. */
#include "gateway/extra/static_files.h"

#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "gateway/edge/edge_etag.h"
#include "gateway/routes.h"

#include <string.h>

enum { NOT_MODIFIED = 304, ETAG_BYTES = 8 };

/* Pages may load what is ours and nothing else. Their scripts send: a form whose script has not
 * come does not put a password into an address. */
#define PAGE_POLICY                                                                  \
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; " \
    "frame-ancestors 'none'; form-action 'none'"

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html",        "text/html; charset=utf-8"      },
        {".css",         "text/css; charset=utf-8"       },
        {".js",          "text/javascript; charset=utf-8"},
        {".json",        "application/json"              },
        {".webmanifest", "application/manifest+json"     },
        {".svg",         "image/svg+xml"                 },
        {".png",         "image/png"                     },
        {".ico",         "image/x-icon"                  },
    };
    size_t length = strlen(path);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        size_t ending = strlen(types[i].ending);

        if (length > ending && strcmp(path + length - ending, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* "/docs/index.html" is asked for as "/docs". */
static const char *address_of(struct arena *arena, const char *path)
{
    static const char index[] = "/index.html";
    size_t length = strlen(path), ending = sizeof(index) - 1;

    if (length < ending || strcmp(path + length - ending, index) != 0) {
        return path;
    }
    return length == ending ? "/" : arena_printf(arena, "%.*s", (int)(length - ending), path);
}

static const struct embedded_file *find(struct arena *arena, const char *address)
{
    for (const struct embedded_file *file = embedded_files; file->path; file++) {
        if (strcmp(address_of(arena, file->path), address) == 0) {
            return file;
        }
    }
    return NULL;
}

static void serve(struct exchange *exchange)
{
    struct arena *arena = exchange->ctx->arena;
    const struct embedded_file *file = find(arena, exchange->route->template);
    uint8_t digest[SHA256_SIZE];
    char version[2 * ETAG_BYTES + 1];

    sha256(file->bytes, file->size, digest);
    hex_encode(digest, ETAG_BYTES, version);
    const char *etag = etag_of(arena, version);

    http_reply_header(exchange->request, "ETag", etag);
    http_reply_header(exchange->request, "Cache-Control", "no-cache");
    http_reply_header(exchange->request, "Content-Security-Policy", PAGE_POLICY);
    if (etag_is_listed(http_header(exchange->request, "If-None-Match"), etag)) {
        exchange_reply(exchange, NOT_MODIFIED, NULL, "", 0);
        return;
    }
    exchange_reply(exchange, 200, type_of(file->path), file->bytes, file->size);
}

const struct extra_route *static_files_add_routes(struct arena *arena,
                                                  const struct extra_route *first)
{
    size_t count = 0, files = 0;

    while (first[count].template) {
        count++;
    }
    while (embedded_files[files].path) {
        files++;
    }
    struct extra_route *all = arena_new_array(arena, struct extra_route, count + files + 1);

    memcpy(all, first, count * sizeof(*all));
    for (size_t i = 0; i < files; i++) {
        all[count + i] = (struct extra_route){VERB_GET, address_of(arena, embedded_files[i].path),
                                              ROLE_ANYONE, NULL, serve};
    }
    return all;
}
