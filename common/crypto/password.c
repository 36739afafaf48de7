/* Passwords: argon2id at a cost that a 64 MiB container can bear once at a time
 * (measured: 23 ms and 21 MB a hash). */
#include "common/crypto/crypto.h"

#include <sodium.h>
#include <string.h>

enum { PASSES = 2, MEMORY_BYTES = 19 * 1024 * 1024 };

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "a hash has the library's size");

bool password_hash(const char *password, char hash[PASSWORD_HASH_SIZE])
{
    return sodium_init() >= 0 &&
           crypto_pwhash_str_alg(hash, password, strlen(password), PASSES, MEMORY_BYTES,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool password_matches(const char *password, const char *hash)
{
    return sodium_init() >= 0 && crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}
