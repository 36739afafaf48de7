"""FLUSHALL while people order, and a Valkey that stands still for a while."""
import os
import signal
import threading
import time

import ledger
import replica
import shop
import traffic

STILL_S = int(os.environ.get("STILL_S", "10"))
GATEWAY = shop.settings_of("gateway")
GATEWAY_METRICS = f"http://127.0.0.1:{GATEWAY['METRICS_PORT']}"


def queue():
    return shop.valkey("ZRANGE", "order:queue", "0", "-1")


def open_orders():
    return [row[0] for row in shop.sql("SELECT order_id FROM orders.open_orders ORDER BY placed_at, order_id")]


def place():
    _, token = shop.newcomer()
    status, order = shop.insist("POST", "/orders", token, shop.LATTE)
    assert status == 201, order
    return order["id"]


def move(order, *commands):
    for command in commands:
        status, answer = shop.insist("POST", f"/orders/{order}/{command}", shop.login("barista"), {})
        assert status == 200, answer


def the_queue_is_held_in_valkey_and_comes_back_after_a_flush():
    order, other = place(), place()
    shop.within(shop.PATIENCE_S, lambda: order in queue() and other in queue())
    assert queue().index(order) < queue().index(other), "not in the order they were placed"
    move(order, "accept", "ready", "pickup")
    shop.within(shop.PATIENCE_S, lambda: order not in queue())
    shop.valkey("FLUSHALL")
    shop.within(shop.PATIENCE_S, lambda: queue() == open_orders())
    move(other, "cancel")
    shop.within(shop.PATIENCE_S, lambda: other not in queue())


def a_revoked_session_stays_revoked_after_a_flush():
    handle, password = "t" + os.urandom(6).hex(), "a good long password"
    shop.insist("POST", "/users", key="k" + handle, body={
        "handle": handle, "email": handle + "@example.org", "password": password, "name": "R"})
    status, session = shop.insist("POST", "/login", body={"handle": handle, "password": password})
    assert status == 200, session
    token = session["accessToken"]
    assert shop.call("GET", "/users/me", token)[0] == 200
    assert shop.call("POST", "/logout", body={"refreshToken": session["refreshToken"]})[0] == 204
    shop.within(shop.PATIENCE_S, lambda: shop.call("GET", "/users/me", token)[0] == 401)
    shop.valkey("FLUSHALL")
    for _ in range(30):
        assert shop.call("GET", "/users/me", token)[0] == 401, "the token is taken again"
        time.sleep(0.1)
    fresh = replica.Replica("gateway")  # it has never heard of the session
    shop.within(shop.PATIENCE_S, lambda: shop.call("GET", "/users/me", token, url=fresh.url)[0] == 401)
    assert fresh.end() == 0, "the gateway did not end well"


def nothing_is_lost_by_flushes_in_the_middle():
    shop.in_one_of(3, orders_with_flushes)


def orders_with_flushes():
    people = traffic.Traffic(clients=4, pause_s=0.05, strict=True)
    flow = threading.Thread(target=people.run_for, args=(6,))
    flow.start()
    for _ in range(5):
        time.sleep(1)
        shop.valkey("FLUSHALL")
    flow.join()
    all_came(people)


def everyone_is_served_while_valkey_stands_still():
    shop.in_one_of(3, orders_without_valkey)


def orders_without_valkey():
    people = traffic.Traffic(clients=4, pause_s=0.05, strict=True)
    before = shop.metric(GATEWAY_METRICS, "ratelimit_fallback_total")
    shop.kill("valkey", signal.SIGSTOP)
    try:
        people.run_for(STILL_S)
    finally:
        shop.kill("valkey", signal.SIGCONT)
    rose = shop.metric(GATEWAY_METRICS, "ratelimit_fallback_total") - before
    assert rose > 0, "ratelimit_fallback_total did not rise"
    print(f"  {people.placed} orders in {STILL_S} s, slowest call {people.slowest_s:.2f} s, {rose:.0f} fallbacks")
    shop.within(shop.PATIENCE_S, ledger.outbox_is_empty, "live")
    all_came(people)


def all_came(people):
    """Orders, events and points of these people are complete, and no call was late."""
    assert not people.failed, people.failed
    shop.within(shop.PATIENCE_S, ledger.outbox_is_empty)
    rows = ledger.rows_of(people.customers)
    ledger.audit_has_each_once(rows)
    assert sum(row[3] == "OrderPlaced" for row in rows) == people.placed
    for customer, token in people.people:
        shop.within(shop.PATIENCE_S, ledger.points_are_right, customer, token)
    people.served_each_at_once()


def every_key_has_its_owners_prefix():
    keys = shop.valkey("--scan")
    strangers = [key for key in keys if key.split(":")[0] not in ("server", "order", "customer")]
    assert keys and not strangers, f"{len(keys)} keys, foreign: {strangers[:5]}"


shop.fact(the_queue_is_held_in_valkey_and_comes_back_after_a_flush, "CACHE-07")
shop.fact(a_revoked_session_stays_revoked_after_a_flush, "CACHE-01")
shop.fact(nothing_is_lost_by_flushes_in_the_middle, "CACHE-01")
shop.fact(everyone_is_served_while_valkey_stands_still, "RATE-03")
shop.fact(every_key_has_its_owners_prefix, "CACHE-01")
shop.finish()
