/* Which workflows and activities there are, and the worker that runs them. */
#include "order-service/workflow/worker.h"

#include "order-service/service.h"
#include "order-service/workflow/activities.h"
#include "order-service/workflow/coffee_order.h"
#include "order-service/workflow/workflow_sink.h"

#include <stdio.h>
#include <stdlib.h>

enum { FLOW_POLLERS = 2, ACTIVITY_POLLERS = 2, NOTICE_POLLERS = 2 };

static const struct flow_type flows[] = {
    {COFFEE_ORDER, coffee_order},
    {0           },
};

/* clang-format off */
static const struct flow_activity_type activities[] = {
    {"CapturePayment", activity_capture_payment},
    {"ReturnPayment",  activity_return_payment},
    {"ExpireOrder",    activity_expire_order},
    {"StopOrder",      activity_stop_order},
    {0},
};
static const struct flow_activity_type notices[] = {
    {"NotifyBarista",  activity_notify_barista},
    {"NotifyCustomer", activity_notify_customer},
    {0},
};
/* clang-format on */

struct workflows {
    struct service *service;
    struct temporal *temporal;
    struct flow_worker *worker, *notifier;
};

struct workflows *workflows_new(struct service *service)
{
    const struct config *config = service_config(service);
    char target[300];

    if (!*config->temporal_host) {
        return NULL;
    }
    struct workflows *workflows = calloc(1, sizeof(*workflows));
    if (!workflows) {
        abort();
    }
    snprintf(target, sizeof(target), "dns:///%s:%d", config->temporal_host, config->temporal_port);
    workflows->service = service;
    workflows->temporal = temporal_new(
        &(struct temporal_options){.target = target, .namespace_ = config->temporal_namespace});
    return workflows;
}

struct outbox_sink workflows_sink(struct workflows *workflows)
{
    return workflows ? workflow_sink(workflows->temporal) : (struct outbox_sink){0};
}

void workflows_start(struct workflows *workflows)
{
    if (!workflows) {
        return;
    }
    struct flow_worker_options options = {
        .temporal = workflows->temporal,
        .task_queue = COFFEE_ORDER_QUEUE,
        .flows = flows,
        .activities = activities,
        .service = workflows->service,
        .daemon = "order-service",
        .flow_pollers = FLOW_POLLERS,
        .activity_pollers = ACTIVITY_POLLERS,
    };
    workflows->worker = flow_worker_start(&options);
    options.task_queue = COFFEE_NOTICE_QUEUE;
    options.flows = NULL;
    options.activities = notices;
    options.activity_pollers = NOTICE_POLLERS;
    workflows->notifier = flow_worker_start(&options);
}

void workflows_wind_down(struct workflows *workflows)
{
    if (workflows && workflows->worker) {
        flow_worker_wind_down(workflows->worker);
        flow_worker_wind_down(workflows->notifier);
    }
}

void workflows_stop(struct workflows *workflows, int grace_ms)
{
    if (workflows) {
        flow_worker_stop(workflows->worker, grace_ms);
        flow_worker_stop(workflows->notifier, 0);
        workflows->worker = workflows->notifier = NULL;
    }
}

void workflows_free(struct workflows *workflows)
{
    if (workflows) {
        workflows_stop(workflows, 0);
        temporal_free(workflows->temporal);
        free(workflows);
    }
}

bool workflows_are_up(struct workflows *workflows)
{
    return !workflows || (temporal_is_up(workflows->temporal) &&
                          (!workflows->worker || (flow_worker_is_up(workflows->worker) &&
                                                  flow_worker_is_up(workflows->notifier))));
}
