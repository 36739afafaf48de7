/* Bytes as text: hexadecimal and base64url. Decoding is strict, so that one value has one
 * spelling: a token or page token that was touched is another one. */
#include "common/crypto/crypto.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_encode(const void *bytes, size_t size, char *text)
{
    const uint8_t *from = bytes;

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = hex_digits[from[i] >> 4];
        text[2 * i + 1] = hex_digits[from[i] & 15];
    }
    text[2 * size] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(const char *text, void *bytes, size_t size)
{
    uint8_t *to = bytes;

    if (strlen(text) != 2 * size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

char *base64url_encode(struct arena *arena, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    char *text = arena_alloc(arena, (size * 4 + 2) / 3 + 1);
    size_t length = 0;
    uint32_t held = 0;
    unsigned int bits = 0;

    for (size_t i = 0; i < size; i++) {
        held = held << 8 | from[i];
        for (bits += 8; bits >= 6; bits -= 6) {
            text[length++] = alphabet[held >> (bits - 6) & 63];
        }
    }
    if (bits > 0) {
        text[length++] = alphabet[held << (6 - bits) & 63];
    }
    return text; /* the arena's memory is zeroed: it ends there */
}

static int base64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

uint8_t *base64url_decode(struct arena *arena, const char *text, size_t length, size_t *size)
{
    uint8_t *bytes = arena_alloc(arena, length * 3 / 4 + 1); /* a NUL stands after the last */
    size_t count = 0;
    uint32_t held = 0;
    unsigned int bits = 0;

    if (length % 4 == 1) {
        return NULL;
    }
    for (size_t i = 0; i < length; i++) {
        int value = base64url_value(text[i]);

        if (value < 0) {
            return NULL;
        }
        held = held << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[count++] = (uint8_t)(held >> bits);
        }
    }
    if (held & ((1U << bits) - 1)) {
        return NULL; /* a second spelling of the same bytes */
    }
    *size = count;
    return bytes;
}
