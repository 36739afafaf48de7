/* One record: head (salt, record size, sender's point), then the message and its last-record mark
 * under a key that both sides agree on. Names are the RFC's. */
#include "common/crypto/push_seal.h"

#include "common/crypto/crypto.h"

#include <string.h>

enum { RECORD_SIZE = 4096, KEY_SIZE = 16, NONCE_SIZE = 12, LAST_RECORD = 2 };

#define KEY_INFO   "WebPush: info"
#define CEK_INFO   "Content-Encoding: aes128gcm"
#define NONCE_INFO "Content-Encoding: nonce"

/* The RFC's infos end with their NUL. */
#define INFO(text) ((struct bytes){(text), sizeof(text)})

static bool key_material(const struct p256_key *sender, const uint8_t sender_point[P256_POINT_SIZE],
                         const struct push_receiver *to, uint8_t ikm[SHA256_SIZE])
{
    uint8_t shared[P256_SHARED_SIZE], info[sizeof(KEY_INFO) + 2 * P256_POINT_SIZE];

    if (!p256_agree(sender, to->point, shared)) {
        return false;
    }
    memcpy(info, KEY_INFO, sizeof(KEY_INFO));
    memcpy(info + sizeof(KEY_INFO), to->point, P256_POINT_SIZE);
    memcpy(info + sizeof(KEY_INFO) + P256_POINT_SIZE, sender_point, P256_POINT_SIZE);
    bool made = hkdf_sha256((struct bytes){to->secret, PUSH_SECRET_SIZE},
                            (struct bytes){shared, sizeof(shared)},
                            (struct bytes){info, sizeof(info)}, ikm, SHA256_SIZE);
    explicit_bzero(shared, sizeof(shared));
    return made;
}

static void write_head(const uint8_t salt[PUSH_SALT_SIZE], const uint8_t point[P256_POINT_SIZE],
                       uint8_t head[PUSH_HEAD_SIZE])
{
    static const uint8_t sizes[] = {0, 0, RECORD_SIZE >> 8, RECORD_SIZE & 0xff, P256_POINT_SIZE};

    memcpy(head, salt, PUSH_SALT_SIZE);
    memcpy(head + PUSH_SALT_SIZE, sizes, sizeof(sizes));
    memcpy(head + PUSH_SALT_SIZE + sizeof(sizes), point, P256_POINT_SIZE);
}

static bool seal_record(const uint8_t salt[PUSH_SALT_SIZE], const uint8_t ikm[SHA256_SIZE],
                        struct bytes plain, uint8_t *record)
{
    struct bytes by_salt = {salt, PUSH_SALT_SIZE}, material = {ikm, SHA256_SIZE};
    uint8_t key[KEY_SIZE], nonce[NONCE_SIZE], marked[PUSH_PLAIN_MAX + 1];

    memcpy(marked, plain.data, plain.size);
    marked[plain.size] = LAST_RECORD;
    bool sealed = hkdf_sha256(by_salt, material, INFO(CEK_INFO), key, sizeof(key)) &&
                  hkdf_sha256(by_salt, material, INFO(NONCE_INFO), nonce, sizeof(nonce)) &&
                  aes128_gcm_seal(key, nonce, (struct bytes){marked, plain.size + 1}, record);
    explicit_bzero(key, sizeof(key));
    return sealed;
}

bool push_seal(const struct p256_key *sender, const uint8_t salt[PUSH_SALT_SIZE],
               const struct push_receiver *to, struct bytes plain, uint8_t *sealed)
{
    uint8_t point[P256_POINT_SIZE], ikm[SHA256_SIZE];

    p256_public(sender, point);
    if (plain.size > PUSH_PLAIN_MAX || !key_material(sender, point, to, ikm)) {
        return false;
    }
    write_head(salt, point, sealed);
    bool done = seal_record(salt, ikm, plain, sealed + PUSH_HEAD_SIZE);
    explicit_bzero(ikm, sizeof(ikm));
    return done;
}
