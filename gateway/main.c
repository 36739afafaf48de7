/* gateway: REST in front of the daemons. */
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/process/daemon.h"
#include "gateway/config.h"
#include "gateway/gateway.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MALLOC_ARENAS = 2, EXIT_USAGE = 2 };

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print-config") == 0) {
        config_print();
        return EXIT_SUCCESS;
    }
    if (argc != 1) {
        fputs("usage: gateway [--print-config]\n", stderr);
        return EXIT_USAGE;
    }
    const struct config *config = config_load();
    if (!config) {
        return EXIT_FAILURE;
    }
    mallopt(M_ARENA_MAX, MALLOC_ARENAS); /* one a thread would keep what streams gave back */
    log_open("gateway", config->log_level);
    metrics_build_info("gateway", BUILD_VERSION);
    daemon_block_signals(); /* before the first thread, so that all inherit it */

    struct otlp_export *traces = otlp_export_start(&config->traces, "gateway", BUILD_VERSION);
    struct gateway *gateway = gateway_start(config, NULL);
    if (!gateway) {
        return EXIT_FAILURE;
    }
    log_info(NULL, "started", log_num("http_port", http_server_port(gateway->http)));

    int sig = daemon_wait_for_signal();
    log_info(NULL, "stopping", log_num("signal", sig));
    daemon_end_within(DAEMON_END_MS);
    gateway_stop(gateway);
    otlp_export_stop(traces);
    return EXIT_SUCCESS;
}
