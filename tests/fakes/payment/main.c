/* A payment provider to practise on: a process of its own, with books of its own, that can decline,
 * lose its answers, be slow and die. No part of the daemons: they know its protocol alone. */
#include "common/conf/settings.h"
#include "common/obs/log.h"
#include "common/process/daemon.h"
#include "tests/fakes/payment/api.h"
#include "tests/fakes/payment/faults.h"
#include "tests/fakes/payment/later.h"
#include "tests/fakes/payment/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { DRAIN_MS = 200 };

struct options {
    const char *address, *ledger, *faults;
    int port, seed;
};

static bool load(struct options *options)
{
    /* clang-format off */
    const struct setting table[] = {
        SETTING_TEXT("LISTEN_ADDRESS", &options->address, "127.0.0.1", "address to listen on"),
        SETTING_NUMBER("PAYMENT_PORT", &options->port, "0", 0, 65535, "its port; 0: any, it is on the log"),
        SETTING_TEXT("PAYMENT_LEDGER", &options->ledger, "ledger.jsonl", "file of the books"),
        SETTING_TEXT("PAYMENT_FAULTS", &options->faults, "", "rules such as slow:any:10:0:500, a space between"),
        SETTING_NUMBER("PAYMENT_SEED", &options->seed, "1", 0, 1000000, "seed of the faults"),
    };
    /* clang-format on */
    return settings_load(table, ARRAY_LEN(table), stderr);
}

static bool start(const struct options *options, struct provider *provider)
{
    provider->ledger = ledger_open(options->ledger);
    provider->faults = faults_new((unsigned)options->seed);
    provider->later = later_start();
    if (!faults_add_all(provider->faults, options->faults)) {
        fputs("PAYMENT_FAULTS: no such rule\n", stderr);
        return false;
    }
    return provider->ledger;
}

static void stop(struct http_server *server, struct provider *provider)
{
    if (server) {
        http_server_drain(server, DRAIN_MS);
    }
    later_stop(provider->later); /* the server waits for these answers */
    http_server_free(server);
    later_free(provider->later); /* the server handled requests until now */
    faults_free(provider->faults);
    ledger_close(provider->ledger);
}

int main(void)
{
    struct options options;
    struct provider provider = {0};
    struct http_server *server = NULL;

    if (!load(&options)) {
        return EXIT_FAILURE;
    }
    log_open("payment-provider", "info");
    daemon_block_signals();
    if (start(&options, &provider) && daemon_await_port(options.address, options.port)) {
        server = http_server_start(&(struct http_options){.address = options.address,
                                                          .port = options.port,
                                                          .threads = 1,
                                                          .handle = api_handle,
                                                          .user = &provider});
    }
    if (!server) {
        stop(NULL, &provider);
        return EXIT_FAILURE;
    }
    log_info(NULL, "started", log_num("port", http_server_port(server)));
    int sig = daemon_wait_for_signal();
    log_info(NULL, "stopping", log_num("signal", sig));
    stop(server, &provider);
    return EXIT_SUCCESS;
}
