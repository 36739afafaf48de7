/* Lua scripts by their digest. Valkey names a script by SHA-1; it is written out here because
 * nothing else in the house may use SHA-1, and a name is all that it is. */
#include "common/cache/cache.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK_SIZE = 64, LENGTH_SIZE = 8, FIXED_WORDS = 3 };

static uint32_t rotated(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static void sha1_block(uint32_t state[5], const uint8_t block[BLOCK_SIZE])
{
    static const uint32_t constants[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (int i = 0; i < 16; i++) {
        const uint8_t *p = block + (size_t)i * 4;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 80; i++) {
        w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    for (int i = 0; i < 80; i++) {
        const uint32_t mixes[] = {(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d),
                                  b ^ c ^ d};
        uint32_t next = rotated(a, 5) + mixes[i / 20] + e + constants[i / 20] + w[i];

        e = d;
        d = c;
        c = rotated(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

static void sha1_hex(const char *text, char hex[41])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t tail[2 * BLOCK_SIZE] = {0};
    size_t size = strlen(text), left = size;

    for (; left >= BLOCK_SIZE; left -= BLOCK_SIZE) {
        sha1_block(state, (const uint8_t *)text + (size - left));
    }
    memcpy(tail, text + (size - left), left);
    tail[left] = 0x80;
    size_t tail_size = left + 1 + LENGTH_SIZE <= BLOCK_SIZE ? BLOCK_SIZE : 2 * BLOCK_SIZE;
    for (int i = 0; i < LENGTH_SIZE; i++) {
        tail[tail_size - 1 - (size_t)i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
    }
    for (size_t at = 0; at < tail_size; at += BLOCK_SIZE) {
        sha1_block(state, tail + at);
    }
    snprintf(hex, 41, "%08x%08x%08x%08x%08x", state[0], state[1], state[2], state[3], state[4]);
}

void cache_script_init(struct cache_script *script, const char *text)
{
    script->text = text;
    sha1_hex(text, script->sha1);
}

static const char **words_of(struct ctx *ctx, const struct cache_script *script,
                             const struct cache_call *call)
{
    size_t count = FIXED_WORDS + call->key_count + call->arg_count;
    const char **words = arena_new_array(ctx->arena, const char *, count);

    words[0] = "EVALSHA";
    words[1] = script->sha1;
    words[2] = arena_printf(ctx->arena, "%zu", call->key_count);
    for (size_t i = 0; i < call->key_count; i++) {
        words[FIXED_WORDS + i] = call->keys[i];
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        words[FIXED_WORDS + call->key_count + i] = call->args[i];
    }
    return words;
}

enum status cache_eval(struct ctx *ctx, struct cache *cache, const struct cache_script *script,
                       const struct cache_call *call, struct cache_reply *reply)
{
    size_t count = FIXED_WORDS + call->key_count + call->arg_count;
    const char **words = words_of(ctx, script, call);
    struct cache_reply answer = {0};
    enum status st = cache_command(ctx, cache, words, count, &answer);

    if (st == ST_INTERNAL && answer.kind == CACHE_ERROR &&
        strncmp(answer.text, "NOSCRIPT", 8) == 0) { /* restarted or flushed: EVAL loads it */
        ctx_forgive(ctx);
        words[0] = "EVAL";
        words[1] = script->text;
        st = cache_command(ctx, cache, words, count, &answer);
    }
    TRY(st);
    *reply = answer;
    return ST_OK;
}
