"""The broker is frozen, or with HOW=stopped is not there, while people order: no request waits for it, and all
events come when it is back."""
import json
import os
import signal
import threading
import time

import ledger
import shop
import traffic

AWAY_S = int(os.environ.get("AWAY_S", "20"))
HOW = os.environ.get("HOW", "frozen")
METRICS = shop.settings_of("order-service")["METRICS_PORT"]
rounds = []  # of people who order


def take_away():
    if HOW == "stopped":
        shop.wish("kafka", "down")
    else:
        shop.kill("kafka", signal.SIGSTOP)


def give_back():
    if HOW == "stopped":
        shop.wish("kafka", "up")
    else:
        shop.kill("kafka", signal.SIGCONT)


def ready():
    status, text = shop.get(f"http://127.0.0.1:{METRICS}/readyz")
    return status, json.loads(text or "{}")


def says_degraded():
    status, report = ready()
    if status != 200:
        raise shop.Away(f"readyz is {status}: {report}")
    return report["kafka"] == "degraded" and report["status"] in ("ok", "degraded")


def orders_go_on_without_the_broker():
    shop.in_one_of(3, a_round)


def a_round():
    shop.within(2 * shop.PATIENCE_S, ledger.outbox_is_empty)
    people = traffic.Traffic(clients=4, pause_s=0.1, strict=True)
    rounds.append(people)
    load = threading.Thread(target=people.run_for, args=(AWAY_S + 4,))
    take_away()
    try:
        load.start()
        time.sleep(AWAY_S)
        shop.within(shop.PATIENCE_S, says_degraded)
        (waiting,), = shop.sql("SELECT count(*) FROM outbox.events WHERE sink = 'kafka'")
        assert int(waiting) > people.placed, f"only {waiting} rows wait for the broker"
    finally:
        give_back()
    load.join()
    people.served_each_at_once()
    print(f"  {people.placed} orders in {AWAY_S + 4} s, {waiting} rows waited, slowest call {people.slowest_s:.2f} s")


def all_events_come_when_it_is_back():
    began = time.monotonic()
    shop.within(2 * shop.PATIENCE_S, ledger.outbox_is_empty)
    took = time.monotonic() - began
    rows = ledger.rows_of([customer for people in rounds for customer in people.customers])
    repeats = ledger.audit_has_each_once(rows) + ledger.typed_topics_have_theirs(rows)
    shop.within(shop.PATIENCE_S, lambda: ready()[1].get("kafka") == "ok")
    print(f"  {len(rows)} events, {took:.1f} s after it was back, {repeats} repeats dropped")


shop.fact(orders_go_on_without_the_broker, "EVT-20")
shop.fact(all_events_come_when_it_is_back, "EVT-18")
shop.finish()
