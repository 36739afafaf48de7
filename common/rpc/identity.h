/* Who is asking, between daemons: metadata under an HMAC (ADR 0006, 0018). It covers key id,
 * audience, method, subject, role, session, amr, auth_time, the client's address as the gateway saw
 * it, and the time (60 s either way). Two keys are accepted, the first one signs. */
#ifndef COMMON_RPC_IDENTITY_H
#define COMMON_RPC_IDENTITY_H

#include "common/base/ctx.h"

#include <stdio.h>

struct identity_keys;

/* Lines "<key id> <64 hex digits>". NULL, with the reason on 'complaints', when the file cannot be
 * used or holds an example key. */
struct identity_keys *identity_keys_load(const char *file, FILE *complaints);
void identity_keys_free(struct identity_keys *keys);

enum { IDENTITY_TEXT_SIZE = 512 };

/* The value of the metadata key "x-identity" for a call of 'method' at 'audience', made for whoever
 * asked from 'address' ("": unknown). */
void identity_sign(const struct identity_keys *keys, const struct caller *caller,
                   const char *address, const char *audience, const char *method,
                   char text[IDENTITY_TEXT_SIZE]);

/* Takes caller and client's address over into ctx. ST_UNAUTHENTICATED, without saying why to the
 * client, unless it was signed for this method and audience. */
enum status identity_verify(struct ctx *ctx, const struct identity_keys *keys, const char *text,
                            const char *audience, const char *method) MUST_CHECK;

/* What tells one text from another and says nothing of it to who has no key: an HMAC under the
 * oldest one, which stays while a newer one is brought in. */
void identity_fingerprint(const struct identity_keys *keys, const void *bytes, size_t size,
                          uint8_t mac[32]);

#endif
