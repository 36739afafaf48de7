/* A person as the API shows them, and as Valkey keeps them for half an hour. */
#ifndef CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_VIEW_H
#define CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_VIEW_H

#include "coffee/customer/v1/customer.pb-c.h"
#include "customer-service/customer/customer.h"

/* 'out' is an initialised message; what hangs in it lives in ctx's arena. */
void customer_view(struct ctx *ctx, const struct customer *customer,
                   Coffee__Customer__V1__Customer *out);

/* The same through customer:profile:{id}. */
enum status customer_view_cached(struct ctx *ctx, struct service *service, struct customer_id id,
                                 Coffee__Customer__V1__Customer *out) MUST_CHECK;

/* The proto's number of a role, and back; ROLE_NOBODY for one that no person can have. */
Coffee__Customer__V1__Role customer_view_role(enum role role);
enum role customer_view_role_of(Coffee__Customer__V1__Role role);

#endif
