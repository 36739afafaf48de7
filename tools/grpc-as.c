/* grpc-as ROLE AUDIENCE METHOD [SUBJECT]: the x-identity header of such a caller, for grpcurl:
 *
 *     QUEUE=coffee.order.v1.OrderService/ListQueue
 *     grpcurl -plaintext -H "$(grpc-as barista order-service /$QUEUE)" 127.0.0.1:50051 $QUEUE
 *
 * The keys are those of IDENTITY_KEYS_FILE, which the daemons have too. A header lives a minute. */
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/conf/settings.h"
#include "common/rpc/identity.h"

#include <stdlib.h>
#include <string.h>

static const char *keys_file;

static const struct setting table[] = {
    SETTING_TEXT("IDENTITY_KEYS_FILE", &keys_file, ".run/secrets/identity.keys",
                 "keys that callers' identities are signed with"),
};

static bool read_caller(char **words, int count, struct caller *caller)
{
    const char *nobody = "00000000-0000-7000-8000-000000000000"; /* a subject that is no person */

    caller->role = role_parse(words[0]);
    caller->signed_in_at = clock_wall_ms() / 1000; /* just now: recent enough for a step-up */
    text_copy(caller->methods, sizeof(caller->methods), "pwd");
    if (caller->role == ROLE_ANYONE ||
        (caller->role == ROLE_NOBODY && strcmp(words[0], "nobody") != 0)) {
        fprintf(stderr, "grpc-as: no role \"%s\"\n", words[0]);
        return false;
    }
    return text_copy(caller->subject, sizeof(caller->subject), count > 3 ? words[3] : nobody);
}

int main(int argc, char **argv)
{
    char identity[IDENTITY_TEXT_SIZE];
    struct caller caller = {0};

    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: grpc-as ROLE AUDIENCE METHOD [SUBJECT]\n");
        return 2;
    }
    if (!settings_load(table, ARRAY_LEN(table), stderr) ||
        !read_caller(argv + 1, argc - 1, &caller)) {
        return EXIT_FAILURE;
    }
    struct identity_keys *keys = identity_keys_load(keys_file, stderr);
    if (!keys) {
        return EXIT_FAILURE;
    }
    identity_sign(keys, &caller, "", argv[2], argv[3], identity);
    identity_keys_free(keys);
    printf("x-identity: %s\n", identity);
    return EXIT_SUCCESS;
}
