/* What an order costs, and whether the menu can make it: pure, nothing read or written. */
#ifndef ORDER_SERVICE_ORDER_ORDER_PRICE_H
#define ORDER_SERVICE_ORDER_ORDER_PRICE_H

#include "order-service/menu/menu.h"
#include "order-service/order/order.h"

enum {
    ORDER_MAX_LINES = 50,
    LINE_MAX_QUANTITY = 50,
    LINE_MAX_CUSTOMIZATIONS = 20,
    MAX_FAULTS = 20
};

struct priced_line {
    const struct menu_item *item;
    const struct menu_customization *chosen[LINE_MAX_CUSTOMIZATIONS];
    int count;
    int64_t unit_cents;
};

enum price_fault_kind {
    FAULT_UNKNOWN_ITEM,
    FAULT_SOLD_OUT,
    FAULT_QUANTITY,
    FAULT_UNKNOWN_CUSTOMIZATION,
    FAULT_CUSTOMIZATION_SOLD_OUT,
    FAULT_CHOSEN_TWICE,  /* the same customization again */
    FAULT_TWO_OF_A_KIND, /* two milks, two sizes or two temperatures */
    FAULT_TOO_MANY,
    FAULT_TOTAL, /* no sum of money that we handle */
};

struct price_fault {
    enum price_fault_kind kind;
    int line, customization; /* indices; customization -1: the line itself */
};

struct price_result {
    int64_t total_cents;
    struct price_fault faults[MAX_FAULTS];
    int fault_count; /* 0: it can be made */
};

/* 'lines' gets one entry for each of the request's. */
void order_price(const struct menu *menu, const struct order_line *request, size_t count,
                 int64_t now_ms, struct priced_line *lines, struct price_result *result);

#endif
