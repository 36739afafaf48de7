/* Every gRPC method of the daemon. */
#ifndef ORDER_SERVICE_METHODS_H
#define ORDER_SERVICE_METHODS_H

#include "common/rpc/rpc_server.h"

extern const struct rpc_service methods[];                        /* ends with {0} */
extern const ProtobufCServiceDescriptor *const method_services[]; /* the same, ends with NULL */

#endif
