/* Every gRPC method of the customer service, in one table a service. Roles, deadlines and the rest
 * are in the protos, beside the method. */
#include "customer-service/methods.h"

#include "coffee/auth/v1/auth.pb-c.h"
#include "coffee/customer/v1/customer.pb-c.h"
#include "coffee/notify/v1/notify.pb-c.h"
#include "customer-service/auth/auth_rpc.h"
#include "customer-service/customer/customer_rpc.h"
#include "customer-service/favourite/favourite_rpc.h"
#include "customer-service/loyalty/loyalty_rpc.h"
#include "customer-service/notify/device_rpc.h"
#include "customer-service/notify/notice_rpc.h"

static const struct rpc_handler auth_methods[] = {
    {"SignUp",         auth_rpc_sign_up, NULL},
    {"Login",            auth_rpc_login, NULL},
    {"Refresh",          auth_rpc_refresh, NULL},
    {"Logout",            auth_rpc_logout, NULL},
    {"ChangePassword",        auth_rpc_change_password, NULL},
    {"ListSessions",            auth_rpc_sessions, NULL},
    {"RevokeSession",         auth_rpc_revoke, NULL},
    {"GetJwks",            auth_rpc_jwks, NULL},
    {"ListDenied", auth_rpc_denied, NULL},
    {0           },
};

static const struct rpc_handler customer_methods[] = {
    {"HealthCheck",   customer_rpc_health, NULL},
    {"GetProfile",           customer_rpc_get, NULL},
    {"UpdateProfile",    customer_rpc_update, NULL},
    {"SetRole",           customer_rpc_set_role, NULL},
    {"ListFavorites", favourite_rpc_list, NULL},
    {"AddFavorite",           favourite_rpc_add, NULL},
    {"RemoveFavorite",       favourite_rpc_remove, NULL},
    {"GetUsual",           favourite_rpc_usual, NULL},
    {"GetStats", loyalty_rpc_stats, NULL},
    {"CheckLoyaltyBalance",           loyalty_rpc_balance, NULL},
    {0  },
};

static const struct rpc_handler notify_methods[] = {
    {"RegisterDevice",       device_rpc_register, NULL},
    {"GetPushKey",                  device_rpc_push_key, NULL},
    {"RemoveDevice",           device_rpc_remove, NULL},
    {"RegisterLiveActivity",                  device_rpc_live_activity, NULL},
    {"SetShift",         device_rpc_set_shift, NULL},
    {"GetPreferences",                  device_rpc_preferences, NULL},
    {"SetPreferences", device_rpc_prefer, NULL},
    {"ListNotices",                  notice_rpc_list, NULL},
    {"EnsureNotice",             notice_rpc_ensure, NULL},
    {0                 },
};

const struct rpc_service methods[] = {
    {&coffee__auth__v1__auth_service__descriptor,     auth_methods},
    {&coffee__customer__v1__customer_service__descriptor,                                               customer_methods},
    {&coffee__notify__v1__notify_service__descriptor,notify_methods},
    {0},
};

rpc_unary *const password_methods[] = {auth_rpc_sign_up, auth_rpc_login, auth_rpc_change_password,
                                       NULL};

const ProtobufCServiceDescriptor *const method_services[] = {
    &coffee__auth__v1__auth_service__descriptor,
    &coffee__customer__v1__customer_service__descriptor,
    &coffee__notify__v1__notify_service__descriptor,
    NULL,
};
