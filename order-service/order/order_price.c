/* What an order costs. The client's idea of a price is never looked at. */
#include "order-service/order/order_price.h"

enum { KIND_MILK = 1, KIND_SIZE = 2, KIND_TEMP = 4 }; /* of which a drink takes one each */

static const int64_t MAX_TOTAL_CENTS = INT64_C(1) << 53; /* JSON numbers are exact up to here */

static void fault(struct price_result *result, enum price_fault_kind kind, int line,
                  int customization)
{
    if (result->fault_count < MAX_FAULTS) {
        result->faults[result->fault_count++] =
            (struct price_fault){.kind = kind, .line = line, .customization = customization};
    }
}

static bool takes_one(int kind)
{
    return kind == KIND_MILK || kind == KIND_SIZE || kind == KIND_TEMP;
}

static void choose(const struct order_line *wanted, int line, int c, struct priced_line *priced,
                   struct price_result *result)
{
    const struct menu_customization *found =
        menu_item_allows(priced->item, wanted->customization_ids[c]);

    if (!found) {
        fault(result, FAULT_UNKNOWN_CUSTOMIZATION, line, c);
        return;
    }
    if (!found->available) {
        fault(result, FAULT_CUSTOMIZATION_SOLD_OUT, line, c);
    }
    for (int i = 0; i < priced->count; i++) {
        if (priced->chosen[i] == found) {
            fault(result, FAULT_CHOSEN_TWICE, line, c);
        } else if (priced->chosen[i]->kind == found->kind && takes_one(found->kind)) {
            fault(result, FAULT_TWO_OF_A_KIND, line, c);
        }
    }
    priced->chosen[priced->count++] = found;
    priced->unit_cents += found->extra_cents; /* 20 of at most 1,000,000: no overflow */
}

static void price_line(const struct menu *menu, const struct order_line *wanted, int line,
                       int64_t now_ms, struct priced_line *priced, struct price_result *result)
{
    const struct menu_item *item = menu_find(menu, wanted->menu_item_id);

    *priced = (struct priced_line){.item = item};
    if (wanted->quantity < 1 || wanted->quantity > LINE_MAX_QUANTITY) {
        fault(result, FAULT_QUANTITY, line, -1);
    }
    if (!item || !menu_item_in_season(item, now_ms)) {
        fault(result, FAULT_UNKNOWN_ITEM, line, -1);
        return;
    }
    if (!item->available) {
        fault(result, FAULT_SOLD_OUT, line, -1);
    }
    if (wanted->customization_count > LINE_MAX_CUSTOMIZATIONS) {
        fault(result, FAULT_TOO_MANY, line, -1);
        return;
    }
    priced->unit_cents = item->price_cents;
    for (int c = 0; c < (int)wanted->customization_count; c++) {
        choose(wanted, line, c, priced, result);
    }
}

void order_price(const struct menu *menu, const struct order_line *request, size_t count,
                 int64_t now_ms, struct priced_line *lines, struct price_result *result)
{
    *result = (struct price_result){0};
    for (size_t i = 0; i < count; i++) {
        int64_t cents;

        price_line(menu, &request[i], (int)i, now_ms, &lines[i], result);
        if (__builtin_mul_overflow(lines[i].unit_cents, (int64_t)request[i].quantity, &cents) ||
            __builtin_add_overflow(result->total_cents, cents, &result->total_cents) ||
            result->total_cents >= MAX_TOTAL_CENTS) {
            fault(result, FAULT_TOTAL, (int)i, -1);
            return;
        }
    }
}
