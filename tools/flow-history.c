/* flow-history TARGET WORKFLOW_ID: prints the history of a workflow as lines of hex, as the replay
 * tests read them from their folder histories/. */
#include "common/temporal/temporal.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES_A_LINE = 48 };

int main(int argc, char **argv)
{
    struct temporal_bytes history = {NULL, 0};

    if (argc != 3) {
        fputs("usage: flow-history ipv4:127.0.0.1:7233 WORKFLOW_ID\n", stderr);
        return EXIT_FAILURE;
    }
    struct ctx *ctx = ctx_new_system("flow-history");
    struct temporal *temporal = temporal_new(&(struct temporal_options){.target = argv[1]});
    enum status st = temporal_history(ctx, temporal, argv[2], &history);

    for (size_t i = 0; i < history.size; i++) {
        bool is_last = i % BYTES_A_LINE == BYTES_A_LINE - 1 || i + 1 == history.size;

        printf("%02x%s", ((const unsigned char *)history.bytes)[i], is_last ? "\n" : "");
    }
    if (st != ST_OK) {
        fprintf(stderr, "%s: %s\n", status_name(st), ctx->failure.detail);
    }
    temporal_free(temporal);
    ctx_free(ctx);
    return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
