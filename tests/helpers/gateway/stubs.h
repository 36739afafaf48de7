/* What stands for the daemons behind a gateway under test: every method of their services has a
 * handler, and some of them do something. */
#ifndef TESTS_HELPERS_GATEWAY_STUBS_H
#define TESTS_HELPERS_GATEWAY_STUBS_H

#include "common/rpc/rpc_server.h"

/* The service handed to the servers must be the struct stage. */
const struct rpc_service *stub_order_services(const struct contract *contract);
const struct rpc_service *stub_customer_services(const struct contract *contract);
/* One service with handlers of a test's own before the stubs; lives until stubs_free(). */
const struct rpc_service *stub_service(const struct contract *contract,
                                       const ProtobufCServiceDescriptor *descriptor,
                                       const struct rpc_handler *own);
void stubs_free(void);

#endif
