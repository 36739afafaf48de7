/* customer-service: people, how they sign in, what they like and what they have earned. */
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/process/daemon.h"
#include "customer-service/config.h"
#include "customer-service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run(const struct config *config)
{
    metrics_build_info("customer-service", BUILD_VERSION);
    daemon_spare_memory();
    daemon_block_signals(); /* before the first thread, so that all inherit it */

    struct otlp_export *traces =
        otlp_export_start(&config->traces, "customer-service", BUILD_VERSION);
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

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    bool is_make_admin = strcmp(verb, "--make-admin") == 0;
    bool migrates = strcmp(verb, "--migrate") == 0;

    if (strcmp(verb, "--print-config") == 0 && argc == 2) {
        config_print();
        return EXIT_SUCCESS;
    }
    if (argc != (is_make_admin ? 3 : *verb ? 2 : 1) || (*verb && !is_make_admin && !migrates)) {
        fputs("usage: customer-service [--migrate | --make-admin HANDLE | --print-config]\n",
              stderr);
        return 2;
    }
    const struct config *config = migrates ? config_load_to_migrate() : config_load();
    if (!config) {
        return EXIT_FAILURE;
    }
    log_open("customer-service", config->log_level);
    if (!*verb) {
        return run(config);
    }
    bool done = migrates ? service_migrate(config) : service_make_admin(config, argv[2]);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
