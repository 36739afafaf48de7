/* order_worker TARGET TASK_QUEUE: the order's workflow on common/temporal, against order_worker.go
 * and order_worker.py on the official SDKs. All three give the same commands, which drive_orders
 * checks by the length of the history; activities answer with their input. */
#include "common/temporal/flow_worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACCEPT_MS = 300000, PICKUP_MS = 1800000, STOP_MS = 500 };

static enum status order(struct flow *flow, const char *input, const char **result)
{
    static const struct flow_activity push = {.start_to_close_ms = 5000, .retry = {.attempts = 5}};

    TRY(flow_activity(flow, "NotifyBarista", input, &push, NULL));
    TRY(flow_wait_signal(flow, FLOW_SIGNALS("accepted"), ACCEPT_MS, NULL));
    TRY(flow_activity(flow, "CapturePayment", input, &push, result));
    TRY(flow_wait_signal(flow, FLOW_SIGNALS("ready"), FLOW_FOREVER, NULL));
    TRY(flow_activity(flow, "NotifyCustomer", input, &push, NULL));
    return flow_wait_signal(flow, FLOW_SIGNALS("picked_up"), PICKUP_MS, NULL);
}

static enum status echo(struct ctx *ctx, struct flow_task *task, const char *input,
                        const char **result)
{
    (void)ctx, (void)task;
    *result = input;
    return ST_OK;
}

int main(int argc, char **argv)
{
    static const struct flow_type flows[] = {
        {"Order", order},
        {0      }
    };
    static const struct flow_activity_type activities[] = {
        {"NotifyBarista",  echo},
        {"CapturePayment",                echo},
        {"NotifyCustomer",echo},
        {0}
    };
    sigset_t stop;
    int got;

    if (argc != 3) {
        fputs("usage: order_worker TARGET TASK_QUEUE\n", stderr);
        return EXIT_FAILURE;
    }
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL); /* of all threads, which come after */
    struct temporal *temporal = temporal_new(&(struct temporal_options){.target = argv[1]});
    struct flow_worker *worker = flow_worker_start(&(struct flow_worker_options){
        .temporal = temporal, .task_queue = argv[2], .flows = flows, .activities = activities});
    sigwait(&stop, &got);
    flow_worker_stop(worker, STOP_MS);
    temporal_free(temporal);
    return EXIT_SUCCESS;
}
