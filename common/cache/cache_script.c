/* Lua scripts by their digest. Valkey names a script by SHA-1; it is written out here because
 * nothing else in the house may use SHA-1, and a name is all that it is. */
#include "common/cache/cache_conn.h"

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

static struct cache_words words_of(struct ctx *ctx, const char *command, const char *script,
                                   const struct cache_call *call)
{
    size_t first_arg = FIXED_WORDS + call->key_count, count = first_arg + call->arg_count;
    const char **words = arena_new_array(ctx->arena, const char *, count);
    size_t *sizes = arena_new_array(ctx->arena, size_t, count);

    words[0] = command;
    words[1] = script;
    words[2] = arena_printf(ctx->arena, "%zu", call->key_count);
    for (size_t i = FIXED_WORDS; i < count; i++) {
        words[i] = i < first_arg ? call->keys[i - FIXED_WORDS] : call->args[i - first_arg];
    }
    for (size_t i = 0; i < count; i++) {
        bool is_sized = i >= first_arg && call->arg_sizes;

        sizes[i] = is_sized ? call->arg_sizes[i - first_arg] : strlen(words[i]);
    }
    return (struct cache_words){.words = words, .sizes = sizes, .count = count};
}

enum status cache_eval(struct ctx *ctx, struct cache *cache, const struct cache_script *script,
                       const struct cache_call *call, struct cache_reply *reply)
{
    struct cache_words words = words_of(ctx, "EVALSHA", script->sha1, call);
    struct cache_reply answer = {0};
    enum status st = cache_command_sized(ctx, cache, &words, &answer);

    if (st == ST_INTERNAL && answer.kind == CACHE_ERROR &&
        strncmp(answer.text, "NOSCRIPT", 8) == 0) { /* restarted or flushed: EVAL loads it */
        ctx_forgive(ctx);
        words = words_of(ctx, "EVAL", script->text, call);
        st = cache_command_sized(ctx, cache, &words, &answer);
    }
    TRY(st);
    *reply = answer;
    return ST_OK;
}
