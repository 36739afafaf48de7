/* Wrong passwords, counted: in Valkey for all replicas, in the database while Valkey is away. */
#ifndef CUSTOMER_SERVICE_AUTH_SIGN_IN_FAILURES_H
#define CUSTOMER_SERVICE_AUTH_SIGN_IN_FAILURES_H

#include "common/base/ctx.h"

struct service;

/* Names what is counted: this account (or the unknown login), from this client address. */
const char *sign_in_who(struct ctx *ctx, const char *account);

/* PROBLEM_TOO_MANY_REQUESTS, with how long, while this one must wait. */
enum status sign_in_may_try(struct ctx *ctx, struct service *service, const char *who) MUST_CHECK;

/* One more, and its line on the log. */
void sign_in_failed(struct ctx *ctx, struct service *service, const char *who,
                    const char *customer);

void sign_in_succeeded(struct ctx *ctx, struct service *service, const char *who);

#endif
