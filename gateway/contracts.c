/* The services whose protos the gateway serves, and who is behind each: one line a service. */
#include "gateway/contracts.h"

#include "coffee/auth/v1/auth.pb-c.h"
#include "coffee/customer/v1/customer.pb-c.h"
#include "coffee/menu/v1/menu.pb-c.h"
#include "coffee/menu/v1/photo.pb-c.h"
#include "coffee/notify/v1/notify.pb-c.h"
#include "coffee/order/v1/order.pb-c.h"
#include "coffee/payment/v1/payment.pb-c.h"
#include "coffee/shop/v1/shop.pb-c.h"

#include <string.h>

#define SERVICES(X)                                                         \
    X(coffee__menu__v1__menu_service__descriptor, BACKEND_ORDER)            \
    X(coffee__menu__v1__photo_service__descriptor, BACKEND_ORDER)           \
    X(coffee__order__v1__order_service__descriptor, BACKEND_ORDER)          \
    X(coffee__payment__v1__payment_service__descriptor, BACKEND_ORDER)      \
    X(coffee__shop__v1__shop_service__descriptor, BACKEND_ORDER)            \
    X(coffee__auth__v1__auth_service__descriptor, BACKEND_CUSTOMER)         \
    X(coffee__customer__v1__customer_service__descriptor, BACKEND_CUSTOMER) \
    X(coffee__notify__v1__notify_service__descriptor, BACKEND_CUSTOMER)

#define DESCRIPTOR(descriptor, backend) &(descriptor),
#define BACKEND(descriptor, backend)    backend,

const ProtobufCServiceDescriptor *const contract_services[] = {SERVICES(DESCRIPTOR) NULL};
static const enum backend_id backends[] = {SERVICES(BACKEND)};

bool contract_backend(const char *service, enum backend_id *backend)
{
    for (size_t i = 0; contract_services[i]; i++) {
        if (strcmp(contract_services[i]->name, service) == 0) {
            *backend = backends[i];
            return true;
        }
    }
    return false;
}
