"""kill -9 of order-service, and then of Temporal, at every step of an order's workflow in turn."""
import time

import flows
import shop

flows.wait_for_those_before()
BARISTA = shop.login("barista")
OWNER, TOKEN = shop.newcomer()
LIFE = ("accept", "ready", "pickup")


def move(order, what):
    status, answer = shop.insist("POST", f"/orders/{order}/{what}", BARISTA, {})
    assert status == 200, f"{what}: {status} {answer}"


def life(victim, step, when):
    """An order through its life, with the victim killed at one step: before the move, or right behind it."""
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    order = order["id"]
    for number, what in enumerate(("place", *LIFE)):
        if what != "place":
            if number == step and when == "before":
                shop.kill(victim)
            move(order, what)
        if number == step and when == "behind":
            shop.kill(victim)
        time.sleep(0.3)
    return order


def has_ended_well(order):
    flows.ends(order, seconds=120)
    events = shop.sql(f"SELECT type FROM orders.order_events WHERE order_id = '{order}' ORDER BY seq")
    assert [kind for kind, in events] == ["OrderPlaced", "OrderAccepted", "OrderPreparing", "OrderReady", "OrderCompleted"], events


def killed_at_every_step(victim):
    lives = [(step, when) for step in range(4) for when in ("before", "behind")]
    orders = [life(victim, step, when) for step, when in lives[1:]]
    for order in orders:
        has_ended_well(order)
    shop.within(2 * shop.PATIENCE_S, flows.nothing_waits)
    print(f"  {len(orders)} orders, one kill each; {shop.retries} retries of clients")


def an_order_goes_on_after_kill_9_of_order_service_at_every_step():
    killed_at_every_step("order-service")


def an_order_goes_on_after_kill_9_of_temporal_at_every_step():
    killed_at_every_step("temporal")


def an_order_is_cancelled_after_both_were_killed():
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    flows.until(order["id"], "NotifyBarista")
    shop.kill("order-service")
    shop.kill("temporal")
    status, answer = shop.insist("POST", f"/orders/{order['id']}/cancel", TOKEN, {})
    assert status == 200, answer
    flows.ends(order["id"], seconds=120)
    assert "NotifyCustomer" in flows.steps(order["id"])


shop.fact(an_order_goes_on_after_kill_9_of_order_service_at_every_step, "ORD-27", "WF-11", "WF-25")
shop.fact(an_order_goes_on_after_kill_9_of_temporal_at_every_step, "WF-11")
shop.fact(an_order_is_cancelled_after_both_were_killed)
shop.finish()
