"""A Valkey that is stopped in the middle (SIGSTOP): its kernel still takes connections and bytes, it answers none."""
import contextlib
import signal
import statistics
import time

import live
import shop

TOKEN = shop.newcomer()[1]
BARISTA = shop.login("barista")
DAEMONS = ("gateway", "order-service", "customer-service")
ROUNDS = 12
PACE_S = 0.4  # between rounds: the pools try once a second, so many rounds meet a try


@contextlib.contextmanager
def valkey_stands_still():
    shop.kill("valkey", signal.SIGSTOP)
    try:
        yield
    finally:
        shop.kill("valkey", signal.SIGCONT)
        shop.within(shop.PATIENCE_S, lambda: all(says_of_valkey(daemon) == "ok" for daemon in DAEMONS))


def says_of_valkey(daemon):
    port = shop.settings_of(daemon)["METRICS_PORT"]
    status, text = shop.get(f"http://127.0.0.1:{port}/readyz")
    if status != 200:
        raise shop.Away(f"{daemon} is not ready: {status} {text}")
    return "degraded" if '"valkey":"degraded"' in text else "ok"


def timed(took, status, method, path, token=None, body=None):
    began = time.monotonic()
    found, answer = shop.at_once(method, path, token, body)
    took.append(time.monotonic() - began)
    assert found == status, f"{method} {path}: {found} {answer}"
    return answer


def a_round(took, token):
    """What a customer and a barista do, each call the first and only try."""
    order = timed(took, 201, "POST", "/orders", token, shop.LATTE)["id"]
    timed(took, 200, "GET", "/menu")
    timed(took, 200, "GET", f"/orders/{order}", token)
    timed(took, 200, "GET", "/queue", BARISTA)
    timed(took, 200, "GET", "/users/me", token)
    timed(took, 200, "POST", f"/orders/{order}/cancel", token, {})


def served_meanwhile():
    """Seconds of each call, the least first."""
    tokens = [shop.newcomer()[1] for _ in range(4)]  # each within its limit, which is smaller without Valkey
    took = []
    with valkey_stands_still():
        for number in range(ROUNDS):
            a_round(took, tokens[number % len(tokens)])
            time.sleep(PACE_S)
    return sorted(took)


def orders_and_reads_are_served_at_once_meanwhile():
    """Each daemon's pool gives one command a second a quarter of one; a call meets three of them at most."""
    shop.in_one_of(3, a_minute_at_once)


def a_minute_at_once():
    took = served_meanwhile()
    median, tenth = statistics.median(took), took[int(len(took) * 0.9)]
    print(f"  {len(took)} calls: median {median * 1000:.0f} ms, slowest {took[-1] * 1000:.0f} ms")
    if median >= 0.25 or tenth >= 1.5:
        raise shop.Late(f"median {median:.2f} s, the slowest tenth took {tenth:.2f} s")


def noticed_after():
    """Seconds until all three daemons say so."""
    with valkey_stands_still():
        began = time.monotonic()
        shop.within(shop.PATIENCE_S, lambda: all(says_of_valkey(daemon) == "degraded" for daemon in DAEMONS))
        return time.monotonic() - began


def it_is_noticed_within_seconds():
    print(f"  noticed after {shop.the_best_of(5, 3, noticed_after):.2f} s")


def heard_after():
    """Seconds from a move, made as Valkey has just stopped, to whoever watches the order."""
    status, order = shop.insist("POST", "/orders", TOKEN, shop.LATTE)
    assert status == 201, order
    stream = live.Events(f"/orders/{order['id']}/events", TOKEN)
    try:
        stream.order("placed")
        with valkey_stands_still():
            status, answer = shop.at_once("POST", f"/orders/{order['id']}/cancel", TOKEN, {})
            assert status == 200, answer
            began = time.monotonic()
            stream.order("cancelled")
            return time.monotonic() - began
    finally:
        stream.close()


def a_change_reaches_who_watches_within_seconds():
    """The bus is silent: the hub finds that out, and asks order-service itself."""
    print(f"  heard after {shop.the_best_of(5, 5, heard_after):.2f} s")


shop.fact(orders_and_reads_are_served_at_once_meanwhile, "CACHE-01")
shop.fact(it_is_noticed_within_seconds, "CACHE-01")
shop.fact(a_change_reaches_who_watches_within_seconds, "RT-08")
shop.finish()
