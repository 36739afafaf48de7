"""Temporal is away while people order: nothing waits for it, and then all of it catches up."""
import statistics
import time

import flows
import replica
import shop

flows.wait_for_those_before()
BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()
LIVES = {
    "completed": ["accept", "ready", "pickup"],
    "undone": ["accept", "ready", "undo-ready", "ready", "pickup"],
    "cancelled": ["cancel"],
    "declined": ["decline"],
    "cancelled late": ["accept", "cancel"],
}
FINAL = {"completed": "completed", "undone": "completed"}
PICKUP_S = 12
took = []  # by each order and each move
# deadlines so short that they are over when Temporal comes back: none of them may do anything
quick = replica.Replica("order-service", ACCEPT_TIMEOUT=PICKUP_S, PICKUP_TIMEOUT=PICKUP_S)
door = replica.Replica("gateway", ORDER_SERVICE_ADDR=replica.addresses(quick))


def stack_metrics():
    return f"http://127.0.0.1:{shop.settings_of('order-service')['METRICS_PORT']}"


def is_ready_without_temporal():
    status, text = shop.get(stack_metrics() + "/readyz")
    return status == 200 and '"temporal":"degraded"' in text.replace(" ", "")


def answered(path, token, body, key=None):
    """One try; that of one that is Late counts, too."""
    began = time.monotonic()
    try:
        status, answer = shop.at_once("POST", path, token, body, key, url=door.url)
    finally:
        took.append(time.monotonic() - began)
    assert status in (200, 201), f"{path}: {status} {answer}"
    return answer


def whole_life(moves):
    order = shop.within(shop.PATIENCE_S, answered, "/orders", TOKEN, shop.LATTE, "a" + str(time.monotonic_ns()))
    for what in moves:
        body = {"reason": "no beans"} if what == "decline" else {}
        shop.within(shop.PATIENCE_S, answered, f"/orders/{order['id']}/{what}", BARISTA, body)
    return order["id"]


def orders_whose_whole_life_temporal_missed_catch_up_without_a_wrong_time_out():
    shop.wish("temporal", "down")
    try:
        orders = [(name, whole_life(moves)) for name, moves in LIVES.items() for _ in range(3)]
        assert statistics.median(took) < 1, f"moves waited for Temporal: {took}"
        shop.within(shop.PATIENCE_S, is_ready_without_temporal)
        assert not flows.nothing_waits()
        time.sleep(PICKUP_S)  # every deadline is over
    finally:
        shop.wish("temporal", "up")
    for name, order in orders:
        flows.ends(order, seconds=120)
        found = shop.insist("GET", f"/orders/{order}", TOKEN)[1]
        assert found["status"] == FINAL.get(name, "cancelled"), found
        assert found["cancelReason"] not in ("not_accepted", "not_collected"), found
        assert flows.count(order, "TIMER_FIRED") == 0
    shop.within(shop.PATIENCE_S, flows.nothing_waits)


def a_deadline_that_passed_while_temporal_was_away_counts_from_the_order():
    """Placed with Temporal away; a minute of grace is the sweep's, so the workflow is first when it comes back."""
    shop.wish("temporal", "down")
    try:
        order = whole_life([])
        time.sleep(PICKUP_S + 2)
    finally:
        shop.wish("temporal", "up")
    began = time.monotonic()
    flows.ends(order, seconds=2 * shop.PATIENCE_S)
    found = shop.insist("GET", f"/orders/{order}", TOKEN)[1]
    assert (found["status"], found["cancelReason"]) == ("cancelled", "not_accepted"), found
    assert flows.count(order, "TIMER_STARTED") == 0, "a deadline that is over needs no timer"
    print(f"  over {time.monotonic() - began:.1f} s after Temporal was asked to come back")


def kafka_and_the_screens_do_not_wait_for_temporal():
    shop.wish("temporal", "down")
    try:
        whole_life(["accept"])
        shop.within(shop.PATIENCE_S, lambda: shop.sql("SELECT count(*) FROM outbox.events WHERE sink <> 'temporal'")[0][0] == "0")
        assert not flows.nothing_waits()
    finally:
        shop.wish("temporal", "up")
    shop.within(2 * shop.PATIENCE_S, flows.nothing_waits)


shop.fact(orders_whose_whole_life_temporal_missed_catch_up_without_a_wrong_time_out, "WF-11", "WF-25")
shop.fact(a_deadline_that_passed_while_temporal_was_away_counts_from_the_order, "ORD-07")
shop.fact(kafka_and_the_screens_do_not_wait_for_temporal)
shop.finish()
