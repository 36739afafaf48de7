/* The gRPC services of this daemon. */
#ifndef CUSTOMER_SERVICE_METHODS_H
#define CUSTOMER_SERVICE_METHODS_H

#include "common/rpc/rpc_server.h"

extern const struct rpc_service methods[];
extern rpc_unary *const password_methods[]; /* those that hash one: see auth/password_queue.h */
extern const ProtobufCServiceDescriptor *const method_services[]; /* for the contract */

#endif
