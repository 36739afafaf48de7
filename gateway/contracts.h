/* The services whose protos the gateway serves. A new one is one line in contracts.c. */
#ifndef GATEWAY_CONTRACTS_H
#define GATEWAY_CONTRACTS_H

#include "common/contract/contract.h"
#include "gateway/backend.h"

extern const ProtobufCServiceDescriptor *const contract_services[]; /* ends with NULL */

/* Which daemon serves it; false when it is none of ours. */
bool contract_backend(const char *service, enum backend_id *backend);

#endif
