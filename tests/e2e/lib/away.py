"""One part after the other is taken away, then all that the daemons lean on, before they start."""
import json
import statistics
import time

import ledger
import shop
import traffic

OWNER, TOKEN = shop.newcomer()
DAEMONS = ("customer-service", "order-service", "gateway")
SERVERS = ("postgres", "valkey", "kafka")


def timed(method, path, token=None, body=None):
    began = time.monotonic()
    status, answer = shop.at_once(method, path, token, body)
    return status, answer, time.monotonic() - began


def is_refused(method, path, token=None, body=None):
    status, answer, took_s = timed(method, path, token, body)
    assert (status, answer["code"]) == (503, "unavailable"), f"{method} {path}: {status} {answer}"
    assert int(shop.headers()["Retry-After"]) >= 1
    return took_s


def is_at_once(took):
    """Of several, as one alone may have met a busy moment of the machine."""
    if statistics.median(took) >= 1:
        raise shop.Late(f"took {', '.join(f'{t:.2f}' for t in took)} s")


def works(method, path, token=None, body=None):
    return shop.at_once(method, path, token, body)[0] in (200, 201)


def readyz(daemon):
    port = shop.settings_of(daemon)["METRICS_PORT"]
    status, text = shop.get(f"http://127.0.0.1:{port}/readyz")
    if not status:
        raise shop.Away(f"{daemon} says nothing")
    return status, json.loads(text)


def gateway_misses_order_service():
    status, report = readyz("gateway")
    return status == 200 and report["order-service"] == "degraded"


def without_order_service_its_routes_say_so_and_the_rest_works():
    shop.wish("order-service", "down")
    try:
        shop.in_one_of(3, ten_times_without_order_service)
        shop.within(shop.PATIENCE_S, gateway_misses_order_service)
    finally:
        shop.wish("order-service", "up")
    shop.within(shop.PATIENCE_S, works, "POST", "/orders", TOKEN, shop.LATTE)


def ten_times_without_order_service():
    took = []
    for _ in range(10):
        took.append(is_refused("POST", "/orders", TOKEN, shop.LATTE))
        took.append(is_refused("GET", "/menu"))
        assert works("GET", "/customers/me/loyalty", TOKEN) and works("GET", "/users/me", TOKEN)
    is_at_once(took)
    print(f"  refused after {statistics.median(took) * 1000:.0f} ms, at most {max(took) * 1000:.0f}")


def without_customer_service_orders_go_on():
    shop.wish("customer-service", "down")
    try:
        shop.in_one_of(3, ten_times_without_customer_service)
        shop.the_best_of(5, 3, lambda: is_refused("POST", "/orders/usual", TOKEN, {}))
    finally:
        shop.wish("customer-service", "up")
    shop.within(shop.PATIENCE_S, works, "GET", "/customers/me/loyalty", TOKEN)


def ten_times_without_customer_service():
    took = []
    for _ in range(10):
        took.append(is_refused("GET", "/customers/me/loyalty", TOKEN))
        took.append(is_refused("POST", "/login", None, {"handle": "customer", "password": "coffee-demo"}))
        assert works("POST", "/orders", TOKEN, shop.LATTE) and works("GET", "/menu")
    is_at_once(took)


def a_killed_postgres_comes_back_and_nothing_is_lost():
    people = traffic.Traffic(clients=3, pause_s=0.05)
    before = {daemon: shop.pid_of(daemon) for daemon in DAEMONS}
    shop.kill("postgres")
    began = time.monotonic()
    people.run(30)
    shop.within(shop.PATIENCE_S, ledger.outbox_is_empty)
    ledger.audit_has_each_once(ledger.rows_of(people.customers))
    assert before == {daemon: shop.pid_of(daemon) for daemon in DAEMONS}, "a daemon died of it"
    print(f"  30 orders within {time.monotonic() - began:.1f} s of the kill, {shop.retries} retries of clients")


def is_another_life(daemon, pid):
    return not shop.is_down(daemon) and shop.pid_of(daemon) != pid


def daemons_that_start_first_wait_for_what_they_lean_on():
    for server in SERVERS:
        shop.wish(server, "down")
    for server in SERVERS:
        shop.within(2 * shop.PATIENCE_S, shop.is_down, server)
    before = {daemon: shop.pid_of(daemon) for daemon in DAEMONS}
    for daemon in DAEMONS:
        shop.kill(daemon)
    try:
        shop.within(shop.PATIENCE_S, lambda: all(is_another_life(daemon, before[daemon]) for daemon in DAEMONS))
        pids = {daemon: shop.pid_of(daemon) for daemon in DAEMONS}
        for daemon in ("order-service", "customer-service"):
            shop.within(shop.PATIENCE_S, lambda d=daemon: readyz(d)[0] == 503)
        shop.within(shop.PATIENCE_S, lambda: shop.get(shop.URL + "/healthz")[0] == 200)
        time.sleep(3)  # one that does not wait would have ended by now
        shop.forget_connections()
        shop.in_one_of(3, lambda: is_at_once([is_refused("GET", "/menu") for _ in range(5)]))
    finally:
        for server in SERVERS:
            shop.wish(server, "up")
    began = time.monotonic()
    shop.within(2 * shop.PATIENCE_S, lambda: all(readyz(daemon)[0] == 200 for daemon in DAEMONS))
    people = traffic.Traffic(clients=2)
    people.run(5)
    print(f"  serving again {time.monotonic() - began:.1f} s after the servers were wished for")
    shop.within(2 * shop.PATIENCE_S, lambda: all(state == "ok" for d in DAEMONS for state in readyz(d)[1].values()))
    shop.within(shop.PATIENCE_S, ledger.outbox_is_empty)
    ledger.audit_has_each_once(ledger.rows_of(people.customers))
    assert pids == {daemon: shop.pid_of(daemon) for daemon in DAEMONS}, "a daemon was started again"


shop.fact(without_order_service_its_routes_say_so_and_the_rest_works, "GW-11")
shop.fact(without_customer_service_orders_go_on, "GW-11")
shop.fact(a_killed_postgres_comes_back_and_nothing_is_lost, "ORD-27")
shop.fact(daemons_that_start_first_wait_for_what_they_lean_on, "GW-11")
shop.finish()
