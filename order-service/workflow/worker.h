/* Our side of Temporal: the client that the outbox tells of orders by, and the worker that runs
 * their workflows. */
#ifndef ORDER_SERVICE_WORKFLOW_WORKER_H
#define ORDER_SERVICE_WORKFLOW_WORKER_H

#include "common/outbox/outbox.h"

struct service;
struct workflows;

/* NULL without TEMPORAL_HOST: there are no workflows then, and only the sweep ends what is late. */
struct workflows *workflows_new(struct service *service);
struct outbox_sink workflows_sink(struct workflows *workflows); /* {0} for NULL: ends the list */

/* These take NULL. The worker polls from start to stop; wind_down lets it take no new poll, and
 * does not wait: polls that are out end by themselves, or at stop. */
void workflows_start(struct workflows *workflows);
void workflows_wind_down(struct workflows *workflows);
void workflows_stop(struct workflows *workflows, int grace_ms); /* what is in hand is finished */
void workflows_free(struct workflows *workflows);
bool workflows_are_up(struct workflows *workflows);

#endif
