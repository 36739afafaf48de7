"""Compares Kafka with the database: which events each order_events row must have made, in which topics."""
from collections import Counter, defaultdict

import shop

# What a change of an order is told as, beside audit.events
TOLD_AS = {
    "OrderPlaced": [("order.created", "OrderCreated"), ("order.placed", "OrderPlaced")],
    "OrderAccepted": [("order.accepted", "OrderAccepted")],
    "OrderReady": [("order.ready", "OrderReady"), ("order.prepared", "DrinkPrepared")],
    "OrderCompleted": [("order.completed", "OrderCompleted")],
    "OrderCancelled": [("order.cancelled", "OrderCancelled")],
    "OrderPreparing": [],
    "OrderReadyUndone": [],
    "OrderUnpaid": [],
}
TOPICS = sorted({topic for told in TOLD_AS.values() for topic, _ in told})


def rows_of(customers):
    """Every recorded event of these people's orders: [id, order, seq, type]."""
    people = ",".join(f"'{c}'" for c in customers)
    rows = shop.sql("SELECT e.id, e.order_id, e.seq, e.type FROM orders.order_events e"
                    f" JOIN orders.orders o ON o.id = e.order_id WHERE o.customer_id IN ({people})"
                    " ORDER BY e.order_id, e.seq")
    for order, seqs in grouped((order, int(seq)) for _, order, seq, _ in rows).items():
        assert seqs == list(range(1, len(seqs) + 1)), f"order {order} has the seqs {seqs}"
    return rows


def grouped(pairs):
    groups = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def firsts(topic, orders):
    """The messages of a topic about these orders, without repeats, and how many repeats there were."""
    seen, first, repeats = set(), [], 0
    for _, key, event in shop.topic(topic):
        if key not in orders:
            continue
        assert event["orderId"] == key, f"{topic}: {event} has the key {key}"
        repeats += event["id"] in seen
        if event["id"] not in seen:
            seen.add(event["id"])
            first.append(event)
    return first, repeats


def in_order(topic, events):
    for order, seqs in grouped((e["orderId"], e["seq"]) for e in events).items():
        assert seqs == sorted(seqs), f"{topic}: order {order} came as {seqs}"


def outbox_is_empty(sink="kafka"):
    (count,), = shop.sql(f"SELECT count(*) FROM outbox.events WHERE sink = '{sink}'")
    (dead,), = shop.sql("SELECT count(*) FROM outbox.dead")
    assert dead == "0", f"{dead} rows in outbox.dead"
    return count == "0"


def audit_has_each_once(rows):
    """One event for each row and no other, with its id, type and seq, in order. How many repeats were dropped."""
    events, repeats = firsts("audit.events", {order for _, order, _, _ in rows})
    told = {e["id"]: (e["orderId"], e["seq"], e["type"]) for e in events}
    recorded = {event: (order, int(seq), type_) for event, order, seq, type_ in rows}
    missing, foreign = recorded.keys() - told.keys(), told.keys() - recorded.keys()
    assert not missing, f"{len(missing)} of {len(recorded)} are missing, such as {recorded[missing.pop()]}"
    assert not foreign, f"{len(foreign)} are told and not recorded, such as {told[foreign.pop()]}"
    assert told == recorded, "an event is told otherwise than it is recorded"
    in_order("audit.events", events)
    return repeats


def typed_topics_have_theirs(rows):
    """What the table gives each topic and nothing else, in order. How many repeats were dropped."""
    orders, all_repeats = {order for _, order, _, _ in rows}, 0
    for topic in TOPICS:
        due = Counter((order, int(seq), told) for _, order, seq, type_ in rows
                      for place, told in TOLD_AS[type_] if place == topic)
        events, repeats = firsts(topic, orders)
        came = Counter((e["orderId"], e["seq"], e["type"]) for e in events)
        assert came == due, f"{topic}: missing {list((due - came).items())[:3]}, too many {list((came - due).items())[:3]}"
        in_order(topic, events)
        all_repeats += repeats
    return all_repeats


def points_are_right(customer, token):
    """Of somebody who has only ordered shop.LATTE: 4 points for each that was completed."""
    (done,), = shop.sql(f"SELECT count(*) FROM orders.orders WHERE customer_id = '{customer}' AND status = 'completed'")
    return shop.insist("GET", "/customers/me/loyalty", token)[1]["points"] == 4 * int(done)
