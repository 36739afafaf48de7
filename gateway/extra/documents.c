/* See documents.h. */
#include "gateway/extra/documents.h"

#include "common/crypto/crypto.h"
#include "gateway/edge/edge_etag.h"
#include "gateway/gateway.h"
#include "gateway/openapi/openapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_MODIFIED = 304, ETAG_BYTES = 8, ROOM = 64 * 1024 };

struct documents {
    char *openapi;
    size_t size;
    char version[2 * ETAG_BYTES + 1];
};

struct documents *documents_new(const struct contract *contract, const char *public_url)
{
    AUTO(arena) struct arena *arena = arena_new(ROOM);
    struct documents *documents = calloc(1, sizeof(*documents));
    char *openapi = strdup(openapi_document(arena, contract, public_url));
    uint8_t digest[SHA256_SIZE];

    if (!documents || !openapi) {
        fputs("out of memory\n", stderr);
        abort();
    }
    documents->openapi = openapi;
    documents->size = strlen(openapi);
    sha256(openapi, documents->size, digest);
    hex_encode(digest, ETAG_BYTES, documents->version);
    return documents;
}

void documents_free(struct documents *documents)
{
    if (documents) {
        free(documents->openapi);
        free(documents);
    }
}

void documents_openapi(struct exchange *exchange)
{
    const struct documents *documents = exchange->gateway->documents;
    const char *etag = etag_of(exchange->ctx->arena, documents->version);

    http_reply_header(exchange->request, "ETag", etag);
    http_reply_header(exchange->request, "Cache-Control", "no-cache");
    if (etag_is_listed(http_header(exchange->request, "If-None-Match"), etag)) {
        exchange_reply(exchange, NOT_MODIFIED, NULL, "", 0);
        return;
    }
    exchange_reply(exchange, 200, "application/json", documents->openapi, documents->size);
}
