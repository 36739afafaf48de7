/* Networks are compared as IPv6; IPv4 is mapped into it. */
#include "gateway/edge/edge_address.h"

#include "common/base/text.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NETWORKS = 32, ADDRESS_SIZE = 16, V4_OFFSET = 96 };

struct network {
    uint8_t address[ADDRESS_SIZE];
    int bits;
};

struct proxies {
    struct network networks[MAX_NETWORKS];
    size_t count;
};

static bool parse_ip(const char *text, uint8_t address[ADDRESS_SIZE], bool *is_v4)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    *is_v4 = inet_pton(AF_INET, text, address + sizeof(mapped)) == 1;
    if (*is_v4) {
        memcpy(address, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, text, address) == 1;
}

static bool parse_network(char *text, struct network *network)
{
    char *slash = strchr(text, '/');
    int64_t bits;
    bool is_v4;

    if (slash) {
        *slash++ = '\0';
    }
    if (!parse_ip(text, network->address, &is_v4)) {
        return false;
    }
    int most = is_v4 ? 32 : 128;
    if (!text_parse_int(slash ? slash : is_v4 ? "32" : "128", 0, most, &bits)) {
        return false;
    }
    network->bits = (int)bits + (is_v4 ? V4_OFFSET : 0);
    return true;
}

struct proxies *proxies_new(const char *networks)
{
    struct proxies *proxies = calloc(1, sizeof(*proxies));
    AUTO(arena) struct arena *arena = arena_new(1024);
    char *rest = arena_strdup(arena, networks);

    if (!proxies) {
        fputs("out of memory\n", stderr);
        abort();
    }
    while (rest) {
        char *one = strsep(&rest, ", ");

        if (!*one) {
            continue;
        }
        if (proxies->count == MAX_NETWORKS ||
            !parse_network(one, &proxies->networks[proxies->count++])) {
            proxies_free(proxies);
            return NULL;
        }
    }
    return proxies;
}

void proxies_free(struct proxies *proxies)
{
    free(proxies);
}

static bool is_inside(const struct network *network, const uint8_t address[ADDRESS_SIZE])
{
    int bytes = network->bits / 8, rest = network->bits % 8;

    if (memcmp(network->address, address, (size_t)bytes) != 0) {
        return false;
    }
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return rest == 0 || (network->address[bytes] & mask) == (address[bytes] & mask);
}

bool proxies_trust(const struct proxies *proxies, const char *text)
{
    uint8_t address[ADDRESS_SIZE];
    bool is_v4;

    if (!parse_ip(text, address, &is_v4)) {
        return false;
    }
    for (size_t i = 0; i < proxies->count; i++) {
        if (is_inside(&proxies->networks[i], address)) {
            return true;
        }
    }
    return false;
}

const char *client_address(struct arena *arena, const struct proxies *proxies,
                           const char *connection, const char *forwarded)
{
    const char *believed = connection;
    uint8_t address[ADDRESS_SIZE];
    bool is_v4;

    if (!forwarded || !proxies_trust(proxies, connection)) {
        return connection;
    }
    char *list = arena_strdup(arena, forwarded);

    while (*list) {
        char *comma = strrchr(list, ',');
        char *last = comma ? comma + 1 : list;

        last += strspn(last, " \t");
        last[strcspn(last, " \t")] = '\0';
        if (!parse_ip(last, address, &is_v4)) {
            return believed; /* whoever wrote that, what is left of it says nothing */
        }
        believed = last;
        if (!comma || !proxies_trust(proxies, last)) {
            return believed;
        }
        *comma = '\0';
    }
    return believed;
}

const char *limited_address(struct arena *arena, const char *address)
{
    uint8_t bytes[ADDRESS_SIZE];
    char text[INET6_ADDRSTRLEN];

    if (!strchr(address, ':') || inet_pton(AF_INET6, address, bytes) != 1) {
        return address;
    }
    memset(bytes + ADDRESS_SIZE / 2, 0, ADDRESS_SIZE / 2);
    inet_ntop(AF_INET6, bytes, text, sizeof(text));
    return arena_printf(arena, "%s/64", text);
}
