"""Compares our payments with the books of the provider, and both with how the orders ended."""
import collections
import json

import shop

PROVIDER = shop.settings_of("order-service")["PAYMENT_PROVIDER_URL"]


def is_right(status, state, taken, back, unpaid):
    """Whether an order that ended so may have a payment that ended so: what is sold is paid, or says that it is not."""
    if status == "completed":
        return (state == "voided" and taken == 0) if unpaid else (state == "captured" and back == 0 < taken)
    if status == "cancelled":
        return (state in ("voided", "failed") and taken == back == 0) or (state == "refunded" and taken == back > 0)
    return False


def holds_of(customers):
    """Every authorisation the provider has for them, by id."""
    found, after = {}, ""
    while True:
        status, text = shop.get(f"{PROVIDER}/authorizations{'?after=' + after if after else ''}")
        assert status == 200, text
        page = json.loads(text)
        found |= {hold["id"]: hold for hold in page["authorizations"] if hold["customer"] in customers}
        if not page["more"]:
            return found
        after = page["authorizations"][-1]["id"]


def agree(orders, customers):
    """Of orders that have ended: each has a payment that fits, the provider's books say the same of it, and it
    has taken nothing of these customers that we do not know of. How often each end came."""
    listed = ",".join(f"'{order}'" for order in orders)
    unpaid = {order for order, in shop.sql("SELECT order_id FROM orders.order_events WHERE type = 'OrderUnpaid'"
                                           f" AND order_id IN ({listed})")}
    rows = shop.sql("SELECT o.id, o.status, coalesce(o.cancel_reason, ''), p.state, p.captured_cents, p.refunded_cents,"
                    " p.hold_id FROM orders.orders o JOIN payment.payments p ON p.order_id = o.id"
                    f" WHERE o.id IN ({listed})")
    assert len(rows) == len(orders), f"{len(orders)} orders, {len(rows)} with a payment"
    theirs = holds_of(customers)
    for order, status, reason, state, taken, back, hold in rows:
        assert is_right(status, state, int(taken), int(back), order in unpaid), f"{order}: {status} {reason}, {state} {taken} {back}"
        book = theirs.pop(hold)
        assert (book["capturedCents"], book["refundedCents"]) == (int(taken), int(back)), f"{order}: {taken} {back}, {book}"
    for hold in theirs.values():
        assert hold["capturedCents"] == 0, f"money was taken for no order: {hold}"
    return collections.Counter((status, reason, state) for _, status, reason, state, _, _, _ in rows)
