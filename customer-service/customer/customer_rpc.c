/* Profiles over gRPC: decode, call, encode. */
#include "customer-service/customer/customer_rpc.h"

#include "common/base/uuid.h"
#include "customer-service/auth/auth.h"
#include "customer-service/customer/customer.h"
#include "customer-service/customer/customer_view.h"
#include "customer-service/service.h"

enum status customer_rpc_health(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Common__V1__HealthCheckResponse *answer = out;

    (void)ctx;
    (void)in;
    answer->status = service_is_ready(service)
                         ? COFFEE__COMMON__V1__HEALTH_CHECK_RESPONSE__STATUS__STATUS_SERVING
                         : COFFEE__COMMON__V1__HEALTH_CHECK_RESPONSE__STATUS__STATUS_NOT_SERVING;
    return ST_OK;
}

enum status customer_rpc_get(struct ctx *ctx, void *service, const void *in, void *out)
{
    (void)in;
    return customer_view_cached(ctx, service, customer_caller(ctx), out);
}

enum status customer_rpc_update(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Customer__V1__UpdateProfileRequest *request = in;
    struct customer_change change = {0};
    struct customer changed;

    if (request->opt_name_case == COFFEE__CUSTOMER__V1__UPDATE_PROFILE_REQUEST__OPT_NAME_NAME) {
        change.name = request->name;
    }
    if (request->opt_email_case == COFFEE__CUSTOMER__V1__UPDATE_PROFILE_REQUEST__OPT_EMAIL_EMAIL) {
        change.email = request->email;
    }
    TRY(customer_update(ctx, service, customer_caller(ctx), &change, &changed));
    customer_view(ctx, &changed, out);
    return ST_OK;
}

enum status customer_rpc_set_role(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Customer__V1__SetRoleRequest *request = in;
    enum role role = customer_view_role_of(request->role);
    struct customer_id id;
    struct customer changed;

    if (role == ROLE_NOBODY) {
        refuse_field(ctx, "role", "must be customer, barista, admin or driver");
    }
    TRY(ctx_refused(ctx));
    uuid_parse(request->id, id.text); /* the contract has checked that it is one */
    TRY(auth_set_role(ctx, service, id, role, &changed));
    customer_view(ctx, &changed, out);
    return ST_OK;
}
