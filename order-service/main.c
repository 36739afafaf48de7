/* order-service: the menu, the orders and their way from placed to picked up. */
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/process/daemon.h"
#include "order-service/config.h"
#include "order-service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

int main(int argc, char **argv)
{
    bool migrates = argc == 2 && strcmp(argv[1], "--migrate") == 0;

    if (argc == 2 && strcmp(argv[1], "--print-config") == 0) {
        config_print();
        return EXIT_SUCCESS;
    }
    if (argc != 1 && !migrates) {
        fputs("usage: order-service [--migrate | --print-config]\n", stderr);
        return EXIT_USAGE;
    }
    const struct config *config = migrates ? config_load_to_migrate() : config_load();
    if (!config) {
        return EXIT_FAILURE;
    }
    log_open("order-service", config->log_level);
    if (migrates) {
        return service_migrate(config) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    metrics_build_info("order-service", BUILD_VERSION);
    daemon_spare_memory();
    daemon_block_signals(); /* before the first thread, so that all inherit it */

    struct otlp_export *traces = otlp_export_start(&config->traces, "order-service", BUILD_VERSION);
    struct service *service = service_start(config);
    if (!service) {
        return EXIT_FAILURE;
    }
    log_info(NULL, "started", log_num("grpc_port", config->grpc_port));

    int sig = daemon_wait_for_signal();
    log_info(NULL, "stopping", log_num("signal", sig));
    daemon_end_within(DAEMON_END_MS);
    service_stop(service);
    otlp_export_stop(traces);
    return EXIT_SUCCESS;
}
