/* Web Push's encryption (RFC 8291 over RFC 8188): a message that only the browser that subscribed
 * can read. */
#ifndef COMMON_CRYPTO_PUSH_SEAL_H
#define COMMON_CRYPTO_PUSH_SEAL_H

#include "common/crypto/p256.h"

enum {
    PUSH_SALT_SIZE = 16,
    PUSH_SECRET_SIZE = 16,
    PUSH_HEAD_SIZE = PUSH_SALT_SIZE + 4 + 1 + P256_POINT_SIZE,
    PUSH_SEAL_SIZE = PUSH_HEAD_SIZE + 1 + AES_TAG_SIZE, /* what is added to the message */
    PUSH_PLAIN_MAX = 4096 - PUSH_SEAL_SIZE,             /* what every push service takes */
};

/* Of the subscription: its key p256dh and its secret auth. */
struct push_receiver {
    uint8_t point[P256_POINT_SIZE], secret[PUSH_SECRET_SIZE];
};

/* A sender's key and a salt serve one message. 'sealed' gets plain.size + PUSH_SEAL_SIZE bytes.
 * False when the receiver's point is none, or the message too long. */
bool push_seal(const struct p256_key *sender, const uint8_t salt[PUSH_SALT_SIZE],
               const struct push_receiver *to, struct bytes plain, uint8_t *sealed);

#endif
