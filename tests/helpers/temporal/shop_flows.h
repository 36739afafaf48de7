/* Workflows and activities of a coffee shop that only tests have, in the versions of several
 * builds: what a worker process of tests/helpers/temporal/flow_process.h runs. */
#ifndef TESTS_HELPERS_TEMPORAL_SHOP_FLOWS_H
#define TESTS_HELPERS_TEMPORAL_SHOP_FLOWS_H

#include "common/temporal/flow_worker.h"

/* The tables of a build: 1 is the first, 2 has an added step behind flow_version(), 3 has the same
 * step without it: nondeterministic. */
const struct flow_type *shop_flows(int build);
const struct flow_activity_type *shop_activities(void);

/* Activities take the path of a file as service, and write a line of what they did into it. */

/* The number of a field of flat JSON. */
int64_t shop_number(const char *json, const char *field, int64_t otherwise);

#endif
