"""What a barista takes down for a walk-in is nobody's: no points, statistics or notices of it are the barista's."""
import uuid

import shop

BARISTA = shop.login("barista")
customer, token = shop.newcomer()


def place(**for_whom):
    status, order = shop.insist("POST", "/orders", BARISTA, {**shop.LATTE, **for_whom}, key=str(uuid.uuid4()))
    assert status == 201 and order["channel"] == "pos", order
    return order


def move(order, *moves):
    for name in moves:
        status, answer = shop.insist("POST", f"/orders/{order['id']}/{name}", BARISTA, {})
        assert status == 200, answer
        assert answer["customerId"] == order["customerId"], answer


def ask(path, who):
    status, answer = shop.insist("GET", path, who)
    assert status == 200, answer
    return answer


def counted(who):
    return ask("/customers/me/stats", who), ask("/customers/me/loyalty", who)["points"]


def told_of(order, who):
    """Stage and kind of its notices, without what baristas on shift are told of every new order."""
    return sorted(map(tuple, shop.sql(
        f"SELECT DISTINCT stage, kind FROM notify.notices WHERE order_id = '{order['id']}' AND customer_id = '{who}'"
        " AND NOT (stage = 'placed' AND kind = 'alert')", "customer_db")))


def all_was_heard_of(order):
    events = [row[0] for row in shop.sql(f"SELECT id FROM orders.order_events WHERE order_id = '{order['id']}'")]
    among = ",".join(f"'{event}'" for event in events)
    (heard,), = shop.sql(f"SELECT count(*) FROM notify.processed_events WHERE event_id IN ({among})", "customer_db")
    return int(heard) == len(events)


def a_walk_in_counts_for_nobody_and_the_barista_is_not_told():
    (barista,), = shop.sql("SELECT id FROM customer.customers WHERE handle = 'barista'", "customer_db")
    before = counted(BARISTA)
    walk_in = place(pickupName="Aunt May")
    move(walk_in, "accept", "ready", "pickup")
    known = place(pickupName="Uncle Ben", onBehalfOf=customer)
    assert known["customerId"] == customer, known
    move(known, "accept", "ready", "pickup")
    shop.within(shop.PATIENCE_S, lambda: counted(token)[1] > 0)
    shop.within(shop.PATIENCE_S, lambda: all_was_heard_of(known) and all_was_heard_of(walk_in))
    assert ("completed", "alert") in told_of(known, customer), told_of(known, customer)
    assert told_of(walk_in, barista) == [], told_of(walk_in, barista)
    assert counted(BARISTA) == before, (before, counted(BARISTA))
    assert walk_in["customerId"] == ask(f"/orders/{walk_in['id']}", BARISTA)["customerId"] == "", walk_in


shop.fact(a_walk_in_counts_for_nobody_and_the_barista_is_not_told, "ORD-18", "CUST-03", "CUST-04")
shop.finish()
